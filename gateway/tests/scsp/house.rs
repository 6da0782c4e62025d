//! A door on a socket, with everything real behind it, and a clock that only the test moves.

use crate::client::{Answer, Ask, Key, Line};
use gateway::http::{Limits, serve};
use gateway::metrics::Metrics;
use gateway::scsp::Door;
use gateway::{Anonymous, Auth, Gateway, LifepointSettings, PolicySettings, ScspSettings, Settings};
use health_processor::HealthProcessor;
use lifecycle::{Clock, ContainerId, DomainName, MemberId, Right, Rights, State, Time};
use metadata::{
    AccessKey, Container, ContainerKind, Engine, Failure, Metadata, ObjectCommand, Outcome, Restore,
    RestoreWhat, Secret, Version,
};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use testkit::{RecordedAudit, Store, World};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The grace of containers in these tests, as in the specification's cases.
pub(crate) const GRACE: Duration = Duration::from_secs(60);
/// The grace of objects.
pub(crate) const OBJECT_GRACE: Duration = Duration::from_secs(3_600);
/// How long bytes stay after their version became invisible.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);

/// An installation with the domain `d.example` and the bucket `b` in it, and an SCSP door in front.
pub(crate) struct House {
    pub(crate) world: World,
    settings: Settings,
    anonymous: Anonymous,
    serving: Option<Serving>,
    /// What door and health processor write down.
    pub(crate) audit: Arc<RecordedAudit>,
    pub(crate) metrics: Arc<Metrics>,
    /// The domain's UUID.
    pub(crate) du: ContainerId,
    /// The bucket's UUID.
    pub(crate) bu: ContainerId,
}

/// What can be seen of an object and of the whole installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    status: u16,
    headers: Vec<(String, String)>,
    /// By state: versions and blobs.
    versions: BTreeMap<&'static str, (usize, usize)>,
}

struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

/// Runs a case in a fresh house, and looks at the whole of it afterwards.
pub(crate) async fn run(engine: Engine, store: Store, case: impl AsyncFnOnce(&mut House)) {
    let mut house = House::open(engine, store).await;
    case(&mut house).await;
    house.close().await;
    house.world.check().await;
}

impl House {
    async fn open(engine: Engine, store: Store) -> Self {
        let nobody = ContainerId::from_bytes([0; 16]);
        let mut house = House {
            world: World::new(engine, store).await,
            settings: settings(),
            anonymous: Anonymous::Full,
            serving: None,
            audit: Arc::default(),
            metrics: Arc::default(),
            du: nobody,
            bu: nobody,
        };
        house.serve().await;
        house.du = house.post("/?domain=d.example").context().await.is(201).alias();
        house.bu = house.post("/b").context().await.is(201).alias();
        house
    }

