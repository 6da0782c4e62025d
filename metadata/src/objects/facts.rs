//! What a round's decisions look at: read after the buckets were locked, in a handful of queries for all of its commands.
//!
//! What a bucket without versions needs is one query: the current versions. The others are asked for names in buckets that
//! keep versions only, and for what few commands name.

use super::command::{Body, ObjectCommand, RestoreWhat, Which};
use super::decide::{BucketFacts, Seen, VersionFacts};
use super::group::Open;
use super::plan::Line;
use crate::lookup::{read_retention, read_revision};
use crate::sql::{Conn, DbError, Row, Value, args};
use lifecycle::revision::Revision;
use lifecycle::{Cause, ContainerId, Guard, Kind, UploadId, VersionId, Versioning};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

type ByName = HashMap<(ContainerId, String), VersionFacts>;

/// What a round knows.
#[derive(Default)]
pub(super) struct RoundFacts {
    current: ByName,
    newest: ByName,
    second: ByName,
    null: ByName,
    named: HashMap<VersionId, VersionFacts>,
    dead: HashMap<(ContainerId, String), Revision>,
    /// The removed version that each restore means, by the command's place.
    pub(super) removed: HashMap<usize, VersionFacts>,
    /// Staged bodies whose rows are not staged any more.
    pub(super) lost: HashSet<VersionId>,
    /// The finished parts of the uploads that are open still, by the command's place.
    pub(super) parts: HashMap<usize, Vec<VersionFacts>>,
    /// What of its name is newer than each version that the clock is to delete, where rules look at that.
    pub(super) above: HashMap<VersionId, Line>,
}

impl RoundFacts {
    /// The live versions of a name.
    pub(super) fn seen(&self, contents: ContainerId, name: &str) -> Seen<'_> {
        let key = (contents, name.to_owned());
        Seen {
            current: self.current.get(&key),
            newest: self.newest.get(&key),
            second: self.second.get(&key),
            null: self.null.get(&key),
            dead: self.dead.get(&key).copied(),
        }
    }

    /// A live version that a command names, if it is one of this name.
    pub(super) fn named(&self, id: VersionId, bucket: &BucketFacts, name: &str) -> Option<&VersionFacts> {
        let erased = |found: &VersionFacts| found.superseded_seq.is_some_and(|seq| seq <= bucket.erase_upto);
        self.named
            .get(&id)
            .filter(|found| found.contents == bucket.contents && found.name == name && !erased(found))
    }
}

/// Names in what they hang on, and the position up to which what was superseded there went for good.
type Names<'a> = BTreeSet<(ContainerId, &'a str, i64)>;

/// Reads what `round` needs.
pub(super) async fn read(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
    open: &BTreeMap<ContainerId, Open>,
) -> Result<RoundFacts, DbError> {
    let mut facts = RoundFacts {
        lost: read_lost(conn, commands, round).await?,
        removed: read_removed(conn, commands, round, open).await?,
        ..RoundFacts::default()
    };
    let (mut all, mut kept, mut deep, mut suspended) =
        (Names::new(), Names::new(), Names::new(), Names::new());
    let (mut versions, mut arriving) = (BTreeSet::new(), BTreeSet::new());
    for &at in round {
        let command = commands[at];
        let Some(open) = command.place().and_then(|(_, bucket)| open.get(&bucket)) else { continue };
        let removed = facts.removed.get(&at);
        let versioning = open.bucket.versioning;
        for name in names_of(command, removed) {
            let key = (open.bucket.contents, name, open.bucket.erase_upto);
            all.insert(key);
            // A delete puts something on top only where versions are kept.
            if versioning != Versioning::Disabled || !matches!(command, ObjectCommand::Delete(_)) {
                arriving.insert((open.bucket.contents, name));
            }
            if versioning != Versioning::Disabled {
                kept.insert(key);
            }
            let restores = matches!(command, ObjectCommand::Restore(_)) && versioning != Versioning::Disabled;
            let which = match command {
                ObjectCommand::Delete(c) => c.which,
                _ => Which::Current,
            };
            let deletes_one = which != Which::Current;
            let kept_null = which == Which::Null && versioning != Versioning::Disabled;
            if versioning == Versioning::Suspended || restores || kept_null {
                suspended.insert(key);
            }
            if restores || (deletes_one && versioning != Versioning::Disabled) {
                deep.insert(key);
            }
        }
        if let ObjectCommand::Delete(c) = command
            && let Which::Version(version) = c.which
            && versioning != Versioning::Disabled
        {
            versions.insert(version);
        }
    }
    let keys = |names: &Names<'_>| -> Vec<Vec<Value>> {
        names.iter().map(|(contents, name, upto)| args![*contents, *name, *upto]).collect()
    };
    let plain = all.iter().map(|(contents, name, _)| args![*contents, *name]).collect();
    facts.current = by_name(conn, CURRENT, plain).await?;
    facts.newest = by_name(conn, NEWEST, keys(&kept)).await?;
    let below = deep
        .iter()
        .filter_map(|(contents, name, upto)| {
            let newest = facts.newest.get(&(*contents, (*name).to_owned()))?;
            Some(args![*contents, *name, *upto, newest.seq])
        })
        .collect();
    facts.second = by_name(conn, SECOND, below).await?;
    facts.null = by_name(conn, NULL_VERSION, keys(&suspended)).await?;
    facts.named = by_id(conn, versions.into_iter().map(|id| args![id]).collect()).await?;
    facts.parts = read_parts(conn, commands, round).await?;
    facts.above = read_above(conn, commands, round, open, &facts.named).await?;
    let gone = arriving
        .into_iter()
        .map(|(contents, name)| (contents, name.to_owned()))
        .filter(|key| !facts.current.contains_key(key) && !facts.newest.contains_key(key))
        .map(|(contents, name)| args![contents, name])
        .collect();
    facts.dead = read_dead(conn, gone).await?;
    Ok(facts)
}

