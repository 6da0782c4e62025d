//! Reading: one query, with domain, bucket and version joined, live all the way up.

mod null;
mod parts;
mod segments;
mod versions;

pub use parts::VersionPart;
pub use versions::Version;
pub(crate) use versions::{read_retention, read_revision, read_version, version_columns};

use crate::Metadata;
use crate::containers::{
    CONTAINER_COLUMNS, Container, ContainerKind, bucket_columns, domain_columns, read_container,
};
use crate::error::Failure;
use crate::gather::Gather;
use crate::members::Pins;
use crate::reclaim::read_blob;
use crate::sql::{DbError, Readers, Row, Value, args};
use bytes::Bytes;
use lifecycle::{Blob, BlobName, ContainerId, SharedClock, Versioning};
use std::sync::Arc;

/// Where a request's names lead: the domain, and the bucket if one was named and is there.
#[derive(Clone, Debug)]
pub struct Located {
    /// The domain; live.
    pub domain: Container,
    /// The bucket; live. Of a request without bucket, the domain's hidden one is in `hidden`.
    pub bucket: Option<Container>,
    /// The bucket of the domain's unnamed and alias objects, and its contents.
    pub hidden: (ContainerId, ContainerId),
}

/// What a reader's names lead to.
#[derive(Clone, Debug)]
pub enum Sought {
    /// A readable object.
    Found(Box<Found>),
    /// Nothing that can be read, in a bucket that keeps versions: a delete marker may say why.
    Hidden {
        /// What the bucket holds.
        contents: ContainerId,
    },
    /// Nothing.
    Nothing,
}

/// A readable version and where its bytes are.
#[derive(Clone, Debug)]
pub struct Found {
    /// The version.
    pub version: Version,
    /// The domain's id and name.
    pub domain: (ContainerId, String),
    /// The bucket's id and name; the name of a hidden bucket is empty.
    pub bucket: (ContainerId, String),
    /// Whether the bucket keeps older versions.
    pub versioning: Versioning,
    /// The user that the bucket belongs to.
    pub bucket_owner: Option<String>,
    /// Which settings of the bucket decide on access ([`Container::access`]).
    pub access: Option<i64>,
    /// Its one blob; `None` if it is empty, or made of parts.
    pub blob: Option<Blob>,
    /// The bytes of that blob as they lie at rest, if they lie in the database and were asked for.
    pub inline: Option<Bytes>,
    /// When it was looked up: [`Metadata::pin_read`] looks again if something has happened since.
    pub(crate) moment: u64,
    /// It was looked for in containers that may be removed.
    pub(crate) of_removed: bool,
    /// The name of one of its blobs, if it is made of parts: by it all of them are found, even where they have passed to
    /// another version since ([`Metadata::blobs_beside`]).
    pub part: Option<BlobName>,
}

/// The query for one object, with its bytes and without.
macro_rules! found_query {
    ($bytes:literal, $join:literal, $first:literal, $from:literal, $where:literal) => {
        concat!(
            "SELECT ",
            $first,
            version_columns!(),
            ", d.id, d.name, b.id, b.name, b.versioning, b.owner, b.access, p.name, p.part_no, p.start, p.size, p.md5,
                p.format, p.place, ",
            $bytes,
            // Looked up for what is made of parts alone.
            ", CASE WHEN v.parts IS NULL THEN NULL
                ELSE (SELECT f.name FROM blobs f WHERE f.owner = v.id ORDER BY f.part_no LIMIT 1) END FROM ",
            $from,
            " LEFT JOIN blobs p ON p.owner = v.id AND p.part_no = 0 ",
            $join,
            $where
        )
    };
    ($first:literal, $from:literal, $where:literal) => {
        (
            found_query!("i.bytes", "LEFT JOIN inline_bytes i ON i.blob = p.name ", $first, $from, $where),
            found_query!("NULL", "", $first, $from, $where),
        )
    };
}

pub(crate) use found_query;

