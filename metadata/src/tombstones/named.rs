//! What is remembered of a name, page by page.

use super::rows::{
    around, bucket_tombstone, domain_tombstone, read_bucket, read_domain, read_version, version_tombstone,
};
use super::{Tombstone, TombstoneKind, TombstonePage, TombstoneScope};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{ContainerId, Time, VersionId};

const DOMAINS_NAMED: &str = concat!(
    "SELECT d.created_at, d.purged_at, d.forget_after, ",
    domain_tombstone!(),
    " FROM domains d WHERE d.name = $1 AND d.state IN ('removed', 'purging', 'purged')
        AND (d.created_at < $2 OR (d.created_at = $2 AND d.id < $3))
      ORDER BY d.created_at DESC, d.id DESC LIMIT $4"
);
const BUCKETS_NAMED: &str = concat!(
    "SELECT b.created_at, b.purged_at, b.forget_after, ",
    bucket_tombstone!(),
    " FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.domain_id = $5 AND b.name = $1 AND b.hidden = 0
        AND (b.state <> 'live' OR d.state <> 'live')
        AND (b.created_at < $2 OR (b.created_at = $2 AND b.id < $3))
      ORDER BY b.created_at DESC, b.id DESC LIMIT $4"
);

/// Whether contents `c` hold something of the name `$2` for which `$which` holds: one look into the index that the order
/// is that of. Not EXISTS, which Postgres may answer by reading the index from end to end, once for all contents, where
/// it stands behind an OR.
macro_rules! holds {
    ($which:literal, $order:literal) => {
        concat!(
            "(SELECT v.state FROM versions v WHERE v.contents_id = c.id AND v.name = $2 AND ",
            $which,
            " ORDER BY ",
            $order,
            " LIMIT 1) IS NOT NULL"
        )
    };
}

/// Contents that hold something dead of the name `$2`. The second column tells whether what is live in them by itself is
/// dead with them.
macro_rules! holding {
    ($which:literal) => {
        concat!(
            "SELECT c.id, CASE WHEN c.state = 'live' AND b.state = 'live' AND d.state = 'live' THEN CAST(0 AS BIGINT)
                ELSE 1 END
             FROM buckets b JOIN contents c ON c.bucket_id = b.id JOIN domains d ON d.id = b.domain_id WHERE ",
            $which,
            " AND (",
            holds!("v.state = 'removed'", "v.seq"),
            " OR ",
            holds!("v.state IN ('purging', 'purged')", "v.id"),
            " OR ((c.state <> 'live' OR b.state <> 'live' OR d.state <> 'live') AND (",
            holds!("v.is_current = 1", "v.name"),
            " OR ",
            holds!("v.state = 'live' AND v.is_current = 0", "v.seq"),
            ")))"
        )
    };
}
const HOLDING_IN_DOMAIN: &str = holding!("b.domain_id = $1");
const HOLDING_IN_BUCKETS_NAMED: &str = holding!("b.domain_id = $1 AND b.name = $3");
const HOLDING_IN_BUCKET: &str = holding!("b.id = $1");

/// The dead of one name in contents `$1`, before the id `$3`. What is purged comes out of its index in order. What is
/// removed comes in that of its own index, so that no other is taken, and is sorted then: a grace holds little where a
/// memory holds much. The parts of an upload bear the name of the object they would have become, and were no version
/// of it.
macro_rules! dead_of_name {
    ($alive:literal) => {
        concat!(
            "WITH found AS MATERIALIZED (
                SELECT gone.id FROM (SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2
                    AND v.state = 'removed' AND v.id < $3 ORDER BY v.seq) AS gone
                UNION ALL SELECT dead.id FROM (SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2
                    AND v.state IN ('purging', 'purged') AND v.id < $3 AND v.upload_id IS NULL
                    ORDER BY v.id DESC LIMIT $4) AS dead",
            $alive,
            ") SELECT ",
            version_tombstone!(),
            " FROM (SELECT found.id FROM found ORDER BY found.id DESC LIMIT $4) AS page CROSS JOIN versions v",
            around!(),
            "WHERE v.id = page.id ORDER BY v.id DESC"
        )
    };
}
const DEAD_OF_NAME: &str = dead_of_name!("");
/// Where the contents themselves are dead: with what is live in them.
const DEAD_WITH_THEIR_CONTENTS: &str = dead_of_name!(
    " UNION ALL SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.is_current = 1 AND v.id < $3
      UNION ALL SELECT past.id FROM (SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2
        AND v.state = 'live' AND v.is_current = 0 AND v.id < $3 ORDER BY v.seq) AS past"
);

