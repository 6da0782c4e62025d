//! The removal that a container's purge or restore goes back to, for whoever writes down what became of it.

use super::{ContainerKind, read_kind};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Row, args};
use lifecycle::{ContainerId, Time};

/// A container's removal, as it was recorded, with the names around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Domain, bucket, or a bucket's contents.
    pub kind: ContainerKind,
    /// What was removed.
    pub target: ContainerId,
    /// The domain's name; `None` if nothing is known of it any more.
    pub domain: Option<String>,
    /// The bucket's name, or of contents their bucket's; `None` of a domain.
    pub bucket: Option<String>,
    /// Who removed it.
    pub actor: String,
    /// Versions inside, when it was removed.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Until when it could be restored.
    pub purge_after: Time,
}

/// The columns of a removal, of `deletions x`.
macro_rules! removal_columns {
    () => {
        "x.kind, x.target, x.name, x.actor, x.objects, x.bytes, x.purge_after,
         COALESCE((SELECT d.name FROM domains d WHERE d.id = x.parent),
            (SELECT d.name FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.id = x.parent))"
    };
}

impl Metadata {
    /// The latest removal of this domain, bucket or contents. A container that only went with the one around it has none.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn removal(&self, target: ContainerId) -> Result<Option<Removal>, Failure> {
        let text = concat!(
            "SELECT ",
            removal_columns!(),
            " FROM deletions x WHERE x.target = $1 AND x.kind <> 'versions' ORDER BY x.removed_at DESC LIMIT 1"
        );
        self.readers.fetch_one(text, args![target]).await?.map(read_removal).transpose()
    }

    /// The removal by which these contents are being purged: theirs, their bucket's or their domain's, whichever is
    /// outermost.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn removal_around(&self, contents: ContainerId) -> Result<Option<Removal>, Failure> {
        let text = concat!(
            "SELECT ",
            removal_columns!(),
            " FROM contents c JOIN buckets b ON b.id = c.bucket_id
                JOIN deletions x ON x.target IN (c.id, b.id, b.domain_id) AND x.state = 'purging'
             WHERE c.id = $1 ORDER BY CASE x.kind WHEN 'domain' THEN 0 WHEN 'bucket' THEN 1 ELSE 2 END LIMIT 1"
        );
        self.readers.fetch_one(text, args![contents]).await?.map(read_removal).transpose()
    }
}

fn read_removal(mut row: Row) -> Result<Removal, Failure> {
    let (kind, target, name) =
        (read_kind(&mut row)?, row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let (actor, objects, bytes) = (row.need_text()?, row.need_size()?, row.need_size()?);
    let (purge_after, around) = (row.need_time()?, row.text()?);
    let (domain, bucket) = match kind {
        ContainerKind::Domain => (Some(name), None),
        ContainerKind::Bucket | ContainerKind::Contents => (around, Some(name)),
    };
    Ok(Removal { kind, target, domain, bucket, actor, objects, bytes, purge_after })
}