// Many keys, one query, each with bytes and without. The joins are LEFT so that both engines keep their order, from the
// key to the domain to the bucket to the version, whatever they believe of the tables' sizes. The columns in front tell how
// far a key leads: to a bucket, and to a version in it.
const NAMED: (&str, &str) = found_query!(
    "wanted.column1, b.id, v.id, b.versioning, b.contents_id, ",
    "(VALUES {rows}) AS wanted LEFT JOIN domains d
        ON d.id = COALESCE((SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = wanted.column2),
            (SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = wanted.column3))
     LEFT JOIN buckets b ON b.domain_id = d.id AND b.name = wanted.column4 AND b.state = 'live' AND b.hidden = 0
     LEFT JOIN versions v ON v.contents_id = b.contents_id AND v.name = wanted.column5 AND v.is_current = 1
        AND (v.expires_at IS NULL OR v.expires_at > $1)",
    ""
);
const BY_UUID: (&str, &str) = found_query!(
    "wanted.column1, d.id, v.id, b.versioning, b.contents_id, ",
    "(VALUES {rows}) AS wanted LEFT JOIN versions v ON v.name = wanted.column2 AND v.is_current = 1
        AND v.kind <> 'named' AND (v.expires_at IS NULL OR v.expires_at > $1)
     LEFT JOIN contents c ON c.id = v.contents_id AND c.state = 'live'
     LEFT JOIN buckets b ON b.id = c.bucket_id AND b.state = 'live' AND b.contents_id = c.id
     LEFT JOIN domains d ON d.id = b.domain_id AND d.state = 'live'",
    ""
);
const LOCATED: &str = concat!(
    "SELECT wanted.column1, h.id, ",
    domain_columns!(),
    ", h.id, h.contents_id, ",
    bucket_columns!(),
    " FROM (VALUES {rows}) AS wanted LEFT JOIN domains d
        ON d.id = COALESCE((SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = wanted.column2),
            (SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = wanted.column3))
      LEFT JOIN buckets h ON h.domain_id = d.id AND h.name = '' AND h.state = 'live'
      LEFT JOIN buckets b ON b.domain_id = d.id AND b.name = wanted.column4 AND b.state = 'live' AND b.hidden = 0"
);
/// The child of a container that need not be live: for operators, by the container's UUID.
const IN_CONTAINER: (&str, &str) = found_query!(
    "",
    "buckets b JOIN domains d ON d.id = b.domain_id AND d.state IN ('live', 'removed') AND b.id = $1
        AND b.state IN ('live', 'removed')
     JOIN versions v ON v.contents_id = b.contents_id AND v.name = $2 AND v.is_current = 1
        AND (v.expires_at IS NULL OR v.expires_at > $3)",
    ""
);

/// Host, fallback, bucket and name of an object.
type NamedKey = (String, String, String, String);

/// The queues in front of the point reads.
#[derive(Clone)]
pub(crate) struct PointReads {
    located: Gather<(String, String, String), Located>,
    named: Gather<NamedKey, Sought>,
    named_head: Gather<NamedKey, Sought>,
    uuid: Gather<String, Sought>,
    uuid_head: Gather<String, Sought>,
}

impl PointReads {
    /// Starts the queues.
    pub(crate) fn start(readers: &Readers, clock: &SharedClock, pins: &Arc<Pins>) -> Self {
        let named = |text: &'static str| {
            let (readers, clock, pins) = (readers.clone(), Arc::clone(clock), Arc::clone(pins));
            Gather::start(readers.at_once(), move |keys: Vec<NamedKey>| {
                let moment = pins.moment();
                let row = |(host, fallback, bucket, name): NamedKey| args![host, fallback, bucket, name];
                let rows = keys.into_iter().map(row).collect();
                Box::pin(many(readers.clone(), text, vec![clock.now().into()], rows, move |row| {
                    read_sought(row, moment)
                }))
            })
        };
        let uuid = |text: &'static str| {
            let (readers, clock, pins) = (readers.clone(), Arc::clone(clock), Arc::clone(pins));
            Gather::start(readers.at_once(), move |keys: Vec<String>| {
                let moment = pins.moment();
                let rows = keys.into_iter().map(|uuid| args![uuid]).collect();
                Box::pin(many(readers.clone(), text, vec![clock.now().into()], rows, move |row| {
                    read_sought(row, moment)
                }))
            })
        };
        let located = {
            let readers = readers.clone();
            Gather::start(readers.at_once(), move |keys: Vec<(String, String, String)>| {
                let row = |(host, fallback, bucket): (String, String, String)| args![host, fallback, bucket];
                let rows = keys.into_iter().map(row).collect();
                Box::pin(many(readers.clone(), LOCATED, Vec::new(), rows, read_located))
            })
        };
        PointReads {
            located,
            named: named(NAMED.0),
            named_head: named(NAMED.1),
            uuid: uuid(BY_UUID.0),
            uuid_head: uuid(BY_UUID.1),
        }
    }
}

/// One query for many keys: each gets a number in front, by which its row finds back to it.
async fn many<T>(
    readers: Readers,
    text: &'static str,
    head: Vec<Value>,
    keys: Vec<Vec<Value>>,
    read: impl Fn(&mut Row) -> Result<T, DbError>,
) -> Result<Vec<Option<T>>, DbError> {
    let mut answers: Vec<Option<T>> = keys.iter().map(|_| None).collect();
    let numbered = keys.into_iter().zip(0_i64..).map(|(key, number)| [args![number], key].concat()).collect();
    for mut row in readers.fetch_padded(text, &head, numbered).await? {
        // The rows that fill a batch up have no number.
        let Some(number) = row.int()?.and_then(|number| usize::try_from(number).ok()) else { continue };
        if row.peek_null()? {
            continue;
        }
        row.skip(1);
        if let Some(answer) = answers.get_mut(number) {
            *answer = Some(read(&mut row)?);
        }
    }
    Ok(answers)
}

