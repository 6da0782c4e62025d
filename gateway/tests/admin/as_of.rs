//! A bucket as it was: against a model that remembers every moment, and case by case.

use crate::common::{DAY, World};
use crate::{BUCKETS, code};
use lifecycle::{Clock, ContainerId, Guard, Time, VersionId};
use metadata::Which;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::Database;

const SECOND: Duration = Duration::from_secs(1);
const RESTORE: &str = "/v1/domains/barrow.local/buckets/photos/objects/restore";

/// Numbers that look like chance and are told by their seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

type State = BTreeMap<String, VersionId>;

/// Random puts, overwrites and deletes; what the bucket held after each, by the model.
async fn live_a_while(w: &World, bucket: ContainerId, dice: &mut Dice) -> Vec<(Time, State)> {
    let mut state = State::new();
    let mut past = vec![(w.clock.now(), state.clone())];
    for _ in 0..60 {
        // Sometimes the clock stands still.
        w.clock.advance(SECOND * u32::try_from(dice.roll(4)).unwrap());
        let name = format!("{}/{}", dice.roll(2), dice.roll(5));
        if dice.roll(3) == 0 && state.contains_key(&name) {
            w.delete(bucket, &name).await;
            state.remove(&name);
        } else {
            let version = w.put(bucket, &name).await;
            state.insert(name, version);
        }
        past.push((w.clock.now(), state.clone()));
    }
    past
}

/// What the model says of a moment: the last that was true by then.
fn at(past: &[(Time, State)], moment: Time) -> State {
    past.iter().rev().find(|(time, _)| *time <= moment).map(|(_, state)| state.clone()).unwrap()
}

fn counts(report: &Value) -> [u64; 5] {
    ["restored", "removed", "kept", "lost", "failed"].map(|count| report[count].as_u64().unwrap())
}

async fn as_the_model_says(db: Database, seed: u64, versioning: Option<&str>) {
    let w = World::on(db).await;
    let bucket = w.bucket("photos").await;
    if let Some(policy) = versioning {
        w.versioning(bucket, policy).await;
    }
    let mut dice = Dice(seed);
    let past = live_a_while(&w, bucket, &mut dice).await;
    let lived = past.last().unwrap().0.since(past[0].0).as_secs();
    let moment = past[0].0.plus(SECOND * u32::try_from(dice.roll(lived + 1)).unwrap());
    w.clock.advance(SECOND);
    let (then, now) = (at(&past, moment), w.current(bucket).await);
    let context = format!("seed {seed}, {versioning:?}, as of {moment}");
    assert_eq!(now, past.last().unwrap().1, "{context}");

    let mut order = json!({ "as_of": moment.to_rfc3339(), "replace": true, "dry_run": true });
    let would = w.post(RESTORE, order.clone()).await;
    assert_eq!(w.current(bucket).await, now, "{context}: a dry run");
    order["dry_run"] = false.into();
    let did = w.post(RESTORE, order.clone()).await;
    assert_eq!(w.current(bucket).await, then, "{context}: {did}");
    assert_eq!((counts(&would), &would["items"]), (counts(&did), &did["items"]), "{context}");
    let again = w.post(RESTORE, order).await;
    assert_eq!(
        (counts(&again), again["items"].as_array().unwrap().len()),
        ([0; 5], 0),
        "{context}: once more"
    );
    w.check().await;
}

#[tokio::test]
async fn a_bucket_is_again_what_the_model_says_it_was_on_sqlite() {
    for seed in 0..12 {
        as_the_model_says(Database::sqlite(), seed, None).await;
        as_the_model_says(Database::sqlite(), seed, Some("enabled")).await;
        as_the_model_says(Database::sqlite(), seed, Some("suspended")).await;
    }
}

#[tokio::test]
async fn a_bucket_is_again_what_the_model_says_it_was_on_postgres() {
    for seed in 0..4 {
        as_the_model_says(Database::postgres().await, seed, None).await;
        as_the_model_says(Database::postgres().await, seed, Some("enabled")).await;
        as_the_model_says(Database::postgres().await, seed, Some("suspended")).await;
    }
}

async fn both(case: impl AsyncFn(World, ContainerId)) {
    for db in Database::both().await {
        let w = World::on(db).await;
        let bucket = w.bucket("photos").await;
        case(w, bucket).await;
    }
}

