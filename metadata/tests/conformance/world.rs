//! A database of its own, a clock moved by hand, and the words in which the cases speak.

use bytes::Bytes;
use lifecycle::condition::{TagKind, Tags};
use lifecycle::{
    BlobName, BucketName, Cause, Claim, Clock, Condition, ContainerId, DomainName, Grace, Guard, Kind,
    MemberId, Refusal, Retention, State, Time, UploadId, VersionId, VersioningPolicy,
};
use metadata::{
    Allowed, Body, ClaimOrder, Container, ContainerKind, ContextChange, Delete, Deleted, Empty, Existence,
    Failure, Found, LifecycleChange, Markers, Metadata, NewContainer, NewPart, NewUpload, ObjectCommand,
    Outcome, PartBody, Policies, Publish, Published, PurgeOrder, PurgeStep, RemoveOrder, Removed, Rename,
    ReplanAt, Restore, RestoreOrder, RestoreWhat, Restored, RollUp, Settings, Sought, Stage, UploadMode,
    Version, Waiting, Which,
};
use std::future::IntoFuture;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Database, ManualClock};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);
/// What the installation of these cases gives an object, a container and a tombstone.
pub(crate) const OBJECT_GRACE: Duration = DAY;
pub(crate) const CONTAINER_GRACE: Duration = Duration::from_secs(7 * 24 * 3_600);
pub(crate) const MEMORY: Duration = Duration::from_secs(14 * 24 * 3_600);
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// What these installations allow: all of it.
pub(crate) const EVERYTHING: Allowed = Allowed { versioning: true, lifecycle: true };

/// A refusal as a value; anything else that goes wrong fails the case.
pub(crate) type Answer<T> = Result<T, Refusal>;
type Asking<T> = Pin<Box<dyn Future<Output = Answer<T>> + Send>>;

pub(crate) fn answer<T>(result: Result<T, Failure>) -> Answer<T> {
    result.map_err(|failure| match failure {
        Failure::Refused(refusal) => refusal,
        other => panic!("neither done nor refused: {other}"),
    })
}

/// One process with its own way into the database, and a bucket it works in.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) m: Metadata,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) me: MemberId,
    pub(crate) domain: ContainerId,
    pub(crate) bucket: ContainerId,
}

/// A database, and the first process that opened it.
pub(crate) struct World {
    pub(crate) db: Database,
    caller: Caller,
}

impl Deref for World {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl World {
    pub(crate) async fn sqlite() -> World {
        World::on(Database::sqlite()).await
    }

    pub(crate) async fn postgres() -> World {
        World::on(Database::postgres().await).await
    }

    /// A fresh installation with the bucket `photos` in the default domain.
    pub(crate) async fn on(db: Database) -> World {
        let settings = db.settings();
        World::opened(db, settings).await
    }

    /// Another installation on the same engine, whose purges ask the database's clock too, as in service.
    pub(crate) async fn asking_the_database_too(&self) -> World {
        let db = if self.is_sqlite() { Database::sqlite() } else { Database::postgres().await };
        let settings = Settings { trust_db_clock: true, ..db.settings() };
        World::opened(db, settings).await
    }

    async fn opened(db: Database, settings: Settings) -> World {
        let clock = Arc::new(ManualClock::default());
        let m = Metadata::open(&settings, clock.clone()).await.unwrap();
        let domain = m.default_domain().expect("made at first start");
        let bucket = ContainerId::from_bytes([0; 16]);
        let caller = Caller { m, clock, me: MemberId::random(), domain, bucket };
        let bucket = caller.create_bucket("photos").await.unwrap();
        World { db, caller: caller.in_bucket(&bucket) }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.m.engine() == metadata::Engine::Sqlite
    }

    /// `count` processes on this database: with connections of their own on Postgres; on SQLite, which is for one
    /// process, as many tasks of this one.
    pub(crate) async fn callers(&self, count: usize) -> Vec<Caller> {
        let mut callers = Vec::new();
        for _ in 0..count {
            let m = if self.is_sqlite() { self.m.clone() } else { self.db.open(self.clock.clone()).await };
            callers.push(Caller { m, me: MemberId::random(), ..self.caller.clone() });
        }
        callers
    }

