//! Bytes without a row, from the first sight to the last proof; and tasks that only one member works at.

use crate::world::*;
use lifecycle::orphan::ripe_at;
use lifecycle::{BlobName, MemberId, Orphan, Time};
use metadata::{CondemnOrder, Orphans, Sighting};
use serde_json::json;
use std::time::Duration;

fn order(seen_since: Time) -> CondemnOrder {
    CondemnOrder { seen_since, staged_expiry: DAY, after: None, limit: 10 }
}

fn sighting(name: BlobName, modified: Time) -> Sighting {
    Sighting { name, size: 8, modified }
}

/// Something old that is seen now.
async fn seen(world: &World) -> BlobName {
    let name = BlobName::random();
    world.m.note_orphans(world.now(), vec![sighting(name, world.now().minus(10 * DAY))]).await.unwrap();
    name
}

async fn condemned(world: &World, order: CondemnOrder) -> Vec<BlobName> {
    world.m.condemn_orphans(order).await.unwrap().iter().map(Orphan::name).collect()
}

/// The blob of the one version that there is.
async fn only_blob(world: &World) -> BlobName {
    world.m.check_page(None).await.unwrap()[0].blobs[0].name
}

on_both_engines! {
    async fn what_is_seen_again_keeps_its_first_day_and_what_is_not_is_struck_off(world: World) {
        let (first, name) = (world.now(), seen(world).await);
        let gone = seen(world).await;
        world.later(DAY);
        // A blob and a temporary file of one name are one entry.
        let again = [sighting(name, world.now().minus(9 * DAY)), Sighting { size: 20, ..sighting(name, first) }];
        world.m.note_orphans(world.now(), again.to_vec()).await.unwrap();
        assert_eq!(world.m.strike_off_orphans(world.now()).await.unwrap(), 1);
        let known = world.m.orphans(world.now(), DAY / 2).await.unwrap();
        let expected = Orphans { known: 1, bytes: 20, since: Some(first), ripe: 1, ripe_bytes: 20 };
        assert_eq!(known, expected, "{gone} is gone");
        assert_eq!(world.m.orphans(world.now(), DAY).await.unwrap().ripe, 0, "it was written to a day ago");
        assert_eq!(world.m.strike_off_orphans(world.now()).await.unwrap(), 0);
    }

    async fn what_has_a_row_is_neither_noted_nor_condemned(world: World) {
        world.stage("upload").await;
        let blob = only_blob(world).await;
        assert!(world.m.known_blobs([blob, BlobName::random()]).await.unwrap().contains(&blob));
        world.m.note_orphans(world.now(), vec![sighting(blob, Time::from_secs(0))]).await.unwrap();
        assert_eq!(world.m.orphans(world.now(), DAY).await.unwrap(), Orphans::default());

        // Even if it stands in the table.
        let name = seen(world).await;
        let url = &world.db.settings().url;
        metadata::testing::run(url, "UPDATE orphans SET name = (SELECT name FROM blobs)").await.unwrap();
        world.later(9 * DAY);
        assert_eq!(condemned(world, order(Time::from_secs(0))).await, []);
        assert_ne!(name, blob);
        assert_eq!(world.m.strike_off_orphans(Time::from_secs(0)).await.unwrap(), 1);
    }

    async fn what_is_ripe_is_condemned_and_nothing_else(world: World) {
        let start = world.now();
        let mut all = Vec::new();
        for (first, modified) in [(0, 0), (0, 40), (23, 0), (24, 0), (25, 0), (0, 23), (0, 25)] {
            let hours = |hours: u32| start.plus(HOUR * hours);
            world.clock.set_wall(hours(first));
            let (name, modified) = (BlobName::random(), hours(modified));
            world.m.note_orphans(world.now(), vec![sighting(name, modified)]).await.unwrap();
            all.push((name, world.now(), modified));
        }
        for hours in [23_u32, 24, 47, 48, 49, 72, 88] {
            world.clock.set_wall(start.plus(HOUR * hours));
            let mut expected: Vec<BlobName> = all
                .iter()
                .filter(|(_, first, modified)| ripe_at(*first, *modified, DAY) <= world.now())
                .map(|(name, ..)| *name)
                .collect();
            expected.sort();
            assert_eq!(condemned(world, order(start)).await, expected, "after {hours} hours");
            let known = world.m.orphans(world.now(), DAY).await.unwrap();
            assert_eq!((known.known, known.ripe), (7, expected.len() as u64));
        }
        assert_eq!(condemned(world, order(world.now())).await, [], "no pass has met them since");
    }

    async fn condemning_goes_on_behind_a_name_and_the_buried_are_struck_off(world: World) {
        for _ in 0..5 {
            seen(world).await;
        }
        let pass = world.now();
        world.later(DAY);
        let some = CondemnOrder { limit: 2, ..order(pass) };
        let first = world.m.condemn_orphans(some).await.unwrap();
        let after = first.last().map(Orphan::name);
        assert!(first.len() == 2 && first[0].name() < first[1].name());
        let rest = condemned(world, CondemnOrder { after, limit: 10, ..some }).await;
        assert!(rest.len() == 3 && rest.iter().all(|name| Some(*name) > after));
        assert_eq!(world.m.bury_orphans(first).await.unwrap(), 2);
        assert_eq!(condemned(world, order(pass)).await, rest, "condemned again, as after a crash");
        assert_eq!(world.m.orphans(world.now(), DAY).await.unwrap().known, 3);
    }

    async fn while_halted_nothing_is_condemned(world: World) {
        seen(world).await;
        let pass = world.now();
        world.later(9 * DAY);
        world.m.halt_purging("looking into it".to_owned()).await.unwrap();
        let refused = world.m.condemn_orphans(order(pass)).await.unwrap_err().to_string();
        assert!(refused.contains("looking into it"), "{refused}");
        world.m.resume_purging(Duration::ZERO).await.unwrap();
        assert_eq!(condemned(world, order(pass)).await.len(), 1);
    }

    async fn one_member_at_a_time_works_at_a_task_and_the_next_learns_how_far_it_is(world: World) {
        let (one, two) = (MemberId::random(), MemberId::random());
        assert_eq!(world.m.task_memo("scrub").await.unwrap(), None);
        assert_eq!(world.m.take_task("scrub", one, LEASE).await.unwrap(), Some(None));
        assert_eq!(world.m.take_task("scrub", two, LEASE).await.unwrap(), None, "one is at it");
        assert_eq!(world.m.take_task("other", two, LEASE).await.unwrap(), Some(None));
        let (here, there) = (json!({ "at": 1 }), json!({ "at": 2 }));
        assert!(world.m.keep_task("scrub", one, Some(LEASE), &here).await.unwrap());
        assert!(!world.m.keep_task("scrub", two, Some(LEASE), &there).await.unwrap());
        assert_eq!(world.m.take_task("scrub", one, LEASE).await.unwrap(), Some(Some(here.clone())));

        // It dies, and comes back too late.
        world.later(LEASE);
        assert_eq!(world.m.take_task("scrub", two, LEASE).await.unwrap(), Some(Some(here)));
        assert!(!world.m.keep_task("scrub", one, Some(LEASE), &json!({ "at": 0 })).await.unwrap());
        assert!(world.m.keep_task("scrub", two, None, &there).await.unwrap());
        assert_eq!(world.m.task_memo("scrub").await.unwrap(), Some(there.clone()));
        assert_eq!(world.m.take_task("scrub", one, LEASE).await.unwrap(), Some(Some(there.clone())));

        // What a run reported is written beside it.
        world.m.record_task("scrub", world.now(), world.now(), None, &json!({ "done": true })).await.unwrap();
        assert_eq!(world.m.task_memo("scrub").await.unwrap(), Some(there));
        assert_eq!(world.m.take_task("scrub", two, LEASE).await.unwrap(), None);
    }

    async fn blobs_are_paged_by_version_and_part_and_know_their_owners(world: World) {
        for name in ["a", "b", "c"] {
            world.put(name).await.unwrap();
        }
        world.delete("b").await.unwrap();
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = world.m.blobs_page(after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(after < Some(last.place()));
            after = Some(last.place());
            for owned in page {
                let owner = world.m.blob_owner(owned.blob.name).await.unwrap().unwrap();
                assert_eq!((owner.version, owner.state), (owned.version, owned.state));
                assert_eq!((owner.domain.as_str(), owner.bucket.as_str()), ("barrow.local", "photos"));
                names.push(owner.name);
            }
        }
        names.sort();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(world.m.blob_owner(BlobName::random()).await.unwrap(), None);
    }
}