/// What the next version of each name follows, where nothing of the name lives: the last of what did, or the tombstone behind
/// it. What was purged out of the tree by its revision is in none.
async fn read_dead(
    conn: &mut Conn,
    keys: Vec<Vec<Value>>,
) -> Result<HashMap<(ContainerId, String), Revision>, DbError> {
    let mut found = HashMap::new();
    for mut row in conn.fetch_rows(DEAD, &[], keys).await? {
        let key = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
        let mut last: Option<(Revision, bool)> = None;
        for _ in 0..2 {
            let stands = row.need_bool()?;
            match read_revision(&mut row)? {
                Some(revision) if last.is_none_or(|(known, _)| known < revision) => {
                    last = Some((revision, stands));
                }
                Some(_) | None => {}
            }
        }
        if let Some((revision, stands)) = last {
            found.insert(key, if stands { revision } else { Revision::deleted(Some(revision)) });
        }
    }
    Ok(found)
}

/// The names whose versions a command may change.
pub(super) fn names_of<'a>(
    command: &'a ObjectCommand,
    removed: Option<&'a VersionFacts>,
) -> impl Iterator<Item = &'a str> {
    let (name, other) = match command {
        ObjectCommand::Stage(_) => (None, None),
        ObjectCommand::Publish(c) => {
            (Some(c.name.as_str()), c.renames.as_ref().map(|rename| rename.from.as_str()))
        }
        ObjectCommand::Delete(c) => (Some(c.name.as_str()), None),
        ObjectCommand::Restore(c) => {
            (c.as_name.as_deref().or(removed.map(|removed| removed.name.as_str())), None)
        }
    };
    name.into_iter().chain(other)
}

macro_rules! facts_columns {
    () => {
        "v.id, v.contents_id, v.kind, v.name, v.seq, v.superseded_at, v.superseded_seq, v.state, v.is_current, v.marker, v.null_version, v.size, v.md5,
         v.parts, v.headers, v.owner, v.tags, v.created_at, v.guard_from, v.guard_until, v.hold, v.lock_mode, v.lock_until, v.expires_at, v.expiry_rule, v.purge_after,
         v.generation, v.revision"
    };
}
pub(super) use facts_columns;

macro_rules! by_name {
    ($on:expr) => {
        // LEFT JOIN, and a look at what is there: so neither engine ever walks the versions and looks among the keys.
        concat!("SELECT ", facts_columns!(), " FROM (VALUES {rows}) AS wanted LEFT JOIN versions v ON ", $on)
    };
}

const CURRENT: &str =
    by_name!("v.contents_id = wanted.column1 AND v.name = wanted.column2 AND v.is_current = 1");