    /// Runs a statement beside everything that is open.
    pub(crate) async fn put_wrong(&self, statement: &str) -> u64 {
        metadata::testing::run(&self.db.settings().url, statement).await.unwrap()
    }

    /// Runs a query beside everything that is open, and gives the texts in its first column.
    pub(crate) async fn ask(&self, query: &str) -> Vec<String> {
        metadata::testing::ask(&self.db.settings().url, query).await.unwrap()
    }

    /// How a statement of [`World::put_wrong`] or [`World::ask`] names an identity.
    pub(crate) fn literal(&self, id: ContainerId) -> String {
        if self.is_sqlite() { format!("x'{id}'") } else { format!("'\\x{id}'::bytea") }
    }

    /// Checks every rule over the whole database.
    pub(crate) async fn finish(self) {
        self.check().await;
    }

    /// As [`World::finish`], in the middle of a case.
    pub(crate) async fn check(&self) {
        let mut after = None;
        loop {
            let page = self.m.check_page(after).await.unwrap();
            assert_eq!(Metadata::check_versions(&page), []);
            let Some(last) = page.last() else { break };
            after = Some(last.facts.id);
        }
        assert_eq!(self.m.check_whole().await.unwrap(), []);
    }
}

impl Caller {
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Time as it really passes, for what must not take long.
    pub(crate) fn boot(&self) -> Duration {
        lifecycle::SystemClock.boot()
    }

    /// Lets time pass.
    pub(crate) fn later(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) fn in_bucket(&self, bucket: &Container) -> Caller {
        Caller { bucket: bucket.id, domain: bucket.parent.unwrap_or(self.domain), ..self.clone() }
    }

    pub(crate) fn in_domain(&self, domain: &Container) -> Caller {
        Caller { domain: domain.id, ..self.clone() }
    }

    // --- objects -----------------------------------------------------------------------------------------------------

    pub(crate) fn put(&self, name: &str) -> Put {
        let publish = Publish {
            domain: self.domain,
            bucket: self.bucket,
            version: VersionId::ordered(self.now()),
            kind: Kind::Named,
            name: name.to_owned(),
            size: 0,
            md5: [7; 16],
            parts: None,
            tags: None,
            keeps_tags: false,
            checksum: None,
            written: metadata::Written::Put,
            headers: "[]".to_owned(),
            guard: Guard::NONE,
            retention: None,
            acl: None,
            expires_at: None,
            owner: None,
            actor: "alice".to_owned(),
            existence: Existence::Any,
            condition: Condition::NONE,
            replaces: None,
            renames: None,
            may_shorten_guard: false,
            heeds_spec: false,
            rolls_up: None,
            grace: OBJECT_GRACE,
            body: Body::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::new() },
        };
        Put { by: self.clone(), publish }.body(name)
    }

    /// Publishes what was staged as `upload`.
    pub(crate) fn put_staged(&self, name: &str, upload: VersionId, size: u64) -> Put {
        let mut put = self.put(name);
        put.publish.version = upload;
        put.publish.size = size;
        put.publish.body = Body::Staged { format: 0 };
        put
    }

