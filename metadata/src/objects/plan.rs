//! Planning versions whose going depends on the others of their name: how many are newer, whether a marker hides anything.
//!
//! A plan stands in the version's row, where readers and the sweep find it by its time, and nobody looks at a bucket as a whole.
//! So whatever changes which versions a name has plans that name anew before it commits, a window of its newest; whatever
//! changes many names at once has the bucket walked in the background instead ([`disturb`]). The sweep looks once more before it
//! removes anything: a plan that is not true any more keeps, and is made anew.

use super::decide::BucketFacts;
use super::expiry::{Aged, Expiry, Standing, lifepoint};
use crate::sql::{Conn, DbError, Row, Value, args};
use lifecycle::{ContainerId, ExpiryRule, Guard, Kind, Time, VersionId};
use std::collections::BTreeMap;

/// Versions of one name that are looked at beside those that a rule keeps.
const WINDOW: i64 = 4;
/// More newer versions than this are counted as so many: no rule keeps more.
const COUNTED: i64 = 128;

macro_rules! planned_columns {
    () => {
        "v.id, v.kind, v.name, v.seq, v.marker, v.size, v.tags, v.headers, v.created_at, v.superseded_at, v.guard_from,
         v.guard_until, v.hold, v.expires_at, v.expiry_rule"
    };
}
pub(crate) use planned_columns;

/// A version as it is planned.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) id: VersionId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) seq: i64,
    pub(crate) marker: bool,
    pub(crate) size: u64,
    pub(crate) tags: Option<String>,
    pub(crate) headers: String,
    pub(crate) created_at: Time,
    pub(crate) superseded_at: Option<Time>,
    pub(crate) guard: Guard,
    /// As it stands in the row.
    pub(crate) was: Expiry,
}

impl Planned {
    /// Reads what `planned_columns!` names.
    pub(crate) fn read(row: &mut Row) -> Result<Self, DbError> {
        let (id, kind) = (row.need_id(VersionId::from_bytes)?, row.need_text()?);
        Ok(Planned {
            id,
            kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
            name: row.need_text()?,
            seq: row.int()?.unwrap_or_default(),
            marker: row.need_bool()?,
            size: row.need_size()?,
            tags: row.text()?,
            headers: row.text()?.unwrap_or_default(),
            created_at: row.need_time()?,
            superseded_at: row.time()?,
            guard: Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? },
            was: Expiry { at: row.time()?, rule: row.text()? },
        })
    }

    /// When it goes where it stands now.
    pub(crate) fn expiry(&self, rules: &[ExpiryRule], standing: Standing, kept: bool) -> Expiry {
        let aged = Aged {
            kind: self.kind,
            name: &self.name,
            marker: self.marker,
            size: self.size,
            tags: self.tags.as_deref(),
            created_at: self.created_at,
            standing,
            guard: self.guard,
            kept: kept && self.kind != Kind::Unnamed,
        };
        Expiry::of(rules, aged, lifepoint(&self.headers))
    }

    /// What is to be written of it, if it goes at another time now or by another rule.
    pub(crate) fn change(&self, rules: &[ExpiryRule], standing: Standing, kept: bool) -> Option<Vec<Value>> {
        let new = self.expiry(rules, standing, kept);
        (new != self.was).then(|| args![self.id, new.at, new.rule.as_deref()])
    }
}

/// Writes down when versions go from now on.
pub(crate) async fn write(conn: &mut Conn, changes: Vec<Vec<Value>>) -> Result<(), DbError> {
    conn.execute_rows(
        "UPDATE versions SET expires_at = planned.column2, expiry_rule = planned.column3
         FROM (VALUES {rows}) AS planned WHERE versions.id = planned.column1 AND versions.state = 'live'",
        &[],
        changes,
    )
    .await?;
    Ok(())
}

/// The versions of a name that are not current, one after the other, the newest first: where each of them stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    name: String,
    begun: bool,
    /// Of those that are not current, as S3 counts them: a marker that hides is to S3 the current version.
    newer: u32,
    /// When the one before was written.
    before: Option<Time>,
}

impl Line {
    /// Where the next one stands. `current`: when the current version of its name was written; `alone`: nothing older is left.
    pub(crate) fn next(
        &mut self,
        (name, marker): (&str, bool),
        (created_at, superseded_at): (Time, Option<Time>),
        current: Option<Time>,
        alone: bool,
    ) -> Standing {
        if self.name != name {
            *self = Line { name: name.to_owned(), before: current, ..Line::default() };
        }
        let top = !std::mem::replace(&mut self.begun, true) && current.is_none();
        let before = self.before.replace(created_at);
        if top && marker {
            return if alone { Standing::Lone } else { Standing::Hiding };
        }
        let since = match marker {
            // A marker says nowhere since when it is not the newest any more: since the next one came.
            true => before.map_or(created_at, |before| before.max(created_at)),
            false => superseded_at.unwrap_or(created_at),
        };
        let newer = Some(self.newer);
        self.newer = self.newer.saturating_add(1);
        Standing::Older { since, newer }
    }

    /// The line up to the version at `seq` of a name, in a bucket that is locked.
    pub(crate) async fn above(
        conn: &mut Conn,
        contents: ContainerId,
        erase_upto: i64,
        name: &str,
        seq: i64,
    ) -> Result<Self, DbError> {
        let current = current(conn, contents, name).await?;
        let text = "SELECT v.created_at, v.marker FROM versions v WHERE v.contents_id = $1 AND v.name = $2
                AND v.state = 'live' AND v.is_current = 0 AND (v.superseded_seq IS NULL OR v.superseded_seq > $3)
                AND v.seq > $4 ORDER BY v.seq LIMIT $5";
        let mut rows = Vec::new();
        for mut row in conn.fetch(text, args![contents, name, erase_upto, seq, COUNTED]).await? {
            rows.push((row.need_time()?, row.need_bool()?));
        }
        let mut line = Line::default();
        if rows.is_empty() {
            (line.name, line.before) = (name.to_owned(), current);
        }
        for (created_at, marker) in rows.into_iter().rev() {
            line.next((name, marker), (created_at, None), current, false);
        }
        Ok(line)
    }
}

