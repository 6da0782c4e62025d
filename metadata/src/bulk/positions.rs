//! Where a bucket's versions stand: the first and the last position, and what lies between.

use super::job::Positions;
use super::scan::Through;
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, args};
use lifecycle::revision::Revision;
use lifecycle::{ContainerId, Refusal, Time, VersionId};

/// A bucket seen as a stream of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamState {
    /// Live versions, delete markers among them.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// First and last positions.
    pub positions: Positions,
    /// When the version at the first position was written.
    pub first_at: Option<Time>,
    /// When the newest live version was written.
    pub last_at: Option<Time>,
    /// Positions between the first and the last at which nothing is left.
    pub holes: u64,
    /// Names that have a live version.
    pub names: u64,
}

/// The live version at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtPosition {
    /// The version.
    pub version: VersionId,
    /// Its object's name.
    pub name: String,
    /// Its revision.
    pub revision: Option<Revision>,
    /// Whether it is a delete marker.
    pub marker: bool,
}

/// The least position of a live version.
pub(super) async fn first_seq(
    through: &mut Through<'_>,
    contents: ContainerId,
) -> Result<Option<i64>, DbError> {
    let text = "SELECT v.seq FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.seq > 0
        ORDER BY v.seq LIMIT 1";
    let mut found = through.fetch(text, args![contents]).await?.into_iter();
    found.next().map(|mut row| row.need_int()).transpose()
}

impl Metadata {
    /// A live bucket's versions, counted: the number of its names takes a walk through all of them.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn stream_state(&self, bucket: ContainerId) -> Result<StreamState, Failure> {
        let text =
            "SELECT b.contents_id, b.last_seq, b.change_seq, COALESCE(u.objects, 0), COALESCE(u.bytes, 0)
            FROM buckets b JOIN domains d ON d.id = b.domain_id
                LEFT JOIN usage u ON u.contents_id = b.contents_id AND u.state = 'live'
            WHERE b.id = $1 AND b.state = 'live' AND d.state = 'live'";
        let row = self.readers.fetch_one(text, args![bucket]).await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
        let contents = row.need_id(ContainerId::from_bytes)?;
        let (last_seq, change_seq) = (row.need_int()?, row.need_int()?);
        let (messages, bytes) = (row.need_size()?, row.need_size()?);
        let mut state = StreamState { messages, bytes, ..StreamState::default() };
        let end = |text| async move {
            let row = self.readers.fetch_one(text, args![contents]).await?;
            Ok::<_, Failure>(
                row.map(|mut row| Ok::<_, DbError>((row.need_int()?, row.need_time()?))).transpose()?,
            )
        };
        let first =
            end("SELECT v.seq, v.created_at FROM versions v WHERE v.contents_id = $1 AND v.state = 'live'
            AND v.seq > 0 ORDER BY v.seq LIMIT 1")
            .await?;
        let last =
            end("SELECT v.seq, v.created_at FROM versions v WHERE v.contents_id = $1 AND v.state = 'live'
            AND v.seq > 0 ORDER BY v.seq DESC LIMIT 1")
            .await?;
        state.positions =
            Positions { first_seq: first.map_or(last_seq + 1, |(seq, _)| seq), last_seq, change_seq };
        (state.first_at, state.last_at) = (first.map(|(_, at)| at), last.map(|(_, at)| at));
        let span = u64::try_from(last_seq + 1 - state.positions.first_seq).unwrap_or(0);
        state.holes = span.saturating_sub(messages);
        let text =
            "SELECT COUNT(DISTINCT v.name) FROM versions v WHERE v.contents_id = $1 AND v.state = 'live'";
        if let Some(mut row) = self.readers.fetch_one(text, args![contents]).await? {
            state.names = row.need_size()?;
        }
        Ok(state)
    }

    /// The first and the last position of a live bucket.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn stream_ends(&self, bucket: ContainerId) -> Result<Positions, Failure> {
        let text = "SELECT b.contents_id, b.last_seq, b.change_seq FROM buckets b WHERE b.id = $1 AND b.state = 'live'";
        let row = self.readers.fetch_one(text, args![bucket]).await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
        let contents = row.need_id(ContainerId::from_bytes)?;
        let (last_seq, change_seq) = (row.need_int()?, row.need_int()?);
        let first = first_seq(&mut Through::Readers(&self.readers), contents).await?;
        Ok(Positions { first_seq: first.unwrap_or(last_seq + 1), last_seq, change_seq })
    }

    /// The live version at a position of a live bucket.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn at_position(&self, bucket: ContainerId, seq: i64) -> Result<Option<AtPosition>, Failure> {
        let text = "SELECT v.id, v.name, v.marker, v.generation, v.revision FROM buckets b CROSS JOIN versions v
            WHERE b.id = $1 AND b.state = 'live' AND v.contents_id = b.contents_id AND v.state = 'live' AND v.seq = $2";
        let row = self.readers.fetch_one(text, args![bucket, seq]).await?;
        let Some(mut row) = row else { return Ok(None) };
        let (version, name, marker) =
            (row.need_id(VersionId::from_bytes)?, row.need_text()?, row.need_bool()?);
        let revision = crate::lookup::read_revision(&mut row)?;
        Ok(Some(AtPosition { version, name, revision, marker }))
    }
}