    /// Moves the object to another name, without a change of its bytes.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Put {
        let mut put = self.put(to);
        put.publish.renames = Some(Rename { from: from.to_owned(), marker: VersionId::ordered(self.now()) });
        put
    }

    /// Begins a multipart upload of an object of this name.
    pub(crate) async fn upload(&self, name: &str) -> UploadId {
        let new = self.new_upload(name);
        let id = new.id;
        self.m.begin_upload(new).await.unwrap();
        id
    }

    pub(crate) fn new_upload(&self, name: &str) -> NewUpload {
        NewUpload {
            id: UploadId::ordered(self.now()),
            domain: self.domain,
            bucket: self.bucket,
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
            actor: "alice".to_owned(),
            expires_at: self.now().plus(7 * DAY),
        }
    }

    /// Finishes a part that is small enough to lie beside its row.
    pub(crate) async fn part(&self, upload: UploadId, number: u32, bytes: &'static [u8]) -> VersionId {
        self.try_part(upload, number, bytes).await.unwrap()
    }

    pub(crate) async fn try_part(
        &self,
        upload: UploadId,
        number: u32,
        bytes: &'static [u8],
    ) -> Answer<VersionId> {
        let part = self.new_part(upload, number, bytes);
        let version = part.version;
        answer(self.m.finish_part(part).await)?;
        Ok(version)
    }

    pub(crate) fn new_part(&self, upload: UploadId, number: u32, bytes: &'static [u8]) -> NewPart {
        let version = VersionId::random();
        NewPart {
            upload,
            number,
            version,
            size: bytes.len() as u64,
            md5: [3; 16],
            checksum: None,
            headers: "[]".to_owned(),
            actor: "alice".to_owned(),
            body: PartBody::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::from_static(bytes) },
        }
    }

    pub(crate) fn delete(&self, name: &str) -> Del {
        let delete = Delete {
            domain: self.domain,
            bucket: self.bucket,
            name: name.to_owned(),
            which: Which::Current,
            marker: VersionId::ordered(self.now()),
            markers: Markers::Single,
            hides_guarded: false,
            bypass: false,
            heeds_spec: false,
            expects: None,
            condition: Condition::NONE,
            cause: Cause::Delete,
            actor: "alice".to_owned(),
            grace: OBJECT_GRACE,
        };
        Del { by: self.clone(), delete }
    }

    pub(crate) fn restore(&self, name: &str) -> Back {
        self.back(RestoreWhat::Latest(name.to_owned()))
    }

    pub(crate) fn restore_version(&self, version: VersionId) -> Back {
        self.back(RestoreWhat::Version(version))
    }

    fn back(&self, what: RestoreWhat) -> Back {
        let restore = Restore {
            domain: self.domain,
            bucket: self.bucket,
            what,
            as_name: None,
            replace: false,
            actor: "olga".to_owned(),
            grace: OBJECT_GRACE,
        };
        Back { by: self.clone(), restore }
    }

    /// Stages an upload into the bucket's present contents and gives the version it will be.
    pub(crate) async fn stage(&self, name: &str) -> VersionId {
        self.stage_in(self.contents().await, name).await.unwrap()
    }

    pub(crate) async fn stage_in(&self, contents: ContainerId, name: &str) -> Answer<VersionId> {
        let version = VersionId::ordered(self.now());
        let stage = Stage {
            contents,
            version,
            kind: Kind::Named,
            name: name.to_owned(),
            blob: BlobName::random(),
            actor: "alice".to_owned(),
            part_of: None,
        };
        let outcome = answer(self.m.object(ObjectCommand::Stage(stage)).await)?;
        assert_eq!(outcome, Outcome::Staged);
        Ok(version)
    }

    /// What a client reads under this name of the bucket, if it reads anything.
    pub(crate) async fn reads(&self, name: &str) -> Option<String> {
        let domain = self.m.container(ContainerKind::Domain, self.domain).await.unwrap()?;
        let bucket = self.m.container(ContainerKind::Bucket, self.bucket).await.unwrap()?;
        let sought = self.m.find_named(Some(&domain.name), &domain.name, &bucket.name, name, true).await;
        let Sought::Found(found) = sought.unwrap() else { return None };
        if found.bucket.0 != self.bucket {
            return None;
        }
        Some(String::from_utf8(found.inline.unwrap_or_default().to_vec()).unwrap())
    }

    /// The names that a client lists in the bucket; none unless bucket and domain are live.
    pub(crate) async fn lists(&self) -> Vec<String> {
        let domain = self.container(ContainerKind::Domain, self.domain).await;
        let bucket = self.bucket_row().await;
        let located = self.m.locate(Some(&domain.name), &domain.name, Some(&bucket.name)).await.unwrap();
        let Some(bucket) = located.and_then(|located| located.bucket).filter(|b| b.id == self.bucket) else {
            return Vec::new();
        };
        let contents = bucket.contents.expect("a bucket has contents");
        let page = self.m.list_objects(contents, "", "", 1_000).await.unwrap();
        page.into_iter().map(|version| version.name).collect()
    }

    /// The row of a version, whatever its state.
    pub(crate) async fn row(&self, version: VersionId) -> Version {
        self.m.version(version).await.unwrap().expect("the version has a row")
    }

    pub(crate) async fn state(&self, version: VersionId) -> State {
        self.m.version(version).await.unwrap().map_or(State::Forgotten, |version| version.state)
    }

    /// How many versions, and how many bytes, the counters tell in a state, over everything.
    pub(crate) async fn counted(&self, state: State) -> (i64, i64) {
        let rows = self.m.usage().await.unwrap();
        let of_state = rows.iter().filter(|row| row.state == state);
        of_state.fold((0, 0), |sum, row| (sum.0 + row.objects, sum.1 + row.bytes))
    }

    // --- containers --------------------------------------------------------------------------------------------------

    pub(crate) async fn create_bucket(&self, name: &str) -> Answer<Container> {
        let name = BucketName::parse(name).unwrap();
        answer(self.m.create_bucket(self.domain, &name, new_container()).await)
    }

    pub(crate) async fn create_domain(&self, name: &str) -> Answer<Container> {
        answer(self.m.create_domain(&DomainName::parse(name).unwrap(), new_container()).await)
    }

    /// The contents that the bucket holds at present.
    pub(crate) async fn contents(&self) -> ContainerId {
        self.bucket_row().await.contents.expect("a bucket has contents")
    }

    pub(crate) async fn bucket_row(&self) -> Container {
        self.container(ContainerKind::Bucket, self.bucket).await
    }

    pub(crate) async fn container(&self, kind: ContainerKind, id: ContainerId) -> Container {
        self.m.container(kind, id).await.unwrap().expect("the container has a row")
    }

    /// Sets the bucket's headers, and with them what it says of versioning.
    pub(crate) async fn change_bucket(&self, headers: &str, condition: Condition) -> Answer<Container> {
        let change = ContextChange {
            versioning: None,
            headers: headers.to_owned(),
            allowed: EVERYTHING,
            condition,
            actor: "alice".to_owned(),
            ..ContextChange::default()
        };
        let changed = self.m.change_context(ContainerKind::Bucket, self.bucket, change).await;
        answer(changed).map(|changed| changed.container)
    }

    /// Switches the bucket's versioning by its own policy, and tells whether history goes.
    pub(crate) async fn versioning(&self, policy: &str) -> bool {
        let change = ContextChange {
            versioning: None,
            headers: "[]".to_owned(),
            policies: Policies {
                versioning: Some(VersioningPolicy::parse(policy).unwrap()),
                ..Policies::default()
            },
            allowed: EVERYTHING,
            actor: "alice".to_owned(),
            ..ContextChange::default()
        };
        self.m.change_context(ContainerKind::Bucket, self.bucket, change).await.unwrap().erases_history
    }

    /// Gives the bucket lifecycle rules, and tells how many versions go at another time because of them.
    pub(crate) async fn rules(&self, rules: &[&str]) -> u64 {
        let rules = lifecycle::lifecycle_rules::parse(rules.iter().copied()).unwrap();
        let own = Policies { rules, versioning: self.own_versioning().await, ..Policies::default() };
        let change = ContextChange {
            versioning: None,
            headers: "[]".to_owned(),
            policies: own,
            allowed: EVERYTHING,
            actor: "alice".to_owned(),
            ..ContextChange::default()
        };
        self.m.change_context(ContainerKind::Bucket, self.bucket, change).await.unwrap();
        self.replan().await
    }

    /// Has S3 say these rules, as `aws s3api` writes them; none: it says nothing. Everything is planned anew.
    pub(crate) async fn configure(&self, rules: &str) -> u64 {
        self.configured(rules).await;
        self.replan().await
    }

    /// The same, and nothing is planned yet.
    pub(crate) async fn configured(&self, rules: &str) {
        let configuration = (!rules.is_empty()).then(|| format!("{{\"Rules\":{rules}}}"));
        let change = LifecycleChange { configuration, allowed: EVERYTHING, actor: "alice".to_owned() };
        self.m.set_lifecycle(self.bucket, change).await.unwrap();
    }

    /// Sweeps what has expired, as the health processor does, and tells how many were removed or hidden.
    pub(crate) async fn sweep(&self) -> usize {
        let start = (Time::from_micros(i64::MIN), VersionId::from_bytes([0; 16]));
        let mut swept = 0;
        for one in self.m.list_expired(start, 1_000).await.unwrap() {
            let gone = self.delete(&one.name).version(one.version).cause(Cause::Lifepoint).await;
            swept += usize::from(gone.is_ok());
        }
        swept
    }

    async fn own_versioning(&self) -> Option<VersioningPolicy> {
        let versioning = self.bucket_row().await.versioning?;
        VersioningPolicy::parse(versioning.as_str()).ok()
    }

    /// Plans everything anew whose rules were changed, in small steps.
    pub(crate) async fn replan(&self) -> u64 {
        let mut changed = 0;
        for replan in self.m.buckets_to_replan(None, 10).await.unwrap() {
            let mut at: Option<ReplanAt> = Some(self.m.replan_at(replan).await.unwrap());
            while let Some(from) = at {
                let step = self.m.replan(replan, from, 2).await.unwrap();
                if step.waits {
                    return changed;
                }
                changed += step.changed;
                at = step.next;
            }
            self.m.replanned(replan).await.unwrap();
        }
        changed
    }

    /// What a reader finds in the bucket `photos` of the default domain.
    pub(crate) async fn found(&self, name: &str, bytes: bool) -> Found {
        match self.m.find_named(None, "barrow.local", "photos", name, bytes).await.unwrap() {
            Sought::Found(found) => *found,
            other => panic!("{name}: {other:?}"),
        }
    }

    pub(crate) fn remove_bucket(&self) -> Rem {
        self.removal(What::Container(ContainerKind::Bucket, self.bucket))
    }

    pub(crate) fn remove_domain(&self) -> Rem {
        self.removal(What::Container(ContainerKind::Domain, self.domain))
    }

    pub(crate) fn empty_bucket(&self) -> Rem {
        self.removal(What::Contents(self.bucket))
    }

    fn removal(&self, what: What) -> Rem {
        let order = RemoveOrder {
            grace: Grace::For(CONTAINER_GRACE),
            early: false,
            reserves_name: false,
            only_empty: None,
            condition: Condition::NONE,
            cause: Cause::Recursive,
            door: "scsp",
            actor: "bob".to_owned(),
            reason: None,
        };
        Rem { by: self.clone(), what, order }
    }

    /// The object, if it can be read.
    pub(crate) async fn find(&self, name: &str) -> Option<Found> {
        let row = self.bucket_row().await;
        let domain =
            self.m.container(ContainerKind::Domain, self.domain).await.unwrap().expect("it is there");
        match self.m.find_named(Some(&domain.name), &domain.name, &row.name, name, true).await.unwrap() {
            Sought::Found(found) => Some(*found),
            Sought::Hidden { .. } | Sought::Nothing => None,
        }
    }

    /// A put, and whatever comes of it.
    pub(crate) async fn outcome_of_put(&self, name: &str) -> Result<Outcome, Failure> {
        self.m.object(self.put(name).command()).await
    }

    pub(crate) async fn restore_bucket(&self) -> Answer<Container> {
        self.restore_container(ContainerKind::Bucket, self.bucket, None).await
    }

    pub(crate) async fn restore_domain(&self) -> Answer<Container> {
        self.restore_container(ContainerKind::Domain, self.domain, None).await
    }

    pub(crate) async fn restore_container(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        as_name: Option<&str>,
    ) -> Answer<Container> {
        let order = RestoreOrder {
            as_name: as_name.map(str::to_owned),
            actor: "olga".to_owned(),
            ..RestoreOrder::default()
        };
        answer(self.m.restore(kind, id, order).await)
    }

    pub(crate) async fn restore_contents(
        &self,
        contents: ContainerId,
        as_bucket: Option<&str>,
    ) -> Answer<Container> {
        let as_bucket = as_bucket.map(|name| BucketName::parse(name).unwrap());
        let grace = Grace::For(CONTAINER_GRACE);
        answer(self.m.restore_contents(contents, as_bucket, "olga".to_owned(), grace).await)
    }

    pub(crate) async fn purge_early(&self, kind: ContainerKind, id: ContainerId) -> Answer<Container> {
        answer(self.m.purge_early(kind, id, PurgeOrder::at_once("root")).await).map(|plan| plan.container)
    }

    // --- what the health processor does ------------------------------------------------------------------------------

    pub(crate) fn order(&self) -> ClaimOrder {
        ClaimOrder { holder: self.me, limit: 1_000, lease: LEASE, drain: Duration::ZERO }
    }

    /// Contents as claims want them, found or not found by the counters.
    pub(crate) async fn waiting(&self) -> Waiting {
        Waiting {
            domain: self.domain,
            bucket: self.bucket,
            contents: self.contents().await,
            above: State::Live,
            objects: 0,
            bytes: 0,
        }
    }

    /// Claims what is due in the bucket.
    pub(crate) async fn claim_due(&self) -> Vec<Claim> {
        self.m.claim_due(self.waiting().await, self.order()).await.unwrap()
    }

    /// Claims again what nobody finished.
    pub(crate) async fn claim_lapsed(&self) -> Vec<Claim> {
        self.m.claim_lapsed(self.contents().await, self.order()).await.unwrap()
    }

    pub(crate) async fn finish_claims(&self, claims: Vec<Claim>) -> (u64, u64) {
        self.m.finish(claims, MEMORY).await.unwrap()
    }

    /// Purges what is due in live contents, everywhere, and tells how many versions that were.
    pub(crate) async fn reclaim(&self) -> u64 {
        let mut purged = 0;
        for from in self.m.contents_with(State::Removed).await.unwrap() {
            let claims = self.m.claim_due(from, self.order()).await.unwrap();
            purged += self.finish_claims(claims).await.0;
        }
        purged
    }

    pub(crate) async fn purge_containers(&self) -> PurgeStep {
        self.m.purge_containers(100, MEMORY).await.unwrap()
    }

    /// Purges what lies in contents that are purging, and tells how many versions that were.
    pub(crate) async fn cascade(&self) -> u64 {
        let mut purged = 0;
        for state in [State::Staged, State::Live, State::Removed] {
            for from in self.m.contents_with(state).await.unwrap() {
                let claims = self.m.claim_cascade(from.contents, self.order()).await.unwrap();
                purged += self.finish_claims(claims).await.0;
            }
        }
        purged
    }

    /// A whole round over containers: begin, cascade, close.
    pub(crate) async fn purge_all_due(&self) {
        self.purge_containers().await;
        while self.cascade().await > 0 {}
        self.purge_containers().await;
    }

    /// Drops every tombstone whose memory has run out, and tells how many versions and containers those were.
    pub(crate) async fn forget(&self) -> (u64, u64) {
        let mut versions = 0;
        for from in self.m.contents_with(State::Purged).await.unwrap() {
            versions += self.m.forget(from.contents, 10_000).await.unwrap();
        }
        (versions, self.m.forget_containers(1_000).await.unwrap())
    }
}

