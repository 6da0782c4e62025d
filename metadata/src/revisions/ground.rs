//! What a bucket says for all the trees in it.

use crate::error::Failure;
use crate::lookup::read_versioning;
use crate::sql::{Conn, Readers, Row, args};
use lifecycle::{ContainerId, Refusal, Versioning};

/// A live bucket, as its trees need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    pub(super) contents: ContainerId,
    /// Whether older versions are kept: where they are not, what is not current is on its way out.
    pub(super) kept: bool,
    /// What was superseded up to this position went when versioning was switched off.
    pub(super) erase_upto: i64,
    /// So many ids of a path are shown and known.
    pub(super) revs_limit: u64,
}

const GROUND: &str = "SELECT b.contents_id, b.versioning, b.erase_upto, b.revs_limit FROM buckets b
     JOIN domains d ON d.id = b.domain_id WHERE b.id = $1 AND b.state = 'live' AND d.state = 'live'";

/// Reads it; a bucket that is not live, or lies in a domain that is not, is none.
pub(super) async fn read(readers: &Readers, bucket: ContainerId) -> Result<Ground, Failure> {
    taken(readers.fetch_one(GROUND, args![bucket]).await?)
}

/// The same, inside a transaction.
pub(super) async fn read_locked(conn: &mut Conn, bucket: ContainerId) -> Result<Ground, Failure> {
    taken(conn.fetch_one(GROUND, args![bucket]).await?)
}

fn taken(row: Option<Row>) -> Result<Ground, Failure> {
    let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
    Ok(Ground {
        contents: row.need_id(ContainerId::from_bytes)?,
        kept: read_versioning(&mut row)? != Versioning::Disabled,
        erase_upto: row.need_int()?,
        revs_limit: row.need_size()?,
    })
}
