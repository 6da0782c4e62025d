//! What is being read at this moment, by any member: those bytes are not destroyed yet.
//!
//! Whoever is about to destroy bytes has claimed their versions, so no lookup finds them any more. It moves the epoch and
//! waits until every member has told what it reads *after* having seen that. What is in none of these lists is read by
//! nobody, and never will be: a lookup from before finds, when it pins, that the moment has passed, and looks again.

use super::beat::READS_ALL;
use super::fence::Order;
use super::pins::Pin;
use super::register::lease_now;
use super::{member_columns, read_member};
use crate::Metadata;
use crate::error::Failure;
use crate::lookup::Found;
use crate::sql::{Engine, args};
use crate::writer::Urgency;
use lifecycle::{BlobName, ContainerId, Epoch, MemberId, Refusal, Standing, VersionId, Within};
use std::collections::HashSet;
use std::time::Duration;

/// What was being read when it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// These blobs are.
    pub blobs: HashSet<BlobName>,
    /// Somebody reads too much to name it, or has not answered: anything may be read.
    pub unknown: Option<String>,
}

impl Reads {
    /// Whether one of these is, or may be, read.
    pub fn any<'a>(&self, mut blobs: impl Iterator<Item = &'a BlobName>) -> bool {
        self.unknown.is_some() || blobs.any(|blob| self.blobs.contains(blob))
    }
}

/// What an operator reads in a removed container may take so long at least, whatever clients are given when it goes.
const OPERATORS_READ: Duration = Duration::from_secs(30);

/// How long members are waited for, and how often it is looked.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

