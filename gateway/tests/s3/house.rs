//! A door on a socket, with everything real behind it.

use crate::client::{Answer, Ask, Connection, Key, Wire};
use crate::sign::Signer;
use gateway::http::{Limits, Service, serve};
use gateway::metrics::Metrics;
use gateway::s3::Door;
use gateway::{Anonymous, Auth, Gateway, LifepointSettings, PolicySettings, ScspSettings, Settings};
use lifecycle::{Clock, ContainerId, DomainName, MemberId, Place, Right, Rights, State, SystemClock, Time};
use metadata::{AccessKey, Account, AccountChange, Engine, Metadata, Secret};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::{RecordedAudit, Store, World};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Under this name each bucket is a host of its own.
pub(crate) const OWN_HOST: &str = "s3.example";
/// The grace of containers.
pub(crate) const GRACE: Duration = Duration::from_secs(60);
/// The grace of objects.
pub(crate) const OBJECT_GRACE: Duration = Duration::from_secs(3_600);
/// What lies in the bucket `other`, to be read by whoever wants to know whether the door still works.
pub(crate) const WITNESS: &str = "the witness";

/// An installation with the bucket `bucket`, the bucket `other` with the object `witness`, and an S3 door in front.
pub(crate) struct House {
    pub(crate) world: World,
    settings: Settings,
    limits: Limits,
    serving: Option<Serving>,
    /// An SCSP door onto the same installation.
    scsp: Option<Serving>,
    /// What the door writes down.
    pub(crate) audit: Arc<RecordedAudit>,
    pub(crate) metrics: Arc<Metrics>,
    auth: Option<Arc<Auth>>,
    anonymous: Anonymous,
    /// What was answered otherwise than it should have been.
    complaints: Mutex<Vec<String>>,
    /// A key with all rights, everywhere.
    pub(crate) key: Key,
}

struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

impl Serving {
    async fn open(door: impl Service, limits: Arc<Limits>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(serve(listener, limits, door, stopped));
        Serving { address, stop, served }
    }
}

/// Runs a case in a fresh house, and looks at the whole of it afterwards.
pub(crate) async fn run(engine: Engine, store: Store, case: impl AsyncFnOnce(&mut House)) {
    let mut house = House::open(engine, store).await;
    case(&mut house).await;
    house.close().await;
    let complaints = house.complaints.lock().expect("nobody panics with it").join("\n");
    assert!(complaints.is_empty(), "{complaints}");
    house.world.check().await;
}

impl House {
    async fn open(engine: Engine, store: Store) -> Self {
        let mut house = House {
            world: World::new(engine, store).await,
            settings: settings(),
            limits: Limits { shutdown: Duration::from_secs(5), ..Limits::default() },
            serving: None,
            audit: Arc::default(),
            metrics: Arc::default(),
            auth: None,
            anonymous: Anonymous::None,
            scsp: None,
            complaints: Mutex::default(),
            key: Key { id: String::new(), secret: String::new() },
        };
        let clock = house.world.clock();
        clock.advance(SystemClock.now().since(clock.now()));
        house.key = house.key_with(&Right::ALL).await;
        house.serve().await;
        house.put("/bucket").await.is(200);
        house.put("/other").await.is(200);
        house.put("/other/witness").body(WITNESS).await.is(200);
        house
    }

    async fn serve(&mut self) {
        let (metadata, clock) = (self.metadata().clone(), self.world.shared_clock());
        let auth = Arc::new(Auth::new(metadata.clone(), Arc::clone(&clock), self.anonymous, None));
        self.auth = Some(Arc::clone(&auth));
        let gateway = Gateway {
            auth,
            metadata,
            blobs: self.world.blobs().clone(),
            clock,
            settings: Arc::new(self.settings.clone()),
            metrics: self.metrics.clone(),
            audit: self.audit.clone(),
            member: MemberId::random(),
            background: None,
        };
        let limits = Arc::new(self.limits.clone());
        let scsp = gateway::scsp::Door::new(gateway.clone(), Arc::clone(&limits));
        self.scsp = Some(Serving::open(scsp, Arc::clone(&limits)).await);
        let door = Door::new(gateway, Arc::clone(&limits), Some(OWN_HOST.to_owned()));
        self.serving = Some(Serving::open(door, limits).await);
    }

