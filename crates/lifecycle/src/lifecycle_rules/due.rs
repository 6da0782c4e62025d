//! When a rule lets something go. The earliest rule that fits counts, of equals the first.

use super::{After, ExpiryRule};
use crate::Time;
use std::cell::OnceCell;

/// What rules look at of a version, or of an upload.
#[derive(Debug)]
pub struct Subject<'a> {
    name: &'a str,
    size: u64,
    /// As they are stored: a JSON list of pairs.
    stored: Option<&'a str>,
    /// Read once, if a rule asks for any.
    tags: OnceCell<Option<Vec<(String, String)>>>,
}

impl<'a> Subject<'a> {
    /// A version of `name` with `size` bytes and these tags, as they are stored.
    pub fn new(name: &'a str, size: u64, tags: Option<&'a str>) -> Self {
        Subject { name, size, stored: tags, tags: OnceCell::new() }
    }

    /// Whether all of `wanted` are among its tags. Of tags that cannot be read nothing is known: no rule fits.
    fn has(&self, wanted: &[(String, String)]) -> bool {
        if wanted.is_empty() {
            return true;
        }
        let tags = self.tags.get_or_init(|| match self.stored {
            Some(stored) => read_tags(stored),
            None => Some(Vec::new()),
        });
        tags.as_ref().is_some_and(|tags| wanted.iter().all(|tag| tags.contains(tag)))
    }
}

impl ExpiryRule {
    /// Whether it holds, and is about this version.
    fn fits(&self, subject: &Subject<'_>) -> bool {
        self.enabled
            && subject.name.starts_with(&self.prefix)
            && self.larger_than.is_none_or(|size| subject.size > size)
            && self.smaller_than.is_none_or(|size| subject.size < size)
            && subject.has(&self.tags)
    }
}

/// When the current version `of` goes that was created at `created_at`, and by which rule. `None`: not by itself.
pub fn expires<'a>(rules: &'a [ExpiryRule], of: &Subject<'_>, created_at: Time) -> Option<(Time, &'a str)> {
    earliest(rules, of, |rule| rule.current?.of(created_at))
}

/// The same of a version that stopped being current at `superseded_at`. `newer`: how many of those that are no longer
/// current are newer than this one; `None`: nobody knows, and a rule that keeps some of them keeps this one.
pub fn expires_noncurrent<'a>(
    rules: &'a [ExpiryRule],
    of: &Subject<'_>,
    superseded_at: Time,
    newer: Option<u32>,
) -> Option<(Time, &'a str)> {
    earliest(rules, of, |rule| {
        let kept = rule.keep_newest.is_some_and(|keep| newer.is_none_or(|newer| newer < keep));
        if kept { None } else { rule.noncurrent?.of(superseded_at) }
    })
}

/// The same of a delete marker that stopped being the newest version at `superseded_at`. Rules of SCSP's know of none.
pub fn expires_old_marker<'a>(
    rules: &'a [ExpiryRule],
    of: &Subject<'_>,
    superseded_at: Time,
    newer: Option<u32>,
) -> Option<(Time, &'a str)> {
    earliest(rules, of, |rule| {
        let kept = rule.keep_newest.is_some_and(|keep| newer.is_none_or(|newer| newer < keep));
        if kept || !rule.s3 { None } else { rule.noncurrent?.of(superseded_at) }
    })
}

/// The same of a delete marker of `created_at` that hides nothing: no other version of its name is left. A rule may say so, and
/// then it goes at the next midnight; one that lets current versions go lets it go when it is as old as those.
pub fn expires_lone_marker<'a>(
    rules: &'a [ExpiryRule],
    of: &Subject<'_>,
    created_at: Time,
) -> Option<(Time, &'a str)> {
    earliest(rules, of, |rule| {
        let by_age = rule.current.filter(|_| rule.s3);
        let at_once = rule.lone_markers.then_some(After::Midnights(0));
        at_once.or(by_age)?.of(created_at)
    })
}

/// The same of an upload that began at `began` and is open still.
pub fn aborts<'a>(rules: &'a [ExpiryRule], of: &Subject<'_>, began: Time) -> Option<(Time, &'a str)> {
    earliest(rules, of, |rule| After::Midnights(rule.abort_uploads?).of(began))
}

fn earliest<'a>(
    rules: &'a [ExpiryRule],
    subject: &Subject<'_>,
    at: impl Fn(&ExpiryRule) -> Option<Time>,
) -> Option<(Time, &'a str)> {
    rules
        .iter()
        .filter(|rule| rule.fits(subject))
        .filter_map(|rule| Some((at(rule)?, rule.id.as_str())))
        .min_by_key(|(at, _)| *at)
}

/// Reads tags as they are stored.
fn read_tags(stored: &str) -> Option<Vec<(String, String)>> {
    serde_json::from_str(stored).ok()
}
