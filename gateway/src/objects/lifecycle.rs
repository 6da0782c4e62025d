//! A bucket's lifecycle as S3 says it: foretelling what a configuration lets go, and putting it into force.
//!
//! A wrong date in a rule is noticed a day later, when everything is gone. So what would let go more within a day than the brake
//! lets a cycle destroy unasked is refused until whoever puts it says that he knows how much that is. Only what goes because of
//! the change counts: what the rules in force let go anyway needs no second confirmation.

use super::Error;
use crate::Gateway;
use lifecycle::brake::{Amount, Limit};
use lifecycle::lifecycle_rules::{BadConfiguration, Configuration};
use lifecycle::{ContainerId, ExpiryRule, State, Time};
use metadata::{Container, Failure, Foretelling, Foretold, LifecycleChange};
use std::fmt;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Why a configuration was not put into force. Nothing has changed.
#[derive(Debug)]
pub(crate) enum Unset {
    /// It is none.
    Bad(BadConfiguration),
    /// It would let go too much, and nobody has said that he knows.
    Unconfirmed(Unconfirmed),
    /// Something else.
    Failed(Error),
}

impl From<BadConfiguration> for Unset {
    fn from(bad: BadConfiguration) -> Self {
        Unset::Bad(bad)
    }
}

impl From<Failure> for Unset {
    fn from(failure: Failure) -> Self {
        Unset::Failed(failure.into())
    }
}

/// How much would go within a day, and which limit that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unconfirmed {
    pub(crate) newly: Amount,
    stored_bytes: u64,
    limit: Limit,
}

impl fmt::Display for Unconfirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Amount { objects, bytes } = self.newly;
        write!(f, "within a day it would let go {objects} objects of {bytes} bytes that stay otherwise")?;
        match self.limit {
            Limit::Objects(most) => write!(f, ", more than {most} objects")?,
            Limit::Share(percent) => {
                write!(f, ", more than {percent} % of the {} bytes stored here", self.stored_bytes)?;
            }
        }
        write!(
            f,
            "; look at it with `barrow lifecycle preview`, or POST it to the admin door at …/lifecycle/preview, and confirm it \
             with the header x-barrow-confirm-removal: {objects}, or `barrow lifecycle set --confirm {objects}`"
        )
    }
}

/// Names the rules that have no name, and judges all of them.
///
/// # Errors
/// [`BadConfiguration`].
pub(crate) fn judged(
    mut configuration: Configuration,
) -> Result<(Configuration, Vec<ExpiryRule>), BadConfiguration> {
    configuration.name_rules(|| ContainerId::random().to_string());
    let rules = configuration.compile()?;
    Ok((configuration, rules))
}

/// Puts a configuration into force. `confirmed`: so many objects may go because of it within a day.
///
/// # Errors
/// [`Unset`].
pub(crate) async fn set(
    gateway: &Gateway,
    bucket: &Container,
    configuration: Configuration,
    confirmed: Option<u64>,
    actor: &str,
) -> Result<(), Unset> {
    let (configuration, rules) = judged(configuration)?;
    if let Some(unconfirmed) = unconfirmed(gateway, bucket, &rules).await?
        && confirmed.is_none_or(|most| unconfirmed.newly.objects > most)
    {
        return Err(Unset::Unconfirmed(unconfirmed));
    }
    let text = serde_json::to_string(&configuration)
        .map_err(|error| Unset::Failed(Error::BadRequest(format!("it cannot be stored: {error}"))))?;
    change(gateway, bucket, Some(text), actor).await
}

/// S3 says nothing of the bucket's lifecycle any more.
///
/// # Errors
/// [`Unset::Failed`].
pub(crate) async fn unset(gateway: &Gateway, bucket: &Container, actor: &str) -> Result<(), Unset> {
    change(gateway, bucket, None, actor).await
}

async fn change(
    gateway: &Gateway,
    bucket: &Container,
    configuration: Option<String>,
    actor: &str,
) -> Result<(), Unset> {
    let allowed = gateway.settings.policy.allowed();
    let order = LifecycleChange { configuration, allowed, actor: actor.to_owned() };
    gateway.metadata.set_lifecycle(bucket.id, order).await?;
    gateway.wake_background();
    Ok(())
}

/// What S3 says of a bucket's lifecycle. A document of ours that cannot be read is no answer that could be given.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn configured(
    gateway: &Gateway,
    bucket: ContainerId,
) -> Result<Option<Configuration>, Error> {
    let said = gateway.metadata.lifecycle(bucket).await?;
    let read = said.configuration.map(|text| serde_json::from_str(&text)).transpose();
    read.map_err(|error| Error::Unavailable(format!("the stored lifecycle configuration: {error}")))
}

/// What these rules, beside those that SCSP says, would let go up to each of these moments.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn foretell(
    gateway: &Gateway,
    bucket: &Container,
    rules: &[ExpiryRule],
    until: Vec<Time>,
) -> Result<Foretold, Failure> {
    let mut together = gateway.metadata.lifecycle(bucket.id).await?.policy;
    together.extend_from_slice(rules);
    let soon = gateway.clock.now().plus(DAY);
    gateway.metadata.foretell(bucket.id, &Foretelling { rules: together, until, soon }).await
}

/// How much these rules would let go within a day, if that is more than passes without a word. Of a bucket that could go as a
/// whole without passing any limit, nothing is counted.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn unconfirmed(
    gateway: &Gateway,
    bucket: &Container,
    rules: &[ExpiryRule],
) -> Result<Option<Unconfirmed>, Failure> {
    let (held, stored_bytes) = held(gateway, bucket.id).await?;
    let (brake, now) = (gateway.settings.brake, gateway.clock.now());
    if brake.judge(held, stored_bytes, None, now).is_none() {
        return Ok(None);
    }
    let newly = foretell(gateway, bucket, rules, Vec::new()).await?.newly;
    let limit = brake.judge(newly, stored_bytes, None, now);
    Ok(limit.map(|limit| Unconfirmed { newly, stored_bytes, limit }))
}

/// What lives in a bucket, and all bytes that are stored.
async fn held(gateway: &Gateway, bucket: ContainerId) -> Result<(Amount, u64), Failure> {
    let (mut held, mut stored) = (Amount::default(), 0_u64);
    let counted = |count: i64| u64::try_from(count).unwrap_or(0);
    for row in gateway.metadata.usage().await? {
        stored = stored.saturating_add(counted(row.bytes));
        if row.bucket_id == bucket && row.state == State::Live {
            held += Amount { objects: counted(row.objects), bytes: counted(row.bytes) };
        }
    }
    Ok((held, stored))
}
