//! What brings a name back to what it meant at a moment: a pure function, and a table of its cases.

use lifecycle::{Guard, Kind, State, Time, VersionId, Versioning};
use metadata::{Past, Then, Version};

/// What holds for all names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// The moment.
    pub(super) at: Time,
    pub(super) now: Time,
    /// Whether the bucket keeps older versions now.
    pub(super) versioning: Versioning,
    /// What was written since may be removed.
    pub(super) replace: bool,
}

/// One move of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A live version is removed, with its grace.
    Remove(VersionId),
    /// A removed one comes back; `replace`: over what is in its way.
    Restore { version: VersionId, replace: bool },
}

/// What is to be done about one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It means what it meant.
    Same,
    /// It will: `then` follows when all of `first` has been done.
    Change {
        /// The version that is current again; `None`: there was nothing.
        back: Option<VersionId>,
        /// Versions with content that go for it.
        gone: u64,
        first: Vec<Step>,
        then: Vec<Step>,
    },
    /// There was nothing, and what was written since stays.
    Kept(VersionId),
    /// What was current then is purged.
    Lost { version: VersionId, message: String },
    /// It cannot be brought about.
    Stuck { version: VersionId, code: &'static str, message: String },
}

impl Ground {
    fn keeps_versions_of(&self, kind: Kind) -> bool {
        kind != Kind::Unnamed && self.versioning != Versioning::Disabled
    }

    fn is_expired(&self, version: &Version) -> bool {
        version.expires_at.is_some_and(|at| at <= self.now)
    }

    /// What readers find now.
    fn visible<'p>(&self, past: &'p Past) -> Option<&'p Version> {
        past.current.as_ref().filter(|current| !self.is_expired(current))
    }

    /// What readers found then.
    fn found_then<'p>(&self, past: &'p Past) -> Option<&'p Then> {
        past.then.as_ref().filter(|then| {
            !then.version.marker
                && then.version.expires_at.is_none_or(|at| at > self.at)
                && then.superseded_at.is_none_or(|at| at > self.at)
        })
    }
}

/// Whether the rows of then and now settle it alone: the name means what it meant.
pub(super) fn is_same(past: &Past, ground: &Ground) -> bool {
    let (then, now) = (ground.found_then(past), ground.visible(past));
    then.map(|then| then.version.id) == now.map(|now| now.id)
}

/// The position above which [`decide`] wants to see what is live; `None`: it does not look.
pub(super) fn looks_above(past: &Past, ground: &Ground) -> Option<i64> {
    let any = past.then.as_ref().map(|then| &then.version).or(past.current.as_ref())?;
    let looks = ground.keeps_versions_of(any.kind) && !is_same(past, ground);
    looks.then(|| past.then.as_ref().and_then(|then| then.version.seq).unwrap_or(0))
}

/// `above`: what is live above the version of then, from the oldest to the newest, in a bucket that keeps versions; `None`:
/// more than anybody wants to take away.
pub(super) fn decide(past: &Past, above: Option<&[Version]>, ground: &Ground) -> Verdict {
    if is_same(past, ground) {
        return Verdict::Same;
    }
    match (ground.found_then(past), ground.visible(past)) {
        (None, None) => Verdict::Same,
        (Some(then), current) => bring_back(then, current, above, ground),
        (None, Some(current)) => take_away(past.then.as_ref(), current, above, ground),
    }
}

