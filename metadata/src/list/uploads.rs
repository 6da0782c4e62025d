//! The open multipart uploads of a bucket, by name, and under a name in the order in which they began: in that of their
//! ids, so that a page begins behind an upload which has ended meanwhile as well.

use super::order::{Delimiter, Entry, ListOrder, Range};
use super::prefixes::{ahead, at};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Engine, args};
use crate::uploads::{Upload, read_upload, upload_columns};
use lifecycle::{ContainerId, UploadId};

/// What one page of uploads is to hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct UploadsOrder<'a> {
    /// What the names begin with.
    pub prefix: &'a str,
    /// Names that go on alike up to the first delimiter behind `prefix` make one row together.
    pub delimiter: Option<&'a Delimiter>,
    /// The name behind which the page begins; empty: it begins at the start. It need not be there.
    pub key_marker: &'a str,
    /// An upload of that name: the page begins with those that began after it under this name. It need not be open any
    /// more. Of no meaning without `key_marker`.
    pub upload_marker: Option<UploadId>,
    /// The most rows. Of 0 the page is empty, and so is what lies behind it.
    pub limit: u32,
}

/// One page of uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageOfUploads {
    /// By name, and under a name the earliest first.
    pub uploads: Vec<Upload>,
    /// What several names have in common, up to the delimiter and with it, in order.
    pub prefixes: Vec<String>,
    /// Key marker and upload marker of the next page, the latter only behind an upload; `None`: this was the last.
    pub next: Option<(String, Option<UploadId>)>,
}

/// $4: now.
macro_rules! open {
    () => {
        "u.completed IS NULL AND u.expires_at > $4"
    };
}

/// $1 contents; names from $2 to $3; $4 now, $5 the most rows; the rest of the name $6, which is what is behind the id $7.
macro_rules! in_a_row {
    ($end:literal) => {
        concat!(
            "SELECT * FROM (SELECT ",
            upload_columns!(),
            " FROM uploads u WHERE u.contents_id = $1 AND u.name = $6 AND u.id > $7 AND ",
            open!(),
            " ORDER BY u.id LIMIT $5) AS rest UNION ALL SELECT * FROM (SELECT ",
            upload_columns!(),
            " FROM uploads u WHERE u.contents_id = $1 AND u.name >= $2 AND ",
            $end,
            " AND ",
            open!(),
            " ORDER BY u.name, u.id LIMIT $5) AS names"
        )
    };
}

const BOUNDED: &str = in_a_row!("u.name < $3");
const UNBOUNDED: &str = in_a_row!("$3 = ''");

macro_rules! first_name {
    ($from:expr, $end:literal) => {
        concat!(
            "(SELECT u.name FROM uploads u WHERE u.contents_id = $1 AND u.name >= ",
            $from,
            " AND ",
            $end,
            " AND ",
            open!(),
            " ORDER BY u.name LIMIT 1)"
        )
    };
}

macro_rules! of_name {
    () => {
        concat!("u.contents_id = walk.contents AND u.name = walk.name AND ", open!())
    };
}

/// As the walk over versions: $6 prefix, $7 delimiter, $8 what lies behind that, $9 and $10 the rest of a name.
macro_rules! walk {
    ($find:literal, $of_one:expr, $in_order:literal, $end:literal) => {
        concat!(
            "WITH RECURSIVE walk(before, contents, name) AS (SELECT CAST(0 AS BIGINT), $1, ",
            first_name!("$2", $end),
            " UNION ALL SELECT walk.before + CASE WHEN ",
            at!($find),
            " > 0 THEN 1 ELSE (SELECT COUNT(*) FROM (SELECT 1 FROM uploads u WHERE ",
            of_name!(),
            " LIMIT $5) AS counted) END, walk.contents, ",
            first_name!(ahead!($find), $end),
            " FROM walk WHERE walk.name IS NOT NULL AND walk.before < $5)
             SELECT * FROM (SELECT walk.name, ",
            upload_columns!(),
            " FROM walk LEFT JOIN uploads u ON ",
            of_name!(),
            " AND ",
            at!($find),
            " = 0",
            $of_one,
            " WHERE walk.name IS NOT NULL AND walk.before < $5",
            $in_order,
            ") AS page
             UNION ALL SELECT * FROM (SELECT u.name AS rest, ",
            upload_columns!(),
            " FROM uploads u WHERE u.contents_id = $1 AND u.name = $9 AND u.id > $10 AND ",
            open!(),
            " ORDER BY u.id LIMIT $5) AS rest"
        )
    };
    ($find:literal, $of_one:expr, $in_order:literal) => {
        [walk!($find, $of_one, $in_order, "$3 = ''"), walk!($find, $of_one, $in_order, "u.name < $3")]
    };
}

// The last name of a page may have any number of uploads; no more of them are read than fit. SQLite knows the last one that
// may be needed from its index, and sorts nothing. Postgres would ask for that one once for each upload, so it has an end.
macro_rules! no_more_of_one {
    () => {
        " AND u.id <= COALESCE((SELECT l.id FROM uploads l WHERE l.contents_id = walk.contents AND l.name = walk.name
         AND l.completed IS NULL AND l.expires_at > $4 ORDER BY l.id LIMIT 1 OFFSET $5),
         x'ffffffffffffffffffffffffffffffff')"
    };
}