pub(crate) fn new_container() -> NewContainer {
    NewContainer { actor: "alice".to_owned(), ..NewContainer::default() }
}

/// A seed that no run had before. It is shown, so that the run can be had again: with it in `BARROW_TEST_SEED`.
pub(crate) fn any_seed() -> u64 {
    if let Some(seed) = std::env::var("BARROW_TEST_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return seed;
    }
    let bytes = *VersionId::random().as_bytes();
    u64::from_be_bytes(bytes[..8].try_into().unwrap())
}

pub(crate) fn ids(claims: &[Claim]) -> Vec<VersionId> {
    let mut ids: Vec<VersionId> = claims.iter().map(Claim::version).collect();
    ids.sort();
    ids
}

/// A write that has not been asked for yet.
#[derive(Clone)]
pub(crate) struct Put {
    by: Caller,
    publish: Publish,
}

impl Put {
    pub(crate) fn body(mut self, text: &str) -> Put {
        let bytes = Bytes::from(text.to_owned());
        self.publish.size = bytes.len() as u64;
        self.publish.body = Body::Inline { blob: BlobName::random(), format: 0, bytes };
        self
    }

    /// Changes the headers alone: the bytes are those of the version that this one takes the place of.
    pub(crate) fn taking_over(mut self, from: VersionId) -> Put {
        self.publish.replaces = Some(from);
        self.publish.body = Body::HandOver { memory: MEMORY };
        self
    }

