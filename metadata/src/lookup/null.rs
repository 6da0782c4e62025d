//! S3's null version: the one that was written while its bucket's versioning was not enabled.

use super::{Found, found_query, version_columns};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;

/// The null version of a named object, be it current or not; where no versions are kept, the only one there is. Looked for among what is current first; a look into an index
/// each.
const NULL_VERSION: (&str, &str) = found_query!(
    "",
    "(VALUES (1)) AS one LEFT JOIN domains d
        ON d.id = COALESCE((SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $1),
            (SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $2))
     LEFT JOIN buckets b ON b.domain_id = d.id AND b.name = $3 AND b.state = 'live' AND b.hidden = 0
     LEFT JOIN versions v ON v.id = COALESCE(
            (SELECT g.id FROM versions g WHERE g.contents_id = b.contents_id AND g.name = $4 AND g.is_current = 1
                AND (g.null_version = 1 OR b.versioning = 'disabled')),
            (SELECT h.id FROM versions h WHERE h.contents_id = b.contents_id AND h.name = $4 AND h.state = 'live'
                AND h.is_current = 0 AND h.null_version = 1 AND b.versioning <> 'disabled'
                AND (h.superseded_seq IS NULL OR h.superseded_seq > b.erase_upto) LIMIT 1))
        AND (v.expires_at IS NULL OR v.expires_at > $5
            OR (v.expiry_rule IS NOT NULL AND v.is_current = 1 AND b.versioning <> 'disabled'))",
    " WHERE v.id IS NOT NULL"
);

impl Metadata {
    /// Reads the null version of a named object, current or not; a delete marker too. Where versioning was never switched
    /// on, that is the only version there is. `bytes`: with its bytes, if those are inline.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_null(
        &self,
        (host, fallback): (Option<&str>, &str),
        bucket: &str,
        name: &str,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { NULL_VERSION.0 } else { NULL_VERSION.1 };
        self.find(text, args![host.unwrap_or(fallback), fallback, bucket, name, self.clock.now()]).await
    }
}