// One version out of many of a name is found by a look of its own, and joined by its id and nothing else: a condition that
// implies a partial index makes Postgres walk that whole index for each key, as long as it believes the table to be empty.
macro_rules! newest {
    ($below:literal) => {
        concat!(
            "v.id = (SELECT h.id FROM versions h WHERE h.contents_id = wanted.column1 AND h.name = wanted.column2
                AND h.state = 'live' AND h.is_current = 0
                AND h.seq = (SELECT MAX(g.seq) FROM versions g WHERE g.contents_id = wanted.column1
                    AND g.name = wanted.column2 AND g.state = 'live' AND g.is_current = 0 ",
            $below,
            " AND (g.superseded_seq IS NULL OR g.superseded_seq > wanted.column3)))"
        )
    };
}
const NEWEST: &str = by_name!(newest!(""));
const SECOND: &str = by_name!(newest!("AND g.seq < wanted.column4"));
const NULL_VERSION: &str = by_name!(
    "v.id = (SELECT h.id FROM versions h WHERE h.contents_id = wanted.column1 AND h.name = wanted.column2
        AND h.state = 'live' AND h.is_current = 0 AND h.null_version = 1
        AND (h.superseded_seq IS NULL OR h.superseded_seq > wanted.column3) LIMIT 1)"
);
// In each row: does the revision stand for the tombstone itself, or is that behind it? A bulk purge leaves none. Ids follow time
// to the millisecond, so the last of what is purged is looked for among the last few.
const DEAD: &str = "SELECT wanted.column1, wanted.column2,
        CASE WHEN r.marker = 1 OR r.cause = 'purge' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, r.generation, r.revision,
        CASE WHEN p.marker = 1 OR p.cause = 'purge' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, p.generation, p.revision
     FROM (VALUES {rows}) AS wanted
     LEFT JOIN versions r ON r.id = (SELECT h.id FROM versions h WHERE h.contents_id = wanted.column1
        AND h.name = wanted.column2 AND h.state = 'removed' ORDER BY h.seq DESC LIMIT 1)
     LEFT JOIN versions p ON p.id = (SELECT last.id FROM (SELECT g.id, g.generation FROM versions g
            WHERE g.contents_id = wanted.column1 AND g.name = wanted.column2 AND g.state IN ('purging', 'purged')
                AND g.revision IS NOT NULL ORDER BY g.id DESC LIMIT 16) AS last
        ORDER BY last.generation DESC LIMIT 1)";
const BY_ID: &str = by_name!("v.id = wanted.column1 AND v.state = 'live'");

async fn by_name(conn: &mut Conn, text: &'static str, keys: Vec<Vec<Value>>) -> Result<ByName, DbError> {
    let mut found = HashMap::new();
    for mut row in conn.fetch_rows(text, &[], keys).await? {
        if row.peek_null()? {
            continue;
        }
        let facts = read_facts(&mut row)?;
        found.insert((facts.contents, facts.name.clone()), facts);
    }
    Ok(found)
}

/// One version, in whatever state.
pub(super) async fn by_its_id(conn: &mut Conn, id: VersionId) -> Result<Option<VersionFacts>, DbError> {
    let text = concat!("SELECT ", facts_columns!(), " FROM versions v WHERE v.id = $1");
    conn.fetch_one(text, args![id]).await?.map(|mut row| read_facts(&mut row)).transpose()
}

async fn by_id(conn: &mut Conn, keys: Vec<Vec<Value>>) -> Result<HashMap<VersionId, VersionFacts>, DbError> {
    let mut found = HashMap::new();
    for mut row in conn.fetch_rows(BY_ID, &[], keys).await? {
        if !row.peek_null()? {
            let facts = read_facts(&mut row)?;
            found.insert(facts.id, facts);
        }
    }
    Ok(found)
}

/// What is newer than the versions that the clock is to delete, in buckets whose rules look at that.
async fn read_above(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
    open: &BTreeMap<ContainerId, Open>,
    named: &HashMap<VersionId, VersionFacts>,
) -> Result<HashMap<VersionId, Line>, DbError> {
    let mut above = HashMap::new();
    for &at in round {
        let ObjectCommand::Delete(c) = commands[at] else { continue };
        let Which::Version(version) = c.which else { continue };
        let Some(open) = open.get(&c.bucket).filter(|open| open.bucket.looks_around()) else { continue };
        let Some(found) = named.get(&version).filter(|found| !found.is_current) else { continue };
        if c.cause != Cause::Lifepoint || found.name != c.name || found.contents != open.bucket.contents {
            continue;
        }
        let upto = open.bucket.erase_upto;
        let line = Line::above(conn, found.contents, upto, &found.name, found.seq).await?;
        above.insert(version, line);
    }
    Ok(above)
}

