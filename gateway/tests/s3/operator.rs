//! What an operator does and sees behind the door, and what time does.

use crate::client::{Ask, Key};
use crate::house::{House, OBJECT_GRACE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use health_processor::HealthProcessor;
use lifecycle::{Clock, ContainerId, State, Time};
use metadata::{
    Container, ContainerKind, Failure, ObjectCommand, Outcome, Restore, RestoreOrder, RestoreWhat, Version,
};
use std::time::Duration;
use tokio::sync::watch;

/// How long bytes stay after their version became invisible.
pub(crate) const DRAIN: Duration = Duration::from_secs(30);

impl House {
    /// The time by which the house lives; signatures are judged by another.
    pub(crate) fn clock_now(&self) -> Time {
        self.world.clock().now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.world.clock().advance(by);
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

    /// The default domain.
    pub(crate) fn domain(&self) -> ContainerId {
        self.metadata().default_domain().expect("the default domain is there")
    }

    /// A bucket as its row tells, be it live or not.
    pub(crate) async fn container(&self, id: ContainerId) -> Container {
        let found = self.metadata().container(ContainerKind::Bucket, id).await.expect("the database answers");
        found.expect("the bucket has a row")
    }

    /// Brings a removed bucket back, as the admin door does.
    pub(crate) async fn restore_bucket(&self, id: ContainerId) -> Result<Container, Failure> {
        let order = RestoreOrder { actor: "an operator".to_owned(), ..RestoreOrder::default() };
        self.metadata().restore(ContainerKind::Bucket, id, order).await
    }

    /// Brings a removed version back, as the admin door does.
    pub(crate) async fn restore_object(&self, bucket: &str, what: RestoreWhat) -> Result<Outcome, Failure> {
        let restore = Restore {
            domain: self.domain(),
            bucket: self.bucket(bucket).await,
            what,
            as_name: None,
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

    /// A version as its row tells, be it readable or not.
    pub(crate) async fn version(&self, id: &str) -> Version {
        let found = self.metadata().version(id.parse().expect("a version's id")).await;
        found.expect("the database answers").unwrap_or_else(|| panic!("version {id} has a row"))
    }
}

impl House {
    /// A request to the SCSP door, by whoever holds the key with all rights.
    pub(crate) fn scsp(&self, method: &str, target: &str) -> Ask {
        self.scsp_as(&self.key, method, target)
    }

    /// The same by another key.
    pub(crate) fn scsp_as(&self, key: &Key, method: &str, target: &str) -> Ask {
        let credentials = STANDARD.encode(format!("{}:{}", key.id, key.secret));
        let ask = Ask::new(self.scsp_address(), method, target, self.signer()).nobody();
        ask.header("Authorization", format!("Basic {credentials}"))
    }
}
