//! The barrier: the proof that every member has seen a removal, and holds nothing of what was removed any more.
//!
//! Rows need no barrier: whoever publishes locks the containers' rows and finds them live, or is refused. It covers what
//! lies outside the database: running downloads, half-done uploads. Its promise to whoever purges: when the purge has
//! answered, no member sends anything from that container any more, and none receives anything into it.
//!
//! Leases decide how long we wait, fencing decides what is true. A member that is silent past its lease is *fenced*: its
//! commits are refused from then on, by its own row and inside its own transactions, whenever it may wake. So no clock is
//! trusted with data; what a lease bounds is only how long bytes may flow out of a member that is declared dead.
//!
//! What it has found stays true: what a member has drained never decreases, nothing new begins in a container that is not
//! live, and whoever registers later has seen nothing older. So it may be asked in one moment and acted upon in the next. (Asked
//! again it may say no: a member that was fenced meanwhile is waited for until its lease is over, although it had let go.) A restore and another removal make another epoch, and another
//! question.

use crate::{ContainerId, MemberId, Time};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The number that changes to containers move; one for the whole installation, and each used once.
pub type Epoch = i64;

/// What a member is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It may commit.
    Active,
    /// It was declared dead, or replaced: none of its commits is accepted any more.
    Fenced,
    /// It said goodbye, after the last of its work had ended.
    Left,
}

impl Standing {
    /// Every one.
    pub const ALL: [Standing; 3] = [Standing::Active, Standing::Fenced, Standing::Left];

    /// The word in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::Fenced => "fenced",
            Standing::Left => "left",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        Standing::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// Where something is: the containers around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Within {
    /// The domain.
    pub domain: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// What the bucket held.
    pub contents: ContainerId,
}

impl Within {
    /// Whether it lies in `container`, by parent links and never by a name.
    pub fn is_in(self, container: ContainerId) -> bool {
        self.domain == container || self.bucket == container || self.contents == container
    }
}

/// Work that a member still does in a container that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdout {
    /// Where.
    pub within: Within,
    /// What: the method of a request.
    pub what: String,
    /// How many of the kind.
    pub count: u64,
    /// How long the oldest of them had run when it was told.
    pub for_ms: u64,
}

/// A member, as its row tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// This run of it.
    pub id: MemberId,
    /// The fencing token: larger than that of every run before it.
    pub incarnation: i64,
    /// The machine's name.
    pub node: String,
    /// What it does.
    pub role: String,
    /// Where its admin door is, if it has one.
    pub address: Option<String>,
    /// What it is to the others.
    pub standing: Standing,
    /// The epoch when it registered: it has seen nothing older.
    pub registered_epoch: Epoch,
    /// The last epoch that it has read.
    pub observed_epoch: Epoch,
    /// Up to here it has let go of what was removed, but for its holdouts.
    pub drained_epoch: Epoch,
    /// When it registered, by the database's clock.
    pub registered_at: Time,
    /// Its last heartbeat, by the database's clock.
    pub beat_at: Time,
    /// Until when it may serve, by the database's clock.
    pub lease_until: Time,
    /// What it still does in containers that were removed.
    pub holdouts: Vec<Holdout>,
    /// When it was fenced or left.
    pub ended_at: Option<Time>,
    /// Who fenced it, and why; or that it left.
    pub ended_by: Option<String>,
}

/// What a member keeps a purge waiting with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// It has not told yet that it let go.
    NotDrained,
    /// It still works in the container.
    Holds(Vec<Holdout>),
    /// It is fenced, but bytes may flow out of it until its lease and a margin are over.
    LeaseRuns,
    /// It is active by its row, and silent past its lease: it has to be fenced first.
    Lapsed,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wait::NotDrained => f.write_str("it has not seen the removal yet"),
            Wait::Holds(held) => {
                f.write_str("it is still busy with")?;
                for Holdout { what, count, for_ms, .. } in held {
                    write!(f, " {count} {what} for {} s", for_ms / 1_000)?;
                }
                Ok(())
            }
            Wait::LeaseRuns => f.write_str("it was fenced, and its lease is not over yet"),
            Wait::Lapsed => f.write_str("it is silent past its lease and is being fenced"),
        }
    }
}

