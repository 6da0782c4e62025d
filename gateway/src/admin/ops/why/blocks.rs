//! What stands between something and the return of its space: pure functions, one for each kind of obstacle. Several may
//! stand there at once; another kind is another function in [`RULES`].

use crate::admin::openapi::written;
use lifecycle::{Guard, State, Time};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What an obstacle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "BlockKind")]
pub(super) enum Kind {
    /// It can be restored until then, as was promised when it was removed.
    Grace,
    /// A dated guard on it, or on something inside.
    Guard,
    /// A hold, or a guard without an end.
    Hold,
    /// A container around it is removed: it goes with that, or comes back with it.
    Container,
    /// Purging stands still until an operator confirms.
    Halted,
    /// It stands still because too much would go that no request explains.
    Brake,
    /// Members have not let go of it yet.
    Barrier,
    /// A member is silent, and is waited for until its lease is over.
    Member,
    /// Reads that began before it was removed may still be running.
    Drain,
    /// What is due before it is not gone yet.
    Backlog,
}

/// One obstacle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Block {
    pub(super) kind: Kind,
    #[serde(serialize_with = "shown")]
    #[schemars(with = "Option<written::Moment>")]
    pub(super) since: Option<Time>,
    /// When it ends by itself; `None`: nobody knows.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "Option<written::Moment>")]
    pub(super) until: Option<Time>,
    pub(super) detail: String,
}

fn shown<S: Serializer>(at: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
    at.map(Time::to_rfc3339).serialize(to)
}

/// A container around it that is not live.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// As it is called in a sentence.
    pub(super) name: String,
    pub(super) state: State,
    pub(super) removed_at: Option<Time>,
    pub(super) purge_after: Option<Time>,
}

/// Guarded things inside a container.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guarded {
    pub(super) count: u64,
    pub(super) held: u64,
    pub(super) until: Option<Time>,
}

/// What is due and not gone yet, and how fast it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    pub(super) objects: u64,
    /// Versions a second, as the last run that purged any went; `None`: there was none.
    pub(super) rate: Option<f64>,
}

/// A member that a purge waits for.
#[derive(Clone, Debug)]
pub(super) struct Waited {
    pub(super) node: String,
    pub(super) why: String,
    /// It has not been heard of: what is waited for is the end of its lease.
    pub(super) silent: bool,
    /// At the latest then nobody waits for it any more.
    pub(super) until: Time,
}

/// Why purging stands still.
#[derive(Clone, Debug)]
pub(super) struct Standstill {
    pub(super) since: Time,
    pub(super) reason: String,
    pub(super) by_brake: bool,
}

/// What the obstacles are seen from.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) now: Time,
    /// Its own state.
    pub(super) state: State,
    pub(super) removed_at: Option<Time>,
    /// Its own promise, and of a container the latest made inside it.
    pub(super) purge_after: Option<Time>,
    pub(super) purged_at: Option<Time>,
    pub(super) guard: Guard,
    pub(super) inside: Guarded,
    /// Containers that are not live, the innermost first.
    pub(super) around: Vec<Around>,
    pub(super) standstill: Option<Standstill>,
    /// Members that have not let go of it.
    pub(super) waited: Vec<Waited>,
    /// How long bytes stay after they became invisible.
    pub(super) drain: Duration,
    pub(super) backlog: Backlog,
    /// When task reclaim runs next by itself.
    pub(super) next_run: Option<Time>,
}

impl Facts {
    /// The worst of its own state and of those around it.
    pub(super) fn effective(&self) -> State {
        self.around.iter().fold(self.state, |state, around| state.under(around.state))
    }

    fn waits(&self) -> bool {
        matches!(self.effective(), State::Removed | State::Purging)
    }
}

type Rule = fn(&Facts) -> Option<Block>;

/// Every obstacle that does not depend on the others.
const RULES: &[Rule] = &[grace, guard, hold, container, halted, barrier, member, drain];

/// What blocks the purge, now.
pub(super) fn blocks(facts: &Facts) -> Vec<Block> {
    let mut blocks: Vec<Block> = RULES.iter().filter_map(|rule| rule(facts)).collect();
    // What is not due yet stands in no queue.
    if blocks.is_empty() {
        blocks.extend(backlog(facts));
    }
    blocks
}

fn ends(at: Time) -> Option<Time> {
    Some(at).filter(|at| *at != Time::NEVER)
}

