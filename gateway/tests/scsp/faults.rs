//! A blob store that fails: the client hears of it, nothing becomes visible, nothing is left.

use crate::house::House;
use lifecycle::State;
use std::time::Duration;
use testkit::faulty::{Fault, Op};

crate::on_both_engines!(in memory:
    a_store_that_fails_while_writing_is_503_and_nothing_is_stored,
    a_lost_answer_leaves_no_bytes_behind,
    a_full_store_is_507,
    a_store_that_fails_while_reading_is_503,
    a_store_that_says_missing_is_not_believed_at_once,
    what_could_not_be_taken_back_is_swept,
    a_part_that_lands_after_its_client_left_is_swept,
    a_delete_needs_no_store,
);

async fn a_store_that_fails_while_writing_is_503_and_nothing_is_stored(house: &mut House) {
    for (size, op) in
        [(64 << 10, Op::Put), (3 << 20, Op::Begin), (3 << 20, Op::Part), (3 << 20, Op::Complete)]
    {
        for fault in [Fault::ErrorBefore, Fault::SlowDown] {
            let injected = house.world.faults().injected_into(op);
            house.world.faults().next(op, 1, fault);
            let refused = house.post("/b/o").body(vec![1; size]).await.refused(503, "Unavailable");
            assert_eq!(refused.need("retry-after"), "1");
            assert_eq!(refused.text(), "The cluster cannot serve the request now; try again.");
            assert_eq!(house.world.faults().injected_into(op), injected + 1, "{op:?}");
            house.get("/b/o").await.refused(404, "NotFound");
            house.nothing_is_left().await;
        }
    }
    house.post("/b/o").body(vec![1; 64 << 10]).await.is(201);
}

async fn a_lost_answer_leaves_no_bytes_behind(house: &mut House) {
    for (size, op) in [(64 << 10, Op::Put), (3 << 20, Op::Complete)] {
        house.world.faults().next(op, 1, Fault::AnswerLost);
        house.post("/b/o").body(vec![1; size]).await.refused(503, "Unavailable");
        house.get("/b/o").await.refused(404, "NotFound");
        house.nothing_is_left().await;
    }
}

async fn a_full_store_is_507(house: &mut House) {
    for (size, op) in [(64 << 10, Op::Put), (3 << 20, Op::Part)] {
        house.world.faults().next(op, 1, Fault::Full);
        let refused = house.post("/b/o").body(vec![1; size]).await.refused(507, "ClusterOutOfSpace");
        assert!(refused.text().contains("0 bytes are in grace"), "{}", refused.text());
        house.get("/b/o").await.refused(404, "NotFound");
        house.nothing_is_left().await;
    }
}

async fn a_store_that_fails_while_reading_is_503(house: &mut House) {
    let bytes = vec![1; 64 << 10];
    house.post("/b/o").body(bytes.clone()).await.is(201);
    house.world.faults().next(Op::Get, 1, Fault::ErrorBefore);
    house.get("/b/o").await.refused(503, "Unavailable");
    house.get("/b/o").await.is(200).brings(&bytes);
    // Neither headers nor deletes need the store.
    house.world.faults().set(Op::Get, Fault::ErrorBefore, 1.0);
    house.head("/b/o").await.is(200);
    house.get("/b/o").header("If-None-Match", "*").await.is(304);
    house.delete("/b/o").await.is(200);
    house.world.faults().calm();
}

async fn a_store_that_says_missing_is_not_believed_at_once(house: &mut House) {
    let bytes = vec![1; 64 << 10];
    house.post("/b/o").body(bytes.clone()).await.is(201);
    // The store says that neither the blob nor its own identity is there: that is a store that went away.
    house.world.faults().set(Op::Get, Fault::NotFound, 1.0);
    house.get("/b/o").await.refused(503, "Unavailable");
    house.world.faults().calm();
    house.get("/b/o").await.is(200).brings(&bytes);
}

async fn what_could_not_be_taken_back_is_swept(house: &mut House) {
    house.world.faults().set(Op::Delete, Fault::ErrorBefore, 1.0);
    house.world.faults().next(Op::Put, 1, Fault::AnswerLost);
    house.post("/b/o").body(vec![1; 64 << 10]).await.refused(503, "Unavailable");
    house.get("/b/o").await.refused(404, "NotFound");
    testkit::world::soon("the upload is given up", async || {
        (house.count(State::Purging).await == 1 && house.world.faults().injected_into(Op::Delete) > 0)
            .then_some(())
    })
    .await;
    house.world.faults().calm();
    house.advance(Duration::from_secs(24 * 3_600));
    house.process().await;
    house.nothing_is_left().await;
}

async fn a_delete_needs_no_store(house: &mut House) {
    house.post("/b/o").body(vec![1; 64 << 10]).await.is(201);
    for op in [Op::Put, Op::Get, Op::Delete, Op::List] {
        house.world.faults().set(op, Fault::ErrorBefore, 1.0);
    }
    house.delete("/b/o").await.is(200);
    house.delete("/b?recursive").await.is(200);
    house.post(&format!("/b?recreatecid={}&admin", house.bu)).context().await.is(201);
    house.delete("/b?recursive=now").await.is(200);
    house.world.faults().calm();
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    house.nothing_is_left().await;
}

async fn a_part_that_lands_after_its_client_left_is_swept(house: &mut House) {
    house.world.faults().set(Op::Part, Fault::Latency(Duration::from_millis(200)), 1.0);
    let mut line = house.line().await;
    line.send("POST /b/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: 8388608\r\n\r\n").await;
    line.send(vec![1; 2 << 20]).await;
    testkit::world::soon("a part is on its way", async || {
        (house.world.faults().calls(Op::Begin) > 0).then_some(())
    })
    .await;
    drop(line);
    testkit::world::soon("the upload is given up", async || {
        (house.count(State::Staged).await == 0).then_some(())
    })
    .await;
    // What could not be destroyed under the hands of a late part stays claimable, and goes.
    testkit::world::soon("the sweep gets it", async || {
        house.process().await;
        (house.count(State::Purging).await == 0).then_some(())
    })
    .await;
    house.nothing_is_left().await;
}
