//! Waiting for a change. Whoever waits holds no connection: it is woken when this process has committed something, and looks
//! from time to time besides, for what others commit.

use crate::Metadata;
use crate::error::Failure;
use lifecycle::ContainerId;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked without having been woken.
const LOOK: Duration = Duration::from_secs(1);
/// And how soon at the earliest after having looked, however much is committed: a busy process wakes everybody at every
/// commit, and whoever waits for a quiet bucket must not look at the pace of the others.
const BREATH: Duration = Duration::from_millis(20);

/// Rung after every commit of this process. Clones ring together.
#[derive(Clone, Debug)]
pub(crate) struct Bell(watch::Sender<()>);

impl Bell {
    pub(crate) fn new() -> Self {
        Bell(watch::Sender::new(()))
    }

    /// Wakes whoever waits.
    pub(crate) fn ring(&self) {
        self.0.send_replace(());
    }

    fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

impl Metadata {
    /// Waits until a live bucket has changes behind `since`, at most `within`, and tells whether it has. Dropping this ends
    /// the waiting.
    ///
    /// # Errors
    /// As [`Metadata::changes`].
    pub async fn changes_behind(
        &self,
        bucket: ContainerId,
        since: i64,
        within: Duration,
    ) -> Result<bool, Failure> {
        let mut bell = self.writer.bell().listen();
        let look = async {
            loop {
                bell.mark_unchanged();
                let ground = self.ground(bucket).await?;
                ground.admit(since)?;
                if ground.change_seq > since {
                    return Ok(true);
                }
                // Rung by nobody any more, it is looked at the slower pace.
                let _ = tokio::time::timeout(LOOK, bell.changed()).await;
                tokio::time::sleep(BREATH).await;
            }
        };
        tokio::time::timeout(within, look).await.unwrap_or(Ok(false))
    }
}