const SQLITE: [&str; 2] = walk!("instr", no_more_of_one!(), "");
const POSTGRES: [&str; 2] = walk!("strpos", "", " ORDER BY walk.name, u.id LIMIT $5");

impl Metadata {
    /// One page of the open uploads of a bucket. Nothing that is open throughout is skipped or repeated from page to page,
    /// whatever begins or ends meanwhile.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_uploads(
        &self,
        contents: ContainerId,
        order: &UploadsOrder<'_>,
    ) -> Result<PageOfUploads, Failure> {
        let UploadsOrder { prefix, delimiter, key_marker: marker, upload_marker, limit } = *order;
        let names = ListOrder { prefix, marker, delimiter, limit, ..ListOrder::default() };
        let Some(range) = Range::of(&names).filter(|_| limit > 0) else {
            return Ok(PageOfUploads::default());
        };
        // Of a name outside of the prefix, or inside a group, nothing is left to be shown.
        let rest = match upload_marker {
            Some(id) if names.has_row(marker) => (marker, id),
            Some(_) | None => ("", UploadId::from_bytes([0xff; 16])),
        };
        let most = i64::from(limit) + 1;
        let mut found = match delimiter {
            None => self.uploads_in_a_row(contents, &range, rest, most).await?,
            Some(delimiter) => self.grouped_uploads(contents, &range, &names, delimiter, rest, most).await?,
        };
        // Each part of either statement is in order, and their union in none.
        found.sort_by(|a, b| place(a).cmp(&place(b)));
        Ok(PageOfUploads::cut(found, limit))
    }

    async fn uploads_in_a_row(
        &self,
        contents: ContainerId,
        range: &Range,
        rest: (&str, UploadId),
        most: i64,
    ) -> Result<Vec<Entry<Upload>>, Failure> {
        let text = if range.to.is_some() { BOUNDED } else { UNBOUNDED };
        let (from, to, now) = (range.from.as_str(), range.bound(), self.clock.now());
        let rows = self.readers.fetch(text, args![contents, from, to, now, most, rest.0, rest.1]).await?;
        rows.into_iter().map(|mut row| Ok(Entry::Item(read_upload(&mut row)?))).collect()
    }

    async fn grouped_uploads(
        &self,
        contents: ContainerId,
        range: &Range,
        order: &ListOrder<'_>,
        delimiter: &Delimiter,
        rest: (&str, UploadId),
        most: i64,
    ) -> Result<Vec<Entry<Upload>>, Failure> {
        let texts = match self.engine() {
            Engine::Sqlite => SQLITE,
            Engine::Postgres => POSTGRES,
        };
        let text = texts[usize::from(range.to.is_some())];
        let (from, to, now) = (range.from.as_str(), range.bound(), self.clock.now());
        let names = (order.prefix, delimiter.as_str(), delimiter.behind());
        let values = args![contents, from, to, now, most, names.0, names.1, names.2, rest.0, rest.1];
        let rows = self.readers.fetch(text, values).await?;
        let entry = |mut row: crate::sql::Row| {
            let name = row.need_text()?;
            Ok(match order.group(&name) {
                Some(group) => Entry::Prefix(group.to_owned()),
                None => Entry::Item(read_upload(&mut row)?),
            })
        };
        rows.into_iter().map(entry).collect()
    }
}

impl PageOfUploads {
    /// The page that `found` makes, which holds more than `limit` rows if there is another page.
    fn cut(mut found: Vec<Entry<Upload>>, limit: u32) -> Self {
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|entry| match entry {
            Entry::Item(upload) => (upload.name.clone(), Some(upload.id)),
            Entry::Prefix(prefix) => (prefix.clone(), None),
        });
        let mut page = PageOfUploads { next, ..PageOfUploads::default() };
        for entry in found {
            match entry {
                Entry::Item(upload) => page.uploads.push(upload),
                Entry::Prefix(prefix) => page.prefixes.push(prefix),
            }
        }
        page
    }
}

fn place(entry: &Entry<Upload>) -> (&str, UploadId) {
    match entry {
        Entry::Item(upload) => (&upload.name, upload.id),
        Entry::Prefix(prefix) => (prefix, UploadId::from_bytes([0; 16])),
    }
}
