//! Rules R1 to R12 as functions over plain values: the same ones check a test's world at its end, and a whole
//! installation by `barrow check`.

use crate::{ContainerId, State, Time, VersionId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A broken rule: ours to mend, never the client's. Counted and loud; stops the item it concerns, not the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule, `R1` to `R12`.
    pub rule: &'static str,
    /// What was found, with the identities concerned.
    pub finding: String,
}

impl Violation {
    /// A breach of `rule`.
    pub fn new(rule: &'static str, finding: impl Into<String>) -> Self {
        Violation { rule, finding: finding.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.finding)
    }
}

impl std::error::Error for Violation {}

/// One version as its row and its blobs' rows tell.
#[derive(Clone, Debug)]
pub struct VersionFacts {
    /// Its id.
    pub id: VersionId,
    /// What it hangs on.
    pub contents: ContainerId,
    /// Its own state.
    pub state: State,
    /// The worst state of the containers around it.
    pub above: State,
    /// Whether it is its object's current version.
    pub is_current: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Its size in bytes.
    pub size: u64,
    /// Its position; `None` while staged.
    pub seq: Option<i64>,
    /// When it was removed.
    pub removed_at: Option<Time>,
    /// The promise made at removal.
    pub purge_after: Option<Time>,
    /// When its purge was finished.
    pub purged_at: Option<Time>,
    /// When its tombstone may go.
    pub forget_after: Option<Time>,
    /// Whether a claim stands in the row.
    pub claimed: bool,
    /// Whether it was purged as part of its container, whose promise then counts.
    pub cascaded: bool,
    /// How many blobs it owns.
    pub blobs: u64,
    /// The sum of their sizes.
    pub blob_bytes: u64,
    /// How many of its blobs have no bytes behind them, as far as was looked.
    pub blobs_missing: u64,
}

/// Checks one version by itself: R1, R2, R5, R6, R7, R9.
pub fn check_version(v: &VersionFacts) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut broken = |rule, what: &str| {
        found.push(Violation::new(rule, format!("version {} ({}) {what}", v.id, v.state)));
    };
    let readable = matches!(v.state, State::Live | State::Removed);
    if readable && v.blobs_missing > 0 {
        broken("R1", "names bytes that are not there");
    }
    if readable && !v.marker && v.blob_bytes != v.size {
        broken("R1", "owns blobs whose sizes do not add up to its own");
    }
    if v.state == State::Purged
        && !v.cascaded
        && let (Some(promised), Some(purged)) = (v.purge_after, v.purged_at)
        && purged < promised
    {
        broken("R2", "was purged before its promised time");
    }
    if matches!(v.state, State::Live | State::Removed) && v.seq.is_none() {
        broken("R3", "was published without a position");
    }
    if v.state == State::Staged && v.blobs == 0 {
        broken("R5", "is staged but names no blob, so its bytes could leak");
    }
    if v.state == State::Purged && v.blobs > 0 {
        broken("R5", "is purged but still names blobs");
    }
    if v.claimed && v.state != State::Purging {
        broken("R6", "carries a claim although it is not purging");
    }
    match v.state {
        State::Staged | State::Live if v.removed_at.is_some() => broken("R7", "carries a removal"),
        State::Removed if v.removed_at.is_none() || v.purge_after.is_none() => {
            broken("R7", "lacks its removal time or its promise");
        }
        State::Purged if v.forget_after.is_none() => broken("R9", "has no time until which it is remembered"),
        State::Forgotten => broken("R7", "is a row that says it is none"),
        _ => {}
    }
    if v.is_current && v.state != State::Live {
        broken("R12", "is its object's current version although it is not live");
    }
    found
}

/// What a usage counter covers.
pub type UsageKey = (ContainerId, State);

/// Objects and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Versions, markers included.
    pub objects: i64,
    /// Bytes of their contents.
    pub bytes: i64,
}

/// R11: the counters equal a recount.
pub fn check_usage(
    counted: &BTreeMap<UsageKey, Count>,
    recounted: &BTreeMap<UsageKey, Count>,
) -> Vec<Violation> {
    let keys: std::collections::BTreeSet<&UsageKey> = counted.keys().chain(recounted.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let (says, is) =
                (counted.get(key).copied().unwrap_or_default(), recounted.get(key).copied().unwrap_or_default());
            (says != is).then(|| {
                let (contents, state) = key;
                let finding = format!(
                    "contents {contents}, {state}: the counter says {} objects and {} bytes, there are {} and {}",
                    says.objects, says.bytes, is.objects, is.bytes
                );
                Violation::new("R11", finding)
            })
        })
        .collect()
}

