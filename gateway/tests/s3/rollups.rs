//! Writes that purge what is older: `Nats-Rollup`, through S3 and SCSP. JP-47, JP-48.

use crate::calls::{history, put_in_parts, versioning};
use crate::house::House;
use crate::on_both_engines;
use lifecycle::Right;
use metadata::StreamRules;
use std::sync::atomic::{AtomicBool, Ordering};

on_both_engines!(
    what_is_older_under_the_name_goes_and_nobody_misses_the_object_meanwhile,
    what_is_older_in_the_bucket_goes,
    nothing_is_stored_where_it_is_not_permitted_or_not_understood,
    whoever_may_not_purge_rolls_nothing_up,
    what_scsp_writes_rolls_up_as_well,
);

const HEADER: &str = "Nats-Rollup";

/// Ten versions of two objects in a bucket that permits roll-ups.
async fn filled(house: &House) {
    versioning(house, "bucket", "Enabled").await;
    permit(house).await;
    for key in ["/bucket/A", "/bucket/B"] {
        for n in 0..10 {
            house.put(key).body(format!("old {n}")).await.is(200);
        }
    }
}

async fn permit(house: &House) {
    let bucket = house.bucket("bucket").await;
    let rules = StreamRules { allow_rollup: true, ..StreamRules::default() };
    house.metadata().set_stream_rules(bucket, rules, "olga").await.expect("they are permitted");
}

/// How many versions there are of each.
async fn counted(house: &House) -> (usize, usize) {
    let all = history(house, "bucket").await;
    let of = |key: &str| all.iter().filter(|(name, ..)| name == key).count();
    (of("A"), of("B"))
}

async fn what_is_older_under_the_name_goes_and_nobody_misses_the_object_meanwhile(house: &mut House) {
    filled(house).await;
    let done = AtomicBool::new(false);
    let reading = async {
        let mut seen = 0;
        while !done.load(Ordering::SeqCst) {
            let answer = house.get("/bucket/A").await.is(200);
            assert!(["old 9".as_bytes(), b"new"].contains(&answer.body.as_slice()), "{answer:?}");
            seen += 1;
        }
        seen
    };
    let writing = async {
        house.put("/bucket/A").header(HEADER, "sub").body("new").await.is(200);
        done.store(true, Ordering::SeqCst);
    };
    let (seen, ()) = tokio::join!(reading, writing);
    assert!(seen > 0);
    house.get("/bucket/A").await.is(200).brings("new");
    assert_eq!(counted(house).await, (1, 10));
}

async fn what_is_older_in_the_bucket_goes(house: &mut House) {
    filled(house).await;
    house.put("/bucket/A").header(HEADER, "all").body("new").await.is(200);
    assert_eq!(counted(house).await, (1, 0));
    house.get("/bucket/A").await.is(200).brings("new");
    house.refuses(house.get("/bucket/B").ready(), 404, "NoSuchKey").await;
}

async fn nothing_is_stored_where_it_is_not_permitted_or_not_understood(house: &mut House) {
    for value in ["sub", "all"] {
        let ask = house.put("/bucket/key").header(HEADER, value).body("four");
        house.refuses_to_store(ask.ready(), 403, "AccessDenied").await;
    }
    permit(house).await;
    for value in ["x", "", "Sub", "sub,all"] {
        let ask = house.put("/bucket/key").header(HEADER, value).body("four");
        house.refuses_to_store(ask.ready(), 400, "InvalidArgument").await;
    }
    // Other calls that write do not pass it over.
    let copy = house.put("/bucket/key").header("x-amz-copy-source", "/other/witness").header(HEADER, "sub");
    house.refuses_to_store(copy.ready(), 501, "NotImplemented").await;
    let begin = house.post("/bucket/key?uploads").header(HEADER, "sub");
    house.refuses(begin.ready(), 501, "NotImplemented").await;
    put_in_parts(house, "/bucket/parts", &[b"some"]).await;
}

async fn whoever_may_not_purge_rolls_nothing_up(house: &mut House) {
    filled(house).await;
    let rights = [Right::Read, Right::Write, Right::Delete, Right::DeleteVersion];
    let writer = house.key_with(&rights).await;
    let ask = |value: &str| house.put("/bucket/A").key(&writer).header(HEADER, value).body("four");
    for value in ["sub", "all"] {
        house.refuses(ask(value).ready(), 403, "AccessDenied").await;
    }
    assert_eq!(counted(house).await, (10, 10));
    let purger = house.key_with(&[Right::Write, Right::Purge]).await;
    house.put("/bucket/A").key(&purger).header(HEADER, "sub").body("new").await.is(200);
    assert_eq!(counted(house).await, (1, 10));
}

async fn what_scsp_writes_rolls_up_as_well(house: &mut House) {
    filled(house).await;
    let write = |value: &str| house.scsp("POST", "/bucket/A").header(HEADER, value).body("new");
    write("x").await.is(400);
    assert_eq!(counted(house).await, (10, 10));
    write("sub").await.is(201);
    assert_eq!(counted(house).await, (1, 10));
    write("all").await.is(201);
    assert_eq!(counted(house).await, (1, 0));
    // An update does the same; what else writes says that it does not.
    house.scsp("PUT", "/bucket/A").body("newer").await.is(201);
    assert_eq!(counted(house).await, (2, 0));
    house.scsp("PUT", "/bucket/A").header(HEADER, "sub").body("newest").await.is(201);
    assert_eq!(counted(house).await, (1, 0));
    for method in ["COPY", "APPEND"] {
        house.scsp(method, "/bucket/A").header(HEADER, "sub").await.is(501);
    }
    house.get("/bucket/A").await.is(200).brings("newest");
}