    async fn serve(&mut self) {
        let (metadata, clock) = (self.world.metadata().clone(), self.world.shared_clock());
        let gateway = Gateway {
            auth: Arc::new(Auth::new(metadata.clone(), Arc::clone(&clock), self.anonymous, None)),
            metadata,
            blobs: self.world.blobs().clone(),
            clock,
            settings: Arc::new(self.settings.clone()),
            metrics: self.metrics.clone(),
            audit: self.audit.clone(),
            member: MemberId::random(),
            background: None,
        };
        let limits = Arc::new(Limits { shutdown: Duration::from_secs(5), ..Limits::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = watch::channel(false);
        let door = Door::new(gateway, Arc::clone(&limits));
        let served = tokio::spawn(serve(listener, limits, door, stopped));
        self.serving = Some(Serving { address, stop, served });
    }

    async fn close(&mut self) {
        if let Some(Serving { stop, served, .. }) = self.serving.take() {
            stop.send_replace(true);
            served.await.expect("the door closes in peace");
        }
    }

    /// Ends the process and starts it again on the same database and bytes, with `change`d settings.
    pub(crate) async fn restart(&mut self, change: impl FnOnce(&mut Settings)) {
        self.close().await;
        change(&mut self.settings);
        self.world.open().await;
        self.serve().await;
    }

    /// Who comes without credentials may do this from now on.
    pub(crate) async fn let_in(&mut self, anonymous: Anonymous) {
        self.anonymous = anonymous;
        self.restart(|_| {}).await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.serving.as_ref().expect("the door is open").address
    }

    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(self.address(), method, target)
    }

    pub(crate) fn get(&self, target: &str) -> Ask {
        self.ask("GET", target)
    }

    pub(crate) fn head(&self, target: &str) -> Ask {
        self.ask("HEAD", target)
    }

    pub(crate) fn post(&self, target: &str) -> Ask {
        self.ask("POST", target)
    }

    pub(crate) fn put(&self, target: &str) -> Ask {
        self.ask("PUT", target)
    }

    pub(crate) fn delete(&self, target: &str) -> Ask {
        self.ask("DELETE", target)
    }

    pub(crate) fn copy(&self, target: &str) -> Ask {
        self.ask("COPY", target)
    }

    pub(crate) fn append(&self, target: &str) -> Ask {
        self.ask("APPEND", target)
    }

    pub(crate) async fn line(&self) -> Line {
        Line::connect(self.address()).await
    }

    /// Stores four bytes as `/b/o`, the object that most cases speak of.
    pub(crate) async fn store_o(&self) -> Answer {
        self.post("/b/o").header("Content-Type", "text/plain").body("four").await.is(201)
    }

    pub(crate) fn now(&self) -> Time {
        self.world.clock().now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.world.clock().advance(by);
    }

    /// The HTTP date that lies so many seconds ahead.
    pub(crate) fn in_secs(&self, secs: u64) -> String {
        self.now().plus(Duration::from_secs(secs)).to_http_date()
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        self.world.metadata()
    }

    /// A bucket as its row tells.
    pub(crate) async fn bucket(&self, id: ContainerId) -> Container {
        let found = self.metadata().container(ContainerKind::Bucket, id).await.expect("the database answers");
        found.expect("the bucket has a row")
    }

    /// A domain as its row tells.
    pub(crate) async fn domain(&self, id: ContainerId) -> Container {
        let found = self.metadata().container(ContainerKind::Domain, id).await.expect("the database answers");
        found.expect("the domain has a row")
    }

    /// Lets the health processor do everything that is due by now.
    pub(crate) async fn process(&self) {
        let (_stop, stopped) = watch::channel(false);
        let settings = health_processor::Settings {
            drain_timeout: DRAIN,
            object_delete_delay: OBJECT_GRACE,
            tranquility: 0,
            ..health_processor::Settings::default()
        };
        let processor = HealthProcessor::at_rest(
            self.metadata().clone(),
            self.world.blobs().clone(),
            self.world.shared_clock(),
            settings,
            self.audit.clone(),
            stopped,
        );
        assert!(processor.run_all_until_idle().await, "the health processor comes to rest");
        for task in processor.tasks() {
            assert_eq!(task.failed, None, "{}", task.name);
        }
    }

    /// Lets the health processor bring everything that is due to its end: reads that began before are given their time.
    pub(crate) async fn purge(&self) {
        self.process().await;
        self.advance(DRAIN);
        self.process().await;
    }

    /// A version as its row tells, be it readable or not.
    pub(crate) async fn version(&self, etag: &str) -> Version {
        let found = self.metadata().version(etag.parse().expect("an entity tag")).await;
        found.expect("the database answers").unwrap_or_else(|| panic!("version {etag} has a row"))
    }

    /// What a refused request must leave as it was: what `target` answers to HEAD, and how many versions there are in
    /// each state, with how many blobs. Tombstones don't count: what was refused on its way in may have one.
    pub(crate) async fn seen(&self, target: &str) -> Seen {
        self.seen_by(self.head(target)).await
    }

    /// As [`House::seen`], of what `ask` is answered.
    pub(crate) async fn seen_by(&self, ask: Ask) -> Seen {
        let head = ask.await;
        let mut versions = BTreeMap::new();
        for checked in self.world.versions().await {
            if checked.facts.state == State::Purged {
                continue;
            }
            let counted: &mut (usize, usize) = versions.entry(checked.facts.state.as_str()).or_default();
            *counted = (counted.0 + 1, counted.1 + checked.blobs.len());
        }
        Seen { status: head.status, headers: head.lasting_headers(), versions }
    }

    /// Asserts that nothing has changed since `before`, leaving a moment to what a refused upload takes back.
    pub(crate) async fn unchanged(&self, target: &str, before: &Seen) {
        self.unchanged_for(|| self.head(target), before).await;
    }

    /// As [`House::unchanged`], by what is answered to `ask`.
    pub(crate) async fn unchanged_for(&self, ask: impl Fn() -> Ask, before: &Seen) {
        let mut now = self.seen_by(ask()).await;
        for _ in 0..200 {
            if now == *before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            now = self.seen_by(ask()).await;
        }
        assert_eq!(now, *before);
    }

    /// The names of all blobs that some version owns, whatever state it is in.
    pub(crate) async fn blobs(&self) -> BTreeSet<String> {
        let versions = self.world.versions().await;
        versions.iter().flat_map(|checked| &checked.blobs).map(|blob| blob.name.to_string()).collect()
    }

    /// Brings a removed version back through the metadata API, as an operator's door does.
    pub(crate) async fn restore_version(
        &self,
        bucket: ContainerId,
        etag: &str,
        as_name: Option<&str>,
    ) -> Result<Outcome, Failure> {
        let restore = Restore {
            domain: self.du,
            bucket,
            what: RestoreWhat::Version(etag.parse().expect("an entity tag")),
            as_name: as_name.map(str::to_owned),
            replace: false,
            actor: "an operator".to_owned(),
            grace: OBJECT_GRACE,
        };
        self.metadata().object(ObjectCommand::Restore(restore)).await
    }

    /// Versions by state, over everything.
    pub(crate) async fn count(&self, state: State) -> usize {
        self.world.versions().await.iter().filter(|checked| checked.facts.state == state).count()
    }

    /// Waits until nothing is staged, claimed or stored any more beside what is live: what a failed upload leaves for a
    /// moment.
    pub(crate) async fn nothing_is_left(&self) {
        testkit::world::soon("a failed upload leaves nothing", async || {
            let versions = self.world.versions().await;
            let pending =
                versions.iter().any(|checked| matches!(checked.facts.state, State::Staged | State::Purging));
            let live = versions.iter().any(|checked| checked.facts.state == State::Live);
            (!pending && !live && self.world.takes_room().await.is_empty()).then_some(())
        })
        .await;
    }

    /// A key with these rights, everywhere.
    pub(crate) async fn key(&self, rights: &[Right]) -> Key {
        self.scoped_key(rights, None, None).await
    }

    /// A key with these rights, in this domain or bucket alone.
    pub(crate) async fn scoped_key(
        &self,
        rights: &[Right],
        domain: Option<ContainerId>,
        bucket: Option<ContainerId>,
    ) -> Key {
        let key = Key { id: format!("BK{}", MemberId::random()), secret: MemberId::random().to_string() };
        let access = AccessKey {
            id: key.id.clone(),
            secret: Secret::new(key.secret.as_bytes()),
            rights: Rights::of(rights),
            domain,
            bucket,
            label: "a test's".to_owned(),
            created_at: self.now(),
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            account: None,
        };
        self.metadata().create_key(access).await.expect("a key is made");
        key
    }
}

fn settings() -> Settings {
    Settings {
        cluster: "barrow".to_owned(),
        default_domain: DomainName::parse("barrow.local").expect("a domain name"),
        inline_max: 16 << 10,
        recursive_delete_delay: GRACE,
        object_delete_delay: OBJECT_GRACE,
        deletion_memory: Duration::from_secs(14 * 24 * 3_600),
        event_targets: Vec::new(),
        upload_expiry: Duration::from_secs(7 * 24 * 3_600),
        purge_waited_for: gateway::PURGE_WAITED_FOR,
        drain_timeout: Duration::from_secs(30),
        claim_lease: Duration::from_secs(60),
        lifepoint: LifepointSettings::default(),
        policy: PolicySettings::default(),
        scsp: ScspSettings::default(),
        brake: lifecycle::brake::Brake::default(),
        s3: gateway::S3Settings::default(),
    }
}