    /// Made of an upload's parts.
    pub(crate) fn assembled(mut self, upload: UploadId, parts: Vec<(u32, VersionId)>) -> Put {
        self.publish.body = Body::Parts { upload, parts };
        self
    }

    /// What is older goes with it.
    pub(crate) fn rolling_up(mut self, what: RollUp) -> Put {
        self.publish.rolls_up = Some(what);
        self
    }

    pub(crate) fn shortening_guards(mut self) -> Put {
        self.publish.may_shorten_guard = true;
        self
    }

    pub(crate) fn if_match(mut self, tags: &str) -> Put {
        self.publish.condition.if_match = Some(Tags::parse(tags));
        self
    }

    pub(crate) fn if_none_match(mut self, tags: &str) -> Put {
        self.publish.condition.if_none_match = Some(Tags::parse(tags));
        self
    }

    pub(crate) fn if_unmodified_since(mut self, since: Time) -> Put {
        self.publish.condition.unmodified_since = Some(since);
        self
    }

    /// Conditions speak of content from here on, as S3's do.
    pub(crate) fn by_content(mut self) -> Put {
        self.publish.condition.by = TagKind::Content;
        self
    }

    pub(crate) fn md5(mut self, md5: [u8; 16]) -> Put {
        self.publish.md5 = md5;
        self
    }

