//! What one process remembers and is about to do. What it does not write into the database, nobody else knows.

use super::bounds::SLOW;

/// Whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Life {
    Runs,
    StandsStill,
    Dead,
}

/// How far a heartbeat has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Beat {
    Rests,
    /// It has read the log up to an epoch.
    HasRead {
        sent: u8,
        upto: u8,
    },
    /// Of letting the moment pass and looking for what is pinned in the bucket, it has done the first.
    Halfway {
        sent: u8,
        upto: u8,
    },
    /// It has told itself.
    HasPassed {
        sent: u8,
        upto: u8,
    },
    /// It knows what to tell the others.
    Tells {
        sent: u8,
        telling: Telling,
    },
    /// Its row was not active any more: nothing is answered from here on.
    Refused,
    /// Of letting the moment pass and cutting, it has done the first.
    RefusedHalfway,
    /// It is about to register anew.
    Returns,
}

/// What a heartbeat writes into the own row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Telling {
    pub(crate) run: u8,
    pub(crate) until: u8,
    pub(crate) observed: u8,
    pub(crate) holds: bool,
    pub(crate) reads: bool,
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reading {
    No,
    /// Looked up, and found.
    Found,
    /// Pinned.
    Pinned,
    /// The moment has not passed, or it was looked up again and found.
    Confirmed,
    /// Bytes flow. A chunk changes nothing, so what the properties look at is whether the next one would be sent.
    Flows,
}

/// A download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Read {
    pub(crate) at: Reading,
    /// The moment of its lookup has passed.
    pub(crate) late: bool,
    /// It has to end before its next chunk.
    pub(crate) cut: bool,
}

impl Read {
    pub(crate) const NONE: Read = Read { at: Reading::No, late: false, cut: false };

    pub(crate) fn is_pinned(self) -> bool {
        matches!(self.at, Reading::Pinned | Reading::Confirmed | Reading::Flows)
    }
}

/// How far an upload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Write {
    No,
    Pinned,
    Staged,
    /// The transaction that publishes it was begun by this run.
    Commits {
        run: u8,
    },
}

/// How far the destruction of bytes has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reclaim {
    No,
    Claimed,
    /// Everybody is to tell what it reads, after having seen this epoch.
    Asked {
        epoch: u8,
    },
    /// Nobody reads it.
    Unread,
}

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) life: Life,
    /// By its own clock; zero: it answers nothing.
    pub(crate) deadline: u8,
    pub(crate) observed: u8,
    /// It knows that the bucket is removed while something is pinned in it.
    pub(crate) leaving: bool,
    pub(crate) beat: Beat,
    pub(crate) read: Read,
    pub(crate) write: Write,
    pub(crate) reclaim: Reclaim,
}

impl Process {
    pub(crate) fn new(observed: u8, deadline: u8) -> Self {
        Process {
            life: Life::Runs,
            deadline,
            observed,
            leaving: false,
            beat: Beat::Rests,
            read: Read::NONE,
            write: Write::No,
            reclaim: Reclaim::No,
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.life == Life::Runs
    }

    /// Whether it may believe, by its own clock, that it may answer.
    pub(crate) fn may_answer(&self, now: u8) -> bool {
        self.deadline > 0 && now < self.deadline + SLOW
    }

    /// Whether it would send the next chunk of its download.
    pub(crate) fn sends(&self, now: u8) -> bool {
        self.runs() && self.read.at == Reading::Flows && !self.read.cut && self.may_answer(now)
    }

    /// Whether anything is pinned.
    pub(crate) fn is_busy(&self) -> bool {
        self.read.is_pinned() || self.write != Write::No
    }

    /// Lookups that began before this look again when they have pinned.
    pub(crate) fn pass_moment(&mut self) {
        if matches!(self.read.at, Reading::Found | Reading::Pinned) {
            self.read.late = true;
        }
    }

    pub(crate) fn cut(&mut self) {
        self.read.cut |= self.read.is_pinned();
    }
}