fn bring_back(then: &Then, current: Option<&Version>, above: Option<&[Version]>, ground: &Ground) -> Verdict {
    let version = &then.version;
    let stuck = |code, message: String| Verdict::Stuck { version: version.id, code, message };
    match version.state {
        State::Purging => return lost(version, "its purge has begun"),
        State::Purged | State::Forgotten | State::Staged => return lost(version, "it is purged"),
        State::Live if version.is_current => return stuck("NotSwept", not_swept(version)),
        State::Live if then.erased || !ground.keeps_versions_of(version.kind) => {
            let message = format!(
                "version {} went when versioning was switched off; once task history has removed it, it can be restored",
                version.id
            );
            return stuck("NotSwept", message);
        }
        State::Live | State::Removed => {}
    }
    if ground.keeps_versions_of(version.kind) {
        return uncover(version, above, ground);
    }
    let Some(current) = current else {
        let then = vec![Step::Restore { version: version.id, replace: false }];
        return Verdict::Change { back: Some(version.id), gone: 0, first: Vec::new(), then };
    };
    if !ground.replace {
        return stuck("NameInUse", in_use(current));
    }
    if let Some(message) = guarded(current, ground.now) {
        return stuck("Guarded", message);
    }
    let then = vec![Step::Restore { version: version.id, replace: true }];
    Verdict::Change { back: Some(version.id), gone: 1, first: Vec::new(), then }
}

/// Where versions are kept: `version` returns to its place, and what was laid over it since goes, the topmost last, so that
/// nothing between is shown meanwhile. Delete markers go without being asked for; content does not.
fn uncover(version: &Version, above: Option<&[Version]>, ground: &Ground) -> Verdict {
    let stuck = |code, message: String| Verdict::Stuck { version: version.id, code, message };
    let Some(above) = above else {
        return stuck("TooMany", format!("too many versions were written over version {} since", version.id));
    };
    let content = || above.iter().filter(|over| !over.marker);
    if let Some(over) = content().find(|over| ground.is_expired(over)) {
        return stuck("NotSwept", not_swept(over));
    }
    if let Some(over) = content().next_back().filter(|_| !ground.replace && !version.marker) {
        return stuck("NameInUse", in_use(over));
    }
    if let Some(message) = above.iter().find_map(|over| guarded(over, ground.now)) {
        return stuck("Guarded", message);
    }
    let removed = version.state == State::Removed;
    // Two null versions of one name could not be told apart: a restored one takes the other's place.
    let yields =
        above.iter().find(|over| removed && version.null_version && over.null_version).map(|over| over.id);
    let back = Step::Restore { version: version.id, replace: yields.is_some() };
    let (mut first, mut then) = (Vec::new(), Vec::new());
    let top = above.last().map(|over| over.id);
    let top_yields = top.is_some() && top == yields;
    match (removed, top) {
        (true, None) => then.push(back),
        (true, Some(_)) if top_yields => then.push(back),
        (true, Some(_)) => first.push(back),
        (false, _) => {}
    }
    let between = above.iter().map(|over| over.id).filter(|over| Some(*over) != top && Some(*over) != yields);
    first.extend(between.map(Step::Remove));
    then.extend(top.filter(|_| !top_yields).map(Step::Remove));
    let back = (!version.marker).then_some(version.id);
    Verdict::Change { back, gone: content().count() as u64, first, then }
}

/// There was nothing, and now there is.
fn take_away(then: Option<&Then>, current: &Version, above: Option<&[Version]>, ground: &Ground) -> Verdict {
    if !ground.replace {
        return Verdict::Kept(current.id);
    }
    let stuck = |code, message: String| Verdict::Stuck { version: current.id, code, message };
    if let Some(message) = guarded(current, ground.now) {
        return stuck("Guarded", message);
    }
    if !ground.keeps_versions_of(current.kind) {
        let then = vec![Step::Remove(current.id)];
        return Verdict::Change { back: None, gone: 1, first: Vec::new(), then };
    }
    match then {
        // What hid the object then hides it again.
        Some(then) if then.version.marker && matches!(then.version.state, State::Live | State::Removed) => {
            uncover(&then.version, above, ground)
        }
        Some(then) => {
            let was = if then.version.marker { "the delete marker" } else { "an expired version," };
            let message = format!(
                "what hid it then was {was} {}, which does not come back; version {} stays",
                then.version.id, current.id
            );
            stuck("NotAsItWas", message)
        }
        None => match above {
            None => stuck("TooMany", "too many versions were written since".to_owned()),
            Some(above) => {
                if let Some(message) = above.iter().find_map(|over| guarded(over, ground.now)) {
                    return stuck("Guarded", message);
                }
                let content = || above.iter().filter(|over| !over.marker);
                if let Some(over) = content().find(|over| ground.is_expired(over)) {
                    return stuck("NotSwept", not_swept(over));
                }
                let mut first: Vec<Step> = above.iter().map(|over| Step::Remove(over.id)).collect();
                let then = first.pop().into_iter().collect();
                Verdict::Change { back: None, gone: content().count() as u64, first, then }
            }
        },
    }
}