    pub(crate) fn tags(mut self, tags: &str) -> Put {
        self.publish.tags = Some(tags.to_owned());
        self
    }

    /// With the tags of what it goes on top of, as they are by then.
    pub(crate) fn keeping_tags(mut self) -> Put {
        self.publish.keeps_tags = true;
        self
    }

    pub(crate) fn checksum(mut self, checksum: &str) -> Put {
        self.publish.checksum = Some(checksum.to_owned());
        self
    }

    pub(crate) fn only_if_there(mut self) -> Put {
        self.publish.existence = Existence::Required;
        self
    }

    pub(crate) fn guard(mut self, guard: Guard) -> Put {
        self.publish.guard = guard;
        self
    }

    pub(crate) fn kept_for(self, length: Duration) -> Put {
        let until = self.by.now().plus(length);
        self.guard(Guard { from: None, until: Some(until), hold: false })
    }

    pub(crate) fn held(self) -> Put {
        self.guard(Guard { hold: true, ..Guard::NONE })
    }

    /// With a retention of its own.
    pub(crate) fn retained(mut self, retention: Option<Retention>) -> Put {
        self.publish.retention = retention;
        self
    }

    pub(crate) fn expires_in(mut self, length: Duration) -> Put {
        self.publish.expires_at = Some(self.by.now().plus(length));
        self
    }

