//! Declaring a member dead: none of its commits is accepted from then on, whatever it believes.

use super::register::lease_now;
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Conn, DbError, Engine, args};
use lifecycle::{MemberId, Refusal};
use std::time::Duration;

/// Who fences whom, and why.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order<'a> {
    /// Only if it has been silent past its lease and the margin.
    Lapsed,
    /// An operator says so.
    ByHand(&'a str),
}

impl Metadata {
    /// Fences a member by hand: its commits are refused at once. A purge still waits until its lease is over: bytes may be
    /// flowing out of it until then. It registers anew if it lives.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if no active member has this id; [`Refusal::Conflict`] while a transaction of its is open, which
    /// the database ends within seconds.
    pub async fn fence_member(&self, id: MemberId, by: &str) -> Result<(), Failure> {
        match self.fence(id, Order::ByHand(by)).await? {
            true => Ok(()),
            false => Err(Refusal::Unknown.into()),
        }
    }

    /// Fences a member; tells whether it was active until now. On a connection of its own: this may have to wait for the
    /// other's open transaction.
    pub(super) async fn fence(&self, id: MemberId, order: Order<'_>) -> Result<bool, Failure> {
        if self.engine() == Engine::Sqlite {
            // The one member there is, and its lease does not end: nobody is kept waiting by it.
            let by = match order {
                Order::Lapsed => return Ok(false),
                Order::ByHand(by) => by.to_owned(),
            };
            let lease = self.members.settings.lease;
            let fenced = self.writer.solo(crate::writer::Urgency::Foreground, move |conn, now| {
                let by = by.clone();
                Box::pin(async move { Ok(fence(conn, id, (now, lease), Order::ByHand(&by)).await?) })
            });
            return fenced.await;
        }
        let mut conn = self.members.address.connect().await?;
        let fenced = self.fence_on(&mut conn, id, order).await;
        conn.close().await;
        fenced
    }

    async fn fence_on(&self, conn: &mut Conn, id: MemberId, order: Order<'_>) -> Result<bool, Failure> {
        conn.begin().await?;
        conn.raw("SET LOCAL lock_timeout = '2s'").await?;
        let locked = conn.fetch("SELECT id FROM members WHERE id = $1 FOR UPDATE", args![id]).await;
        match locked {
            Ok(_) => {}
            Err(DbError::Retry(_)) => return Err(Refusal::Conflict.into()),
            Err(error) => return Err(error.into()),
        }
        let now = lease_now(conn, self.trust_db_clock, self.clock.now()).await?;
        let late = now.minus(self.members.settings.margin);
        let fenced = match order {
            Order::Lapsed => {
                conn.execute(
                    "UPDATE members SET standing = 'fenced', ended_at = $2, ended_by = 'its lease was over'
                     WHERE id = $1 AND standing = 'active' AND lease_until <= $3",
                    args![id, now, late],
                )
                .await?
            }
            Order::ByHand(_) => {
                fence(conn, id, (now, self.members.settings.lease), order).await.map(u64::from)?
            }
        };
        conn.commit().await?;
        if fenced > 0 {
            tracing::warn!(member = %id, "fenced: it was silent past its lease, or an operator said so");
        }
        Ok(fenced > 0)
    }
}

async fn fence(
    conn: &mut Conn,
    id: MemberId,
    (now, lease): (lifecycle::Time, Duration),
    order: Order<'_>,
) -> Result<bool, DbError> {
    let by = match order {
        Order::Lapsed => "its lease was over",
        Order::ByHand(by) => by,
    };
    let touched = conn
        .execute(
            // One that does not end where it is held by a lock on a file has to be waited for no longer than any other.
            "UPDATE members SET standing = 'fenced', ended_at = $2, ended_by = $3,
                lease_until = CASE WHEN lease_until > $4 THEN $4 ELSE lease_until END
             WHERE id = $1 AND standing = 'active'",
            args![id, now, format!("fenced by {by}"), now.plus(lease)],
        )
        .await?;
    Ok(touched > 0)
}
