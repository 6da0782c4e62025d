//! Coming and going.

use super::{Identity, MemberSettings, Membership};
use crate::error::Failure;
use crate::sql::{Conn, DbError, Engine, args};
use lifecycle::{MemberId, Time};
use std::time::Duration;

/// Rows of members that have ended are kept this long: their leases are over long before.
const REMEMBERED: Duration = Duration::from_secs(24 * 3_600);

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// What an older process reads in its row when a younger one of its name has come. [`super::beat`] looks for it.
const REPLACED: &str = "replaced by a younger process of the same name";

/// The time by which leases run: the database's, or under a test's clock that.
pub(super) async fn lease_now(conn: &mut Conn, trusted: bool, now: Time) -> Result<Time, DbError> {
    if trusted { conn.db_now().await } else { Ok(now) }
}

/// Until when a heartbeat of this moment lets a member serve. In SQLite the lock on the file is the lease.
pub(super) fn lease_until(engine: Engine, now: Time, lease: Duration) -> Time {
    match engine {
        Engine::Sqlite => Time::NEVER,
        Engine::Postgres => now.plus(lease),
    }
}

/// Who registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comes {
    /// A process that has just started.
    Fresh,
    /// A process that was fenced under this incarnation.
    Back(i64),
}

/// Registers this process inside the transaction that `conn` is in, with a fresh incarnation. Whoever is active under the
/// same name and role is fenced: of two the younger goes on, and whoever comes back finds that out.
///
/// A SQLite file is locked by the one process that uses it, so whoever starts there knows that all others are dead.
pub(crate) async fn register(
    conn: &mut Conn,
    settings: &MemberSettings,
    comes: Comes,
    trusted: bool,
    now: Time,
) -> Result<Identity, Failure> {
    let lock = match conn.engine() {
        Engine::Sqlite => {
            "SELECT id, incarnation FROM members WHERE node = $1 AND role = $2 AND standing = 'active'"
        }
        // Waits for the older one's open transaction: it is committed, or never will be.
        Engine::Postgres => {
            "SELECT id, incarnation FROM members WHERE node = $1 AND role = $2 AND standing = 'active' FOR UPDATE"
        }
    };
    let (node, role) = (settings.node.as_str(), settings.role);
    let older = conn.fetch(lock, args![node, role]).await?;
    let now = lease_now(conn, trusted, now).await?;
    for mut row in older {
        let (id, incarnation) = (row.need_id(MemberId::from_bytes)?, row.need_int()?);
        if matches!(comes, Comes::Back(old) if incarnation > old) {
            return Err(Failure::Start(REPLACED.to_owned()));
        }
        conn.execute(
            "UPDATE members SET standing = 'fenced', ended_at = $2, ended_by = $3 WHERE id = $1 AND standing = 'active'",
            args![id, now, REPLACED],
        )
        .await?;
    }
    if conn.engine() == Engine::Sqlite && comes == Comes::Fresh {
        conn.execute(
            "UPDATE members SET standing = 'left', ended_at = COALESCE(ended_at, $1),
                ended_by = COALESCE(ended_by, 'ended without a goodbye')
             WHERE standing <> 'left'",
            args![now],
        )
        .await?;
    }
    conn.execute(
        "DELETE FROM members WHERE standing <> 'active' AND ended_at < $1",
        args![now.minus(REMEMBERED)],
    )
    .await?;
    // Taking the row orders us among the epochs: whatever is older has committed, whatever comes is younger.
    let row = conn
        .fetch_one(
            "UPDATE installation SET last_incarnation = last_incarnation + 1 WHERE one = 1
             RETURNING last_incarnation, epoch",
            Vec::new(),
        )
        .await?;
    let Some(mut row) = row else {
        return Err(Failure::start("the installation's row is missing".to_owned()));
    };
    let identity = Identity { id: MemberId::random(), incarnation: row.need_int()?, epoch: row.need_int()? };
    let until = lease_until(conn.engine(), now, settings.lease);
    conn.execute(
        "INSERT INTO members (id, incarnation, node, role, address, standing, registered_epoch, observed_epoch,
            drained_epoch, registered_at, beat_at, lease_until, holdouts, reads)
         VALUES ($1, $2, $3, $4, $5, 'active', $6, $6, $6, $7, $7, $8, '[]', '')",
        args![
            identity.id,
            identity.incarnation,
            node,
            role,
            settings.address.as_deref(),
            identity.epoch,
            now,
            until
        ],
    )
    .await?;
    Ok(identity)
}

/// Says that nobody need wait for this process any more. From before this is said, no heartbeat brings it back.
pub(super) async fn leave(members: &Membership) -> Result<(), Failure> {
    let id = members.lease.identity().id;
    members.lease.end("this process has said goodbye");
    let left = async {
        let mut conn = members.address.connect().await?;
        let now = lease_now(&mut conn, members.trust_db_clock, members.clock.now()).await?;
        conn.execute(
            "UPDATE members SET standing = 'left', ended_at = $2, ended_by = 'said goodbye', holdouts = '[]', reads = ''
             WHERE id = $1 AND standing = 'active'",
            args![id, now],
        )
        .await?;
        conn.close().await;
        Ok::<_, DbError>(())
    };
    match tokio::time::timeout(GOODBYE, left).await {
        Ok(left) => Ok(left?),
        Err(_) => Err(Failure::Unavailable {
            text: "the database took no goodbye in time".to_owned(),
            again: false,
        }),
    }
}