    /// How it comes to be written.
    pub(crate) fn written(mut self, written: metadata::Written) -> Put {
        self.publish.written = written;
        self
    }

    pub(crate) fn headers(mut self, headers: &str) -> Put {
        self.publish.headers = headers.to_owned();
        self
    }

    pub(crate) fn kind(mut self, kind: Kind) -> Put {
        self.publish.kind = kind;
        self
    }

    pub(crate) fn version(mut self, version: VersionId) -> Put {
        self.publish.version = version;
        self
    }

    pub(crate) fn actor(mut self, actor: &str) -> Put {
        self.publish.actor = actor.to_owned();
        self
    }

    pub(crate) fn command(self) -> ObjectCommand {
        ObjectCommand::Publish(Box::new(self.publish))
    }
}

impl IntoFuture for Put {
    type Output = Answer<Published>;
    type IntoFuture = Asking<Published>;

    fn into_future(self) -> Asking<Published> {
        Box::pin(async move {
            let m = self.by.m.clone();
            match answer(m.object(self.command()).await)? {
                Outcome::Published(published) => Ok(published),
                other => panic!("a put was answered with {other:?}"),
            }
        })
    }
}

/// A delete that has not been asked for yet.
#[derive(Clone)]
pub(crate) struct Del {
    by: Caller,
    delete: Delete,
}

impl Del {
    /// As S3 deletes: a marker every time, over whatever is there.
    pub(crate) fn stacking(mut self) -> Del {
        self.delete.markers = Markers::Stacked;
        self.delete.hides_guarded = true;
        self
    }

    pub(crate) fn version(mut self, version: VersionId) -> Del {
        self.delete.which = Which::Version(version);
        self
    }

    /// By somebody who may pass by GOVERNANCE, and says so.
    pub(crate) fn bypassing(mut self, bypass: bool) -> Del {
        self.delete.bypass = bypass;
        self
    }

    /// The null version for good, wherever it stands.
    pub(crate) fn null(mut self) -> Del {
        self.delete.which = Which::Null;
        self
    }

