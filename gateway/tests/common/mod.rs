//! A gateway on a database of its own, with its admin door on a loopback port.

pub(crate) mod described;

use bytes::Bytes;
use described::{Described, Exchange};
use gateway::http::{Limits, serve};
use gateway::metrics::Metrics;
use gateway::{
    Anonymous, Auth, BackgroundWork, Counters, Gateway, LifepointSettings, NotRun, PolicySettings,
    ScspSettings, Settings, TaskOrder, TaskView, admin,
};
use lifecycle::{
    BlobName, Cause, Clock, Condition, ContainerId, DomainName, Guard, Kind, MemberId, Right, Rights, State,
    VersionId, VersioningPolicy,
};
use metadata::{
    AccessKey, Body, ClaimOrder, ContainerKind, ContextChange, Delete, Existence, Markers, ObjectCommand,
    Policies, Publish, Secret, Stage, Which,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::load::http::Kept;
use testkit::{Database, ManualClock, RecordedAudit};
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, watch};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);
pub(crate) const ROOT: (&str, &str) = ("root", "root-secret");

/// Everything under test. Dropping it ends the server.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) background: Arc<Background>,
    pub(crate) audit: Arc<RecordedAudit>,
    pub(crate) at: SocketAddr,
    /// What was answered, by the operation's id and the status.
    pub(crate) seen: Mutex<BTreeSet<(String, u16)>>,
    db: Database,
    stop: watch::Sender<bool>,
}

/// Background work that only counts what it is told.
#[derive(Default)]
pub(crate) struct Background {
    pub(crate) wakes: AtomicUsize,
}

