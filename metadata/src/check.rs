//! Rules R1 to R12 over a whole installation, read page by page and never changed.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::invariants::{Count, UsageKey, VersionFacts, check_usage, check_version};
use lifecycle::{Blob, Cause, ContainerId, State, VersionId, Violation};
use std::collections::BTreeMap;

use crate::reclaim::read_blob;

/// One version with its blobs, for a check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What the rules look at.
    pub facts: VersionFacts,
    /// The blobs it owns.
    pub blobs: Vec<Blob>,
}

/// How many versions one page of a check reads.
const PAGE: i64 = 1_000;

impl Metadata {
    /// The next versions by id, with their blobs. Start with `None`; an empty page ends.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn check_page(&self, after: Option<VersionId>) -> Result<Vec<Checked>, Failure> {
        let after = after.unwrap_or(VersionId::from_bytes([0; 16]));
        let rows = self
            .readers
            .fetch(
                "SELECT v.id, v.contents_id, v.state, v.is_current, v.marker, v.size, v.seq, v.removed_at, v.purge_after,
                    v.purged_at, v.forget_after, v.claim_by, v.cause, c.state, b.state, d.state, c.purged_at
                 FROM versions v JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE v.id > $1 ORDER BY v.id LIMIT $2",
                args![after, PAGE],
            )
            .await?;
        let mut page = Vec::with_capacity(rows.len());
        let mut at: BTreeMap<VersionId, usize> = BTreeMap::new();
        for mut row in rows {
            let id = row.need_id(VersionId::from_bytes)?;
            let mut facts = VersionFacts {
                id,
                contents: row.need_id(ContainerId::from_bytes)?,
                state: row.need_state()?,
                above: State::Live,
                is_current: row.need_bool()?,
                marker: row.need_bool()?,
                size: row.need_size()?,
                seq: row.int()?,
                removed_at: row.time()?,
                purge_after: row.time()?,
                purged_at: row.time()?,
                forget_after: row.time()?,
                claimed: row.digest()?.is_some(),
                cascaded: false,
                blobs: 0,
                blob_bytes: 0,
                blobs_missing: 0,
            };
            let cause = row.cause()?;
            facts.above = row.need_state()?.under(row.need_state()?).under(row.need_state()?);
            facts.cascaded =
                cause == Some(Cause::Cascade) || matches!(facts.above, State::Purging | State::Purged);
            at.insert(id, page.len());
            page.push(Checked { facts, blobs: Vec::new() });
        }
        let Some(last) = page.last().map(|checked| checked.facts.id) else { return Ok(page) };
        let rows = self
            .readers
            .fetch(
                "SELECT owner, name, part_no, start, size, md5, format, place FROM blobs WHERE owner > $1 AND owner <= $2",
                args![after, last],
            )
            .await?;
        for mut row in rows {
            let owner = row.need_id(VersionId::from_bytes)?;
            let blob = read_blob(&mut row)?;
            // A version published between the two reads is looked at by the next check.
            if let Some(&index) = at.get(&owner) {
                let facts = &mut page[index].facts;
                facts.blobs += 1;
                facts.blob_bytes += blob.size;
                page[index].blobs.push(blob);
            }
        }
        Ok(page)
    }

    /// What the rows of one page break, once the caller has filled in which blobs are missing.
    pub fn check_versions(page: &[Checked]) -> Vec<Violation> {
        page.iter().flat_map(|checked| check_version(&checked.facts)).collect()
    }

    /// Rules that no single row shows: counters against a recount (R11), blobs without an owner, inline bytes
    /// without a blob, versions that outlive their contents (R1, R5), more than one current version (R12).
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn check_whole(&self) -> Result<Vec<Violation>, Failure> {
        // One snapshot for both sides, or a running system would always differ.
        let rows = self
            .readers
            .fetch(
                "SELECT CAST(0 AS BIGINT), contents_id, state, objects, bytes FROM usage
                 UNION ALL
                 SELECT CAST(1 AS BIGINT), contents_id, state, COUNT(*),
                    CAST(SUM(CASE WHEN state IN ('staged', 'purged') THEN 0 ELSE size END) AS BIGINT)
                 FROM versions GROUP BY contents_id, state",
                args![],
            )
            .await?;
        let (mut counted, mut recounted) = (BTreeMap::new(), BTreeMap::new());
        for mut row in rows {
            let side = row.need_int()?;
            let key: UsageKey = (row.need_id(ContainerId::from_bytes)?, row.need_state()?);
            let count = Count { objects: row.need_int()?, bytes: row.need_int()? };
            let map = if side == 0 { &mut counted } else { &mut recounted };
            map.insert(key, count);
        }
        let mut found = check_usage(&counted, &recounted);
        let counts: [(&'static str, &'static str, &'static str); 13] = [
            ("R1", "blobs have no owner", "SELECT COUNT(*) FROM blobs WHERE owner NOT IN (SELECT id FROM versions)"),
            (
                "R5",
                "versions hang on contents that are forgotten",
                "SELECT COUNT(*) FROM versions WHERE contents_id NOT IN (SELECT id FROM contents)",
            ),
            (
                "R5",
                "versions are not tombstones although their contents are",
                "SELECT COUNT(*) FROM contents c JOIN versions v ON v.contents_id = c.id
                 WHERE c.state = 'purged' AND v.state <> 'purged'",
            ),
            (
                "R5",
                "inline bytes have no blob",
                "SELECT COUNT(*) FROM inline_bytes WHERE blob NOT IN (SELECT name FROM blobs)",
            ),
            (
                "R1",
                "inline blobs of live or removed versions have no bytes",
                "SELECT COUNT(*) FROM blobs b JOIN versions v ON v.id = b.owner LEFT JOIN inline_bytes i ON i.blob = b.name
                 WHERE b.place = 'inline' AND b.size > 0 AND v.state IN ('live', 'removed') AND i.blob IS NULL",
            ),
            (
                "R12",
                "older versions are the newest of their objects, and nothing is current",
                "SELECT COUNT(*) FROM buckets b JOIN versions v ON v.contents_id = b.contents_id
                 WHERE b.versioning <> 'disabled' AND v.state = 'live' AND v.is_current = 0 AND v.marker = 0
                    AND v.expires_at IS NULL
                    AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)
                    AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = v.contents_id AND n.name = v.name
                        AND n.state = 'live' AND n.seq > v.seq)
                    AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = v.contents_id AND n.name = v.name
                        AND n.is_current = 1)",
            ),
            (
                "R12",
                "versions are current although a newer one of their objects lives",
                "SELECT COUNT(*) FROM buckets b JOIN versions v ON v.contents_id = b.contents_id
                 WHERE b.versioning <> 'disabled' AND v.is_current = 1
                    AND EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = v.contents_id AND n.name = v.name
                        AND n.state = 'live' AND n.is_current = 0 AND n.seq > v.seq
                        AND (n.superseded_seq IS NULL OR n.superseded_seq > b.erase_upto))
                    -- Between ends of a tree that came from several installations, the later does not always win.
                    AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = v.contents_id AND n.name = v.name
                        AND n.state = 'live' AND n.conflict = 1)",
            ),
            (
                "R3",
                "names have more than one null version",
                "SELECT COUNT(*) FROM (SELECT v.contents_id, v.name FROM buckets b
                    JOIN versions v ON v.contents_id = b.contents_id
                    WHERE b.versioning <> 'disabled' AND v.state = 'live' AND v.null_version = 1
                        AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)
                    GROUP BY v.contents_id, v.name HAVING COUNT(*) > 1) AS several",
            ),
            (
                "R3",
                "versions bear positions or changes that their buckets have not given out",
                "SELECT COUNT(*) FROM buckets b JOIN versions v ON v.contents_id = b.contents_id
                 WHERE v.seq > b.last_seq OR v.change_seq > b.change_seq",
            ),
            (
                "R3",
                "positions are borne by two versions of the same contents",
                "SELECT COUNT(*) FROM (SELECT contents_id, seq FROM versions WHERE seq IS NOT NULL
                    GROUP BY contents_id, seq HAVING COUNT(*) > 1) AS several",
            ),
            (
                "R3",
                "entries of ledgers bear numbers that their buckets have not given out",
                "SELECT COUNT(*) FROM purges p JOIN buckets b ON b.id = p.bucket_id WHERE p.purge_seq > b.purge_seq",
            ),
            (
                "R12",
                "delete markers are current",
                "SELECT COUNT(*) FROM versions WHERE is_current = 1 AND marker = 1",
            ),
            (
                "R12",
                "live containers lie in containers that are not",
                "SELECT COUNT(*) FROM contents c JOIN buckets b ON b.id = c.bucket_id
                 WHERE b.state = 'purged' AND c.state <> 'purged'",
            ),
        ];
        for (rule, what, text) in counts {
            if let Some(mut row) = self.readers.fetch_one(text, args![]).await? {
                let count = row.need_int()?;
                if count > 0 {
                    found.push(Violation::new(rule, format!("{count} {what}")));
                }
            }
        }
        Ok(found)
    }

    /// Whether a version's row names this blob: what a sweep over the store asks about each blob it meets.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn blob_is_known(&self, name: lifecycle::BlobName) -> Result<bool, Failure> {
        Ok(self.readers.fetch_one("SELECT 1 FROM blobs WHERE name = $1", args![name]).await?.is_some())
    }
}