impl Metadata {
    /// Finds the live domain `host`, or failing that the default domain, and its live bucket.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn locate(
        &self,
        host: Option<&str>,
        fallback: &str,
        bucket: Option<&str>,
    ) -> Result<Option<Located>, Failure> {
        let host = host.unwrap_or(fallback).to_owned();
        // No bucket has the empty name of a hidden one, so asking for none finds none.
        self.points.located.read((host, fallback.to_owned(), bucket.unwrap_or_default().to_owned())).await
    }

    /// Reads an object by the names of its domain, bucket and itself. `bytes`: with its bytes, if those are inline.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_named(
        &self,
        host: Option<&str>,
        fallback: &str,
        bucket: &str,
        name: &str,
        bytes: bool,
    ) -> Result<Sought, Failure> {
        let queue = if bytes { &self.points.named } else { &self.points.named_head };
        let host = host.unwrap_or(fallback).to_owned();
        let sought = queue.read((host, fallback.to_owned(), bucket.to_owned(), name.to_owned())).await?;
        Ok(sought.unwrap_or(Sought::Nothing))
    }

    /// Reads an unnamed or alias object by its UUID, whatever domain it is in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_uuid(&self, uuid: &str, bytes: bool) -> Result<Option<Found>, Failure> {
        let queue = if bytes { &self.points.uuid } else { &self.points.uuid_head };
        match queue.read(uuid.to_owned()).await? {
            Some(Sought::Found(found)) => Ok(Some(*found)),
            Some(Sought::Hidden { .. } | Sought::Nothing) | None => Ok(None),
        }
    }

    /// Reads an object of a bucket that is live or removed, by the bucket's UUID.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_in(
        &self,
        bucket: ContainerId,
        name: &str,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { IN_CONTAINER.0 } else { IN_CONTAINER.1 };
        let found = self.find(text, args![bucket, name, self.clock.now()]).await?;
        Ok(found.map(|found| Found { of_removed: true, ..found }))
    }

    async fn find(
        &self,
        text: &'static str,
        values: Vec<crate::sql::Value>,
    ) -> Result<Option<Found>, Failure> {
        let moment = self.members.pins.moment();
        match self.readers.fetch_one(text, values).await? {
            Some(mut row) => Ok(Some(read_found(&mut row, moment)?)),
            None => Ok(None),
        }
    }
}

fn read_located(row: &mut Row) -> Result<Located, DbError> {
    let domain = read_container(ContainerKind::Domain, row)?;
    let hidden = (row.need_id(ContainerId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let bucket = match row.peek_null()? {
        true => {
            row.skip(CONTAINER_COLUMNS);
            None
        }
        false => Some(read_container(ContainerKind::Bucket, row)?),
    };
    Ok(Located { domain, bucket, hidden })
}

/// A key that leads to no bucket has no row here; one that leads to a bucket may lead to no version in it.
fn read_sought(row: &mut Row, moment: u64) -> Result<Sought, DbError> {
    let nothing = row.peek_null()?;
    row.skip(1);
    let versioning = read_versioning(row)?;
    let contents = row.need_id(ContainerId::from_bytes)?;
    match (nothing, versioning) {
        (false, _) => Ok(Sought::Found(Box::new(read_found(row, moment)?))),
        (true, Versioning::Disabled) => Ok(Sought::Nothing),
        (true, Versioning::Enabled | Versioning::Suspended) => Ok(Sought::Hidden { contents }),
    }
}

pub(crate) fn read_versioning(row: &mut Row) -> Result<Versioning, DbError> {
    let word = row.need_text()?;
    Versioning::parse(&word).ok_or_else(|| DbError::Row(format!("{word:?} is no state of versioning")))
}

fn read_found(row: &mut Row, moment: u64) -> Result<Found, DbError> {
    let version = read_version(row)?;
    let domain = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let bucket = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let versioning = read_versioning(row)?;
    let (bucket_owner, access) = (row.text()?, row.int()?);
    let blob = match row.peek_null()? {
        true => {
            row.skip(7);
            None
        }
        false => Some(read_blob(row)?),
    };
    let inline = row.bytes()?.map(Bytes::from);
    let part = row.id(BlobName::from_bytes)?;
    Ok(Found {
        version,
        domain,
        bucket,
        versioning,
        bucket_owner,
        access,
        blob,
        inline,
        moment,
        of_removed: false,
        part,
    })
}
