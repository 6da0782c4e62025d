//! The one lifecycle. Versions, buckets, contents and domains all live it; everything that deletes anything, through
//! whatever door, is one of these moves.
//!
//! ```text
//!             publish              remove               purge                reclaim            forget
//!  staged ───────────────► live ───────────► removed ───────────► purging ───────────► purged ─────────► forgotten
//!     │                      ▲                  │      no way back ▲  ▲ │
//!     └── abandon ───────────┼──────────────────┼──────────────────┘  │ └─ release (and a lapsed claim): stays purging
//!                            └───── restore ────┘                     │
//!                   cascade: staged | live | removed ─────────────────┘   only under a container that is purging
//!
//!  live ──── hand over ────► purged        its bytes go to the version that takes its place: a change of headers only
//! ```
//!
//! *Purging* is the point of no return. A released or lapsed claim leads back to *claimable*, never to *restorable*: a
//! worker that stalled may still wake and destroy the bytes, and no lease can stop it. Blob names are never used twice,
//! so destroying late or twice is harmless once restoring is closed.
//!
//! [`step`] is the whole law. The statements in `metadata` say the same in SQL, and a test there puts a row into every
//! state, tries every move and compares.

use crate::guard::may_purge;
use crate::{Guard, Refusal, Time};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is true of a version or container. A container is never staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Bytes are being written and a row already names the blob. Nobody sees it.
    Staged,
    /// Readable, if everything above it is live too. Everybody permitted sees it.
    Live,
    /// Invisible and untouched: restorable until `purge_after`. Operators see it.
    Removed,
    /// Irreversible: bytes are being destroyed, under a claim or after a claim that lapsed. Operators see it.
    Purging,
    /// Nothing is left but the tombstone, kept as long as deletions are remembered. Operators find it by id.
    Purged,
    /// No row. Listed so that [`step`] has no gaps; no database row ever holds it.
    Forgotten,
}

impl State {
    /// Every state, in the order of the drawing.
    pub const ALL: [State; 6] =
        [State::Staged, State::Live, State::Removed, State::Purging, State::Purged, State::Forgotten];

    /// The word in SQL, JSON, metrics and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Staged => "staged",
            State::Live => "live",
            State::Removed => "removed",
            State::Purging => "purging",
            State::Purged => "purged",
            State::Forgotten => "forgotten",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        State::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The effective state of something whose own state is `self` inside a container whose state is `above`
    /// (rule R11): the worst of the two. What is staged stays staged in a live one.
    #[must_use]
    pub fn under(self, above: State) -> State {
        match (self, above) {
            (State::Staged, State::Live) => State::Staged,
            (own, above) => own.max(above),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can happen to a version or container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The gateway makes a finished upload readable.
    Publish,
    /// An upload failed, was given up or took too long.
    Abandon,
    /// A client, a timer or an overwrite hides it; it can be restored.
    Remove,
    /// An operator (or `recreatecid`) undoes a remove.
    Restore,
    /// The health processor claims it for destruction, or claims it again after a lapsed claim.
    Purge,
    /// The bytes are gone; only the tombstone stays.
    Reclaim,
    /// A claim is given up before its bytes were all destroyed.
    Release,
    /// The container around it is purging.
    Cascade,
    /// The tombstone is dropped.
    Forget,
    /// Its bytes pass to the version that takes its place, which differs in its headers alone.
    HandOver,
}

impl Move {
    /// Every move.
    pub const ALL: [Move; 10] = [
        Move::Publish,
        Move::Abandon,
        Move::Remove,
        Move::Restore,
        Move::Purge,
        Move::Reclaim,
        Move::Release,
        Move::Cascade,
        Move::Forget,
        Move::HandOver,
    ];

    /// The word in messages and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Move::Publish => "publish",
            Move::Abandon => "abandon",
            Move::Remove => "remove",
            Move::Restore => "restore",
            Move::Purge => "purge",
            Move::Reclaim => "reclaim",
            Move::Release => "release",
            Move::Cascade => "cascade",
            Move::Forget => "forget",
            Move::HandOver => "hand over",
        }
    }
}

/// The worst state among the containers around a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Above {
    /// All of them are live.
    #[default]
    Live,
    /// One of them is removed: timers never act inside it, and nothing inside moves on its own.
    Removed,
    /// One of them is purging or purged.
    Purging,
}

/// Everything that [`step`] looks at beside the state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// The time, by the slower of the process clock and the database clock.
    pub now: Time,
    /// The promise made at removal: not purged before this. `None` while nothing has been promised.
    pub purge_after: Option<Time>,
    /// What refuses its destruction.
    pub guard: Guard,
    /// The containers around it.
    pub above: Above,
    /// When its tombstone may be dropped. `None` until it is purged.
    pub forget_after: Option<Time>,
    /// Whether a claim on it is held by somebody else and has not lapsed.
    pub claimed: bool,
}