impl Metadata {
    /// The dead of one name in `scope`, page by page. `after` is a page's `next`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn tombstones_by_name(
        &self,
        scope: &TombstoneScope,
        name: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<TombstonePage, Failure> {
        let after = after.and_then(After::read).unwrap_or(After::START);
        let want = limit as usize + 1;
        let mut items = Vec::new();
        if let (TombstoneScope::Installation(_), After::Domain(at, id)) = (scope, after) {
            let values = args![name.to_ascii_lowercase(), at, id, i64::from(limit) + 1];
            for mut row in self.readers.fetch(DOMAINS_NAMED, values).await? {
                items.push(read_domain(&mut row)?);
            }
        }
        if let TombstoneScope::Installation(domain) | TombstoneScope::Domain(domain) = scope
            && let Some((at, id)) = after.among_buckets()
            && items.len() < want
        {
            let values = args![name, at, id, (want - items.len()) as u64, *domain];
            for mut row in self.readers.fetch(BUCKETS_NAMED, values).await? {
                items.push(read_bucket(&mut row)?);
            }
        }
        if items.len() < want {
            let before = after.among_versions();
            items.extend(self.versions_named(scope, name, before, want - items.len()).await?);
        }
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(After::behind);
        Ok(TombstonePage { items, next })
    }

    /// The dead versions of one name before the id `before`, the newest `want` of them.
    async fn versions_named(
        &self,
        scope: &TombstoneScope,
        name: &str,
        before: VersionId,
        want: usize,
    ) -> Result<Vec<Tombstone>, Failure> {
        let (query, values) = match scope {
            TombstoneScope::Installation(domain) | TombstoneScope::Domain(domain) => {
                (HOLDING_IN_DOMAIN, args![*domain, name])
            }
            TombstoneScope::BucketsNamed(domain, bucket) => {
                (HOLDING_IN_BUCKETS_NAMED, args![*domain, name, bucket.as_str()])
            }
            TombstoneScope::Bucket(bucket) => (HOLDING_IN_BUCKET, args![*bucket, name]),
        };
        let mut found = Vec::new();
        for mut contents in self.readers.fetch(query, values).await? {
            let id = contents.need_id(ContainerId::from_bytes)?;
            let query = if contents.need_bool()? { DEAD_WITH_THEIR_CONTENTS } else { DEAD_OF_NAME };
            for mut row in self.readers.fetch(query, args![id, name, before, want as u64]).await? {
                found.push(read_version(&mut row)?);
            }
            // No more than a page is ever held, however many contents have something to tell.
            found.retain(Tombstone::is_one);
            found.sort_by_key(|dead| std::cmp::Reverse(dead.version));
            found.truncate(want);
        }
        Ok(found)
    }
}

/// Where a page begins. Domains come before buckets, buckets before versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Domain(Time, ContainerId),
    Bucket(Time, ContainerId),
    Version(VersionId),
}

impl After {
    const START: After = After::Domain(Time::NEVER, LAST_CONTAINER);

    fn behind(last: &Tombstone) -> String {
        match (last.kind, last.version) {
            (TombstoneKind::Domain, _) => format!("{}d{}", last.uuid, last.created_at.micros()),
            (_, None) => format!("{}b{}", last.uuid, last.created_at.micros()),
            (_, Some(version)) => format!("{version}v"),
        }
    }

    fn read(token: &str) -> Option<Self> {
        let (id, rest) = token.split_at_checked(32)?;
        let at = || rest.get(1..)?.parse().ok().map(Time::from_micros);
        match rest.as_bytes().first()? {
            b'd' => Some(After::Domain(at()?, id.parse().ok()?)),
            b'b' => Some(After::Bucket(at()?, id.parse().ok()?)),
            b'v' => Some(After::Version(id.parse().ok()?)),
            _ => None,
        }
    }

    /// Before which bucket to go on; `None`: behind all of them.
    fn among_buckets(self) -> Option<(Time, ContainerId)> {
        match self {
            After::Domain(..) => Some((Time::NEVER, LAST_CONTAINER)),
            After::Bucket(at, id) => Some((at, id)),
            After::Version(_) => None,
        }
    }

    /// Before which version to go on.
    fn among_versions(self) -> VersionId {
        match self {
            After::Domain(..) | After::Bucket(..) => VersionId::from_bytes([0xff; 16]),
            After::Version(id) => id,
        }
    }
}

const LAST_CONTAINER: ContainerId = ContainerId::from_bytes([0xff; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_the_last_one_ended() {
        let (container, version) = (ContainerId::random(), VersionId::random());
        for (token, after) in [
            (format!("{container}d17"), After::Domain(Time::from_micros(17), container)),
            (format!("{container}b17"), After::Bucket(Time::from_micros(17), container)),
            (format!("{version}v"), After::Version(version)),
        ] {
            assert_eq!(After::read(&token), Some(after), "{token}");
        }
        let id = "0".repeat(32);
        for bad in ["", "x", &id, &format!("{id}d"), &format!("{id}bx"), &format!("{id}y"), &format!("{id}é")]
        {
            assert_eq!(After::read(bad), None, "{bad}");
        }
    }
}
