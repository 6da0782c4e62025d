//! Why something did not happen that a client or operator asked for. A value, not a failure: nothing has changed.

use crate::barrier::{Epoch, Member, Wait};
use crate::quota::{Holder, Measure};
use crate::{Guard, MemberId, Sealed, Time, VersionId};
use std::fmt;

/// The reason for saying no. Each door turns every one of them into its own protocol's status, code and text in one
/// exhaustive match; a new one does not compile until each door has said what it means there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No live domain of this name or UUID.
    NoSuchDomain,
    /// No live bucket of this name or UUID.
    NoSuchBucket,
    /// No object of this name, or it is removed, expired or hidden behind a delete marker.
    NoSuchObject {
        /// The delete marker that is current, if one is.
        marker: Option<VersionId>,
    },
    /// No version with this id in that object.
    NoSuchVersion,
    /// There is no such multipart upload, or it has ended.
    NoSuchUpload,
    /// The upload has no finished part of this number, or another one took its place.
    NoSuchPart {
        /// The part's number.
        number: u32,
    },
    /// Nothing with this id is known, or its tombstone has been forgotten.
    Unknown,
    /// No account of this name or id.
    NoSuchAccount,

    /// It is not published yet.
    NotPublished,
    /// It is live already.
    AlreadyLive,
    /// It is removed already.
    AlreadyRemoved,
    /// It must be removed first.
    NotRemoved,
    /// It must be purging first.
    NotPurging,
    /// The point of no return is behind it.
    PurgeStarted,
    /// Nothing is left but the tombstone.
    Purged,
    /// A container around it is no longer live.
    ContainerGone,
    /// The container around it is not purging.
    ContainerNotPurging,
    /// Somebody else holds an unlapsed claim on it.
    Claimed,
    /// Its time has not come; `None` if no time was promised.
    NotDue {
        /// When it will be due.
        due_at: Option<Time>,
    },

    /// A guard forbids it.
    Guarded {
        /// When the dated guard ends; `None` if only a hold binds.
        until: Option<Time>,
        /// Whether a legal hold binds.
        hold: bool,
    },
    /// The change would shorten or drop a guard that is still to bind.
    GuardShortened,
    /// A container cannot be removed or purged over guarded content inside.
    HoldsGuarded {
        /// How many versions are guarded; counting stops at [`GUARDED_COUNT_MAX`].
        count: u64,
        /// The end of the latest dated guard.
        until: Option<Time>,
    },
    /// The bucket is sealed against it.
    Sealed(Sealed),
    /// What was forbidden in a bucket once stays forbidden.
    SealBroken,
    /// The object's stored `Allow` list does not contain the method.
    NotAllowed {
        /// The methods it does allow.
        allow: String,
    },

    /// The object carries an authorisation spec of its own, which the door has to evaluate before it asks again.
    Reserved(Box<Reserved>),

    /// The name is taken by something live.
    NameInUse,
    /// The name is reserved by a removal until that is purged or restored.
    NameReserved,
    /// The container is not empty.
    NotEmpty,
    /// An account goes only after its keys and its buckets.
    AccountInUse {
        /// How many of its keys are not revoked.
        keys: u64,
        /// How many buckets belong to it, those that can still be restored included.
        buckets: u64,
    },
    /// There would be more than may be.
    QuotaExceeded(Box<Exceeded>),
    /// The thing belongs under another parent.
    WrongParent,
    /// The id names another kind of container.
    WrongKind,
    /// An unnamed object never changes.
    Immutable,
    /// An If-Match, If-None-Match or date condition failed.
    ConditionFailed {
        /// The version that is current.
        current: Option<VersionId>,
    },
    /// Changes arrived in an order that this version cannot take; the caller may read again and retry.
    Conflict,
    /// The default domain and hidden buckets are not removed.
    Protected,
    /// Not every member has let go of the container yet: nothing has changed, and trying again is all that is needed.
    BarrierOpen(Box<BarrierOpen>),
    /// What was to be purged is not what was shown any more.
    PlanChanged,
    /// What a follower asks for is kept no longer, or never was: it must begin anew.
    HistoryTruncated {
        /// The first number that can still be asked for.
        oldest: i64,
    },
    /// A follower's cursor only grows, and never past what there is.
    CursorOutOfRange {
        /// The least that it may be.
        least: i64,
        /// The most that it may be.
        most: i64,
    },
}

/// What a purge of a container waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarrierOpen {
    /// The epoch of its removal, which every member must have drained.
    pub epoch: Epoch,
    /// How often it was looked at.
    pub attempts: u32,
    /// The clock by which leases run.
    pub now: Time,
    /// Who is waited for, and why.
    pub waiting: Vec<(Member, Wait)>,
}

