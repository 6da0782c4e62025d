//! One installation on one engine, and the few words in which the tests speak of it.

use blobs::Blobs;
use bytes::Bytes;
use health_processor::{HealthProcessor, Settings};
use lifecycle::{
    BlobName, BucketName, Cause, Clock, Condition, ContainerId, Grace, Guard, Kind, State, Time, UploadId,
    VersionId,
};
use metadata::{
    Allowed, Body, Container, ContainerKind, ContextChange, Delete, Existence, Markers, Metadata,
    NewContainer, NewPart, NewUpload, ObjectCommand, PartBody, Policies, Publish, RemoveOrder, Stage,
    UploadMode, Which,
};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testkit::faulty::FaultyStore;
use testkit::{Database, ManualClock, RecordedAudit};
use tokio::sync::watch;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);
/// MD5 of the bodies that are written here.
const DUST_MD5: u128 = 0x6371_2a25_d63e_b879_3112_cc6d_c264_1526;
const PART_MD5: u128 = 0xf4c9_385f_1902_f733_4b00_b9b4_ecd1_64de;
/// The grace that deletes get here.
pub(crate) const GRACE: Duration = HOUR;

pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metadata: Metadata,
    pub(crate) inner: Arc<InMemory>,
    pub(crate) store: FaultyStore,
    pub(crate) blobs: Blobs,
    pub(crate) domain: ContainerId,
    pub(crate) settings: Settings,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) audit: Arc<RecordedAudit>,
    buckets: AtomicU32,
}

impl World {
    /// A world on each engine.
    pub(crate) async fn both() -> Vec<World> {
        let mut worlds = Vec::new();
        for db in Database::both().await {
            worlds.push(World::on(db).await);
        }
        worlds
    }

    pub(crate) async fn on(db: Database) -> World {
        let clock = Arc::new(ManualClock::default());
        let metadata = db.open(Arc::clone(&clock) as _).await;
        let inner = Arc::new(InMemory::new());
        let store = FaultyStore::new(Arc::clone(&inner) as Arc<dyn ObjectStore>, 7);
        let blobs = Blobs::over(Arc::new(store.clone()), metadata.installation()).await.unwrap();
        let domain = metadata.default_domain().unwrap();
        let settings =
            Settings { node: "here".to_owned(), object_delete_delay: GRACE, ..Settings::default() };
        let stop = watch::Sender::new(false);
        let (audit, buckets) = (Arc::default(), AtomicU32::new(0));
        World { db, clock, metadata, inner, store, blobs, domain, settings, stop, audit, buckets }
    }

    /// A processor that runs only when it is told to.
    pub(crate) fn processor(&self) -> HealthProcessor {
        let (clock, settings) = (Arc::clone(&self.clock) as _, self.settings.clone());
        HealthProcessor::at_rest(
            self.metadata.clone(),
            self.blobs.clone(),
            clock,
            settings,
            self.audit.clone(),
            self.stop.subscribe(),
        )
    }

    /// Makes so many entries in a bucket's ledger, of which no more than `limit` need be kept.
    pub(crate) async fn purges(&self, bucket: &Container, count: usize, limit: u32) {
        let statement =
            format!("UPDATE buckets SET purged_infos_limit = {limit} WHERE name = '{}'", bucket.name);
        metadata::testing::run(&self.db.settings().url, &statement).await.unwrap();
        for _ in 0..count {
            let order = RemoveOrder {
                grace: Grace::For(GRACE),
                early: false,
                reserves_name: false,
                only_empty: None,
                condition: Condition::NONE,
                cause: Cause::Delete,
                door: "test",
                actor: "somebody".to_owned(),
                reason: None,
            };
            self.metadata.empty_bucket(bucket.id, order).await.unwrap();
        }
    }

    /// Lets a fresh processor do all there is to do.
    pub(crate) async fn process(&self) {
        assert!(self.processor().run_all_until_idle().await, "the tasks come to rest");
    }

    pub(crate) async fn bucket(&self) -> Container {
        let name = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        let name = BucketName::parse(&name).unwrap();
        self.metadata.create_bucket(self.domain, &name, NewContainer::default()).await.unwrap()
    }