/// When the current version of a name was written.
async fn current(conn: &mut Conn, contents: ContainerId, name: &str) -> Result<Option<Time>, DbError> {
    let text =
        "SELECT v.created_at FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.is_current = 1";
    conn.fetch_one(text, args![contents, name]).await?.map(|mut row| row.need_time()).transpose()
}

/// Plans the newest versions of these names anew, each in a bucket that is locked and keeps versions.
pub(crate) async fn settle(
    conn: &mut Conn,
    names: &BTreeMap<(ContainerId, String), &BucketFacts>,
) -> Result<(), DbError> {
    let mut changes = Vec::new();
    for ((contents, name), bucket) in names {
        let keeps = bucket.rules.iter().filter_map(|rule| rule.keep_newest).max().unwrap_or(0);
        let limit = i64::from(keeps) + WINDOW;
        let current = current(conn, *contents, name).await?;
        let text = concat!(
            "SELECT ",
            planned_columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.is_current = 0
                AND (v.superseded_seq IS NULL OR v.superseded_seq > $3) ORDER BY v.seq DESC LIMIT $4"
        );
        let rows = conn.fetch(text, args![*contents, name.as_str(), bucket.erase_upto, limit]).await?;
        let alone = rows.len() == 1;
        let mut line = Line::default();
        for mut row in rows {
            let version = Planned::read(&mut row)?;
            let times = (version.created_at, version.superseded_at);
            let standing = line.next((name, version.marker), times, current, alone);
            changes.extend(version.change(&bucket.rules, standing, true));
        }
    }
    write(conn, changes).await
}

/// Plans one live version anew, in a bucket that is locked: its tags have changed, or what guards it.
pub(crate) async fn anew(conn: &mut Conn, bucket: &BucketFacts, id: VersionId) -> Result<(), DbError> {
    let text = concat!(
        "SELECT ",
        planned_columns!(),
        ", v.is_current FROM versions v WHERE v.id = $1 AND v.state = 'live'"
    );
    let Some(mut row) = conn.fetch_one(text, args![id]).await? else { return Ok(()) };
    let version = Planned::read(&mut row)?;
    let standing = match row.need_bool()? {
        true => Standing::Current,
        false => {
            let (contents, upto, name) = (bucket.contents, bucket.erase_upto, version.name.as_str());
            let mut line = Line::above(conn, contents, upto, name, version.seq).await?;
            let current = current(conn, contents, name).await?;
            let alone = version.marker && is_last(conn, contents, upto, &version).await?;
            line.next((name, version.marker), (version.created_at, version.superseded_at), current, alone)
        }
    };
    let kept = bucket.versioning_of(version.kind) != lifecycle::Versioning::Disabled;
    let change = version.change(&bucket.rules, standing, kept);
    write(conn, change.into_iter().collect()).await
}

/// Whether no version of its name is older.
async fn is_last(
    conn: &mut Conn,
    contents: ContainerId,
    erase_upto: i64,
    version: &Planned,
) -> Result<bool, DbError> {
    let text = "SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live'
            AND v.is_current = 0 AND (v.superseded_seq IS NULL OR v.superseded_seq > $3) AND v.seq < $4 LIMIT 1";
    let args = args![contents, version.name.as_str(), erase_upto, version.seq];
    Ok(conn.fetch_one(text, args).await?.is_none())
}

/// Many names of a locked bucket have lost versions: it is walked again, if its rules look at what is left.
pub(crate) async fn disturb(
    conn: &mut Conn,
    bucket: ContainerId,
    rules: &[ExpiryRule],
    kept: bool,
) -> Result<(), DbError> {
    if kept && rules.iter().any(ExpiryRule::looks_around) {
        conn.execute("UPDATE buckets SET replan = replan + 1 WHERE id = $1", args![bucket]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    /// Walks a name of these versions, the newest first: `M` a marker, `V` anything else, written at 100, 99 and so on.
    fn walk(versions: &str, current: bool) -> Vec<Standing> {
        let mut line = Line::default();
        let current = current.then_some(t(200));
        let alone = versions.len() == 1;
        let stands = versions.chars().enumerate().map(|(at, kind)| {
            let written = t(100 - i64::try_from(at).unwrap());
            let superseded = (kind == 'V').then(|| t(1_000 + i64::try_from(at).unwrap()));
            line.next(("x", kind == 'M'), (written, superseded), current, alone)
        });
        stands.collect()
    }

    fn older(since: i64, newer: u32) -> Standing {
        Standing::Older { since: t(since), newer: Some(newer) }
    }

    #[test]
    fn a_marker_on_top_hides_and_is_not_counted() {
        use Standing::{Hiding, Lone};
        assert_eq!(walk("M", false), [Lone]);
        assert_eq!(walk("MV", false), [Hiding, older(1_001, 0)]);
        assert_eq!(walk("MMV", false), [Hiding, older(100, 0), older(1_002, 1)]);
        assert_eq!(walk("M", true), [older(200, 0)]);
        assert_eq!(walk("VMV", true), [older(1_000, 0), older(100, 1), older(1_002, 2)]);
        assert_eq!(walk("VV", false), [older(1_000, 0), older(1_001, 1)]);
    }
}