/// What is told of each name.
fn items(report: &Value) -> Vec<(&str, &str)> {
    let items = report["items"].as_array().unwrap().iter();
    items.map(|item| (item["name"].as_str().unwrap(), item["what"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn what_was_written_since_stays_unless_it_is_to_be_replaced() {
    both(async |w, bucket| {
        let mut first = State::new();
        for name in ["deleted", "overwritten", "same"] {
            first.insert(name.to_owned(), w.put(bucket, name).await);
        }
        w.clock.advance(SECOND);
        let moment = w.clock.now().to_rfc3339();
        w.clock.advance(SECOND);
        w.delete(bucket, "deleted").await;
        w.put(bucket, "overwritten").await;
        w.put(bucket, "new").await;
        let held = w.put_as(bucket, "held", |put| put.guard = Guard { hold: true, ..Guard::NONE }).await;

        let report = w.post(RESTORE, json!({ "as_of": moment })).await;
        let told = [("deleted", "restored"), ("held", "kept"), ("new", "kept"), ("overwritten", "failed")];
        assert_eq!(items(&report), told);
        assert_eq!(counts(&report), [1, 0, 2, 0, 1]);
        assert_eq!(
            (&report["unchanged"], &report["items"][3]["error"]["code"]),
            (&json!(1), &json!("NameInUse"))
        );

        let report = w.post(RESTORE, json!({ "as_of": "1s", "prefix": "over", "replace": true })).await;
        assert_eq!(items(&report), [("overwritten", "restored")], "the prefix, and nothing else");
        let report = w.post(RESTORE, json!({ "as_of": moment, "replace": true })).await;
        assert_eq!(items(&report), [("held", "failed"), ("new", "removed")]);
        assert_eq!(report["items"][0]["error"]["code"], "Guarded");
        first.insert("held".to_owned(), held);
        assert_eq!(w.current(bucket).await, first);
        // What went for it can be restored in its turn.
        w.post(RESTORE, json!({ "names": ["new"] })).await;
        w.check().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_purged_is_listed_by_name_as_lost() {
    both(async |w, bucket| {
        let gone = w.put(bucket, "gone").await;
        w.put(bucket, "earlier").await;
        w.delete(bucket, "earlier").await;
        w.clock.advance(SECOND);
        let moment = w.clock.now().to_rfc3339();
        w.clock.advance(SECOND);
        w.delete(bucket, "gone").await;
        w.clock.advance(2 * DAY);
        w.reclaim().await;
        let kept = w.put(bucket, "gone").await;
        let report = w.post(RESTORE, json!({ "as_of": moment, "replace": true })).await;
        assert_eq!((counts(&report), items(&report)), ([0, 0, 0, 1, 0], vec![("gone", "lost")]));
        let item = &report["items"][0];
        assert_eq!((&item["version"], &item["error"]["code"]), (&json!(gone), &json!("Purged")));
        assert!(item["error"]["message"].as_str().unwrap().contains("by test (delete), purged at"), "{item}");
        assert_eq!(w.current(bucket).await["gone"], kept, "for nothing, nothing goes");
        w.clock.advance(20 * DAY);
        w.forget().await;
        let report = w.post(RESTORE, json!({ "as_of": moment, "dry_run": true })).await;
        assert!(report["notes"][0].as_str().unwrap().contains("forgotten"), "{report}");
    })
    .await;
}

#[tokio::test]
async fn where_versions_are_kept_the_version_of_then_is_on_top_again() {
    both(async |w, bucket| {
        w.versioning(bucket, "enabled").await;
        let (x, y, z) = (w.put(bucket, "x").await, w.put(bucket, "y").await, w.put(bucket, "z").await);
        w.put(bucket, "hidden").await;
        w.delete(bucket, "hidden").await;
        w.clock.advance(SECOND);
        let moment = w.clock.now().to_rfc3339();
        w.clock.advance(SECOND);
        w.delete(bucket, "x").await; // a marker
        for _ in 0..3 {
            w.put(bucket, "y").await;
        }
        w.delete(bucket, "y").await;
        w.delete_which(bucket, "z", Which::Version(z)).await;
        w.put(bucket, "z").await;
        w.put(bucket, "hidden").await;

        let report = w.post(RESTORE, json!({ "as_of": moment })).await;
        let told = [("hidden", "kept"), ("x", "restored"), ("y", "failed"), ("z", "failed")];
        assert_eq!(items(&report), told);
        assert_eq!(w.current(bucket).await["x"], x);
        let report = w.post(RESTORE, json!({ "as_of": moment, "replace": true })).await;
        assert_eq!(counts(&report), [2, 5, 0, 0, 0], "{report}");
        let then: State = [("x", x), ("y", y), ("z", z)].map(|(name, id)| (name.to_owned(), id)).into();
        assert_eq!(w.current(bucket).await, then);
        w.check().await;
    })
    .await;
}

#[tokio::test]
async fn an_object_whose_time_has_come_was_there_until_then() {
    both(async |w, bucket| {
        let at = w.clock.now();
        let expires = at.plus(10 * SECOND);
        w.put_as(bucket, "brief", |put| put.expires_at = Some(expires)).await;
        w.clock.advance(20 * SECOND);
        let order = json!({ "as_of": at.plus(5 * SECOND).to_rfc3339() });
        let report = w.post(RESTORE, order).await;
        assert_eq!(
            (items(&report), &report["items"][0]["error"]["code"]),
            (vec![("brief", "failed")], &json!("NotSwept"))
        );
        let report = w.post(RESTORE, json!({ "as_of": expires.to_rfc3339() })).await;
        assert_eq!((counts(&report), &report["unchanged"]), ([0; 5], &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn a_moment_that_the_bucket_does_not_remember_is_refused() {
    both(async |w, bucket| {
        w.put(bucket, "a").await;
        let made = w.clock.now();
        w.clock.advance(10 * SECOND);
        for bad in ["soon", "", "2126-03-03T09:00:00Z", "1h"] {
            w.ask("POST", RESTORE, json!({ "as_of": bad, "replace": true }), 400).await;
        }
        let emptied = w.post(&format!("{BUCKETS}/photos/empty"), json!({})).await;
        w.clock.advance(SECOND);
        w.put(bucket, "b").await;
        let order = json!({ "as_of": made.to_rfc3339(), "replace": true });
        let refused = w.ask("POST", RESTORE, order, 409).await;
        assert_eq!(code(&refused), "Emptied");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(emptied["contents"].as_str().unwrap()), "{message}");
        assert_eq!(w.current(bucket).await.len(), 1, "nothing was changed");
    })
    .await;
}
