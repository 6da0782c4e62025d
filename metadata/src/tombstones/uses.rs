//! Whether a UUID is free. What is used once is never used again while it is remembered (rule R3).

use crate::Metadata;
use crate::containers::ContainerKind;
use crate::error::Failure;
use crate::sql::{Conn, Row, Value, args};
use lifecycle::{ContainerId, Refusal, State};

/// Everything that a UUID names, with its own state and those around it.
const USES: &str = "SELECT 'domain', d.state, 'live', 'live', 'live' FROM domains d WHERE d.id = $1
     UNION ALL SELECT 'bucket', b.state, 'live', 'live', d.state FROM buckets b JOIN domains d ON d.id = b.domain_id
        WHERE b.id = $1
     UNION ALL SELECT 'contents', c.state, 'live', b.state, d.state FROM contents c JOIN buckets b ON b.id = c.bucket_id
        JOIN domains d ON d.id = b.domain_id WHERE c.id = $1
     UNION ALL SELECT 'version', v.state, c.state, b.state, d.state FROM versions v JOIN contents c ON c.id = v.contents_id
        JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id WHERE v.id = $1
     UNION ALL SELECT 'version', v.state, c.state, b.state, d.state FROM versions v JOIN contents c ON c.id = v.contents_id
        JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
        WHERE v.name = $2 AND v.kind <> 'named' AND v.is_current = 1
     UNION ALL SELECT 'version', dead.state, 'live', 'live', 'live' FROM (SELECT v.state FROM versions v
        WHERE v.name = $2 AND v.kind <> 'named' AND v.state IN ('removed', 'purging', 'purged') LIMIT 1) AS dead";

impl Metadata {
    /// Passes if `uuid` names nothing, live or dead, so that a domain or bucket could be made under it.
    ///
    /// # Errors
    /// [`Refusal::AlreadyLive`] of anything that is live; [`Refusal::PurgeStarted`] of a container that is being purged;
    /// [`Refusal::Purged`] of a purged container and of any dead object; [`Refusal::WrongKind`] of a removed container of
    /// another kind than `kind`, and [`Refusal::Conflict`] of one of this kind, which is to be restored;
    /// [`Refusal::Protected`] of a UUID that stands for nothing; [`Failure::Unavailable`].
    pub async fn refuse_used_uuid(&self, kind: ContainerKind, uuid: ContainerId) -> Result<(), Failure> {
        verdict(kind, uuid, self.readers.fetch(USES, uses_of(uuid)).await?, false)
    }
}

/// As [`Metadata::refuse_used_uuid`], inside a transaction that makes the container. `made`: it is there already and does
/// not count. To be asked before it is made, and once more under the lock that every container move ends with: where two
/// take one UUID at once for different kinds, no index notices.
pub(crate) async fn refuse_used(
    conn: &mut Conn,
    kind: ContainerKind,
    uuid: ContainerId,
    made: bool,
) -> Result<(), Failure> {
    verdict(kind, uuid, conn.fetch(USES, uses_of(uuid)).await?, made)
}

/// All zeros stand for "none" in statements, all ones for the parent of a domain in SCSP: neither is ever a container's.
fn is_reserved(uuid: ContainerId) -> bool {
    matches!(uuid.as_bytes(), [0x00, rest @ ..] if rest.iter().all(|byte| *byte == 0x00))
        || matches!(uuid.as_bytes(), [0xff, rest @ ..] if rest.iter().all(|byte| *byte == 0xff))
}

fn uses_of(uuid: ContainerId) -> Vec<Value> {
    args![uuid, uuid.to_string()]
}

fn verdict(kind: ContainerKind, uuid: ContainerId, uses: Vec<Row>, made: bool) -> Result<(), Failure> {
    if is_reserved(uuid) {
        return Err(Refusal::Protected.into());
    }
    let mut worst: Option<(State, String)> = None;
    for mut row in uses {
        let what = row.need_text()?;
        let state =
            row.need_state()?.under(row.need_state()?).under(row.need_state()?).under(row.need_state()?);
        // Whoever is live counts before what the same alias was earlier.
        if !(made && what == kind.as_str()) && worst.as_ref().is_none_or(|(known, _)| state < *known) {
            worst = Some((state, what));
        }
    }
    let Some((state, what)) = worst else { return Ok(()) };
    Err(match (state, what.as_str()) {
        (State::Staged | State::Live, _) => Refusal::AlreadyLive,
        (State::Removed | State::Purging | State::Purged | State::Forgotten, "version") => Refusal::Purged,
        (State::Removed, what) if what == kind.as_str() => Refusal::Conflict,
        (State::Removed, _) => Refusal::WrongKind,
        (State::Purging, _) => Refusal::PurgeStarted,
        (State::Purged | State::Forgotten, _) => Refusal::Purged,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_that_stand_for_nothing_are_no_container_s() {
        assert!(is_reserved(ContainerId::from_bytes([0; 16])));
        assert!(is_reserved(ContainerId::from_bytes([0xff; 16])));
        assert!(!is_reserved(ContainerId::random()));
    }
}