/// What becomes of something in `state` when `mv` happens to it, or why it does not happen.
///
/// # Errors
/// A [`Refusal`], which is a value and no failure: nothing changes.
pub fn step(state: State, mv: Move, facts: &Facts) -> Result<State, Refusal> {
    match (state, mv) {
        (State::Staged, Move::Publish) => match facts.above {
            Above::Live => Ok(State::Live),
            // The bucket went away while the body was arriving: the upload is refused and leaves nothing.
            Above::Removed | Above::Purging => Err(Refusal::ContainerGone),
        },
        (State::Staged, Move::Abandon) => Ok(State::Purging),

        (State::Live, Move::Remove) => match facts.above {
            Above::Live if facts.guard.is_active(facts.now) => Err(Refusal::guarded(facts.guard)),
            Above::Live => Ok(State::Removed),
            Above::Removed | Above::Purging => Err(Refusal::ContainerGone),
        },

        // No byte is destroyed, but what guarded this version must guard its successor too. Whoever has seen to that says
        // so by facts without a guard.
        (State::Live, Move::HandOver) => match facts.above {
            Above::Live if facts.guard.is_active(facts.now) => Err(Refusal::guarded(facts.guard)),
            Above::Live => Ok(State::Purged),
            Above::Removed | Above::Purging => Err(Refusal::ContainerGone),
        },

        (State::Removed, Move::Restore) => match facts.above {
            Above::Live => Ok(State::Live),
            Above::Removed => Err(Refusal::ContainerGone),
            Above::Purging => Err(Refusal::PurgeStarted),
        },
        // Timers never act inside a container that is not live: its own promise covers everything in it.
        (State::Removed, Move::Purge) => match facts.above {
            Above::Live => may_purge(facts.purge_after, facts.guard, facts.now).map(|()| State::Purging),
            Above::Removed => Err(Refusal::ContainerGone),
            Above::Purging => Err(Refusal::PurgeStarted),
        },

        (State::Purging, Move::Purge) if facts.claimed => Err(Refusal::Claimed),
        (State::Purging, Move::Purge | Move::Release) => Ok(State::Purging),
        (State::Purging, Move::Reclaim) => Ok(State::Purged),

        (State::Purged, Move::Forget) => match facts.forget_after {
            Some(at) if at <= facts.now => Ok(State::Forgotten),
            Some(_) | None => Err(Refusal::NotDue { due_at: facts.forget_after }),
        },

        (State::Staged | State::Live | State::Removed, Move::Cascade) => match facts.above {
            // A guarded version cannot be inside a container that is purging; if one is, it is kept and reported.
            Above::Purging if state != State::Staged && facts.guard.is_active(facts.now) => {
                Err(Refusal::guarded(facts.guard))
            }
            Above::Purging => Ok(State::Purging),
            Above::Live | Above::Removed => Err(Refusal::ContainerNotPurging),
        },

        (
            State::Staged,
            Move::Remove
            | Move::Restore
            | Move::Purge
            | Move::Reclaim
            | Move::Release
            | Move::Forget
            | Move::HandOver,
        ) => Err(Refusal::NotPublished),
        (State::Live, Move::Publish | Move::Abandon) => Err(Refusal::AlreadyLive),
        (State::Live, Move::Restore) => Err(Refusal::AlreadyLive),
        (State::Live, Move::Purge | Move::Reclaim | Move::Release | Move::Forget) => Err(Refusal::NotRemoved),
        (State::Removed, Move::Publish | Move::Abandon | Move::Remove | Move::HandOver) => {
            Err(Refusal::AlreadyRemoved)
        }
        (State::Removed, Move::Reclaim | Move::Release | Move::Forget) => Err(Refusal::NotPurging),
        (
            State::Purging,
            Move::Publish
            | Move::Abandon
            | Move::Remove
            | Move::Restore
            | Move::Cascade
            | Move::Forget
            | Move::HandOver,
        ) => Err(Refusal::PurgeStarted),
        (
            State::Purged,
            Move::Publish
            | Move::Abandon
            | Move::Remove
            | Move::Restore
            | Move::Purge
            | Move::Reclaim
            | Move::Release
            | Move::Cascade
            | Move::HandOver,
        ) => Err(Refusal::Purged),
        (
            State::Forgotten,
            Move::Publish
            | Move::Abandon
            | Move::Remove
            | Move::Restore
            | Move::Purge
            | Move::Reclaim
            | Move::Release
            | Move::Cascade
            | Move::Forget
            | Move::HandOver,
        ) => Err(Refusal::Unknown),
    }
}

#[cfg(test)]
mod tests;