    /// Conditions speak of content from here on, as S3's do.
    pub(crate) fn by_content(mut self) -> Del {
        self.delete.condition.by = TagKind::Content;
        self
    }

    pub(crate) fn if_match_size(mut self, size: u64) -> Del {
        self.delete.condition.if_match_size = Some(size);
        self
    }

    pub(crate) fn if_match_last_modified(mut self, at: Time) -> Del {
        self.delete.condition.if_match_last_modified = Some(at);
        self
    }

    pub(crate) fn if_match(mut self, tags: &str) -> Del {
        self.delete.condition.if_match = Some(Tags::parse(tags));
        self
    }

    pub(crate) fn if_unmodified_since(mut self, since: Time) -> Del {
        self.delete.condition.unmodified_since = Some(since);
        self
    }

    pub(crate) fn grace(mut self, grace: Duration) -> Del {
        self.delete.grace = grace;
        self
    }

    pub(crate) fn at_once(self) -> Del {
        self.grace(Duration::ZERO)
    }

    pub(crate) fn cause(mut self, cause: Cause) -> Del {
        self.delete.cause = cause;
        self
    }

    pub(crate) fn actor(mut self, actor: &str) -> Del {
        self.delete.actor = actor.to_owned();
        self
    }

    pub(crate) fn command(self) -> ObjectCommand {
        ObjectCommand::Delete(self.delete)
    }
}

impl IntoFuture for Del {
    type Output = Answer<Deleted>;
    type IntoFuture = Asking<Deleted>;

    fn into_future(self) -> Asking<Deleted> {
        Box::pin(async move {
            let m = self.by.m.clone();
            match answer(m.object(self.command()).await)? {
                Outcome::Deleted(deleted) => Ok(deleted),
                other => panic!("a delete was answered with {other:?}"),
            }
        })
    }
}

/// A restore that has not been asked for yet.
#[derive(Clone)]
pub(crate) struct Back {
    by: Caller,
    restore: Restore,
}

impl Back {
    pub(crate) fn under(mut self, name: &str) -> Back {
        self.restore.as_name = Some(name.to_owned());
        self
    }

    pub(crate) fn replace(mut self) -> Back {
        self.restore.replace = true;
        self
    }

    pub(crate) fn command(self) -> ObjectCommand {
        ObjectCommand::Restore(self.restore)
    }
}

impl IntoFuture for Back {
    type Output = Answer<Restored>;
    type IntoFuture = Asking<Restored>;

    fn into_future(self) -> Asking<Restored> {
        Box::pin(async move {
            let m = self.by.m.clone();
            match answer(m.object(self.command()).await)? {
                Outcome::Restored(restored) => Ok(restored),
                other => panic!("a restore was answered with {other:?}"),
            }
        })
    }
}

#[derive(Clone, Copy)]
enum What {
    Container(ContainerKind, ContainerId),
    Contents(ContainerId),
}

/// The removal of a container that has not been asked for yet.
#[derive(Clone)]
pub(crate) struct Rem {
    by: Caller,
    what: What,
    order: RemoveOrder,
}

impl Rem {
    pub(crate) fn grace(mut self, grace: Duration) -> Rem {
        self.order.grace = Grace::For(grace);
        self
    }

    pub(crate) fn until_purged(mut self) -> Rem {
        self.order.grace = Grace::UntilPurged;
        self
    }

    /// `recursive=now`.
    pub(crate) fn early(mut self) -> Rem {
        self.order.early = true;
        self.grace(Duration::ZERO)
    }

    pub(crate) fn reserving_the_name(mut self) -> Rem {
        self.order.reserves_name = true;
        self
    }

    pub(crate) fn only_if_empty(mut self) -> Rem {
        self.order.only_empty = Some(Empty::Altogether);
        self
    }

    pub(crate) fn because(mut self, reason: &str) -> Rem {
        self.order.reason = Some(reason.to_owned());
        self
    }
}

impl IntoFuture for Rem {
    type Output = Answer<Removed>;
    type IntoFuture = Asking<Removed>;

    fn into_future(self) -> Asking<Removed> {
        Box::pin(async move {
            let Rem { by, what, order } = self;
            answer(match what {
                What::Container(kind, id) => by.m.remove(kind, id, order).await,
                What::Contents(bucket) => by.m.empty_bucket(bucket, order).await,
            })
        })
    }
}
