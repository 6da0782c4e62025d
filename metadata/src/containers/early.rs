//! Purging a removed container because somebody says so: now, whatever it was promised. What was shown is what is purged, or
//! nothing is.

use super::purge::{begin, lock};
use super::remove::{held, refuse_guarded};
use super::restore::above;
use super::seal::refuse_sealed;
use super::{Container, ContainerKind, event, find};
use crate::Metadata;
use crate::error::Failure;
use crate::members::Asking;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{BarrierOpen, ContainerId, Epoch, Refusal, State, Time};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How a container is to be purged before its time.
#[derive(Clone, Debug, Default)]
pub struct PurgeOrder {
    /// By whom.
    pub actor: String,
    /// How long to wait for members that have not let go of it.
    pub wait: Duration,
    /// Where the wait is over: leave it to the health processor. Until then it can be restored.
    pub leave_it: bool,
    /// Only if it was removed at this epoch.
    pub if_epoch: Option<Epoch>,
    /// Only if it holds what [`Metadata::plan_purge`] has shown.
    pub plan: Option<String>,
}

impl PurgeOrder {
    /// Now, or not at all.
    pub fn at_once(actor: impl Into<String>) -> Self {
        PurgeOrder { actor: actor.into(), ..PurgeOrder::default() }
    }
}

/// What a purge would destroy, or has begun to.
#[derive(Clone, Debug)]
pub struct PurgePlan {
    /// The container.
    pub container: Container,
    /// Versions inside that can still be restored, or could before this.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Who is waited for; `None`: nobody.
    pub waiting: Option<BarrierOpen>,
    /// Stands for all of this; valid for [`PLAN_VALID`].
    pub token: String,
}

/// How long a plan may be carried out.
pub const PLAN_VALID: Duration = Duration::from_secs(60);

/// Looks at the barrier come in these steps, so that the first ones meet members that answer at once.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

impl Metadata {
    /// Purges a removed domain or bucket now, whatever it was promised: for callers with the purge right. From here on
    /// it cannot be restored; the health processor does the rest. `state` of the answer's container is still *removed* where
    /// the order leaves it to the health processor.
    ///
    /// # Errors
    /// [`Refusal::NotRemoved`], [`Refusal::HoldsGuarded`], [`Refusal::Purged`], [`Refusal::Unknown`];
    /// [`Refusal::ContainerGone`] and [`Refusal::PurgeStarted`] by the domain around a bucket; [`Refusal::BarrierOpen`] if members have not let go of it within the order's time;
    /// [`Refusal::PlanChanged`] if it is not what was shown. Nothing has changed then.
    pub async fn purge_early(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        mut order: PurgeOrder,
    ) -> Result<PurgePlan, Failure> {
        let waiter = self.members.waits();
        let (mut waited, mut attempts) = (Duration::ZERO, 0);
        let mut looks = LOOKS.into_iter();
        let mut look = LOOKS[0];
        loop {
            self.members.beat_now().await?;
            attempts += 1;
            let open = match self.try_purge(kind, id, order.clone()).await {
                Err(Failure::Refused(Refusal::BarrierOpen(open))) => open,
                outcome => return outcome,
            };
            // What is waited for is this removal: another one meanwhile has promises of its own.
            order.if_epoch.get_or_insert(open.epoch);
            if self.fence_lapsed(&open.lapsed().collect::<Vec<_>>()).await? {
                continue;
            }
            if waited >= order.wait {
                waiter.in_vain();
                if order.leave_it {
                    return self.request_purge(kind, id, *open, order).await;
                }
                return Err(Refusal::BarrierOpen(Box::new(BarrierOpen { attempts, ..*open })).into());
            }
            look = looks.next().unwrap_or(look).min(order.wait.saturating_sub(waited));
            tokio::time::sleep(look).await;
            waited += look;
        }
    }

    /// What [`Metadata::purge_early`] would do now. Changes nothing.
    ///
    /// # Errors
    /// As [`Metadata::purge_early`], but for the barrier, which is part of the answer.
    pub async fn plan_purge(&self, kind: ContainerKind, id: ContainerId) -> Result<PurgePlan, Failure> {
        self.members.beat_now().await?;
        let asking = self.asking();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                Box::pin(async move {
                    let container = permitted(conn, kind, id, now).await?;
                    let waiting = match asking.require(conn, id, container.removed_epoch, now).await {
                        Ok(()) => None,
                        Err(Failure::Refused(Refusal::BarrierOpen(open))) => Some(*open),
                        Err(failure) => return Err(failure),
                    };
                    let (objects, bytes) = held(conn, kind, id).await?;
                    let token = token(&container, (objects, bytes), now);
                    Ok(PurgePlan { container, objects, bytes, waiting, token })
                })
            })
            .await
    }

    async fn try_purge(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        order: PurgeOrder,
    ) -> Result<PurgePlan, Failure> {
        let asking = self.asking();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { purge(conn, now, (kind, id), &order, asking).await })
            })
            .await
    }

    /// The promise moves to now: the health processor purges it as soon as the barrier holds.
    async fn request_purge(
        &self,
        kind: ContainerKind,
        id: ContainerId,
        open: BarrierOpen,
        order: PurgeOrder,
    ) -> Result<PurgePlan, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (open, order) = (open.clone(), order.clone());
                Box::pin(async move {
                    let (container, amount) = shown(conn, now, (kind, id), &order).await?;
                    bring_forward(conn, kind, id, now).await?;
                    event(conn, now, "request-purge", id, &container.name, &order.actor).await?;
                    let container = find(conn, kind, id).await?.ok_or(Refusal::Unknown)?;
                    let token = token(&container, amount, now);
                    let (objects, bytes) = amount;
                    Ok(PurgePlan { container, objects, bytes, waiting: Some(open), token })
                })
            })
            .await
    }
}

