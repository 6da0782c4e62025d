//! What a purge has to wait for. The predicate is `lifecycle::barrier::waits_for`; here are the rows it asks.

use super::fence::Order;
use super::register::lease_now;
use super::{Membership, member_columns, read_member};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, args};
use lifecycle::barrier::waits_for;
use lifecycle::{BarrierOpen, ContainerId, Epoch, MemberId, Refusal, Time};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The question whether a purge may begin, with the clock and the margin that it is asked by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    trusted: bool,
    margin: Duration,
}

impl Asking {
    /// Passes if every member has let go of `container`, which was removed at `epoch`. Asked in the purging transaction, with
    /// the container's row locked. One that went before there were members has nobody to wait for.
    pub(crate) async fn require(
        self,
        conn: &mut Conn,
        container: ContainerId,
        epoch: Option<Epoch>,
        now: Time,
    ) -> Result<(), Failure> {
        let Some(epoch) = epoch else { return Ok(()) };
        let rows = conn
            .fetch(
                concat!(
                    "SELECT ",
                    member_columns!(),
                    " FROM members m WHERE m.standing <> 'left' AND m.registered_epoch < $1 ORDER BY m.incarnation"
                ),
                args![epoch],
            )
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        let now = lease_now(conn, self.trusted, now).await?;
        let mut waiting = Vec::new();
        for mut row in rows {
            let member = read_member(&mut row)?;
            if let Some(wait) = waits_for(&member, container, epoch, now, self.margin) {
                waiting.push((member, wait));
            }
        }
        match waiting.is_empty() {
            true => Ok(()),
            false => {
                Err(Refusal::BarrierOpen(Box::new(BarrierOpen { epoch, attempts: 1, now, waiting })).into())
            }
        }
    }
}

/// A purge that waits, counted as long as it does.
pub(crate) struct Waiter<'a>(&'a Membership);

impl Waiter<'_> {
    /// The barrier did not hold in time.
    pub(crate) fn in_vain(&self) {
        self.0.unsatisfied.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.waiters.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Membership {
    /// Counts a purge that may have to wait.
    pub(crate) fn waits(&self) -> Waiter<'_> {
        self.waiters.fetch_add(1, Ordering::Relaxed);
        Waiter(self)
    }
}

impl Metadata {
    pub(crate) fn asking(&self) -> Asking {
        Asking { trusted: self.trust_db_clock, margin: self.members.settings.margin }
    }

    /// Fences those of `lapsed` whose lease is over still; tells whether that was so of any.
    pub(crate) async fn fence_lapsed(&self, lapsed: &[MemberId]) -> Result<bool, Failure> {
        let mut any = false;
        for id in lapsed {
            match self.fence(*id, Order::Lapsed).await {
                Ok(fenced) => any |= fenced,
                // A transaction of its is open still; the database ends it within seconds.
                Err(Failure::Refused(Refusal::Conflict)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(any)
    }
}