/// What a purge of `container`, removed at `epoch`, has to wait for in `member`; `None`: nothing.
pub fn waits_for(
    member: &Member,
    container: ContainerId,
    epoch: Epoch,
    now: Time,
    margin: Duration,
) -> Option<Wait> {
    if member.registered_epoch >= epoch {
        return None;
    }
    let lease_over = member.lease_until.plus(margin) <= now;
    match member.standing {
        Standing::Left => None,
        Standing::Fenced => (!lease_over).then_some(Wait::LeaseRuns),
        Standing::Active => {
            let held: Vec<Holdout> =
                member.holdouts.iter().filter(|held| held.within.is_in(container)).cloned().collect();
            match (member.drained_epoch >= epoch, held.is_empty()) {
                (true, true) => None,
                _ if lease_over => Some(Wait::Lapsed),
                (false, _) => Some(Wait::NotDrained),
                (true, false) => Some(Wait::Holds(held)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: u64 = 15;
    const MARGIN: Duration = Duration::from_secs(2);

    fn id(number: u8) -> ContainerId {
        ContainerId::from_bytes([number; 16])
    }

    fn member(standing: Standing, registered: Epoch, drained: Epoch, holds: &[u8]) -> Member {
        let holdout = |bucket: &u8| Holdout {
            within: Within { domain: id(1), bucket: id(*bucket), contents: id(bucket + 100) },
            what: "GET".to_owned(),
            count: 1,
            for_ms: 41_000,
        };
        Member {
            id: MemberId::from_bytes([7; 16]),
            incarnation: 17,
            node: "gw-2".to_owned(),
            role: "gateway".to_owned(),
            address: None,
            standing,
            registered_epoch: registered,
            observed_epoch: drained,
            drained_epoch: drained,
            registered_at: Time::from_secs(0),
            beat_at: Time::from_secs(0),
            lease_until: Time::from_secs(LEASE as i64),
            holdouts: holds.iter().map(holdout).collect(),
            ended_at: None,
            ended_by: None,
        }
    }

    /// The predicate's table: standing, registered, drained, what it holds, seconds since its last heartbeat, and what a
    /// purge of bucket 2 of domain 1, removed at epoch 10, waits for.
    #[test]
    fn what_a_purge_waits_for() {
        use Standing::{Active, Fenced, Left};
        let holds = Some("holds");
        let (not_drained, runs, lapsed) = (Some("not drained"), Some("lease runs"), Some("lapsed"));
        type Case = (Standing, Epoch, Epoch, &'static [u8], i64, Option<&'static str>);
        let table: &[Case] = &[
            (Active, 3, 10, &[], 0, None),
            (Active, 3, 11, &[], 0, None),
            (Active, 3, 9, &[], 0, not_drained),
            (Active, 3, 9, &[2], 0, not_drained),
            (Active, 3, 10, &[2], 0, holds),
            // One long download does not block every purge there is.
            (Active, 3, 10, &[3], 0, None),
            // Whoever came after the removal cannot hold anything older.
            (Active, 10, 10, &[], 0, None),
            (Active, 11, 11, &[2], 0, None),
            (Active, 3, 9, &[], 16, not_drained),
            (Active, 3, 9, &[], 17, lapsed),
            (Active, 3, 10, &[2], 17, lapsed),
            // Silence does no harm where everything was said.
            (Active, 3, 10, &[], 99, None),
            (Fenced, 3, 9, &[], 16, runs),
            (Fenced, 3, 9, &[2], 17, None),
            // Fenced by hand while bytes were flowing: what it told before is not enough.
            (Fenced, 3, 10, &[2], 5, runs),
            (Left, 3, 9, &[], 0, None),
        ];
        for (standing, registered, drained, held, at, expected) in table {
            let member = member(*standing, *registered, *drained, held);
            let waits = waits_for(&member, id(2), 10, Time::from_secs(*at), MARGIN);
            let word = waits.as_ref().map(|wait| match wait {
                Wait::NotDrained => "not drained",
                Wait::Holds(_) => "holds",
                Wait::LeaseRuns => "lease runs",
                Wait::Lapsed => "lapsed",
            });
            assert_eq!(
                word, *expected,
                "{standing:?} registered {registered} drained {drained} {held:?} at {at}"
            );
        }
    }

    #[test]
    fn a_domain_waits_for_whatever_is_below_it() {
        let now = Time::from_secs(0);
        let busy = member(Standing::Active, 3, 10, &[2, 3]);
        let Some(Wait::Holds(held)) = waits_for(&busy, id(1), 10, now, MARGIN) else {
            panic!("both are in the domain")
        };
        assert_eq!(held.len(), 2);
        let Some(Wait::Holds(held)) = waits_for(&busy, id(102), 10, now, MARGIN) else {
            panic!("contents that were taken out are waited for, too")
        };
        assert_eq!(held.len(), 1);
        assert_eq!(waits_for(&busy, id(9), 10, now, MARGIN), None);
    }
}
