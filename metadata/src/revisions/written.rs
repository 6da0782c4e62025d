//! Where the revisions of a name were written first.

use super::ground::Ground;
use crate::lookup::read_revision;
use crate::sql::{Conn, DbError, args};
use lifecycle::{InstallationId, Revision};
use std::collections::BTreeSet;

/// The revisions of a name whose versions were written first in `origin`, up to this position there.
pub(super) async fn written_in(
    conn: &mut Conn,
    ground: &Ground,
    name: &str,
    own: InstallationId,
    (origin, upto): (InstallationId, i64),
) -> Result<BTreeSet<Revision>, DbError> {
    macro_rules! rows {
        ($which:literal) => {
            concat!(
                "SELECT v.generation, v.revision, v.origin, v.origin_seq, v.seq FROM versions v
                 WHERE v.contents_id = $1 AND v.name = $2 AND v.revision IS NOT NULL AND ",
                $which
            )
        };
    }
    let text = concat!(
        rows!("v.is_current = 1"),
        " UNION ALL ",
        rows!("v.state = 'live' AND v.is_current = 0"),
        " UNION ALL ",
        rows!("v.state = 'removed'"),
        " UNION ALL ",
        rows!("v.state IN ('purging', 'purged')")
    );
    let mut found = BTreeSet::new();
    for mut row in conn.fetch(text, args![ground.contents, name]).await? {
        let Some(revision) = read_revision(&mut row)? else { continue };
        let whose = row.id(InstallationId::from_bytes)?;
        let (there, here) = (row.int()?, row.int()?);
        let (whose, seq) = match whose {
            Some(whose) => (whose, there),
            None => (own, here),
        };
        if whose == origin && seq.is_none_or(|seq| seq <= upto) {
            found.insert(revision);
        }
    }
    Ok(found)
}
