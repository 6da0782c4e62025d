//! The index and the bucket, side by side: whatever happens, in whatever moment of being read, and however often the reader
//! dies, the index holds in the end what the bucket holds.

use super::Bench;
use super::world::{World, anything};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

async fn live_through(seed: u64) -> u64 {
    let mut random = SmallRng::seed_from_u64(seed.wrapping_mul(77));
    let world = World::seeded(seed);
    let mut bench = Bench::new();
    for round in 0..12 {
        for _ in 0..random.random_range(0..20) {
            anything(&mut world.bucket.borrow_mut(), &mut random);
        }
        if random.random_bool(0.7) {
            let often = random.random_range(0.0..0.8);
            let mischief = move |bucket: &mut _, random: &mut SmallRng| {
                while random.random_bool(often) {
                    anything(bucket, random);
                }
            };
            *world.mischief.borrow_mut() = Some(Box::new(mischief));
            world.dies.set(if random.random_bool(0.5) { 0.1 } else { 0.0 });
            // It may die on the way, and it may be that the server never sits still.
            for _ in 0..3 {
                let _ = bench.try_catch_up(&world).await;
            }
            *world.mischief.borrow_mut() = None;
            world.dies.set(0.0);
        }
        bench.catch_up(&world).await;
        assert_eq!(bench.all().await, world.bucket.borrow().winners(), "seed {seed}, round {round}");
    }
    world.questions.get()
}

#[tokio::test]
async fn whatever_happens_in_whatever_moment() {
    let mut questions = 0;
    for seed in 0..30 {
        questions += live_through(seed).await;
    }
    assert!(questions > 50, "doubts are part of it: {questions}");
}