    async fn close(&mut self) {
        self.auth = None;
        for Serving { stop, served, .. } in self.serving.take().into_iter().chain(self.scsp.take()) {
            stop.send_replace(true);
            served.await.expect("the door closes in peace");
        }
    }

    /// Who comes without credentials may do this from now on.
    pub(crate) async fn let_in(&mut self, anonymous: Anonymous) {
        self.anonymous = anonymous;
        self.restart().await;
    }

    /// Where the SCSP door listens.
    pub(crate) fn scsp_address(&self) -> SocketAddr {
        self.scsp.as_ref().expect("the door is open").address
    }

    /// Ends the process and starts it again on the same database and bytes.
    pub(crate) async fn restart(&mut self) {
        self.close().await;
        self.world.open().await;
        self.serve().await;
    }

    /// What a client may cost from now on.
    pub(crate) async fn limit(&mut self, change: impl FnOnce(&mut Limits)) {
        change(&mut self.limits);
        self.restart().await;
    }

    /// How much rules may let go from now on without a word.
    pub(crate) async fn brake(&mut self, brake: lifecycle::brake::Brake) {
        self.settings.brake = brake;
        self.restart().await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.serving.as_ref().expect("the door is open").address
    }

    /// The time by which signatures are judged.
    pub(crate) fn now(&self) -> Time {
        SystemClock.now()
    }

