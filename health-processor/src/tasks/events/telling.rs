//! One target's share of a run: its messages, of different objects side by side, of one object one after the other.

use super::{Events, LEASE, NAME, Run, patience};
use crate::context::Trouble;
use crate::webhook::{Untaken, Webhook};
use futures_util::stream::{self, StreamExt};
use lifecycle::ContainerId;
use metadata::Delivery;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Messages that one query names.
const BATCH: u32 = 256;
/// Objects of which a target is told at the same time.
const AT_ONCE: usize = 8;
/// After so long no other message of a batch is begun: what was taken is written down first.
const STRETCH: Duration = Duration::from_secs(20);
/// How long a run goes on beside a target that is slow.
const SHARE: Duration = Duration::from_secs(60);
/// How long a target that has taken everything waits for those that have not.
const MOMENT: Duration = Duration::from_millis(250);

/// What became of the messages about one object.
#[derive(Default)]
struct Fate {
    taken: Vec<(ContainerId, i64)>,
    failed: Option<(Delivery, Untaken)>,
}

impl Events {
    /// Tells one target what it is due, as long as it takes it; and, while others are still at it, what comes to be due.
    pub(super) async fn share(&self, target: &str, webhook: &dyn Webhook, run: &Run) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let began = ctx.clock.boot();
        let mut counted = true;
        let done = |counted: &mut bool| {
            if std::mem::take(counted) {
                run.busy.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let outcome = loop {
            let over = ctx.clock.boot().saturating_sub(began) >= SHARE;
            if over || ctx.stopping() || run.elsewhere.load(Ordering::Relaxed) || self.paused(target) {
                break Ok(());
            }
            match self.batch(target, webhook, run).await {
                Err(trouble) => break Err(trouble),
                Ok(true) => {}
                Ok(false) => {
                    done(&mut counted);
                    if run.busy.load(Ordering::Relaxed) == 0 {
                        break Ok(());
                    }
                    ctx.pause(MOMENT).await;
                    if let Err(trouble) = self.address(run).await {
                        break Err(trouble);
                    }
                }
            }
        };
        done(&mut counted);
        outcome
    }

    fn paused(&self, target: &str) -> bool {
        let now = self.0.clock.now();
        self.0.pauses.lock().unwrap_or_else(PoisonError::into_inner).holds(target, now)
    }

    /// One batch. Tells whether the target has taken anything.
    async fn batch(&self, target: &str, webhook: &dyn Webhook, run: &Run) -> Result<bool, Trouble> {
        let ctx = &*self.0;
        let due = ctx.metadata.deliveries_due(target, BATCH).await?;
        if due.is_empty() {
            return Ok(false);
        }
        if ctx.metadata.take_task(NAME, ctx.member, LEASE).await?.is_none() {
            run.elsewhere.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        let mut objects: BTreeMap<(ContainerId, String), Vec<Delivery>> = BTreeMap::new();
        for delivery in due {
            objects.entry((delivery.bucket, delivery.name.clone())).or_default().push(delivery);
        }
        let (began, away) = (ctx.clock.boot(), AtomicBool::new(false));
        let tellings = objects.into_values().map(|of_one| self.of_one(of_one, webhook, began, &away));
        let fates: Vec<Fate> = stream::iter(tellings).buffer_unordered(AT_ONCE).collect().await;
        ctx.pass("events.after_telling")?;

        let (mut taken, mut failed, now) = (Vec::new(), Vec::new(), ctx.clock.now());
        for fate in fates {
            taken.extend(fate.taken);
            if let Some((delivery, untaken)) = fate.failed {
                let again = now.plus(patience::wait(delivery.tries));
                tracing::warn!(
                    target_name = target,
                    name = delivery.name,
                    seq = delivery.seq,
                    tries = delivery.tries + 1,
                    why = untaken.why,
                    "a webhook has not taken a message"
                );
                failed.push((delivery, again));
            }
        }
        run.delivered.fetch_add(taken.len() as u64, Ordering::Relaxed);
        run.failed.fetch_add(failed.len() as u64, Ordering::Relaxed);
        let any = !taken.is_empty();
        {
            let mut pauses = ctx.pauses.lock().unwrap_or_else(PoisonError::into_inner);
            match away.into_inner() {
                true => pauses.away(target, now),
                false if any => pauses.there(target),
                false => {}
            }
        }
        if any {
            ctx.metadata.delivered(target, taken).await?;
        }
        if !failed.is_empty() {
            ctx.metadata.undelivered(target, failed).await?;
        }
        Ok(any)
    }

    /// The messages about one object, in their order, up to the first that is not taken.
    async fn of_one(
        &self,
        deliveries: Vec<Delivery>,
        webhook: &dyn Webhook,
        began: Duration,
        away: &AtomicBool,
    ) -> Fate {
        let ctx = &*self.0;
        let mut fate = Fate::default();
        for delivery in deliveries {
            let late = ctx.clock.boot().saturating_sub(began) >= STRETCH;
            if late || away.load(Ordering::Relaxed) || ctx.stopping() {
                break;
            }
            let id = format!("{}-{}", delivery.bucket, delivery.seq);
            let told =
                tokio::time::timeout(ctx.settings.events.timeout, webhook.tell(&id, &delivery.message));
            let told = told.await.unwrap_or_else(|_| {
                let why = format!("no answer within {:?}", ctx.settings.events.timeout);
                Err(Untaken { why, away: true })
            });
            match told {
                Ok(()) => fate.taken.push((delivery.bucket, delivery.seq)),
                Err(untaken) => {
                    away.fetch_or(untaken.away, Ordering::Relaxed);
                    fate.failed = Some((delivery, untaken));
                    break;
                }
            }
        }
        fate
    }
}