async fn purge(
    conn: &mut Conn,
    now: Time,
    (kind, id): (ContainerKind, ContainerId),
    order: &PurgeOrder,
    asking: Asking,
) -> Result<PurgePlan, Failure> {
    let (container, (objects, bytes)) = shown(conn, now, (kind, id), order).await?;
    if container.state == State::Purging {
        // Asked twice: what was asked for is under way.
        let token = token(&container, (objects, bytes), now);
        return Ok(PurgePlan { container, objects, bytes, waiting: None, token });
    }
    asking.require(conn, id, container.removed_epoch, now).await?;
    bring_forward(conn, kind, id, now).await?;
    begin(conn, kind, id, now).await?;
    event(conn, now, "purge", id, &container.name, &order.actor).await?;
    let container = find(conn, kind, id).await?.ok_or(Refusal::Unknown)?;
    let token = token(&container, (objects, bytes), now);
    Ok(PurgePlan { container, objects, bytes, waiting: None, token })
}

/// The container, locked, if it may be purged and is still what the order speaks of; and what it holds.
async fn shown(
    conn: &mut Conn,
    now: Time,
    (kind, id): (ContainerKind, ContainerId),
    order: &PurgeOrder,
) -> Result<(Container, (i64, i64)), Failure> {
    let container = permitted(conn, kind, id, now).await?;
    if order.if_epoch.is_some() && order.if_epoch != container.removed_epoch {
        return Err(Refusal::PlanChanged.into());
    }
    let amount = held(conn, kind, id).await?;
    if let Some(plan) = &order.plan
        && !is_plan(plan, &container, amount, now)
    {
        return Err(Refusal::PlanChanged.into());
    }
    Ok((container, amount))
}

/// Locks the container and finds that only the barrier may stand between it and its purge.
async fn permitted(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    now: Time,
) -> Result<Container, Failure> {
    let around = match find(conn, kind, id).await?.ok_or(Refusal::Unknown)?.parent {
        None => Above::Live,
        Some(domain) => above(conn, domain).await?,
    };
    let container = lock(conn, kind, id).await?;
    // The purge right moves the promise to now, and nothing else.
    let facts = Facts { now, purge_after: Some(now), above: around, ..Facts::default() };
    step(container.state, Move::Purge, &facts)?;
    if container.state != State::Purging {
        refuse_sealed(conn, kind, id).await?;
        refuse_guarded(conn, kind, id, now).await?;
    }
    Ok(container)
}

async fn bring_forward(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    now: Time,
) -> Result<(), Failure> {
    let text = match kind {
        ContainerKind::Domain => {
            "UPDATE domains SET purge_after = CASE WHEN purge_after > $2 THEN $2 ELSE purge_after END, early = 1
             WHERE id = $1"
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            "UPDATE buckets SET purge_after = CASE WHEN purge_after > $2 THEN $2 ELSE purge_after END, early = 1
             WHERE id = $1"
        }
    };
    conn.execute(text, args![id, now]).await?;
    Ok(())
}

/// Stands for a container, the removal that is to become final, and what it holds. It keeps nothing secret: it keeps a plan
/// from being carried out on something else.
fn token(container: &Container, amount: (i64, i64), at: Time) -> String {
    format!("{:x}-{}", at.micros(), digest(container, amount, at.micros()))
}

fn digest(container: &Container, (objects, bytes): (i64, i64), micros: i64) -> String {
    let epoch = container.removed_epoch.unwrap_or(0);
    let text = format!("{} {epoch} {} {objects} {bytes} {micros}", container.id, container.meta_version);
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn is_plan(plan: &str, container: &Container, amount: (i64, i64), now: Time) -> bool {
    let Some((at, told)) = plan.split_once('-') else { return false };
    let Ok(at) = i64::from_str_radix(at, 16) else { return false };
    let age = now.since(Time::from_micros(at));
    let fresh = age <= PLAN_VALID && Time::from_micros(at) <= now.plus(PLAN_VALID);
    fresh && told == digest(container, amount, at)
}