    /// Whoever holds the key with all rights, now.
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(&self.key, self.now())
    }

    /// A request signed with the key that has all rights.
    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(self.address(), method, target, self.signer())
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

    pub(crate) async fn connection(&self) -> Connection {
        Connection::connect(self.address()).await
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        self.world.metadata()
    }

    /// Keeps what is wrong for the end of the test, so that it names everything that is.
    pub(crate) fn complain(&self, wire: &Wire, wanted: &str, is: &Answer) {
        let said = format!("{} {} {}", is.status, is.code(), is.find("Message").unwrap_or_default());
        let complaint = format!("{}\n    wanted {wanted}\n    came   {said}", wire.shown());
        self.complaints.lock().expect("nobody panics with it").push(complaint);
    }

    /// As [`House::refuses_with_one_of`], where AWS's code is known.
    pub(crate) async fn refuses(&self, wire: Wire, status: u16, code: &str) {
        self.refuses_with_one_of(wire, &[(status, code)]).await;
    }

    /// Sends `wire`, which must be refused in one of these ways, and behind it a request for the witness on the same connection.
    /// What was not read of the first must not be taken for a second: the witness is answered, or nothing is.
    pub(crate) async fn refuses_with_one_of(&self, wire: Wire, ways: &[(u16, &str)]) {
        let next = self.get("/other/witness").ready();
        let mut connection = self.connection().await;
        connection.try_send(&[wire.bytes(false), next.bytes(true)].concat()).await;
        let mut answers = connection.answers(&[&wire, &next]).await;
        let more = answers.split_off(1);
        let refused = answers.swap_remove(0);
        let (status, code) = (refused.status, refused.code());
        if !ways.contains(&(status, code.as_str())) {
            self.complain(&wire, &format!("{ways:?}"), &refused);
            if status < 300 && wire.target.starts_with("/bucket") {
                self.delete("/bucket/key").await.is(204);
            }
        }
        assert!(more.len() <= 1, "one request was taken for several: {more:?}");
        for witness in more {
            witness.is(200).brings(WITNESS);
        }
        self.get("/other/witness").await.is(200).brings(WITNESS);
    }

    /// As [`House::refuses`], of what would be the object `key` in `bucket`; and nothing of it is there afterwards, to be
    /// seen or unseen.
    pub(crate) async fn refuses_to_store(&self, wire: Wire, status: u16, code: &str) {
        self.refuses(wire, status, code).await;
        self.stored_nothing().await;
    }

    /// As [`House::refuses_to_store`], where the AWS reference leaves open with which code.
    pub(crate) async fn refuses_to_store_with_one_of(&self, wire: Wire, ways: &[(u16, &str)]) {
        self.refuses_with_one_of(wire, ways).await;
        self.stored_nothing().await;
    }

    /// Nothing is in `bucket`, and no bytes lie anywhere but the witness's.
    pub(crate) async fn stored_nothing(&self) {
        self.get("/bucket/key").await.refused(404, "NoSuchKey");
        let listed = self.get("/bucket?list-type=2").await.is(200);
        assert_eq!(listed.find("KeyCount").as_deref(), Some("0"), "{}", listed.text());
        testkit::world::soon("a refused upload leaves nothing", async || {
            let versions = self.world.versions().await;
            let of = |state: State| versions.iter().filter(move |checked| checked.facts.state == state);
            let unsettled = of(State::Staged).count() + of(State::Purging).count();
            // What a test itself has deleted may still be restored.
            let removed = of(State::Removed).flat_map(|checked| &checked.blobs);
            let kept = removed.filter(|blob| blob.place == Place::Store).count();
            let stored = self.world.stored().await.len();
            (unsettled == 0 && of(State::Live).count() == 1 && stored == kept).then_some(())
        })
        .await;
    }

    /// The UUID of a bucket.
    pub(crate) async fn bucket(&self, name: &str) -> ContainerId {
        let domain = self.metadata().default_domain().expect("the default domain is there");
        let found = self.metadata().bucket_named(domain, name).await.expect("the database answers");
        found.expect("the bucket is there").id
    }

    /// Revokes a key as the admin door does.
    pub(crate) async fn revoke(&self, key: &Key) {
        self.metadata().revoke_key(&key.id).await.expect("the key is revoked");
        self.auth.as_ref().expect("the door is open").forget(&key.id);
    }

    /// Disables an account as the admin door does, or enables it.
    pub(crate) async fn disable(&self, account: &Account, disabled: bool) {
        let change = AccountChange { disabled: Some(disabled), ..AccountChange::default() };
        self.metadata().change_account(&account.id, change).await.expect("the account is changed");
        self.auth.as_ref().expect("the door is open").forget_account(&account.id);
    }

    /// A key with these rights, everywhere.
    pub(crate) async fn key_with(&self, rights: &[Right]) -> Key {
        self.made_key(rights, |_| {}).await
    }

    /// A key with these rights, `change`d before it is made.
    pub(crate) async fn made_key(&self, rights: &[Right], change: impl FnOnce(&mut AccessKey)) -> Key {
        let key = Key { id: format!("BK{}", MemberId::random()), secret: MemberId::random().to_string() };
        let mut access = AccessKey {
            id: key.id.clone(),
            secret: Secret::new(key.secret.as_bytes()),
            rights: Rights::of(rights),
            domain: None,
            bucket: None,
            label: "a test's".to_owned(),
            created_at: self.world.clock().now(),
            expires_at: None,
            disabled_at: None,
            revoked_at: None,
            account: None,
        };
        change(&mut access);
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
        purge_waited_for: gateway::PURGE_WAITED_FOR,
        deletion_memory: Duration::from_secs(14 * 24 * 3_600),
        event_targets: vec!["hook".to_owned(), "other".to_owned()],
        upload_expiry: Duration::from_secs(7 * 24 * 3_600),
        drain_timeout: Duration::from_secs(30),
        claim_lease: Duration::from_secs(60),
        lifepoint: LifepointSettings::default(),
        policy: PolicySettings::default(),
        scsp: ScspSettings::default(),
        brake: lifecycle::brake::Brake::default(),
        s3: gateway::S3Settings::default(),
    }
}
