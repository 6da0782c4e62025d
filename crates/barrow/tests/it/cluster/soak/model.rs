//! What may be there, by what was asked and answered.
//!
//! Every name belongs to one client, which asks one thing at a time; so what a name holds is known, until an answer does not
//! come. From then on it may hold either, now or later (a frozen member does what it was asked when it wakes), and its client
//! leaves it alone: it is *murky*. A bucket whose removal, restore or purge was not answered is *adrift*, and left alone, too.

use crate::cluster::{Answer, Member, SLACK, within};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a name may hold; `None`: nothing.
pub(super) type Content = Option<String>;

#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// One of these. More than one only of a murky name.
    pub(super) may_be: BTreeSet<Content>,
    pub(super) murky: bool,
}

/// What a bucket is, as far as anybody was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Live,
    Removed,
    /// Somebody is being asked to change it at this moment.
    Moving,
    /// Nobody was told.
    Adrift,
}

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) phase: Phase,
    /// Counts the beginnings and ends of changes, and purges.
    pub(super) changes: u64,
    pub(super) purges: u64,
    pub(super) names: BTreeMap<String, Name>,
}

#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) puts: u64,
    pub(super) deletes: u64,
    pub(super) reads: u64,
    pub(super) lists: u64,
    pub(super) unknown: u64,
    pub(super) removes: u64,
    pub(super) restores: u64,
    pub(super) purges: u64,
    pub(super) barriers: u64,
    pub(super) adrift: u64,
    pub(super) blows: u64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    /// Those in play, by their place, and behind them those adrift.
    pub(super) buckets: BTreeMap<usize, Bucket>,
    pub(super) adrift: Vec<Bucket>,
    pub(super) counted: Counted,
    pub(super) wrong: Vec<String>,
    opened: u64,
}

/// What a client saw of a bucket when it began to ask.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) bucket: String,
    pub(super) phase: Phase,
    pub(super) changes: u64,
    pub(super) purges: u64,
}

impl Name {
    pub(super) fn holds(content: Content) -> Self {
        Name { may_be: BTreeSet::from([content]), murky: false }
    }

    /// It may hold this as well.
    pub(super) fn or(&mut self, content: Content) {
        self.may_be.insert(content);
        self.murky = true;
    }

    /// What it holds, if that is known.
    pub(super) fn is(&self) -> Option<&Content> {
        (!self.murky).then(|| self.may_be.first()).flatten()
    }
}

impl Model {
    /// A new bucket at a place, under a name that nothing had before.
    pub(super) fn open(&mut self, place: usize) -> String {
        let name = format!("soak-{place}-{}", self.opened);
        self.opened += 1;
        let bucket =
            Bucket { name: name.clone(), phase: Phase::Live, changes: 0, purges: 0, names: BTreeMap::new() };
        if let Some(old) = self.buckets.insert(place, bucket) {
            self.adrift.push(old);
        }
        name
    }

    pub(super) fn see(&self, place: usize) -> Seen {
        let Bucket { name, phase, changes, purges, .. } = &self.buckets[&place];
        Seen { bucket: name.clone(), phase: *phase, changes: *changes, purges: *purges }
    }

    /// The bucket that was seen, in play or adrift.
    pub(super) fn bucket(&mut self, seen: &Seen) -> &mut Bucket {
        let all = self.buckets.values_mut().chain(&mut self.adrift);
        all.into_iter().find(|bucket| bucket.name == seen.bucket).unwrap()
    }

    /// Whether nothing has changed, and was being changed, since it was seen in `phase`.
    pub(super) fn stayed(&mut self, seen: &Seen, phase: Phase) -> bool {
        let bucket = self.bucket(seen);
        seen.phase == phase && bucket.phase == phase && bucket.changes == seen.changes
    }

    /// What is not as it may be, as `member` answers.
    pub(super) fn differences(&self, member: &Member) -> Vec<String> {
        let mut wrong = Vec::new();
        for bucket in self.buckets.values().chain(&self.adrift) {
            for (name, known) in &bucket.names {
                let answer = answered(member, &bucket.name, name);
                let there = match answer.status {
                    200 => content(&answer.body),
                    404 => Ok(None),
                    status => Err(format!("status {status}")),
                };
                let what = format!("{}/{name}, {:?}, {known:?}", bucket.name, bucket.phase);
                match there {
                    Err(broken) => wrong.push(format!("{what}: {broken}")),
                    // Of a bucket that is gone, or may be, nothing has to be there.
                    Ok(None) if bucket.phase != Phase::Live => {}
                    Ok(Some(there)) if bucket.phase == Phase::Removed => {
                        wrong.push(format!("{what}: {there} is visible"));
                    }
                    Ok(there) if !known.may_be.contains(&there) => {
                        wrong.push(format!("{what}: {there:?} is there"))
                    }
                    Ok(_) => {}
                }
            }
        }
        wrong
    }
}

/// What a member says of a name. On a disk that stands still for longer than a lease it says that it may not answer (503), which is
/// right, and no answer: it is asked again.
fn answered(member: &Member, bucket: &str, name: &str) -> Answer {
    let what = format!("an answer of {} about {bucket}/{name}", member.node);
    within(SLACK * 5, &what, || Some(member.get(bucket, name)).filter(|answer| answer.status != 503)).0
}

/// The bytes that stand for a word: itself, again and again.
pub(super) fn bytes(word: &str, size: usize) -> Vec<u8> {
    format!("{word} ").bytes().cycle().take(size.max(word.len() + 1)).collect()
}

/// The word that these bytes stand for, if they are whole.
pub(super) fn content(found: &[u8]) -> Result<Content, String> {
    let end = found.iter().position(|byte| *byte == b' ').ok_or("it is not what anybody wrote")?;
    let word = String::from_utf8_lossy(&found[..end]).into_owned();
    if found != bytes(&word, found.len()) {
        return Err(format!("half of {word} is something else"));
    }
    Ok(Some(word))
}

impl Counted {
    /// Whether there was enough of everything to say that it held.
    pub(super) fn is_a_soak(&self) -> bool {
        let Counted { puts, deletes, reads, lists, removes, restores, blows, .. } = self;
        [puts, deletes, reads, lists].into_iter().all(|count| *count >= 20)
            && [removes, restores, blows].into_iter().all(|count| *count >= 1)
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted {
            puts,
            deletes,
            reads,
            lists,
            unknown,
            removes,
            restores,
            purges,
            barriers,
            adrift,
            blows,
        } = self;
        write!(
            f,
            "{puts} puts, {deletes} deletes, {reads} reads and {lists} lists were answered, {unknown} were not; {removes} \
             removes, {restores} restores, {purges} purges, {barriers} refused by the barrier, {adrift} buckets adrift; \
             {blows} blows"
        )
    }
}
