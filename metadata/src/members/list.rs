//! The members, as operators see them.

use super::register::lease_now;
use super::{member_columns, read_member};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use lifecycle::{Epoch, Member, Time};

/// All members that are active or ended not long ago, and what the leases run by.
#[derive(Clone, Debug)]
pub struct Members {
    /// By their incarnation, the oldest first.
    pub members: Vec<Member>,
    /// The epoch.
    pub epoch: Epoch,
    /// The database's clock.
    pub now: Time,
}

impl Metadata {
    /// The members, the epoch and the clock by which their leases run.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn members(&self) -> Result<Members, Failure> {
        let trusted = self.trust_db_clock;
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                Box::pin(async move {
                    let now = lease_now(conn, trusted, now).await?;
                    let epoch = match conn.fetch_one("SELECT epoch FROM installation", args![]).await? {
                        Some(mut row) => row.need_int()?,
                        None => 0,
                    };
                    let text =
                        concat!("SELECT ", member_columns!(), " FROM members m ORDER BY m.incarnation");
                    let mut members = Vec::new();
                    for mut row in conn.fetch(text, args![]).await? {
                        members.push(read_member(&mut row)?);
                    }
                    Ok(Members { members, epoch, now })
                })
            })
            .await
    }
}
