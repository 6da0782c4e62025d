//! What a story plays on: a whole Barrow in this process, real but for its clock.

use gateway::http::{Limits, serve};
use gateway::scsp::Door;
use gateway::{Anonymous, Auth, Gateway, LifepointSettings, PolicySettings, ScspSettings, Settings};
use health_processor::HealthProcessor;
use health_processor::failpoint::Blow;
use lifecycle::{Clock, ContainerId, DomainName, MemberId, NoAudit, State};
use metadata::{Container, ContainerKind, Engine, Metadata};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Store, World};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A Barrow with its settings.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// The grace of objects and of containers, from now on.
    pub(crate) grace: (Duration, Duration),
    process: Option<Process>,
}

/// What goes when the process goes.
struct Process {
    address: SocketAddr,
    served: JoinHandle<()>,
    processor: HealthProcessor,
    stop: watch::Sender<bool>,
}

impl Stage {
    pub(crate) async fn new(engine: Engine, store: Store) -> Self {
        let world = World::new(engine, store).await;
        let mut stage = Stage { world, grace: (DAY, 7 * DAY), process: None };
        stage.start().await;
        stage
    }

    async fn start(&mut self) {
        let (metadata, clock) = (self.world.metadata().clone(), self.world.shared_clock());
        let (stop, stopped) = watch::channel(false);
        let gateway = Gateway {
            auth: Arc::new(Auth::new(metadata.clone(), Arc::clone(&clock), Anonymous::Full, None)),
            metadata: metadata.clone(),
            blobs: self.world.blobs().clone(),
            clock: Arc::clone(&clock),
            settings: Arc::new(self.settings()),
            metrics: Arc::default(),
            audit: Arc::new(NoAudit),
            member: MemberId::random(),
            background: None,
        };
        let limits = Arc::new(Limits { shutdown: Duration::from_secs(5), ..Limits::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let door = Door::new(gateway, Arc::clone(&limits));
        let served = tokio::spawn(serve(listener, limits, door, stopped.clone()));
        let settings = health_processor::Settings {
            object_delete_delay: self.grace.0,
            tranquility: 0,
            ..health_processor::Settings::default()
        };
        let blobs = self.world.blobs().clone();
        let processor =
            HealthProcessor::at_rest(metadata, blobs, clock, settings, Arc::new(NoAudit), stopped);
        self.process = Some(Process { address, served, processor, stop });
    }

    fn settings(&self) -> Settings {
        Settings {
            cluster: "barrow".to_owned(),
            default_domain: DomainName::parse("barrow.local").expect("a domain name"),
            inline_max: 16 << 10,
            recursive_delete_delay: self.grace.1,
            object_delete_delay: self.grace.0,
            deletion_memory: 14 * DAY,
            brake: lifecycle::brake::Brake::default(),
            event_targets: Vec::new(),
            upload_expiry: Duration::from_secs(7 * 24 * 3_600),
            purge_waited_for: gateway::PURGE_WAITED_FOR,
            drain_timeout: Duration::from_secs(30),
            claim_lease: Duration::from_secs(60),
            lifepoint: LifepointSettings::default(),
            policy: PolicySettings::default(),
            scsp: ScspSettings::default(),
            s3: gateway::S3Settings::default(),
        }
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("the process runs")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process().address
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        self.world.metadata()
    }

    /// Ends the process in peace and starts another one.
    pub(crate) async fn restart(&mut self) {
        if let Some(Process { served, stop, .. }) = self.process.take() {
            stop.send_replace(true);
            served.await.expect("the door closes in peace");
        }
        self.world.open().await;
        self.start().await;
    }

    /// Lets the health processor do everything that is due; the tasks that did not come to their end, with the reason.
    pub(crate) async fn reclaim(&self) -> Result<(), String> {
        let processor = &self.process().processor;
        if !processor.run_all_until_idle().await {
            return Err("the health processor does not come to rest".to_owned());
        }
        match processor.tasks().into_iter().find_map(|task| Some((task.name, task.failed?))) {
            None => Ok(()),
            Some((task, why)) => Err(format!("the task {task} failed: {why}")),
        }
    }

    /// Lets the health processor work until it passes `failpoint`, where the process dies, and starts another one on what
    /// is left.
    pub(crate) async fn crash(&mut self, failpoint: &str) -> Result<(), String> {
        if !health_processor::failpoint::NAMES.contains(&failpoint) {
            let known = health_processor::failpoint::NAMES.join(", ");
            return Err(format!("there is no failpoint {failpoint}; there are {known}"));
        }
        let processor = &self.process().processor;
        processor.failpoints().arm(failpoint, Blow::Error);
        let struck = format!("struck at failpoint {failpoint}");
        let names: Vec<&str> = processor.tasks().into_iter().map(|task| task.name).collect();
        let mut died = false;
        // Work that one task makes for another is done in the next round.
        'rounds: for _ in 0..4 {
            for name in &names {
                let report = processor.run_now(name, false).await.unwrap_or_default();
                died = report["failed"] == struck.as_str();
                if died {
                    break 'rounds;
                }
            }
        }
        if !died {
            return Err(format!("the health processor never came to {failpoint}"));
        }
        if let Some(Process { served, .. }) = self.process.take() {
            // As the process dies: nothing is told to stop, nothing is waited for.
            served.abort();
            let _aborted = served.await;
        }
        self.world.open().await;
        self.start().await;
        Ok(())
    }

    /// The live container of this name, or the one of this name that was removed last; in a domain, or a domain.
    pub(crate) async fn find(
        &self,
        domain: Option<ContainerId>,
        name: &str,
        gone: bool,
    ) -> Option<Container> {
        let page = self.metadata().list_containers(domain, None, name, None, 1_000).await;
        let mut named = page.expect("the database answers").items;
        named.retain(|container| container.name == name && !(gone && container.state == State::Live));
        named.sort_by_key(|container| (container.state == State::Live, container.removed_at));
        named.pop()
    }

    pub(crate) async fn domain(&self, name: &str) -> Result<ContainerId, String> {
        let found = self.find(None, name, false).await;
        found.map(|domain| domain.id).ok_or_else(|| format!("there is no domain {name}"))
    }

    /// A bucket that the story expects to have a row.
    pub(crate) async fn bucket(&self, domain: &str, name: &str) -> Result<Container, String> {
        let domain = self.domain(domain).await?;
        self.find(Some(domain), name, false).await.ok_or_else(|| format!("there is no bucket {name}"))
    }

    pub(crate) fn now(&self) -> lifecycle::Time {
        self.world.clock().now()
    }
}

/// The argument that means a kind of container.
pub(crate) fn kind_of(word: &str) -> Option<ContainerKind> {
    match word {
        "bucket" => Some(ContainerKind::Bucket),
        "domain" => Some(ContainerKind::Domain),
        _ => None,
    }
}
