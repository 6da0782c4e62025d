//! Telling webhooks: at least once, of each object in its order, whatever becomes of the webhook or of the teller.

use crate::world::{DAY, MINUTE, World, number};
use async_trait::async_trait;
use health_processor::failpoint::Blow;
use health_processor::{Events, HealthProcessor, Settings, Untaken, Webhook};
use metadata::{Container, SettingChanges, SettingKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::Database;

/// What a webhook does with messages.
#[derive(Clone, Debug, PartialEq)]
enum Mood {
    Takes,
    /// Refuses those about this object.
    Refuses(&'static str),
    Away,
    Hangs,
    Slow(Duration),
}

#[derive(Debug)]
struct Hook {
    mood: Mutex<Mood>,
    /// Id, object and event of each that it took.
    took: Mutex<Vec<(String, String, String)>>,
    tried: Mutex<u32>,
}

#[async_trait]
impl Webhook for Hook {
    async fn tell(&self, id: &str, message: &str) -> Result<(), Untaken> {
        *self.tried.lock().unwrap() += 1;
        let told: Value = serde_json::from_str(message).unwrap();
        let record = &told["Records"][0];
        let name = record["s3"]["object"]["key"].as_str().unwrap().to_owned();
        let mood = self.mood.lock().unwrap().clone();
        match mood {
            Mood::Refuses(refused) if refused == name => {
                return Err(Untaken { why: "it answered 500".to_owned(), away: false });
            }
            Mood::Away => return Err(Untaken { why: "it is not there".to_owned(), away: true }),
            Mood::Hangs => std::future::pending().await,
            Mood::Slow(length) => tokio::time::sleep(length).await,
            Mood::Takes | Mood::Refuses(_) => {}
        }
        let event = record["eventName"].as_str().unwrap().to_owned();
        self.took.lock().unwrap().push((id.to_owned(), name, event));
        Ok(())
    }
}

impl Hook {
    fn new(mood: Mood) -> Arc<Hook> {
        Arc::new(Hook { mood: Mutex::new(mood), took: Mutex::default(), tried: Mutex::default() })
    }

    fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn tried(&self) -> u32 {
        std::mem::take(&mut *self.tried.lock().unwrap())
    }

    /// The events that it took about an object, in their order.
    fn of(&self, name: &str) -> Vec<String> {
        let took = self.took.lock().unwrap();
        took.iter().filter(|(_, of, _)| of == name).map(|(_, _, event)| event.clone()).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.took.lock().unwrap().iter().map(|(id, ..)| id.clone()).collect()
    }
}

fn telling(world: &mut World, hooks: &[(&str, &Arc<Hook>)]) {
    let targets = hooks.iter().map(|(name, hook)| ((*name).to_owned(), Arc::clone(hook) as Arc<dyn Webhook>));
    let events = Events { targets: targets.collect::<BTreeMap<_, _>>(), ..Events::default() };
    world.settings = Settings { events, ..world.settings.clone() };
}

/// Each target is told of everything under its own name as prefix; `hook` of everything, if it is the only one.
async fn listen(world: &World, bucket: &Container, targets: &[&str]) {
    let rule = |target: &&str| {
        json!({ "id": target, "destination": "queue", "arn": format!("arn:barrow:sqs::{target}:webhook"),
            "prefix": if targets.len() == 1 { "" } else { *target },
            "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "barrow:Purged"] })
    };
    let rules = Value::from(targets.iter().map(rule).collect::<Vec<_>>()).to_string();
    let changes = SettingChanges::from([(SettingKind::Notification, Some(rules))]);
    world.metadata.set_bucket_settings(bucket.id, changes, "olga").await.unwrap();
}

async fn run(processor: &HealthProcessor) -> Value {
    processor.run_now("events", false).await.unwrap()
}

#[tokio::test]
async fn a_webhook_is_told_what_happens_in_its_order() {
    for mut world in World::both().await {
        let hook = Hook::new(Mood::Takes);
        telling(&mut world, &[("hook", &hook)]);
        let bucket = world.bucket().await;
        world.put(&bucket, "before").await;
        listen(&world, &bucket, &["hook"]).await;
        for _ in 0..3 {
            world.put(&bucket, "a").await;
            world.put(&bucket, "b").await;
            world.delete(&bucket, "a").await;
        }
        let report = run(&world.processor()).await;
        assert_eq!((number(&report, "/delivered"), number(&report, "/addressed")), (9, 9), "{report}");
        assert_eq!(report["backlog"], json!([]));
        let ab = ["ObjectCreated:Put", "ObjectRemoved:Delete"];
        assert_eq!(hook.of("a"), [ab, ab, ab].concat());
        assert_eq!(hook.of("b"), [ab[0]; 3]);
        assert_eq!(hook.of("before"), [""; 0]);
        world.clock.advance(DAY);
        world.process().await;
        assert_eq!(hook.of("a")[6..], ["barrow:Purged"; 3]);
        world.check().await;
    }
}

#[tokio::test]
async fn a_message_that_is_refused_holds_back_its_own_object_alone() {
    for mut world in World::both().await {
        let hook = Hook::new(Mood::Refuses("a"));
        telling(&mut world, &[("hook", &hook)]);
        let bucket = world.bucket().await;
        listen(&world, &bucket, &["hook"]).await;
        for name in ["a", "b", "a", "c"] {
            world.put(&bucket, name).await;
        }
        world.delete(&bucket, "a").await;
        let processor = world.processor();
        let report = run(&processor).await;
        assert_eq!((number(&report, "/delivered"), number(&report, "/failed_attempts")), (2, 1), "{report}");
        assert_eq!((number(&report, "/backlog/0/waiting"), hook.tried()), (3, 3));
        // Not before its time, and each time later.
        for seconds in [1, 2, 4] {
            run(&processor).await;
            assert_eq!(hook.tried(), 0);
            world.clock.advance(Duration::from_secs(seconds));
            world.put(&bucket, "d").await;
            run(&processor).await;
            assert_eq!(hook.tried(), 2, "once more, and the others go on");
        }
        hook.turns(Mood::Takes);
        world.clock.advance(MINUTE);
        run(&processor).await;
        assert_eq!(hook.of("a"), ["ObjectCreated:Put", "ObjectCreated:Put", "ObjectRemoved:Delete"]);
        assert_eq!(processor.told(), (8, 4, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_target_that_is_stuck_holds_no_other() {
    for mut world in World::both().await {
        for mood in [Mood::Hangs, Mood::Away, Mood::Slow(Duration::from_millis(300))] {
            let (stuck, well) = (Hook::new(mood.clone()), Hook::new(Mood::Takes));
            telling(&mut world, &[("stuck", &stuck), ("well", &well)]);
            world.settings.events.timeout = Duration::from_millis(900);
            let bucket = world.bucket().await;
            listen(&world, &bucket, &["stuck", "well"]).await;
            for n in 0..3 {
                world.put(&bucket, &format!("stuck-{n}")).await;
                world.put(&bucket, &format!("well-{n}")).await;
            }
            let processor = world.processor();
            let late = async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                world.put(&bucket, "well-late").await;
            };
            let (report, ()) = tokio::join!(run(&processor), late);
            assert_eq!(well.of("well-0").len(), 1);
            if mood != Mood::Away {
                assert_eq!(well.of("well-late").len(), 1, "told while the other is still at it: {report}");
            }
            if mood == Mood::Hangs || mood == Mood::Away {
                assert!(stuck.tried() > 0);
                run(&processor).await;
                assert_eq!(stuck.tried(), 0, "it is left alone for a while");
                stuck.turns(Mood::Takes);
                world.clock.advance(MINUTE);
                run(&processor).await;
            }
            assert_eq!((0..3).map(|n| stuck.of(&format!("stuck-{n}")).len()).sum::<usize>(), 3, "{mood:?}");
        }
    }
}

#[tokio::test]
async fn whoever_dies_at_it_leaves_nothing_untold() {
    for mut world in World::both().await {
        for failpoint in ["events.after_address", "events.after_telling"] {
            let hook = Hook::new(Mood::Takes);
            telling(&mut world, &[("hook", &hook)]);
            let bucket = world.bucket().await;
            listen(&world, &bucket, &["hook"]).await;
            for n in 0..5 {
                world.put(&bucket, &format!("o-{n}")).await;
            }
            let dying = world.processor();
            dying.failpoints().arm(failpoint, Blow::Error);
            let report = run(&dying).await;
            assert!(report["failed"].as_str().unwrap().contains(failpoint), "{report}");
            drop(dying);
            let again = world.processor();
            assert_eq!(run(&again).await["elsewhere"], true, "the dead one's lease still runs");
            world.clock.advance(10 * MINUTE);
            run(&again).await;
            let ids = hook.ids();
            let distinct: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(distinct.len(), 5, "{failpoint}");
            let twice = if failpoint == "events.after_telling" { 10 } else { 5 };
            assert_eq!(ids.len(), twice, "{failpoint}: at least once, under the same id");
            assert_eq!(run(&again).await["backlog"], json!([]));
        }
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processors_one_tells() {
    let mut world = World::on(Database::postgres().await).await;
    let hook = Hook::new(Mood::Slow(Duration::from_millis(5)));
    telling(&mut world, &[("hook", &hook)]);
    let bucket = world.bucket().await;
    listen(&world, &bucket, &["hook"]).await;
    for _ in 0..10 {
        for n in 0..20 {
            world.put(&bucket, &format!("o-{n}")).await;
        }
    }
    let elsewhere = world.db.open(Arc::clone(&world.clock) as _).await;
    let (one, two) = (
        world.processor(),
        HealthProcessor::at_rest(
            elsewhere,
            world.blobs.clone(),
            Arc::clone(&world.clock) as _,
            world.settings.clone(),
            world.audit.clone(),
            world.stop.subscribe(),
        ),
    );
    let all = async |processor: HealthProcessor| {
        for _ in 0..40 {
            let report = run(&processor).await;
            if report["backlog"] == json!([]) {
                return processor.told().0;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("there is no end of it");
    };
    let (one, two) = tokio::join!(all(one), all(two));
    assert_eq!(one + two, 200);
    let ids = hook.ids();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (200, 200), "none twice");
    let of_one: Vec<u64> = {
        let took = hook.took.lock().unwrap();
        let of_one = took.iter().filter(|(_, name, _)| name == "o-7");
        of_one.map(|(id, ..)| id.rsplit('-').next().unwrap().parse().unwrap()).collect()
    };
    assert!(of_one.is_sorted() && of_one.len() == 10, "{of_one:?}");
    world.check().await;
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_after_its_time_and_not_before() {
    for mut world in World::both().await {
        let hook = Hook::new(Mood::Away);
        telling(&mut world, &[("hook", &hook)]);
        let bucket = world.bucket().await;
        listen(&world, &bucket, &["hook"]).await;
        world.put(&bucket, "a").await;
        let processor = world.processor();
        run(&processor).await;
        world.clock.advance(7 * DAY);
        let report = run(&processor).await;
        assert_eq!((number(&report, "/given_up"), number(&report, "/backlog/0/waiting")), (0, 1));
        world.clock.advance(MINUTE);
        let report = run(&processor).await;
        assert_eq!(number(&report, "/given_up"), 1);
        assert_eq!((&report["backlog"], processor.told().2), (&json!([]), 1));
    }
}

#[tokio::test]
async fn what_is_for_a_target_that_is_gone_waits_for_it() {
    for mut world in World::both().await {
        let hook = Hook::new(Mood::Takes);
        let bucket = world.bucket().await;
        listen(&world, &bucket, &["hook"]).await;
        world.put(&bucket, "a").await;
        let report = run(&world.processor()).await;
        assert_eq!(report["backlog"][0]["target"], "hook");
        telling(&mut world, &[("hook", &hook)]);
        run(&world.processor()).await;
        assert_eq!(hook.of("a").len(), 1);
    }
}

#[tokio::test]
async fn a_running_processor_tells_soon() {
    for mut world in World::both().await {
        let hook = Hook::new(Mood::Takes);
        telling(&mut world, &[("hook", &hook)]);
        let bucket = world.bucket().await;
        listen(&world, &bucket, &["hook"]).await;
        let processor = HealthProcessor::start(
            world.metadata.clone(),
            world.blobs.clone(),
            Arc::clone(&world.clock) as _,
            world.settings.clone(),
            world.audit.clone(),
            world.stop.subscribe(),
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.put(&bucket, "a").await;
        for _ in 0..100 {
            if hook.of("a").len() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(hook.of("a").len(), 1);
        world.stop.send_replace(true);
        processor.stopped().await;
    }
}