impl Metadata {
    /// What is read by any member at a moment after this call began.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], [`Failure::Fenced`].
    pub async fn reads(&self) -> Result<Reads, Failure> {
        self.members.pins.pass_moment();
        let own = self.members.pins.reads();
        if self.engine() == Engine::Sqlite {
            return Ok(self.named(own));
        }
        let me = self.member_id();
        if self.others(me, Epoch::MAX).await?.is_empty() {
            return Ok(self.named(own));
        }
        let epoch = self.tick().await?;
        let mut waited = Duration::ZERO;
        loop {
            let others = self.others(me, epoch).await?;
            let late: Vec<&Other> = others.iter().filter(|other| other.reads.is_none()).collect();
            for lapsed in late.iter().filter(|other| other.lapsed) {
                // A conflict means that the database is still busy ending what it had begun.
                match self.fence(lapsed.id, Order::Lapsed).await {
                    Ok(_) | Err(Failure::Refused(Refusal::Conflict)) => {}
                    Err(failure) => return Err(failure),
                }
            }
            if late.is_empty() || waited >= PATIENCE {
                let mut reads = self.named(own);
                reads.unknown = reads.unknown.or_else(|| {
                    late.first().map(|other| format!("member {} has not told what it reads", other.node))
                });
                for other in others {
                    match other.reads {
                        Some(text) if text == READS_ALL => {
                            reads.unknown = Some(format!("member {} reads very much", other.node));
                        }
                        Some(text) => {
                            reads
                                .blobs
                                .extend(text.split(',').filter_map(|name| name.parse::<BlobName>().ok()));
                        }
                        None => {}
                    }
                }
                return Ok(reads);
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    fn named(&self, own: HashSet<BlobName>) -> Reads {
        Reads { blobs: own, unknown: None }
    }

    /// Moves the epoch without an event, and lets everybody know.
    async fn tick(&self) -> Result<Epoch, Failure> {
        self.writer
            .solo(Urgency::Background, |conn, _now| {
                Box::pin(async move {
                    let row = conn
                        .fetch_one(
                            "UPDATE installation SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch",
                            args![],
                        )
                        .await?;
                    let Some(mut row) = row else { return Ok(0) };
                    let epoch = row.need_int()?;
                    conn.notify(epoch).await?;
                    Ok(epoch)
                })
            })
            .await
    }

    /// The other members out of which bytes may flow, and what they have told since `epoch`.
    async fn others(&self, me: MemberId, epoch: Epoch) -> Result<Vec<Other>, Failure> {
        let (trusted, margin) = (self.trust_db_clock, self.members.settings.margin);
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let text = concat!(
                        "SELECT ",
                        member_columns!(),
                        ", m.reads FROM members m WHERE m.id <> $1 AND m.standing <> 'left' AND m.registered_epoch < $2"
                    );
                    let rows = conn.fetch(text, args![me, epoch]).await?;
                    if rows.is_empty() {
                        return Ok(Vec::new());
                    }
                    let now = lease_now(conn, trusted, now).await?;
                    let mut others = Vec::new();
                    for mut row in rows {
                        let member = read_member(&mut row)?;
                        let reads = row.need_text()?;
                        let over = member.lease_until.plus(margin) <= now;
                        let active = member.standing == Standing::Active;
                        if !active && over {
                            continue;
                        }
                        others.push(Other {
                            id: member.id,
                            node: member.node,
                            reads: (active && member.observed_epoch >= epoch).then_some(reads),
                            lapsed: active && over,
                        });
                    }
                    Ok(others)
                })
            })
            .await
    }

    /// Pins what was found, before any of its bytes flow. Where something has happened since it was looked up, it is looked
    /// up again.
    ///
    /// # Errors
    /// [`Failure::Fenced`] past the lease; [`Refusal::NoSuchObject`] if it is gone meanwhile.
    pub async fn pin_read(&self, found: &Found, what: &'static str) -> Result<Pin, Failure> {
        let within =
            Within { domain: found.domain.0, bucket: found.bucket.0, contents: found.version.contents };
        let blob = found.part.or(found.blob.as_ref().map(|blob| blob.name));
        let until = found
            .of_removed
            .then(|| self.members.clock.boot() + self.members.settings.drain_timeout.max(OPERATORS_READ));
        let pin = self.members.pins.pin_until(within, blob, what, until);
        if found.of_removed {
            // An operator reads where everybody else was let go: that is a holdout from the start, and told to the others before
            // a byte flows. Then either whoever purges knows of it, or it finds that the purge has begun.
            if self.is_readable(found.version.id, blob, false).await? {
                pin.hold_until(None);
            } else {
                self.members.beat_now().await?;
                self.members.pins.pass_moment();
            }
        }
        self.still_there(found).await?;
        Ok(pin)
    }

    /// Passes if what was found can still be read. Costs nothing where nothing has happened since it was looked up.
    ///
    /// # Errors
    /// As [`Metadata::pin_read`].
    pub async fn still_there(&self, found: &Found) -> Result<(), Failure> {
        if self.members.pins.moment() != found.moment {
            let blob = found.part.or(found.blob.as_ref().map(|blob| blob.name));
            if !self.is_readable(found.version.id, blob, found.of_removed).await? {
                return Err(Refusal::NoSuchObject { marker: None }.into());
            }
        }
        self.members.lease.require()
    }

    /// Whether a version, or whichever one its bytes have passed to, can be read; `removed`: also in containers that are
    /// removed.
    async fn is_readable(
        &self,
        version: VersionId,
        blob: Option<BlobName>,
        removed: bool,
    ) -> Result<bool, Failure> {
        let row = match blob {
            Some(blob) => self
                .readers
                .fetch_one(
                    "SELECT v.state, c.state, b.state, d.state FROM blobs p JOIN versions v ON v.id = p.owner
                            JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
                            JOIN domains d ON d.id = b.domain_id WHERE p.name = $1",
                    args![blob],
                )
                .await?,
            None => {
                self.readers
                    .fetch_one(
                        "SELECT v.state, c.state, b.state, d.state FROM versions v
                            JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
                            JOIN domains d ON d.id = b.domain_id WHERE v.id = $1",
                        args![version],
                    )
                    .await?
            }
        };
        let Some(mut row) = row else { return Ok(false) };
        let own = row.need_state()?;
        let above = row.need_state()?.under(row.need_state()?).under(row.need_state()?);
        let worst = if removed { lifecycle::State::Removed } else { lifecycle::State::Live };
        Ok(own == lifecycle::State::Live && above <= worst)
    }

    /// Pins a body that is about to be written. Before its row is staged: the row is refused where the container has gone, and
    /// otherwise the pin is older than the removal.
    ///
    /// # Errors
    /// [`Failure::Fenced`] past the lease.
    pub fn pin_write(
        &self,
        domain: ContainerId,
        bucket: ContainerId,
        contents: ContainerId,
        what: &'static str,
    ) -> Result<Pin, Failure> {
        self.members.lease.require()?;
        Ok(self.members.pins.pin(Within { domain, bucket, contents }, None, what))
    }
}

/// Another member, out of which bytes may flow.
struct Other {
    id: MemberId,
    node: String,
    /// What it has told since the epoch asked for.
    reads: Option<String>,
    /// It is silent past its lease, and not fenced yet.
    lapsed: bool,
}