    fn publish(&self, bucket: &Container, name: &str) -> Publish {
        Publish {
            keeps_tags: false,
            domain: self.domain,
            bucket: bucket.id,
            version: VersionId::ordered(self.clock.now()),
            kind: Kind::Named,
            name: name.to_owned(),
            size: 4,
            md5: DUST_MD5.to_be_bytes(),
            parts: None,
            tags: None,
            checksum: None,
            written: metadata::Written::Put,
            headers: "[]".to_owned(),
            guard: Guard::NONE,
            retention: None,
            acl: None,
            expires_at: None,
            owner: None,
            actor: "somebody".to_owned(),
            existence: Existence::Any,
            condition: Condition::NONE,
            replaces: None,
            renames: None,
            may_shorten_guard: false,
            heeds_spec: false,
            rolls_up: None,
            grace: GRACE,
            body: Body::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::from_static(b"dust") },
        }
    }

    /// Puts a small object, changed as the test wants it.
    pub(crate) async fn put_with(&self, bucket: &Container, name: &str, change: impl FnOnce(&mut Publish)) {
        let mut publish = self.publish(bucket, name);
        change(&mut publish);
        self.metadata.object(ObjectCommand::Publish(Box::new(publish))).await.unwrap();
    }

    pub(crate) async fn put(&self, bucket: &Container, name: &str) {
        self.put_with(bucket, name, |_| {}).await;
    }

    /// Puts `count` small objects at once.
    pub(crate) async fn put_many(&self, bucket: &Container, count: usize, expires_at: Option<Time>) {
        let commands = (0..count)
            .map(|nth| {
                let mut publish = self.publish(bucket, &format!("many-{nth:06}"));
                publish.expires_at = expires_at;
                ObjectCommand::Publish(Box::new(publish))
            })
            .collect();
        self.metadata.objects(commands, false).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    }

    pub(crate) async fn delete_many(&self, bucket: &Container, count: usize) {
        let commands =
            (0..count).map(|nth| self.deletion(bucket, &format!("many-{nth:06}"), GRACE)).collect();
        self.metadata.objects(commands, false).await.into_iter().for_each(|answer| drop(answer.unwrap()));
    }

    /// Begins an upload: the row stands, the bytes lie in the store, and nobody has published it.
    pub(crate) async fn stage(&self, bucket: &Container, name: &str) -> (VersionId, blobs::Stored) {
        let (version, blob) = (VersionId::ordered(self.clock.now()), BlobName::random());
        let stage = Stage {
            contents: bucket.contents.unwrap(),
            version,
            kind: Kind::Named,
            name: name.to_owned(),
            blob,
            actor: "somebody".to_owned(),
            part_of: None,
        };
        self.metadata.object(ObjectCommand::Stage(stage)).await.unwrap();
        let mut upload = self.blobs.create(blob, Some(5_000)).await.unwrap();
        upload.write(Bytes::from(vec![7; 5_000])).await.unwrap();
        (version, upload.finish().await.unwrap())
    }

    /// Puts an object whose bytes lie in the store.
    pub(crate) async fn put_stored(&self, bucket: &Container, name: &str) {
        let (version, stored) = self.stage(bucket, name).await;
        self.put_with(bucket, name, |publish| {
            publish.version = version;
            publish.size = stored.size;
            publish.md5 = stored.md5;
            publish.body = Body::Staged { format: stored.format };
        })
        .await;
    }

    fn deletion(&self, bucket: &Container, name: &str, grace: Duration) -> ObjectCommand {
        ObjectCommand::Delete(Delete {
            domain: self.domain,
            bucket: bucket.id,
            name: name.to_owned(),
            which: Which::Current,
            marker: VersionId::ordered(self.clock.now()),
            markers: Markers::Single,
            hides_guarded: false,
            bypass: false,
            heeds_spec: false,
            expects: None,
            condition: Condition::NONE,
            cause: Cause::Delete,
            actor: "somebody".to_owned(),
            grace,
        })
    }

    pub(crate) async fn delete(&self, bucket: &Container, name: &str) {
        self.metadata.object(self.deletion(bucket, name, GRACE)).await.unwrap();
    }

    pub(crate) async fn delete_with(&self, bucket: &Container, name: &str, grace: Duration) {
        self.metadata.object(self.deletion(bucket, name, grace)).await.unwrap();
    }

    /// Begins a multipart upload that has one part, and a day.
    pub(crate) async fn upload(&self, bucket: &Container, name: &str) {
        let id = UploadId::random();
        let new = NewUpload {
            id,
            domain: self.domain,
            bucket: bucket.id,
            kind: Kind::Named,
            name: name.to_owned(),
            mode: UploadMode::Replace,
            replaces: None,
            headers: "[]".to_owned(),
            tags: None,
            checksum: None,
            retention: None,
            hold: false,
            acl: None,
            owner: None,
            actor: "somebody".to_owned(),
            expires_at: self.clock.now().plus(self.settings.staged_expiry),
        };
        self.metadata.begin_upload(new).await.unwrap();
        let bytes = Bytes::from_static(b"part");
        let part = NewPart {
            upload: id,
            number: 1,
            version: VersionId::random(),
            size: 4,
            md5: PART_MD5.to_be_bytes(),
            checksum: None,
            headers: "[]".to_owned(),
            actor: "somebody".to_owned(),
            body: PartBody::Inline { blob: BlobName::random(), format: 0, bytes },
        };
        self.metadata.finish_part(part).await.unwrap();
    }

    /// Sets what a bucket says of versioning and lifecycle.
    pub(crate) async fn policies(&self, bucket: &Container, versioning: &str, rules: &[&str]) {
        let policies = Policies {
            versioning: Some(lifecycle::VersioningPolicy::parse(versioning).unwrap()),
            rules: lifecycle::lifecycle_rules::parse(rules.iter().copied()).unwrap(),
            ..Policies::default()
        };
        let change = ContextChange {
            versioning: None,
            headers: "[]".to_owned(),
            policies,
            allowed: Allowed { versioning: true, lifecycle: true },
            actor: "somebody".to_owned(),
            ..ContextChange::default()
        };
        self.metadata.change_context(ContainerKind::Bucket, bucket.id, change).await.unwrap();
    }

    pub(crate) async fn remove(&self, bucket: &Container, grace: Duration) {
        self.metadata.remove(ContainerKind::Bucket, bucket.id, removal(grace)).await.unwrap();
    }

    pub(crate) async fn bucket_state(&self, bucket: &Container) -> Option<State> {
        let row = self.metadata.container(ContainerKind::Bucket, bucket.id).await.unwrap();
        row.map(|container| container.state)
    }

    /// How many versions have this state of their own.
    pub(crate) async fn count(&self, state: State) -> i64 {
        self.metadata.contents_with(state).await.unwrap().iter().map(|waiting| waiting.objects).sum()
    }

    /// How many blobs lie in the store.
    pub(crate) async fn stored(&self) -> usize {
        blobs::conformance::names(&self.blobs).await.unwrap().len()
    }

    /// Rules R1 to R12 over the whole installation: every test ends with it.
    pub(crate) async fn check(&self) {
        assert_eq!(self.metadata.check_whole().await.unwrap(), []);
        let mut after = None;
        loop {
            let mut page = self.metadata.check_page(after).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.facts.id);
            for checked in &mut page {
                for blob in checked.blobs.iter().filter(|blob| blob.place == lifecycle::Place::Store) {
                    checked.facts.blobs_missing += u64::from(!self.blobs.exists(blob.name).await.unwrap());
                }
            }
            assert_eq!(Metadata::check_versions(&page), []);
        }
    }

    pub(crate) fn engine(&self) -> metadata::Engine {
        self.metadata.engine()
    }
}

pub(crate) fn removal(grace: Duration) -> RemoveOrder {
    RemoveOrder {
        grace: Grace::For(grace),
        early: false,
        reserves_name: false,
        only_empty: None,
        condition: Condition::NONE,
        cause: Cause::Recursive,
        door: "scsp",
        actor: "somebody".to_owned(),
        reason: None,
    }
}

/// Runs one task and gives its report.
pub(crate) async fn run(processor: &HealthProcessor, task: &str) -> Value {
    processor.run_now(task, false).await.unwrap()
}

/// A number from a report.
pub(crate) fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} is missing in {report}"))
}