/// The finished parts of every upload that the round completes. Of an upload that has ended there are none to be read,
/// and no entry.
async fn read_parts(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
) -> Result<HashMap<usize, Vec<VersionFacts>>, DbError> {
    let mut parts = HashMap::new();
    for &at in round {
        let ObjectCommand::Publish(c) = commands[at] else { continue };
        let Body::Parts { upload, .. } = &c.body else { continue };
        if !is_open(conn, *upload).await? {
            continue;
        }
        let rows = conn
            .fetch(
                concat!(
                    "SELECT ",
                    facts_columns!(),
                    " FROM versions v WHERE v.upload_id = $1 AND v.state = 'staged' AND v.md5 IS NOT NULL"
                ),
                args![*upload],
            )
            .await?;
        let found: Result<Vec<VersionFacts>, DbError> =
            rows.into_iter().map(|mut row| read_facts(&mut row)).collect();
        parts.insert(at, found?);
    }
    Ok(parts)
}

async fn is_open(conn: &mut Conn, upload: UploadId) -> Result<bool, DbError> {
    let text = "SELECT id FROM uploads WHERE id = $1 AND completed IS NULL";
    Ok(conn.fetch_one(text, args![upload]).await?.is_some())
}

/// The staged bodies of the round whose rows are not staged any more.
async fn read_lost(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
) -> Result<HashSet<VersionId>, DbError> {
    let mut lost = HashSet::new();
    for &at in round {
        if let ObjectCommand::Publish(c) = commands[at]
            && matches!(c.body, Body::Staged { .. })
        {
            lost.insert(c.version);
        }
    }
    let rows = lost.iter().map(|id| args![*id]).collect();
    let staged = conn
        .fetch_rows(
            "SELECT v.id FROM (VALUES {rows}) AS wanted CROSS JOIN versions v
             WHERE v.id = wanted.column1 AND v.state = 'staged'",
            &[],
            rows,
        )
        .await?;
    for mut row in staged {
        lost.remove(&row.need_id(VersionId::from_bytes)?);
    }
    Ok(lost)
}

/// The removed version that each restore of the round means.
async fn read_removed(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
    open: &BTreeMap<ContainerId, Open>,
) -> Result<HashMap<usize, VersionFacts>, DbError> {
    let mut found = HashMap::new();
    for &at in round {
        let ObjectCommand::Restore(c) = commands[at] else { continue };
        let Some(open) = open.get(&c.bucket) else { continue };
        let row = match &c.what {
            // By the order of changes: the clock may have stood still, or gone backwards.
            RestoreWhat::Latest(name) => {
                conn.fetch_one(
                    concat!(
                        "SELECT ",
                        facts_columns!(),
                        " FROM versions v
                         WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'removed'
                         ORDER BY v.change_seq DESC, v.marker, v.seq DESC LIMIT 1"
                    ),
                    args![open.bucket.contents, name.as_str()],
                )
                .await?
            }
            RestoreWhat::Version(id) => {
                conn.fetch_one(
                    concat!("SELECT ", facts_columns!(), " FROM versions v WHERE v.id = $1"),
                    args![*id],
                )
                .await?
            }
        };
        if let Some(mut row) = row {
            found.insert(at, read_facts(&mut row)?);
        }
    }
    Ok(found)
}

pub(super) fn read_facts(row: &mut Row) -> Result<VersionFacts, DbError> {
    let id = row.need_id(VersionId::from_bytes)?;
    let contents = row.need_id(ContainerId::from_bytes)?;
    let kind = row.need_text()?;
    Ok(VersionFacts {
        id,
        contents,
        kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
        name: row.need_text()?,
        seq: row.int()?.unwrap_or_default(),
        superseded_at: row.time()?,
        superseded_seq: row.int()?,
        state: row.need_state()?,
        is_current: row.need_bool()?,
        marker: row.need_bool()?,
        null_version: row.need_bool()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?.and_then(|parts| u32::try_from(parts).ok()),
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        tags: row.text()?,
        created_at: row.need_time()?,
        guard: Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? },
        retention: read_retention(row)?,
        expires_at: row.time()?,
        expiry_rule: row.text()?,
        purge_after: row.time()?,
        revision: read_revision(row)?,
    })
}
