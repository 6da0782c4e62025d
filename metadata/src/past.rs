//! A bucket as it was: what of each name was current at a moment in the past, as far as rows remember.
//!
//! A row tells when its version was written and when it was removed *last*. So what was removed and restored since counts
//! as never removed, what was restored under another name counts as always having had that one, and of what is purged and
//! forgotten nothing is known.

use crate::Metadata;
use crate::error::Failure;
use crate::list::{ListOrder, Range};
use crate::lookup::{Version, read_version, read_versioning, version_columns};
use crate::sql::{DbError, Row, Value, args};
use lifecycle::{ContainerId, State, Time, Versioning};
use std::collections::HashMap;

/// What contents and their bucket say for all the names in them.
#[derive(Clone, Debug)]
pub struct PastGround {
    /// When the contents were hung into their bucket, empty.
    pub created_at: Time,
    /// Whether the bucket keeps older versions now.
    pub versioning: Versioning,
}

/// Contents that a bucket held once, and that were taken out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOut {
    /// Their UUID.
    pub contents: ContainerId,
    /// When they were taken out.
    pub removed_at: Time,
    /// Their state now.
    pub state: State,
}

/// What was the newest of a name at a moment.
#[derive(Clone, Debug)]
pub struct Then {
    /// The version, as it is now.
    pub version: Version,
    /// Since when a later one has stood before it.
    pub superseded_at: Option<Time>,
    /// It went when versioning was switched off, and is not shown again.
    pub erased: bool,
}

/// One name, then and now.
#[derive(Clone, Debug)]
pub struct Past {
    /// The name.
    pub name: String,
    /// The newest version that was there then, whatever has become of it; a delete marker, too.
    pub then: Option<Then>,
    /// The one that is current by its row now.
    pub current: Option<Version>,
}

macro_rules! then_columns {
    () => {
        concat!(version_columns!(), ", v.superseded_at, v.superseded_seq")
    };
}
macro_rules! wanted {
    ($on:expr) => {
        concat!(
            "SELECT wanted.column1, ",
            then_columns!(),
            " FROM (VALUES {rows}) AS wanted LEFT JOIN versions v ON ",
            $on
        )
    };
}
/// The newest row of a name for which `$which` holds: found by a look of its own, and joined by its id and nothing else.
macro_rules! newest {
    ($which:literal) => {
        wanted!(concat!(
            "v.id = (SELECT h.id FROM versions h WHERE h.contents_id = $1 AND h.name = wanted.column1 AND ",
            $which,
            " ORDER BY h.seq DESC LIMIT 1)"
        ))
    };
}
const CURRENT: &str = wanted!("v.contents_id = $1 AND v.name = wanted.column1 AND v.is_current = 1");
const THERE_STILL: [&str; 3] = [
    newest!("h.state = 'live' AND h.is_current = 0 AND h.created_at <= $2"),
    newest!("h.state = 'removed' AND h.created_at <= $2 AND h.removed_at > $2"),
    newest!(
        "h.state IN ('purging', 'purged') AND h.upload_id IS NULL AND h.created_at <= $2 AND h.removed_at > $2"
    ),
];

macro_rules! names {
    ($which:literal) => {
        concat!(
            "SELECT found.name FROM (SELECT DISTINCT v.name FROM versions v WHERE v.contents_id = $1 AND ",
            $which,
            " AND v.name >= $2 AND ($3 = '' OR v.name < $3) ORDER BY v.name LIMIT $4) AS found"
        )
    };
}
const NAMES: &str = concat!(
    "SELECT names.name FROM (",
    names!("v.is_current = 1"),
    " UNION ",
    names!("v.state = 'live' AND v.is_current = 0"),
    " UNION ",
    names!("v.state = 'removed' AND v.removed_at > $5"),
    " UNION ",
    names!("v.state IN ('purging', 'purged') AND v.removed_at > $5 AND v.upload_id IS NULL"),
    ") AS names ORDER BY names.name LIMIT $4"
);

/// What took a version's bytes over when only its headers changed: the next of the name, of the same moment.
const HEIR: &str = concat!(
    "SELECT ",
    then_columns!(),
    " FROM versions v WHERE v.id = (SELECT heir.id FROM (
        SELECT h.id, h.seq FROM versions h WHERE h.contents_id = $1 AND h.name = $2 AND h.is_current = 1
            AND h.created_at = $3 AND h.seq > $4
        UNION ALL SELECT h.id, h.seq FROM versions h WHERE h.contents_id = $1 AND h.name = $2 AND h.state = 'live'
            AND h.is_current = 0 AND h.created_at = $3 AND h.seq > $4
        UNION ALL SELECT h.id, h.seq FROM versions h WHERE h.contents_id = $1 AND h.name = $2 AND h.state = 'removed'
            AND h.created_at = $3 AND h.seq > $4
        UNION ALL SELECT h.id, h.seq FROM versions h WHERE h.contents_id = $1 AND h.name = $2
            AND h.state IN ('purging', 'purged') AND h.created_at = $3 AND h.seq > $4
        ) AS heir ORDER BY heir.seq LIMIT 1)"
);

const ABOVE: &str = concat!(
    "SELECT ",
    version_columns!(),
    " FROM versions v JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
      WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.is_current = 0 AND v.seq > $3
        AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto) ORDER BY v.seq DESC LIMIT $4"
);

/// So many changes of headers alone are followed from the version that was current then to what holds its bytes.
const HEIRS_MAX: u32 = 1_000;

