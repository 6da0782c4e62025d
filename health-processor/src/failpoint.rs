//! Named places at which a process can be made to fall over, so that tests learn what a crash there leaves behind.
//!
//! Always compiled, and inert unless `BARROW_FAILPOINT=NAME[:abort|:error|:panic|:freeze]` stood in the environment when
//! the first of them was passed. Without a word after the name it is `abort`, which is what a lost power cord does. With the
//! feature `failpoints` a test arms those of one processor, while another one in the same process runs on.

use rustix::process::{Signal, getpid, kill_process};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The variable that arms one failpoint of a whole process.
pub const VARIABLE: &str = "BARROW_FAILPOINT";

/// What happens at an armed failpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// The process ends at once.
    Abort,
    /// The run breaks off as if the process had died: nothing is tidied up.
    Error,
    /// The task panics.
    Panic,
    /// The process stands still, as a machine that is suspended does, until somebody sends SIGCONT. Once in its life.
    Freeze,
}

/// A run that was broken off at a failpoint.
#[derive(Debug, thiserror::Error)]
#[error("struck at failpoint {0}")]
pub struct Struck(pub &'static str);

/// The failpoints on the way of one kind of claim from the row to the tombstone.
#[derive(Debug)]
pub(crate) struct Points {
    pub(crate) before_claim: &'static str,
    pub(crate) after_claim: &'static str,
    pub(crate) after_destroy: &'static str,
    pub(crate) before_finish: &'static str,
    pub(crate) after_finish: &'static str,
}

macro_rules! points {
    ($($constant:ident = $word:literal),*) => {
        $(pub(crate) static $constant: Points = Points {
            before_claim: concat!($word, ".before_claim"),
            after_claim: concat!($word, ".after_claim"),
            after_destroy: concat!($word, ".after_destroy"),
            before_finish: concat!($word, ".before_finish"),
            after_finish: concat!($word, ".after_finish"),
        };)*

        /// Every failpoint.
        pub const NAMES: &[&str] = &[
            $(concat!($word, ".before_claim"), concat!($word, ".after_claim"), concat!($word, ".after_destroy"),
            concat!($word, ".before_finish"), concat!($word, ".after_finish"),)*
            "containers.before", "containers.after", "expire.before", "expire.after", "forget.before", "forget.after",
            "ledger.before", "ledger.after", "lifecycle.before", "lifecycle.after", "history.before", "history.after",
            "auto-purge.before", "auto-purge.after", "purges.before", "purges.after", "events.after_address",
            "events.after_telling", "uploads.before", "uploads.after",
            "reconcile.after_condemn", "reconcile.after_destroy", "scrub.before_keep",
        ];
    };
}
points! { RECLAIM = "reclaim", LAPSED = "lapsed", CASCADE = "cascade", STAGED = "staged" }

/// The failpoints of one processor. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    #[cfg(feature = "failpoints")]
    armed: std::sync::Arc<std::sync::Mutex<std::collections::HashMap<String, Blow>>>,
}

impl Failpoints {
    /// Goes past the failpoint `name`, if it is not armed.
    pub(crate) fn pass(&self, name: &'static str) -> Result<(), Struck> {
        match self.armed(name).or_else(|| from_environment(name)) {
            None => Ok(()),
            Some(Blow::Abort) => std::process::abort(),
            Some(Blow::Error) => Err(Struck(name)),
            Some(Blow::Panic) => panic!("struck at failpoint {name}"),
            Some(Blow::Freeze) => {
                freeze();
                Ok(())
            }
        }
    }

    #[cfg(not(feature = "failpoints"))]
    #[allow(clippy::unused_self, reason = "with the feature it is used")]
    fn armed(&self, _name: &str) -> Option<Blow> {
        None
    }

    #[cfg(feature = "failpoints")]
    fn armed(&self, name: &str) -> Option<Blow> {
        self.map().get(name).copied()
    }

    #[cfg(feature = "failpoints")]
    fn map(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, Blow>> {
        self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Arms `name`, until [`Failpoints::disarm`].
    ///
    /// # Panics
    /// If there is no failpoint of this name: a test of it would prove nothing.
    #[cfg(feature = "failpoints")]
    pub fn arm(&self, name: &str, blow: Blow) {
        assert!(NAMES.contains(&name), "{name:?} is no failpoint; there are {NAMES:?}");
        self.map().insert(name.to_owned(), blow);
    }

    /// Disarms all of them.
    #[cfg(feature = "failpoints")]
    pub fn disarm(&self) {
        self.map().clear();
    }
}

fn freeze() {
    static FROZEN: AtomicBool = AtomicBool::new(false);
    if !FROZEN.swap(true, Ordering::SeqCst)
        && let Err(error) = kill_process(getpid(), Signal::STOP)
    {
        tracing::error!(%error, "this process cannot stop itself");
    }
}

fn from_environment(name: &str) -> Option<Blow> {
    order()
        .as_ref()
        .and_then(|order| order.as_ref().ok())
        .filter(|order| order.0 == name)
        .map(|order| order.1)
}

/// What the environment orders, read once.
fn order() -> &'static Option<Result<(String, Blow), String>> {
    static ORDER: OnceLock<Option<Result<(String, Blow), String>>> = OnceLock::new();
    ORDER.get_or_init(|| std::env::var(VARIABLE).ok().map(|text| parse(&text)))
}

/// Says loudly at start that this process is meant to fall over, or that the order was not understood.
pub(crate) fn announce() {
    match order() {
        None => {}
        Some(Ok((name, blow))) => tracing::warn!(name, ?blow, "a failpoint is armed"),
        Some(Err(error)) => tracing::error!("{error}"),
    }
}

fn parse(text: &str) -> Result<(String, Blow), String> {
    let (name, word) = text.split_once(':').unwrap_or((text, "abort"));
    let blow = match word {
        "abort" => Blow::Abort,
        "error" => Blow::Error,
        "panic" => Blow::Panic,
        "freeze" => Blow::Freeze,
        _ => return Err(format!("{VARIABLE}={text:?}: after the colon comes abort, error, panic or freeze")),
    };
    if NAMES.contains(&name) {
        Ok((name.to_owned(), blow))
    } else {
        Err(format!("{VARIABLE}={text:?}: there is no such failpoint; there are {}", NAMES.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_a_failpoint_and_a_blow() {
        let of = |text| parse(text).map(|(name, blow)| format!("{name} {blow:?}"));
        assert_eq!(of("reclaim.after_claim"), Ok("reclaim.after_claim Abort".to_owned()));
        assert_eq!(of("forget.before:panic"), Ok("forget.before Panic".to_owned()));
        assert_eq!(of("cascade.after_claim:freeze"), Ok("cascade.after_claim Freeze".to_owned()));
        assert_eq!(of("staged.after_destroy:error"), Ok("staged.after_destroy Error".to_owned()));
        assert!(of("reclaim.after_lunch").is_err_and(|error| error.contains("reclaim.after_claim")));
        assert!(of("forget.before:gently").is_err());
    }
}
