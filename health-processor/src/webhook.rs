//! Where messages about what happens to objects go. How they get there is the business of whoever starts the processor.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// A target, which takes one message after the other.
#[async_trait]
pub trait Webhook: Debug + Send + Sync {
    /// Brings a message. `id` is the same whenever the same message is brought again.
    ///
    /// # Errors
    /// [`Untaken`]: it may have arrived all the same.
    async fn tell(&self, id: &str, message: &str) -> Result<(), Untaken>;
}

/// Why a target has not taken a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Untaken {
    /// For the operator.
    pub why: String,
    /// It would not take any other now either.
    pub away: bool,
}

/// Who is told, and how patiently.
#[derive(Clone, Debug)]
pub struct Events {
    /// The targets, by name.
    pub targets: BTreeMap<String, Arc<dyn Webhook>>,
    /// How long a target may take over one message.
    pub timeout: Duration,
    /// How long after something happened it is given up to tell of it.
    pub give_up: Duration,
}

impl Default for Events {
    fn default() -> Self {
        let (timeout, give_up) = (Duration::from_secs(10), Duration::from_secs(7 * 24 * 3_600));
        Events { targets: BTreeMap::new(), timeout, give_up }
    }
}