fn grace(facts: &Facts) -> Option<Block> {
    let until = facts.purge_after.filter(|at| *at > facts.now && facts.state == State::Removed)?;
    let detail = match ends(until) {
        Some(until) => format!("it can be restored until {until}, as was promised when it was removed"),
        None => "it was removed until somebody purges it".to_owned(),
    };
    Some(Block { kind: Kind::Grace, since: facts.removed_at, until: ends(until), detail })
}

fn guard(facts: &Facts) -> Option<Block> {
    if !matches!(facts.effective(), State::Live | State::Removed) {
        return None;
    }
    let own = facts.guard.until.filter(|until| *until > facts.now && *until != Time::NEVER);
    let inside = facts.inside.until.filter(|until| *until > facts.now && *until != Time::NEVER);
    let detail = match (own, inside) {
        (Some(until), _) => format!("it is protected until {until}"),
        (None, Some(until)) => {
            format!("{} inside are protected, the last of them until {until}", facts.inside.count())
        }
        (None, None) => return None,
    };
    Some(Block {
        kind: Kind::Guard,
        since: facts.guard.from.filter(|_| own.is_some()),
        until: own.or(inside),
        detail,
    })
}

impl Guarded {
    fn count(self) -> String {
        let more = if self.count >= lifecycle::refusal::GUARDED_COUNT_MAX { "+" } else { "" };
        format!("{}{more} versions", self.count)
    }
}

fn hold(facts: &Facts) -> Option<Block> {
    if !matches!(facts.effective(), State::Live | State::Removed) {
        return None;
    }
    let detail = if facts.guard.hold {
        "a legal hold protects it until somebody takes it off".to_owned()
    } else if facts.guard.until == Some(Time::NEVER) {
        "it is protected without end".to_owned()
    } else if facts.inside.held > 0 || facts.inside.until == Some(Time::NEVER) {
        format!("{} inside are protected, at least one without end", facts.inside.count())
    } else {
        return None;
    };
    Some(Block { kind: Kind::Hold, since: None, until: None, detail })
}

/// The outermost decides: nothing acts inside a container that is not live but what acts on the container.
fn container(facts: &Facts) -> Option<Block> {
    let around = facts.around.iter().rev().find(|around| around.state == State::Removed)?;
    // Inside what is being purged nothing is waited for any more.
    if facts.effective() != State::Removed {
        return None;
    }
    let until = around.purge_after.and_then(ends).map(|until| until.max(facts.now));
    let detail = match until {
        Some(until) => format!(
            "{} is removed: it goes with that, not before {until}, or comes back with it",
            around.name
        ),
        None => format!(
            "{} is removed until somebody purges it: it goes with that, or comes back with it",
            around.name
        ),
    };
    Some(Block { kind: Kind::Container, since: around.removed_at, until, detail })
}

fn halted(facts: &Facts) -> Option<Block> {
    let Standstill { since, reason, by_brake } = facts.standstill.as_ref().filter(|_| facts.waits())?;
    let kind = if *by_brake { Kind::Brake } else { Kind::Halted };
    let detail = format!("purging stands still until somebody confirms it with barrow resume: {reason}");
    Some(Block { kind, since: Some(*since), until: None, detail })
}

fn barrier(facts: &Facts) -> Option<Block> {
    members(facts, Kind::Barrier, false, "members have not let go of it")
}

fn member(facts: &Facts) -> Option<Block> {
    members(facts, Kind::Member, true, "members are silent, and waited for until their leases are over")
}

fn members(facts: &Facts, kind: Kind, silent: bool, what: &str) -> Option<Block> {
    let waited: Vec<&Waited> = facts.waited.iter().filter(|member| member.silent == silent).collect();
    let until = waited.iter().map(|member| member.until).max()?;
    if facts.effective() != State::Removed {
        return None;
    }
    let told: Vec<String> = waited.iter().map(|member| format!("{}: {}", member.node, member.why)).collect();
    let until = Some(until.max(facts.now));
    Some(Block { kind, since: None, until, detail: format!("{what} ({})", told.join("; ")) })
}

fn drain(facts: &Facts) -> Option<Block> {
    let until = facts.removed_at?.plus(facts.drain);
    if until <= facts.now || !facts.waits() {
        return None;
    }
    let detail = format!("reads that began before may run until {until}");
    Some(Block { kind: Kind::Drain, since: facts.removed_at, until: Some(until), detail })
}

