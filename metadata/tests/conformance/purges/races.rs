//! Purges beside writers, and beside one another.

use super::*;

/// Whatever arrives after the acceptance survives, and what was there before goes: nothing else.
async fn beside_writers(world: &World, filter: &str) {
    world.versioning("enabled").await;
    let names: Vec<String> = (0..5_000).map(|n| format!("kv/{:03}", n % 500)).collect();
    fill(world, names.iter().map(String::as_str)).await;
    let callers = world.callers(3).await;
    let writers = callers.into_iter().enumerate().map(|(writer, by)| {
        tokio::spawn(async move {
            for n in 0..200 {
                let name = format!("kv/{:03}", (n * 7 + writer * 31) % 500);
                by.put(&name).await.unwrap();
                if n % 3 == 0 {
                    // What is hidden, and what is shown again, moves between the indexes that the purge walks.
                    by.delete(&name).await.ok();
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let job = purge_as(world, PurgeVersions { selector: selector(filter, None), ..order(world) }).await;
    for writer in writers {
        writer.await.unwrap();
    }
    let contents = world.literal(world.contents().await);
    let left = format!(
        "SELECT CAST(COUNT(*) AS TEXT) FROM versions WHERE contents_id = {contents} AND state = 'live' AND seq <= {}",
        job.upto_seq
    );
    assert_eq!(world.ask(&left).await, ["0"]);
    let touched = format!(
        "SELECT CAST(COUNT(*) AS TEXT) FROM versions WHERE contents_id = {contents} AND cause = 'purge' AND seq > {}",
        job.upto_seq
    );
    assert_eq!(world.ask(&touched).await, ["0"]);
    assert_eq!(i64::try_from(job.purged).unwrap(), job.upto_seq);
}

racing_on_both_engines! {
    async fn a_purge_name_by_name_and_writers(world: World) {
        beside_writers(world, "kv.*").await;
    }

    async fn a_purge_of_a_stretch_and_writers(world: World) {
        beside_writers(world, "kv.>").await;
    }

    /// Several who drive one purge do its work once.
    async fn several_drivers(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..8_000).map(|n| format!("kv/{:04}", n % 3_000)).collect();
        fill(world, names.iter().map(String::as_str)).await;
        let selector = PurgeSelector { names: filter("kv/*"), bound: Some(keep(1_000)) };
        let job = begin(world, PurgeVersions { selector, ..order(world) }).await;
        let drivers = world.callers(3).await.into_iter().map(|by| {
            tokio::spawn(async move {
                loop {
                    let now = step(&by, job.id).await.unwrap();
                    if now.state != PurgeState::Running {
                        return now;
                    }
                }
            })
        });
        let drivers: Vec<_> = drivers.collect();
        for driver in drivers {
            let done = driver.await.unwrap();
            assert_eq!((done.purged, done.state), (7_000, PurgeState::Done));
        }
        assert_eq!(msgs(world).await, (1_000, 7_001, 8_000));
    }

    /// Of two processes that ask for the same purge by one id, both have its answer.
    async fn one_id_from_two_sides(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "b", "c"]).await;
        let asked = PurgeVersions {
            selector: selector("", before(3)),
            purge_id: Some([9; 16]),
            ..order(world)
        };
        let both = world.callers(2).await.into_iter().map(|by| {
            let asked = asked.clone();
            tokio::spawn(async move { by.m.purge_versions(asked).await.unwrap() })
        });
        let both: Vec<_> = both.collect();
        let mut jobs = Vec::new();
        for one in both {
            match one.await.unwrap() {
                Accepted::Begun(job) | Accepted::Known(job) => jobs.push(job),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(jobs[0], jobs[1]);
        assert_eq!((jobs[0].purged, jobs[0].purge_seq), (2, 1));
    }
}