fn lost(version: &Version, why: &str) -> Verdict {
    let cause = version.cause.map_or("no recorded cause", |cause| cause.as_str());
    let by = version.actor.as_deref().unwrap_or("somebody unknown");
    let at = |at: Option<Time>| at.map_or_else(|| "an unknown time".to_owned(), Time::to_rfc3339);
    let mut message = format!("{why}: removed at {} by {by} ({cause})", at(version.removed_at));
    if version.purged_at.is_some() {
        message.push_str(&format!(", purged at {}", at(version.purged_at)));
    }
    Verdict::Lost { version: version.id, message }
}

fn in_use(current: &Version) -> String {
    format!(
        "version {}, written at {}, is in the way; say replace to remove it",
        current.id, current.created_at
    )
}

fn not_swept(version: &Version) -> String {
    let at = version.expires_at.map_or_else(|| "some time".to_owned(), Time::to_rfc3339);
    format!(
        "version {} expired at {at} and is not swept yet; once task expire has removed it, this can be done",
        version.id
    )
}

fn guarded(version: &Version, now: Time) -> Option<String> {
    let Guard { until, hold, .. } = version.guard;
    if !version.guard.is_active(now) {
        return None;
    }
    Some(match until {
        _ if hold => format!("a legal hold protects version {}, which is in the way", version.id),
        Some(until) => format!("version {}, which is in the way, is protected until {until}", version.id),
        None => format!("version {}, which is in the way, is protected", version.id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::{Cause, ContainerId};

    const AT: i64 = 100;
    const NOW: i64 = 200;

    fn t(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    /// A live and current version with a position, written at a time.
    fn version(seq: i64, created: i64) -> Version {
        Version {
            id: VersionId::from_bytes([u8::try_from(seq).unwrap(); 16]),
            contents: ContainerId::from_bytes([0; 16]),
            kind: Kind::Named,
            name: "x".to_owned(),
            seq: Some(seq),
            state: State::Live,
            is_current: true,
            marker: false,
            null_version: false,
            size: 1,
            md5: None,
            parts: None,
            tags: None,
            checksum: None,
            headers: "[]".to_owned(),
            owner: None,
            created_at: t(created),
            guard: Guard::NONE,
            retention: None,
            acl: None,
            expires_at: None,
            expiry_rule: None,
            removed_at: None,
            purge_after: None,
            purged_at: None,
            forget_after: None,
            cause: None,
            actor: None,
            revision: None,
        }
    }

    fn removed(seq: i64, created: i64) -> Version {
        Version {
            state: State::Removed,
            is_current: false,
            removed_at: Some(t(150)),
            cause: Some(Cause::Delete),
            ..version(seq, created)
        }
    }

    fn covered(seq: i64, created: i64) -> Version {
        Version { is_current: false, ..version(seq, created) }
    }

    fn marker(seq: i64, created: i64) -> Version {
        Version { marker: true, is_current: false, ..version(seq, created) }
    }

    fn id(seq: u8) -> VersionId {
        VersionId::from_bytes([seq; 16])
    }

    fn past(then: Option<Version>, current: Option<Version>) -> Past {
        let then = then.map(|version| Then { version, superseded_at: None, erased: false });
        Past { name: "x".to_owned(), then, current }
    }

    /// The verdict in one line.
    fn said(versioning: Versioning, replace: bool, past: &Past, above: &[Version]) -> String {
        let ground = Ground { at: t(AT), now: t(NOW), versioning, replace };
        let step = |step: &Step| match step {
            Step::Remove(id) => format!("-{}", id.as_bytes()[0]),
            Step::Restore { version, replace } => {
                format!("+{}{}", version.as_bytes()[0], if *replace { "!" } else { "" })
            }
        };
        match decide(past, Some(above), &ground) {
            Verdict::Same => "same".to_owned(),
            Verdict::Change { back, gone, first, then } => {
                let steps = |steps: &[Step]| steps.iter().map(step).collect::<Vec<_>>().join(" ");
                let back = back.map_or("nothing".to_owned(), |back| back.as_bytes()[0].to_string());
                format!("{back}, {gone} gone: {} | {}", steps(&first), steps(&then))
            }
            Verdict::Kept(version) => format!("kept {}", version.as_bytes()[0]),
            Verdict::Lost { .. } => "lost".to_owned(),
            Verdict::Stuck { code, .. } => code.to_owned(),
        }
    }

    #[test]
    fn without_versions_one_goes_and_one_comes() {
        let guarded = Version { guard: Guard { hold: true, ..Guard::NONE }, ..version(2, 150) };
        let expired = Version { expires_at: Some(t(160)), ..version(1, 50) };
        let expired_then = Version { expires_at: Some(t(AT)), ..removed(1, 50) };
        let purged = Version { state: State::Purged, ..removed(1, 50) };
        let purging = Version { state: State::Purging, ..removed(1, 50) };
        for (what, then, current, kept, replaced) in [
            ("nothing, ever", None, None, "same", "same"),
            ("unchanged", Some(version(1, 50)), Some(version(1, 50)), "same", "same"),
            ("deleted since", Some(removed(1, 50)), None, "1, 0 gone:  | +1", "1, 0 gone:  | +1"),
            (
                "overwritten since",
                Some(removed(1, 50)),
                Some(version(2, 150)),
                "NameInUse",
                "1, 1 gone:  | +1!",
            ),
            (
                "overwritten by what is held",
                Some(removed(1, 50)),
                Some(guarded.clone()),
                "NameInUse",
                "Guarded",
            ),
            ("written since", None, Some(version(2, 150)), "kept 2", "nothing, 1 gone:  | -2"),
            ("written since and held", None, Some(guarded), "kept 2", "Guarded"),
            ("expired already then", Some(expired_then), None, "same", "same"),
            ("expired since, not swept", Some(expired.clone()), Some(expired), "NotSwept", "NotSwept"),
            ("purged", Some(purged.clone()), None, "lost", "lost"),
            ("purged, and written anew", Some(purged), Some(version(2, 150)), "lost", "lost"),
            ("being purged", Some(purging), None, "lost", "lost"),
        ] {
            let past = past(then, current);
            assert_eq!(said(Versioning::Disabled, false, &past, &[]), kept, "{what}");
            assert_eq!(said(Versioning::Disabled, true, &past, &[]), replaced, "{what}, replacing");
        }
    }

    #[test]
    fn where_versions_are_kept_what_was_laid_over_it_goes_the_topmost_last() {
        let null = |version: Version| Version { null_version: true, ..version };
        for (what, then, current, above, kept, replaced) in [
            (
                "hidden by a marker",
                Some(covered(1, 50)),
                None,
                vec![marker(2, 150)],
                "1, 0 gone:  | -2",
                "1, 0 gone:  | -2",
            ),
            (
                "hidden by two",
                Some(covered(1, 50)),
                None,
                vec![marker(2, 150), marker(3, 160)],
                "1, 0 gone: -2 | -3",
                "1, 0 gone: -2 | -3",
            ),
            (
                "covered",
                Some(covered(1, 50)),
                Some(version(2, 150)),
                vec![version(2, 150)],
                "NameInUse",
                "1, 1 gone:  | -2",
            ),
            (
                "covered twice, then hidden",
                Some(covered(1, 50)),
                None,
                vec![covered(2, 150), covered(3, 160), marker(4, 170)],
                "NameInUse",
                "1, 2 gone: -2 -3 | -4",
            ),
            ("removed by its id", Some(removed(1, 50)), None, vec![], "1, 0 gone:  | +1", "1, 0 gone:  | +1"),
            (
                "removed, an older one shows",
                Some(removed(2, 50)),
                Some(version(1, 40)),
                vec![],
                "2, 0 gone:  | +2",
                "2, 0 gone:  | +2",
            ),
            (
                "removed, a newer one shows",
                Some(removed(1, 50)),
                Some(version(2, 150)),
                vec![version(2, 150)],
                "NameInUse",
                "1, 1 gone: +1 | -2",
            ),
            (
                "a null version displaced",
                Some(null(removed(1, 50))),
                Some(null(version(2, 150))),
                vec![null(version(2, 150))],
                "NameInUse",
                "1, 1 gone:  | +1!",
            ),
            (
                "a null version hidden by a null marker",
                Some(null(removed(1, 50))),
                None,
                vec![null(marker(2, 150))],
                "1, 0 gone:  | +1!",
                "1, 0 gone:  | +1!",
            ),
            (
                "a null version under another and something newer",
                Some(null(removed(1, 50))),
                Some(version(3, 160)),
                vec![null(covered(2, 150)), version(3, 160)],
                "NameInUse",
                "1, 2 gone: +1! | -3",
            ),
            (
                "nothing was there",
                None,
                Some(version(2, 150)),
                vec![version(2, 150)],
                "kept 2",
                "nothing, 1 gone:  | -2",
            ),
            (
                "a marker was there, still is",
                Some(marker(1, 50)),
                Some(version(2, 150)),
                vec![version(2, 150)],
                "kept 2",
                "nothing, 1 gone:  | -2",
            ),
            (
                "a marker was there, and was taken away",
                Some(Version { marker: true, ..removed(2, 50) }),
                Some(version(1, 40)),
                vec![],
                "kept 1",
                "nothing, 0 gone:  | +2",
            ),
            (
                "a marker was there, and is purged",
                Some(Version { marker: true, state: State::Purged, ..removed(2, 50) }),
                Some(version(1, 40)),
                vec![],
                "kept 1",
                "NotAsItWas",
            ),
            ("hidden then and now", Some(marker(1, 50)), None, vec![], "same", "same"),
        ] {
            let past = past(then, current);
            assert_eq!(said(Versioning::Enabled, false, &past, &above), kept, "{what}");
            assert_eq!(said(Versioning::Enabled, true, &past, &above), replaced, "{what}, replacing");
        }
    }

    #[test]
    fn what_versioning_took_along_waits_for_its_task() {
        let mut gone = past(Some(covered(1, 50)), None);
        assert_eq!(said(Versioning::Disabled, true, &gone, &[]), "NotSwept");
        gone.then.as_mut().unwrap().erased = true;
        assert_eq!(said(Versioning::Enabled, true, &gone, &[]), "NotSwept");
        let mut covered_then = past(Some(covered(1, 50)), None);
        covered_then.then.as_mut().unwrap().superseded_at = Some(t(90));
        assert_eq!(said(Versioning::Enabled, true, &covered_then, &[]), "same");
        let ground = Ground { at: t(AT), now: t(NOW), versioning: Versioning::Enabled, replace: true };
        let many = decide(&past(Some(covered(1, 50)), None), None, &ground);
        assert_eq!(
            many,
            Verdict::Stuck {
                version: id(1),
                code: "TooMany",
                message: format!("too many versions were written over version {} since", id(1)),
            }
        );
    }
}