/// R4: everything that was acknowledged is there. `found` tells, for each acknowledged version, its state now.
pub fn check_durable(acknowledged: &[VersionId], found: &BTreeMap<VersionId, State>) -> Vec<Violation> {
    acknowledged
        .iter()
        .filter(|id| !found.contains_key(id))
        .map(|id| Violation::new("R4", format!("version {id} was acknowledged and has no row")))
        .collect()
}

/// R12: nothing whose delete was acknowledged is visible again, unless a restore was acknowledged after it.
pub fn check_invisible(deleted: &[VersionId], visible: &[VersionId]) -> Vec<Violation> {
    deleted
        .iter()
        .filter(|id| visible.contains(id))
        .map(|id| Violation::new("R12", format!("version {id} was deleted and is visible")))
        .collect()
}

/// R8 and R10: what a sweep is about to destroy. Anything uncertain is kept.
pub fn check_destroyed(state: Option<State>, guarded: bool) -> Result<(), Violation> {
    match state {
        Some(State::Purging) if !guarded => Ok(()),
        Some(State::Purging) => Err(Violation::new("R10", "bytes under a guard were about to be destroyed")),
        Some(state) => {
            Err(Violation::new("R1", format!("bytes of a {state} version were about to be destroyed")))
        }
        None => Err(Violation::new("R8", "bytes of an unknown version were about to be destroyed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> VersionFacts {
        VersionFacts {
            id: VersionId::random(),
            contents: ContainerId::random(),
            state: State::Live,
            above: State::Live,
            is_current: true,
            marker: false,
            size: 4,
            seq: Some(1),
            removed_at: None,
            purge_after: None,
            purged_at: None,
            forget_after: None,
            claimed: false,
            cascaded: false,
            blobs: 1,
            blob_bytes: 4,
            blobs_missing: 0,
        }
    }

    fn rules(facts: &VersionFacts) -> Vec<&'static str> {
        check_version(facts).into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn a_sound_version_passes_and_each_breach_is_named() {
        assert_eq!(rules(&live()), Vec::<&str>::new());
        assert_eq!(rules(&VersionFacts { blobs_missing: 1, ..live() }), ["R1"]);
        assert_eq!(rules(&VersionFacts { blob_bytes: 3, ..live() }), ["R1"]);
        assert_eq!(rules(&VersionFacts { seq: None, ..live() }), ["R3"]);
        assert_eq!(rules(&VersionFacts { claimed: true, ..live() }), ["R6"]);
        assert_eq!(rules(&VersionFacts { removed_at: Some(Time::from_secs(1)), ..live() }), ["R7"]);
        let purged = VersionFacts {
            state: State::Purged,
            is_current: false,
            blobs: 0,
            blob_bytes: 0,
            removed_at: Some(Time::from_secs(1)),
            purge_after: Some(Time::from_secs(5)),
            purged_at: Some(Time::from_secs(6)),
            forget_after: Some(Time::from_secs(9)),
            ..live()
        };
        assert_eq!(rules(&purged), Vec::<&str>::new());
        assert_eq!(rules(&VersionFacts { purged_at: Some(Time::from_secs(4)), ..purged.clone() }), ["R2"]);
        assert_eq!(rules(&VersionFacts { blobs: 1, ..purged.clone() }), ["R5"]);
        assert_eq!(rules(&VersionFacts { forget_after: None, ..purged.clone() }), ["R9"]);
        assert_eq!(rules(&VersionFacts { is_current: true, ..purged }), ["R12"]);
        assert_eq!(
            rules(&VersionFacts { state: State::Staged, blobs: 0, is_current: false, ..live() }),
            ["R5"]
        );
    }

    #[test]
    fn counters_that_drift_are_found_on_either_side() {
        let key = (ContainerId::random(), State::Live);
        let one = BTreeMap::from([(key, Count { objects: 1, bytes: 4 })]);
        assert_eq!(check_usage(&one, &one), []);
        assert_eq!(check_usage(&one, &BTreeMap::new()).len(), 1);
        assert_eq!(check_usage(&BTreeMap::new(), &one).len(), 1);
    }

    #[test]
    fn lost_and_resurrected_versions_are_found() {
        let (a, b) = (VersionId::random(), VersionId::random());
        assert_eq!(check_durable(&[a, b], &BTreeMap::from([(a, State::Live)])).len(), 1);
        assert_eq!(check_invisible(&[a], &[a, b]).len(), 1);
        assert!(check_destroyed(None, false).is_err());
        assert!(check_destroyed(Some(State::Live), false).is_err());
        assert!(check_destroyed(Some(State::Purging), true).is_err());
        assert!(check_destroyed(Some(State::Purging), false).is_ok());
    }
}
