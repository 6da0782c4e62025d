//! What is meant beside filters and positions: prefixes, lists, revisions, age; and large names, page by page.

use super::*;
use crate::world::{DAY, HOUR};
use lifecycle::revision::Revision;
use std::collections::BTreeMap;

async fn revision_at(by: &Caller, seq: i64) -> Revision {
    by.m.at_position(by.bucket, seq).await.unwrap().unwrap().revision.unwrap()
}

async fn exactly(by: &Caller, name: &str, seqs: &[i64]) -> PurgeSelector {
    let mut revisions = BTreeSet::new();
    for seq in seqs {
        revisions.insert(revision_at(by, *seq).await);
    }
    PurgeSelector {
        names: PurgeNames::Revisions(BTreeMap::from([(name.to_owned(), revisions)])),
        bound: None,
    }
}

on_both_engines! {
    async fn prefixes_and_lists(world: World) {
        world.versioning("enabled").await;
        fill(world, ["ab", "abc", "b", "a", "ab", "\u{10ffff}"]).await;
        let prefix = PurgeSelector { names: PurgeNames::Prefix("ab".to_owned()), bound: None };
        assert_eq!(purge(world, prefix).await.purged, 3);
        assert_eq!(world.lists().await, ["a", "b", "\u{10ffff}"]);
        let list = PurgeSelector { names: listed(&["b", "missing", "\u{10ffff}"]), bound: None };
        assert_eq!(purge(world, list).await.purged, 2);
        assert_eq!(world.lists().await, ["a"]);
    }

    /// What was written long enough ago, as the clock stood when the purge was accepted.
    async fn by_age(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "b"]).await;
        world.later(DAY);
        fill(world, ["a", "c"]).await;
        world.later(HOUR);
        let old = PurgeSelector { names: filter(">"), bound: Some(PurgeBound::OlderThan(2 * HOUR)) };
        assert_eq!(purge(world, old).await.purged, 2);
        assert_eq!(world.lists().await, ["a", "c"]);
    }

    /// Exactly the versions that were named; what they covered is shown.
    async fn revisions(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "a", "a", "bb"]).await;
        let first = at(world, 1).await.unwrap();
        assert_eq!(purge(world, exactly(world, "a", &[2]).await).await.purged, 1);
        assert_eq!(positions(world, "a").await, [1, 3]);
        assert_eq!(purge(world, exactly(world, "a", &[3]).await).await.purged, 1);
        assert_eq!(world.found("a", false).await.version.id, first);
        // Another name's revision is none of this one's.
        assert_eq!(purge(world, exactly(world, "a", &[4]).await).await.purged, 0);
        world.delete("a").await.unwrap();
        assert_eq!(world.lists().await, ["bb"]);
        assert_eq!(purge(world, exactly(world, "a", &[5]).await).await.purged, 1);
        assert_eq!(world.lists().await, ["a", "bb"], "a marker that was named goes, as if it had been deleted");
    }

    /// More versions of one name, and more names, than one step looks at.
    async fn more_than_a_step(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..1_500).map(|n| format!("many/{n:05}")).collect();
        let large = std::iter::repeat_n("one/large", 1_300);
        fill(world, names.iter().map(String::as_str).chain(large).chain(["one/small", "zero"])).await;
        let each = PurgeSelector { names: filter("one/>"), bound: Some(PurgeBound::KeepPerName(100)) };
        assert_eq!(purge(world, each).await.purged, 1_200);
        assert_eq!(positions(world, "one/large").await, (2_701..=2_800).collect::<Vec<_>>());
        let all = PurgeSelector { names: filter("*/>"), bound: Some(PurgeBound::OlderThan(HOUR)) };
        world.later(2 * HOUR);
        assert_eq!(purge(world, all).await.purged, 1_601);
        assert_eq!(world.lists().await, ["zero"]);
    }

    /// A stretch of names at a time, which is what it takes where nothing is guarded; a name with more versions than fit; and a
    /// guard that comes up between two steps.
    async fn stretches_of_names(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..2_000).map(|n| format!("kv/{n:05}")).collect();
        let long = std::iter::repeat_n("kv/00500", 1_100);
        fill(world, names.iter().map(String::as_str).chain(long).chain(["kv", "kv0", "zero"])).await;
        for n in (0..2_000).step_by(7) {
            world.put(&format!("kv/{n:05}")).await.unwrap();
        }
        let marked = (0..2_000).step_by(300).map(|n| format!("kv/{n:05}"));
        for name in marked {
            world.delete(&name).await.unwrap();
        }
        let before = msgs(world).await.0;
        let mut job = begin(world, PurgeVersions { selector: selector("kv.>", None), ..order(world) }).await;
        assert_eq!(job.state, PurgeState::Running);
        assert_eq!(job.purged, job.looked, "nothing was looked at that stays");
        // What comes later is not meant, and one that is guarded has every version looked at from here on.
        world.put("kv/00003").body("later").held().await.unwrap();
        while job.state == PurgeState::Running {
            job = step(world, job.id).await.unwrap();
        }
        assert_eq!((job.purged, job.protected), (before - 3, 0));
        assert_eq!(world.lists().await, ["kv", "kv/00003", "kv0", "zero"]);
        assert_eq!(world.reads("kv/00003").await.as_deref(), Some("later"));
        let changes = "SELECT CAST(COUNT(*) - COUNT(DISTINCT change_seq) AS TEXT) FROM versions WHERE cause = 'purge'";
        assert_eq!(world.ask(changes).await, ["0"], "each is a change of its own");
    }

    /// Of a stretch only what is older than a position.
    async fn the_older_part_of_a_stretch(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..900).map(|n| format!("kv/{:03}", n % 300)).collect();
        fill(world, names.iter().map(String::as_str)).await;
        assert_eq!(purge(world, selector("kv.>", before(701))).await.purged, 700);
        assert_eq!(msgs(world).await, (200, 701, 900));
        let prefix = PurgeSelector { names: PurgeNames::Prefix("kv/29".to_owned()), bound: Some(before(900)) };
        assert_eq!(purge(world, prefix).await.purged, 9);
        assert_eq!(msgs(world).await, (191, 701, 900));
    }

    /// Which are the newest of all is found out whatever there are.
    async fn keeping_more_than_a_look(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..5_000).map(|n| format!("{}/{n}", n % 2)).collect();
        fill(world, names.iter().map(String::as_str)).await;
        let all = PurgeSelector { names: filter(">"), bound: Some(keep(4_000)) };
        assert_eq!(purge(world, all).await.purged, 1_000);
        assert_eq!(msgs(world).await, (4_000, 1_001, 5_000));
        let odd = PurgeSelector { names: filter("1/>"), bound: Some(keep(1_500)) };
        assert_eq!(purge(world, odd).await.purged, 500);
        assert_eq!(msgs(world).await.0, 3_500);
    }

    /// One change for each version that goes, and an entry in the ledger for each purge.
    async fn each_version_is_a_change_of_its_own(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "b", "a", "c"]).await;
        let job = purge(world, selector("", before(4))).await;
        let query = "SELECT CAST(COUNT(DISTINCT change_seq) AS TEXT) FROM versions WHERE state = 'removed'";
        assert_eq!(world.ask(query).await, ["3"]);
        let newest = "SELECT CAST(MAX(change_seq) AS TEXT) FROM versions";
        assert_eq!(world.ask(newest).await, [job.positions.change_seq.to_string()]);
        purge(world, selector("c", None)).await;
        purge(world, selector("", None)).await;
        let ledger = "SELECT CAST(purge_seq AS TEXT) || ' ' || selector || ' ' || CAST(upto_seq AS TEXT) FROM purges ORDER BY 1";
        assert_eq!(
            world.ask(ledger).await,
            [r#"1 {"filter":">","before_seq":4} 4"#, r#"2 {"filter":"c"} 4"#, r#"3 {"filter":">"} 4"#]
        );
    }
}