impl BackgroundWork for Background {
    fn wake(&self) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }

    fn run_now<'a>(
        &'a self,
        task: &'a str,
        order: TaskOrder,
    ) -> Pin<Box<dyn Future<Output = Result<Value, NotRun>> + Send + 'a>> {
        Box::pin(async move {
            match (task, order) {
                ("reclaim", TaskOrder::Destroy) => Err(NotRun::DestroysNothing),
                ("reclaim", TaskOrder::Run | TaskOrder::Rehearse) => {
                    Ok(json!({ "purged": u8::from(order == TaskOrder::Run) }))
                }
                ("reconcile", _) => Ok(json!({ "told": order == TaskOrder::Destroy })),
                _ => Err(NotRun::NoSuchTask),
            }
        })
    }

    fn tasks(&self) -> Vec<TaskView> {
        vec![TaskView {
            name: "reclaim".to_owned(),
            purpose: "gives the bytes back".to_owned(),
            started_at: None,
            finished_at: None,
            next_at: None,
            report: None,
        }]
    }

    fn counters(&self) -> Counters {
        Counters {
            purged_objects: 7,
            purged_bytes: 28,
            lapsed_claims: 3,
            violations: BTreeMap::from([("R1", 2)]),
            events: gateway::EventCounters { delivered: 5, failed: 4, given_up: 1 },
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        World::on(Database::sqlite()).await
    }

    pub(crate) async fn on(db: Database) -> Self {
        World::with(db, |_, _| {}).await
    }

    /// With other limits than the usual ones.
    pub(crate) async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        World::with(Database::sqlite(), |limits, _| change(limits)).await
    }

    /// With other settings than the usual ones.
    pub(crate) async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        World::with(Database::sqlite(), |_, settings| change(settings)).await
    }

    async fn with(db: Database, change: impl FnOnce(&mut Limits, &mut Settings)) -> Self {
        let clock = Arc::new(ManualClock::default());
        let metadata = db.open(clock.clone()).await;
        let settings = blobs::Settings::at("memory:");
        let blobs = blobs::Blobs::open(&settings, metadata.installation()).await.unwrap();
        let environment = Some((ROOT.0.to_owned(), Secret::new(ROOT.1)));
        let auth = Auth::new(metadata.clone(), clock.clone(), Anonymous::None, environment);
        let background = Arc::new(Background::default());
        let mut limits = Limits::default();
        let mut settings = Settings {
            cluster: "barrow".to_owned(),
            default_domain: DomainName::parse("barrow.local").unwrap(),
            inline_max: 16 * 1024,
            recursive_delete_delay: 7 * DAY,
            object_delete_delay: DAY,
            purge_waited_for: gateway::PURGE_WAITED_FOR,
            deletion_memory: 14 * DAY,
            event_targets: Vec::new(),
            upload_expiry: Duration::from_secs(7 * 24 * 3_600),
            drain_timeout: Duration::from_secs(30),
            claim_lease: Duration::from_secs(60),
            lifepoint: LifepointSettings::default(),
            policy: PolicySettings::default(),
            scsp: ScspSettings::default(),
            brake: lifecycle::brake::Brake::default(),
            s3: gateway::S3Settings::default(),
        };
        change(&mut limits, &mut settings);
        let audit = Arc::new(RecordedAudit::default());
        let gateway = Gateway {
            metadata,
            blobs,
            clock: clock.clone(),
            auth: Arc::new(auth),
            settings: Arc::new(settings),
            metrics: Arc::new(Metrics::default()),
            audit: audit.clone(),
            member: MemberId::random(),
            background: Some(background.clone()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let limits = Arc::new(limits);
        let door = admin::Door::new(gateway.clone(), limits.clone());
        tokio::spawn(serve(listener, limits, door, stopped));
        World { gateway, clock, background, audit, at, seen: Mutex::default(), db, stop }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Runs one statement beside the gateway.
    pub(crate) async fn put_wrong(&self, statement: &str) -> u64 {
        metadata::testing::run(&self.db.settings().url, statement).await.unwrap()
    }

    /// What the door says of itself, which is the same in every world.
    pub(crate) async fn described(&self) -> &'static Described {
        static DESCRIBED: OnceCell<Described> = OnceCell::const_new();
        let ask = async || {
            let document = self.ask_unheld(None, "GET", "/v1/openapi.json", "").await;
            Described::new(serde_json::from_slice(&document.body).unwrap())
        };
        DESCRIBED.get_or_init(ask).await
    }

    /// Asks as `key`; `None`: without credentials. What is asked and answered must be as the door describes it.
    pub(crate) async fn ask_as(
        &self,
        key: Option<(&str, &str)>,
        method: &str,
        target: &str,
        body: &str,
    ) -> Kept {
        self.ask_with(key, method, target, &[], body).await
    }

    /// As [`World::ask_as`], with these headers.
    pub(crate) async fn ask_with(
        &self,
        key: Option<(&str, &str)>,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Kept {
        let answer = self.ask_headed(key, method, target, headers, body).await;
        match self.described().await.holds(Exchange { method, target, body, answer: &answer }) {
            Ok(seen) => self.seen.lock().unwrap().extend(seen),
            Err(error) => panic!("{method} {target} {body} is not as described: {error}"),
        }
        answer
    }

    async fn ask_unheld(&self, key: Option<(&str, &str)>, method: &str, target: &str, body: &str) -> Kept {
        self.ask_headed(key, method, target, &[], body).await
    }

    async fn ask_headed(
        &self,
        key: Option<(&str, &str)>,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Kept {
        let host = headers.iter().find(|(name, _)| *name == "host").map_or("barrow.local", |(_, host)| host);
        let door = testkit::load::Door::new(self.at, host, key);
        let others = headers.iter().filter(|(name, _)| *name != "host");
        let request = others.fold(door.same(method, target), |asked, (name, value)| asked.field(name, value));
        let request = request.body(Bytes::copy_from_slice(body.as_bytes()));
        door.ask_anyway(&request).await.unwrap()
    }

    /// Asks as root, expects `status`, and reads the answer as JSON.
    pub(crate) async fn ask(&self, method: &str, target: &str, body: Value, status: u16) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask_as(Some(ROOT), method, target, &body).await;
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, status, "{method} {target} {body}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {target}: {error}: {text}"))
    }

    pub(crate) async fn get(&self, target: &str) -> Value {
        self.ask("GET", target, Value::Null, 200).await
    }

    pub(crate) async fn post(&self, target: &str, body: Value) -> Value {
        self.ask("POST", target, body, 200).await
    }

    /// Makes a bucket of the default domain and gives its id.
    pub(crate) async fn bucket(&self, name: &str) -> ContainerId {
        let made = self.ask("POST", "/v1/domains/barrow.local/buckets", json!({ "name": name }), 201).await;
        made["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn domain(&self) -> ContainerId {
        self.gateway.metadata.default_domain().unwrap()
    }

    /// Puts an object of four bytes.
    pub(crate) async fn put(&self, bucket: ContainerId, name: &str) -> VersionId {
        let body = Body::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::from_static(b"abcd") };
        self.publish(bucket, name, VersionId::ordered(self.clock.now()), body).await
    }

    /// A row that names a blob which nobody wrote.
    pub(crate) async fn put_without_bytes(&self, bucket: ContainerId, name: &str) -> VersionId {
        let version = VersionId::ordered(self.clock.now());
        let contents = self.contents(bucket).await;
        let stage = Stage {
            contents,
            version,
            kind: Kind::Named,
            name: name.to_owned(),
            blob: BlobName::random(),
            actor: "test".to_owned(),
            part_of: None,
        };
        self.gateway.metadata.object(ObjectCommand::Stage(stage)).await.unwrap();
        self.publish(bucket, name, version, Body::Staged { format: 0 }).await
    }

    pub(crate) async fn contents(&self, bucket: ContainerId) -> ContainerId {
        let kind = metadata::ContainerKind::Bucket;
        self.gateway.metadata.container(kind, bucket).await.unwrap().unwrap().contents.unwrap()
    }

    async fn publish(&self, bucket: ContainerId, name: &str, version: VersionId, body: Body) -> VersionId {
        self.publish_as(bucket, name, version, body, |_| ()).await
    }

    /// Puts an object that `change` makes special.
    pub(crate) async fn put_as(
        &self,
        bucket: ContainerId,
        name: &str,
        change: impl FnOnce(&mut Publish),
    ) -> VersionId {
        let body = Body::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::from_static(b"abcd") };
        self.publish_as(bucket, name, VersionId::ordered(self.clock.now()), body, change).await
    }

    async fn publish_as(
        &self,
        bucket: ContainerId,
        name: &str,
        version: VersionId,
        body: Body,
        change: impl FnOnce(&mut Publish),
    ) -> VersionId {
        let mut publish = Publish {
            keeps_tags: false,
            domain: self.domain(),
            bucket,
            version,
            kind: Kind::Named,
            name: name.to_owned(),
            size: 4,
            md5: [1; 16],
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
            actor: "test".to_owned(),
            existence: Existence::Any,
            condition: Condition::NONE,
            replaces: None,
            renames: None,
            may_shorten_guard: false,
            heeds_spec: false,
            rolls_up: None,
            grace: DAY,
            body,
        };
        change(&mut publish);
        self.gateway.metadata.object(ObjectCommand::Publish(Box::new(publish))).await.unwrap();
        version
    }

    pub(crate) async fn delete(&self, bucket: ContainerId, name: &str) {
        self.delete_which(bucket, name, Which::Current).await;
    }

    pub(crate) async fn delete_which(&self, bucket: ContainerId, name: &str, which: Which) {
        let delete = Delete {
            domain: self.domain(),
            bucket,
            name: name.to_owned(),
            which,
            marker: VersionId::ordered(self.clock.now()),
            markers: Markers::Single,
            hides_guarded: false,
            bypass: false,
            heeds_spec: false,
            expects: None,
            condition: Condition::NONE,
            cause: Cause::Delete,
            actor: "test".to_owned(),
            grace: DAY,
        };
        self.gateway.metadata.object(ObjectCommand::Delete(delete)).await.unwrap();
    }

    /// Switches a bucket's versioning.
    pub(crate) async fn versioning(&self, bucket: ContainerId, policy: &str) {
        let change = ContextChange {
            headers: "[]".to_owned(),
            policies: Policies { versioning: VersioningPolicy::parse(policy).ok(), ..Policies::default() },
            allowed: PolicySettings::default().allowed(),
            actor: "test".to_owned(),
            ..ContextChange::default()
        };
        self.gateway.metadata.change_context(ContainerKind::Bucket, bucket, change).await.unwrap();
    }

    /// What readers find in a bucket, by name.
    pub(crate) async fn current(&self, bucket: ContainerId) -> BTreeMap<String, VersionId> {
        let contents = self.contents(bucket).await;
        let listed = self.gateway.metadata.list_objects(contents, "", "", 1_000).await.unwrap();
        listed.into_iter().map(|version| (version.name, version.id)).collect()
    }

    /// Checks every rule over the whole database.
    pub(crate) async fn check(&self) {
        let found = self.get("/v1/check").await;
        assert_eq!(found["violations_found"], 0, "{found}");
    }

    /// Lets the health processor do everything that is due by now.
    pub(crate) async fn process(&self) {
        let (_stop, stopped) = watch::channel(false);
        let settings = health_processor::Settings { tranquility: 0, ..health_processor::Settings::default() };
        let (metadata, blobs) = (self.gateway.metadata.clone(), self.gateway.blobs.clone());
        let (clock, audit) = (self.gateway.clock.clone(), self.audit.clone());
        let processor =
            health_processor::HealthProcessor::at_rest(metadata, blobs, clock, settings, audit, stopped);
        assert!(processor.run_all_until_idle().await, "the health processor comes to rest");
        for task in processor.tasks() {
            assert_eq!(task.failed, None, "{}", task.name);
        }
    }

    /// Purges what is due, without the bytes: these worlds have none.
    pub(crate) async fn reclaim(&self) {
        let metadata = &self.gateway.metadata;
        let order =
            ClaimOrder { holder: self.gateway.member, limit: 1_000, lease: DAY, drain: Duration::ZERO };
        for from in metadata.contents_with(State::Removed).await.unwrap() {
            let claims = metadata.claim_due(from, order).await.unwrap();
            metadata.finish(claims, self.gateway.settings.deletion_memory).await.unwrap();
        }
    }

    /// Drops the tombstones whose memory has run out.
    pub(crate) async fn forget(&self) {
        let metadata = &self.gateway.metadata;
        for from in metadata.contents_with(State::Purged).await.unwrap() {
            metadata.forget(from.contents, 1_000).await.unwrap();
        }
    }

    /// The same installation, as another process has it open. Only Postgres lets several in.
    pub(crate) async fn beside(&self) -> metadata::Metadata {
        self.db.open(self.clock.clone()).await
    }

    /// A key of the whole installation with these rights.
    pub(crate) async fn key(&self, id: &str, rights: &[Right]) {
        let key = AccessKey {
            id: id.to_owned(),
            secret: Secret::new("secret"),
            rights: Rights::of(rights),
            domain: None,
            bucket: None,
            label: String::new(),
            created_at: self.clock.now(),
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            account: None,
        };
        self.gateway.metadata.create_key(key).await.unwrap();
    }
}