fn backlog(facts: &Facts) -> Option<Block> {
    let Backlog { objects, rate } = facts.backlog;
    if objects == 0 || !facts.waits() {
        return None;
    }
    let until = rate.map(|rate| facts.now.plus(time_for(objects, rate)));
    let detail = match rate {
        Some(rate) => format!("{objects} versions are due and not gone yet; {rate:.0} a second go"),
        None => {
            format!("{objects} versions are due and not gone yet; how fast they go has not been measured")
        }
    };
    Some(Block { kind: Kind::Backlog, since: None, until, detail })
}

fn time_for(objects: u64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(objects as f64 / rate.max(f64::MIN_POSITIVE)).unwrap_or(Duration::MAX)
}

/// When the space comes back, as far as anybody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Space {
    #[serde(serialize_with = "shown")]
    #[schemars(with = "Option<written::Moment>")]
    pub(super) expected_at: Option<Time>,
    /// What it waits for, or why nobody knows.
    pub(super) reason: String,
}

pub(super) fn space(facts: &Facts, blocks: &[Block]) -> Space {
    let unknown = |reason: String| Space { expected_at: None, reason };
    match facts.effective() {
        State::Live => return unknown("it is live".to_owned()),
        State::Staged => return unknown("it is still being uploaded, or was given up".to_owned()),
        State::Purged | State::Forgotten => {
            return Space { expected_at: facts.purged_at, reason: "its bytes are gone".to_owned() };
        }
        State::Removed | State::Purging => {}
    }
    let endless: Vec<&str> =
        blocks.iter().filter(|block| block.until.is_none()).map(|block| block.detail.as_str()).collect();
    if !endless.is_empty() {
        return unknown(endless.join("; "));
    }
    let waits: Vec<&Block> = blocks.iter().filter(|block| block.kind != Kind::Backlog).collect();
    let due = waits.iter().filter_map(|block| block.until).fold(facts.now, Time::max);
    let run = facts.next_run.map_or(due, |run| run.max(due));
    let behind = blocks.iter().find(|block| block.kind == Kind::Backlog).and(facts.backlog.rate);
    let expected = behind.map_or(run, |rate| run.plus(time_for(facts.backlog.objects, rate)));
    let reason = match (waits.is_empty(), behind.is_some()) {
        (false, _) => "once nothing blocks it, and task reclaim has run",
        (true, true) => "task reclaim has it in its queue",
        (true, false) => "task reclaim runs then",
    };
    Space { expected_at: Some(expected), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000;

    fn t(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    fn removed(removed_at: i64, purge_after: i64) -> Facts {
        Facts {
            now: t(NOW),
            state: State::Removed,
            removed_at: Some(t(removed_at)),
            purge_after: Some(t(purge_after)),
            purged_at: None,
            guard: Guard::NONE,
            inside: Guarded::default(),
            around: Vec::new(),
            standstill: None,
            waited: Vec::new(),
            drain: Duration::from_secs(30),
            backlog: Backlog::default(),
            next_run: Some(t(NOW + 60)),
        }
    }

    fn inside(facts: Facts, state: State, purge_after: Time) -> Facts {
        let purge_after = Some(purge_after);
        let around = Around { name: "bucket b".to_owned(), state, removed_at: Some(t(900)), purge_after };
        Facts { around: vec![around], ..facts }
    }

    fn waits(facts: Facts, members: &[(bool, i64)]) -> Facts {
        let waited = |(silent, until): &(bool, i64)| Waited {
            node: "gw-2".to_owned(),
            why: "why".to_owned(),
            silent: *silent,
            until: t(*until),
        };
        Facts { waited: members.iter().map(waited).collect(), ..facts }
    }

    fn standstill(facts: Facts, by_brake: bool) -> Facts {
        let standstill = Standstill { since: t(950), reason: "why".to_owned(), by_brake };
        Facts { standstill: Some(standstill), ..facts }
    }

    /// The kinds with their ends, and when the space is expected.
    fn said(facts: &Facts) -> (Vec<(Kind, Option<i64>)>, Option<i64>) {
        let secs = |at: Time| at.micros() / 1_000_000;
        let blocks = blocks(facts);
        let space = space(facts, &blocks);
        assert!(!space.reason.is_empty());
        (
            blocks.iter().map(|block| (block.kind, block.until.map(secs))).collect(),
            space.expected_at.map(secs),
        )
    }

    #[test]
    fn what_blocks_what() {
        let until = |until: i64| Guard { until: Some(t(until)), ..Guard::NONE };
        let held = Guard { hold: true, ..Guard::NONE };
        let (in_grace, due) = (removed(500, 2_000), removed(500, 900));
        let live = Facts { state: State::Live, removed_at: None, purge_after: None, ..in_grace.clone() };
        let rated = |rate| Backlog { objects: 500, rate };
        let never = Time::NEVER;
        use Kind as K;
        for (what, facts, blocks, back) in [
            ("in grace", in_grace.clone(), vec![(K::Grace, Some(2_000))], Some(2_000)),
            ("due", due.clone(), vec![], Some(1_060)),
            ("due, nobody knows when it runs", Facts { next_run: None, ..due.clone() }, vec![], Some(1_000)),
            (
                "until purged",
                Facts { purge_after: Some(never), ..in_grace.clone() },
                vec![(K::Grace, None)],
                None,
            ),
            (
                "a guard that outlasts the grace",
                Facts { guard: until(3_000), ..in_grace.clone() },
                vec![(K::Grace, Some(2_000)), (K::Guard, Some(3_000))],
                Some(3_000),
            ),
            ("a guard that is over", Facts { guard: until(900), ..due.clone() }, vec![], Some(1_060)),
            (
                "a guard without end",
                Facts { guard: Guard { until: Some(never), ..Guard::NONE }, ..due.clone() },
                vec![(K::Hold, None)],
                None,
            ),
            (
                "a hold in grace",
                Facts { guard: held, ..in_grace.clone() },
                vec![(K::Grace, Some(2_000)), (K::Hold, None)],
                None,
            ),
            (
                "guarded inside",
                Facts { inside: Guarded { count: 2, held: 0, until: Some(t(3_000)) }, ..due.clone() },
                vec![(K::Guard, Some(3_000))],
                Some(3_000),
            ),
            (
                "held inside",
                Facts { inside: Guarded { count: 2, held: 1, until: None }, ..due.clone() },
                vec![(K::Hold, None)],
                None,
            ),
            (
                "in a removed bucket",
                inside(live.clone(), State::Removed, t(2_500)),
                vec![(K::Container, Some(2_500))],
                Some(2_500),
            ),
            (
                "removed in a removed bucket",
                inside(in_grace.clone(), State::Removed, t(2_500)),
                vec![(K::Grace, Some(2_000)), (K::Container, Some(2_500))],
                Some(2_500),
            ),
            (
                "in a bucket removed for good",
                inside(live.clone(), State::Removed, never),
                vec![(K::Container, None)],
                None,
            ),
            (
                "in a bucket that is being purged",
                inside(live.clone(), State::Purging, t(900)),
                vec![],
                Some(1_060),
            ),
            (
                "members are busy with it",
                waits(due.clone(), &[(false, 1_030), (false, 1_020)]),
                vec![(K::Barrier, Some(1_030))],
                Some(1_060),
            ),
            (
                "a member is busy and another silent",
                waits(due.clone(), &[(false, 1_030), (true, 1_090)]),
                vec![(K::Barrier, Some(1_030)), (K::Member, Some(1_090))],
                Some(1_090),
            ),
            ("a member is waited for no more", waits(live.clone(), &[(true, 1_090)]), vec![], None),
            ("halted", standstill(due.clone(), false), vec![(K::Halted, None)], None),
            (
                "braked, in grace",
                standstill(in_grace.clone(), true),
                vec![(K::Grace, Some(2_000)), (K::Brake, None)],
                None,
            ),
            ("just removed, without grace", removed(990, 990), vec![(K::Drain, Some(1_020))], Some(1_060)),
            (
                "behind others",
                Facts { backlog: rated(Some(5.0)), ..due.clone() },
                vec![(K::Backlog, Some(1_100))],
                Some(1_160),
            ),
            (
                "behind others, not measured",
                Facts { backlog: rated(None), ..due.clone() },
                vec![(K::Backlog, None)],
                None,
            ),
            (
                "in grace, whatever is due before",
                Facts { backlog: rated(Some(5.0)), ..in_grace.clone() },
                vec![(K::Grace, Some(2_000))],
                Some(2_000),
            ),
            (
                "being purged, behind others",
                Facts { state: State::Purging, backlog: rated(Some(5.0)), ..due.clone() },
                vec![(K::Backlog, Some(1_100))],
                Some(1_160),
            ),
            ("live", live.clone(), vec![], None),
            ("live and held", Facts { guard: held, ..live.clone() }, vec![(K::Hold, None)], None),
            ("live while all stands still", standstill(live, false), vec![], None),
            (
                "purged",
                Facts { state: State::Purged, purged_at: Some(t(950)), ..due.clone() },
                vec![],
                Some(950),
            ),
        ] {
            assert_eq!(said(&facts), (blocks, back), "{what}");
        }
    }
}