impl Metadata {
    /// What contents say of themselves; `None` if there are none of this UUID.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn past_ground(&self, contents: ContainerId) -> Result<Option<PastGround>, Failure> {
        let text = "SELECT c.created_at, b.versioning FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1";
        let Some(mut row) = self.readers.fetch_one(text, args![contents]).await? else { return Ok(None) };
        let created_at = row.need_time()?;
        Ok(Some(PastGround { created_at, versioning: read_versioning(&mut row)? }))
    }

    /// The contents that `bucket` held at `at`, if they were taken out since.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn taken_out_since(&self, bucket: ContainerId, at: Time) -> Result<Option<TakenOut>, Failure> {
        let text = "SELECT c.id, c.removed_at, c.state FROM contents c
             WHERE c.bucket_id = $1 AND c.state <> 'live' AND c.created_at <= $2 AND c.removed_at > $2
             ORDER BY c.created_at DESC LIMIT 1";
        let Some(mut row) = self.readers.fetch_one(text, args![bucket, at]).await? else { return Ok(None) };
        Ok(Some(TakenOut {
            contents: row.need_id(ContainerId::from_bytes)?,
            removed_at: row.need_time()?,
            state: row.need_state()?,
        }))
    }

    /// One page of the names under `prefix` that were there at `at` or are there now, each with what it meant then and what
    /// it means now; the page begins behind `marker`. Empty: that was all.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn past_page(
        &self,
        contents: ContainerId,
        at: Time,
        prefix: &str,
        marker: &str,
        limit: u32,
    ) -> Result<Vec<Past>, Failure> {
        let order = ListOrder { prefix, marker, limit, ..ListOrder::default() };
        let Some(range) = Range::of(&order) else { return Ok(Vec::new()) };
        let values = args![contents, range.from.as_str(), range.bound(), limit, at];
        let mut names = Vec::new();
        for mut row in self.readers.fetch(NAMES, values).await? {
            names.push(row.need_text()?);
        }
        let erase_upto = self.erase_upto(contents).await?;
        let mut current = self.wanted(CURRENT, args![contents], &names, erase_upto).await?;
        let mut then: HashMap<String, Then> = HashMap::new();
        for text in THERE_STILL {
            for (name, found) in self.wanted(text, args![contents, at], &names, erase_upto).await? {
                keep_newest(&mut then, name, found);
            }
        }
        for (name, found) in current.iter().filter(|(_, found)| found.version.created_at <= at) {
            keep_newest(&mut then, name.clone(), found.clone());
        }
        let mut page = Vec::with_capacity(names.len());
        for name in names {
            let then = match then.remove(&name) {
                Some(then) => Some(self.heir_of(contents, then, erase_upto).await?),
                None => None,
            };
            let current = current.remove(&name).map(|found| found.version);
            page.push(Past { name, then, current });
        }
        Ok(page)
    }

    /// The live versions of a name that stand above position `seq` and are not current, delete markers among them: the
    /// newest `limit`, from the oldest to the newest.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn live_above(
        &self,
        contents: ContainerId,
        name: &str,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<Version>, Failure> {
        let mut above = Vec::new();
        for mut row in self.readers.fetch(ABOVE, args![contents, name, seq, limit]).await? {
            above.push(read_version(&mut row)?);
        }
        above.reverse();
        Ok(above)
    }

    async fn erase_upto(&self, contents: ContainerId) -> Result<i64, Failure> {
        let text = "SELECT b.erase_upto FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1";
        match self.readers.fetch_one(text, args![contents]).await? {
            Some(mut row) => Ok(row.need_int()?),
            None => Ok(0),
        }
    }

    async fn wanted(
        &self,
        text: &'static str,
        head: Vec<Value>,
        names: &[String],
        erase_upto: i64,
    ) -> Result<HashMap<String, Then>, Failure> {
        let rows = names.iter().map(|name| args![name.as_str()]).collect();
        let mut found = HashMap::new();
        for mut row in self.readers.fetch_padded(text, &head, rows).await? {
            let name = row.text()?;
            if let Some(name) = name
                && !row.peek_null()?
            {
                found.insert(name, read_then(&mut row, erase_upto)?);
            }
        }
        Ok(found)
    }

    /// Where only headers were changed, the bytes that were there then belong to a later row: that one stands for it.
    async fn heir_of(&self, contents: ContainerId, then: Then, erase_upto: i64) -> Result<Then, Failure> {
        let mut then = then;
        for _ in 0..HEIRS_MAX {
            let handed_over =
                then.version.state == State::Purged && then.version.cause == Some(lifecycle::Cause::Metadata);
            let (true, Some(at), Some(seq)) = (handed_over, then.version.removed_at, then.version.seq) else {
                return Ok(then);
            };
            let values = args![contents, then.version.name.as_str(), at, seq];
            match self.readers.fetch_one(HEIR, values).await? {
                Some(mut row) => then = read_then(&mut row, erase_upto)?,
                None => return Ok(then),
            }
        }
        Ok(then)
    }
}

fn keep_newest(then: &mut HashMap<String, Then>, name: String, found: Then) {
    let newer = then.get(&name).is_none_or(|known| known.version.seq < found.version.seq);
    if newer {
        then.insert(name, found);
    }
}

fn read_then(row: &mut Row, erase_upto: i64) -> Result<Then, DbError> {
    let version = read_version(row)?;
    let (superseded_at, superseded_seq) = (row.time()?, row.int()?);
    let erased = version.state == State::Live && superseded_seq.is_some_and(|seq| seq <= erase_upto);
    Ok(Then { version, superseded_at, erased })
}