impl BarrierOpen {
    /// Those who are silent past their lease.
    pub fn lapsed(&self) -> impl Iterator<Item = MemberId> + '_ {
        let lapsed = self.waiting.iter().filter(|(_, wait)| *wait == Wait::Lapsed);
        lapsed.map(|(member, _)| member.id)
    }
}

/// What a quota leaves no room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Whose quota it is.
    pub of: Holder,
    /// What there may be no more of.
    pub measure: Measure,
    /// How much there may be.
    pub limit: u64,
    /// How much there is.
    pub used: u64,
    /// How much more there would be.
    pub wanted: u64,
}

/// An object that reserves some operations to some callers by a spec among its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The version that carries the spec.
    pub version: VersionId,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
}

/// Guarded versions inside a container are counted up to this many, then reported as "1000+".
pub const GUARDED_COUNT_MAX: u64 = 1_000;

impl Refusal {
    /// The refusal that `guard` is the reason for.
    pub fn guarded(guard: Guard) -> Self {
        Refusal::Guarded { until: guard.until, hold: guard.hold }
    }

    /// A short stable word for logs, metrics, the admin door and the grid.
    pub const fn token(&self) -> &'static str {
        match self {
            Refusal::NoSuchDomain => "NoSuchDomain",
            Refusal::NoSuchBucket => "NoSuchBucket",
            Refusal::NoSuchObject { .. } => "NoSuchObject",
            Refusal::NoSuchVersion => "NoSuchVersion",
            Refusal::NoSuchUpload => "NoSuchUpload",
            Refusal::NoSuchPart { .. } => "NoSuchPart",
            Refusal::Unknown => "Unknown",
            Refusal::NoSuchAccount => "NoSuchAccount",
            Refusal::NotPublished => "NotPublished",
            Refusal::AlreadyLive => "AlreadyLive",
            Refusal::AlreadyRemoved => "AlreadyRemoved",
            Refusal::NotRemoved => "NotRemoved",
            Refusal::NotPurging => "NotPurging",
            Refusal::PurgeStarted => "PurgeStarted",
            Refusal::Purged => "Purged",
            Refusal::ContainerGone => "ContainerGone",
            Refusal::ContainerNotPurging => "ContainerNotPurging",
            Refusal::Claimed => "Claimed",
            Refusal::NotDue { .. } => "NotDue",
            Refusal::Guarded { .. } => "Guarded",
            Refusal::GuardShortened => "GuardShortened",
            Refusal::HoldsGuarded { .. } => "HoldsGuarded",
            Refusal::Sealed(_) => "Sealed",
            Refusal::SealBroken => "SealBroken",
            Refusal::NotAllowed { .. } => "NotAllowed",
            Refusal::Reserved(_) => "Reserved",
            Refusal::NameInUse => "NameInUse",
            Refusal::NameReserved => "NameReserved",
            Refusal::NotEmpty => "NotEmpty",
            Refusal::AccountInUse { .. } => "AccountInUse",
            Refusal::QuotaExceeded(_) => "QuotaExceeded",
            Refusal::WrongParent => "WrongParent",
            Refusal::WrongKind => "WrongKind",
            Refusal::Immutable => "Immutable",
            Refusal::ConditionFailed { .. } => "ConditionFailed",
            Refusal::Conflict => "Conflict",
            Refusal::Protected => "Protected",
            Refusal::BarrierOpen(_) => "BarrierOpen",
            Refusal::PlanChanged => "PlanChanged",
            Refusal::HistoryTruncated { .. } => "HistoryTruncated",
            Refusal::CursorOutOfRange { .. } => "CursorOutOfRange",
        }
    }
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exceeded { of, measure, limit, used, wanted } = self;
        write!(f, "the quota of this {of} is {limit} {measure}: it holds {used}, and this would add {wanted}")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoSuchDomain => f.write_str("there is no such domain"),
            Refusal::NoSuchBucket => f.write_str("there is no such bucket"),
            Refusal::NoSuchObject { marker: None } => f.write_str("there is no such object"),
            Refusal::NoSuchObject { marker: Some(id) } => {
                write!(f, "there is no such object; delete marker {id} is current")
            }
            Refusal::NoSuchVersion => f.write_str("the object has no such version"),
            Refusal::NoSuchUpload => f.write_str("there is no such upload, or it has ended"),
            Refusal::NoSuchPart { number } => {
                write!(f, "the upload has no finished part {number}, or another one took its place")
            }
            Refusal::Unknown => {
                f.write_str("nothing with this id is known; its tombstone may have been forgotten")
            }
            Refusal::NoSuchAccount => f.write_str("there is no such account"),
            Refusal::NotPublished => f.write_str("it is still being uploaded"),
            Refusal::AlreadyLive => f.write_str("it is live already; nothing needs to be restored"),
            Refusal::AlreadyRemoved => f.write_str("it is removed already"),
            Refusal::NotRemoved => f.write_str("it is live; remove it first"),
            Refusal::NotPurging => f.write_str("it is not being purged"),
            Refusal::PurgeStarted => f.write_str("its purge has started and cannot be undone"),
            Refusal::Purged => f.write_str("it has been purged; only its tombstone is left"),
            Refusal::ContainerGone => {
                f.write_str("the bucket or domain around it is not live; restore that first")
            }
            Refusal::ContainerNotPurging => f.write_str("the container around it is not being purged"),
            Refusal::Claimed => f.write_str("another process is purging it"),
            Refusal::NotDue { due_at: Some(at) } => write!(f, "it may not be purged before {at}"),
            Refusal::NotDue { due_at: None } => f.write_str("no time to purge it has been set"),
            Refusal::Guarded { hold: true, .. } => f.write_str("a legal hold protects it"),
            Refusal::Guarded { until: Some(Time::NEVER), .. } => f.write_str("it is protected without end"),
            Refusal::Guarded { until: Some(at), .. } => write!(f, "it is protected until {at}"),
            Refusal::Guarded { until: None, .. } => f.write_str("it is protected"),
            Refusal::GuardShortened => f.write_str("the change would shorten or drop the protection it has"),
            Refusal::HoldsGuarded { count, until } => {
                let more = if *count >= GUARDED_COUNT_MAX { "+" } else { "" };
                write!(f, "{}{more} versions inside are protected", count.min(&GUARDED_COUNT_MAX))?;
                match until {
                    Some(Time::NEVER) => f.write_str(", at least one without end"),
                    Some(at) => write!(f, ", the last of them until {at}"),
                    None => f.write_str(" by a legal hold"),
                }
            }
            Refusal::Sealed(Sealed::Changes) => {
                f.write_str("the bucket is sealed: nothing in it changes any more")
            }
            Refusal::Sealed(Sealed::Deletes) => f.write_str("the bucket lets no version be deleted"),
            Refusal::Sealed(Sealed::RollUps) => {
                f.write_str("the bucket permits no roll-ups; one that lets nothing be purged cannot")
            }
            Refusal::Sealed(Sealed::Purges) => {
                f.write_str("the bucket lets nothing be purged, and nothing go before its promised time")
            }
            Refusal::SealBroken => f.write_str("what was forbidden in a bucket once stays forbidden"),
            Refusal::NotAllowed { allow } => write!(f, "the object allows only {allow}"),
            Refusal::Reserved(_) => f.write_str("the object's own authorisation spec has to be evaluated"),
            Refusal::NameInUse => {
                f.write_str("the name is in use; restore under another name, or free this one")
            }
            Refusal::NameReserved => {
                f.write_str("the name is reserved by a removed container until that is restored or purged")
            }
            Refusal::NotEmpty => f.write_str("it is not empty"),
            Refusal::AccountInUse { keys, buckets } => {
                write!(f, "{keys} keys of the account are not revoked, and {buckets} buckets belong to it")
            }
            Refusal::QuotaExceeded(exceeded) => exceeded.fmt(f),
            Refusal::WrongParent => f.write_str("it belongs to another domain"),
            Refusal::WrongKind => f.write_str("the id belongs to another kind of container"),
            Refusal::Immutable => f.write_str("an unnamed object never changes"),
            Refusal::ConditionFailed { .. } => f.write_str("a condition of the request does not hold"),
            Refusal::Conflict => f.write_str("it changed meanwhile; read it again and retry"),
            Refusal::Protected => f.write_str("it is part of the installation and is not removed"),
            Refusal::BarrierOpen(open) => {
                write!(f, "not every member has let go of it (epoch {}); waiting for", open.epoch)?;
                for (at, (member, wait)) in open.waiting.iter().enumerate() {
                    let comma = if at == 0 { " " } else { ", " };
                    write!(f, "{comma}{} ({}): {wait}", member.node, member.role)?;
                }
                Ok(())
            }
            Refusal::PlanChanged => {
                f.write_str("what would be purged is not what was shown; look again, then decide")
            }
            Refusal::HistoryTruncated { oldest } => {
                write!(f, "the history asked for is not kept: it begins at {oldest}; begin anew")
            }
            Refusal::CursorOutOfRange { least, most } => {
                write!(f, "a follower's cursor only grows: here it may be {least} to {most}")
            }
        }
    }
}
