//! How much a bucket or an account may hold.

use crate::refusal::{Exceeded, Refusal};
use std::fmt;

/// Whose quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A bucket's own.
    Bucket,
    /// That of the account to which buckets belong.
    Account,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Holder::Bucket => "bucket",
            Holder::Account => "account",
        })
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Versions, each of which is an object to whoever pays for it.
    Objects,
    /// Their bytes.
    Bytes,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::Objects => "objects",
            Measure::Bytes => "bytes",
        })
    }
}

/// Which states count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counting {
    /// What is live: a delete makes room at once.
    #[default]
    Live,
    /// What is removed and can still be restored as well: room is made when the grace ends.
    LiveAndRemoved,
}

impl Counting {
    /// Both.
    pub const ALL: [Counting; 2] = [Counting::Live, Counting::LiveAndRemoved];

    /// The word in the database, in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Counting::Live => "live",
            Counting::LiveAndRemoved => "live+removed",
        }
    }

    /// Reads [`Counting::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Counting::ALL.into_iter().find(|counting| counting.as_str() == word)
    }
}

/// Versions and bytes, or how many more of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Versions.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.objects = self.objects.saturating_add(other.objects);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// How much more is stored, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Of what is live.
    pub live: Amount,
    /// Of what is removed.
    pub removed: Amount,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The most versions; `None`: any number.
    pub objects: Option<u64>,
    /// The most bytes; `None`: any number.
    pub bytes: Option<u64>,
    /// What counts.
    pub counting: Counting,
}

impl Quota {
    /// What of `live` and `removed` counts.
    pub fn counted(&self, Change { live, removed }: Change) -> Amount {
        let mut counted = live;
        if self.counting == Counting::LiveAndRemoved {
            counted += removed;
        }
        counted
    }

    /// Passes if `more` may be added to `used`. What makes nothing more passes however much there is: whoever is above a
    /// quota that was set or lowered later can still come below it.
    ///
    /// # Errors
    /// [`Refusal::QuotaExceeded`].
    pub fn admits(&self, of: Holder, used: Amount, more: Amount) -> Result<(), Refusal> {
        let measures = [
            (Measure::Objects, self.objects, used.objects, more.objects),
            (Measure::Bytes, self.bytes, used.bytes, more.bytes),
        ];
        for (measure, limit, used, more) in measures {
            let Some(limit) = limit else { continue };
            let (used, wanted) = (used.max(0).unsigned_abs(), more.max(0).unsigned_abs());
            if wanted > 0 && used.saturating_add(wanted) > limit {
                return Err(Refusal::QuotaExceeded(Box::new(Exceeded { of, measure, limit, used, wanted })));
            }
        }
        Ok(())
    }

    /// Whether `used` is more than there may be.
    pub fn is_exceeded(&self, used: Amount) -> bool {
        let above =
            |limit: Option<u64>, used: i64| limit.is_some_and(|limit| used.max(0).unsigned_abs() > limit);
        above(self.objects, used.objects) || above(self.bytes, used.bytes)
    }

    /// Whether `used` is all that there may be, of versions or of bytes, or more.
    pub fn is_full(&self, used: Amount) -> bool {
        let full =
            |limit: Option<u64>, used: i64| limit.is_some_and(|limit| used.max(0).unsigned_abs() >= limit);
        full(self.objects, used.objects) || full(self.bytes, used.bytes)
    }

    /// As it stands in the database: `objects=N bytes=N counting=WORD`, what is not limited left out.
    pub fn to_text(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.objects.map(|objects| format!("objects={objects}")));
        words.extend(self.bytes.map(|bytes| format!("bytes={bytes}")));
        words.push(format!("counting={}", self.counting.as_str()));
        words.join(" ")
    }

    /// Reads [`Quota::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut quota = Quota::default();
        for word in text.split(' ') {
            match word.split_once('=')? {
                ("objects", number) => quota.objects = Some(number.parse().ok()?),
                ("bytes", number) => quota.bytes = Some(number.parse().ok()?),
                ("counting", word) => quota.counting = Counting::parse(word)?,
                _ => return None,
            }
        }
        Some(quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(objects: i64, bytes: i64) -> Amount {
        Amount { objects, bytes }
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for quota in [
            Quota { objects: Some(3), bytes: None, counting: Counting::Live },
            Quota { objects: None, bytes: Some(u64::MAX), counting: Counting::LiveAndRemoved },
            Quota { objects: Some(0), bytes: Some(0), counting: Counting::Live },
        ] {
            assert_eq!(Quota::parse(&quota.to_text()), Some(quota));
        }
        for bad in ["", "objects=", "objects=-1", "bytes=1 counting=all", "files=3"] {
            assert_eq!(Quota::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn up_to_the_last_byte_passes_and_one_more_does_not() {
        let quota = Quota { objects: Some(2), bytes: Some(100), counting: Counting::Live };
        let admits = |used, more| quota.admits(Holder::Bucket, used, more);
        assert_eq!(admits(amount(1, 60), amount(1, 40)), Ok(()));
        let Err(Refusal::QuotaExceeded(exceeded)) = admits(amount(1, 60), amount(1, 41)) else { panic!() };
        assert_eq!(
            (exceeded.measure, exceeded.limit, exceeded.used, exceeded.wanted),
            (Measure::Bytes, 100, 60, 41)
        );
        let Err(Refusal::QuotaExceeded(exceeded)) = admits(amount(2, 0), amount(1, 0)) else { panic!() };
        assert_eq!(exceeded.measure, Measure::Objects);
    }

    #[test]
    fn whoever_is_above_it_may_come_down_and_stay_but_not_go_up() {
        let quota = Quota { objects: None, bytes: Some(100), counting: Counting::Live };
        for (more, passes) in [(-10, true), (0, true), (1, false)] {
            assert_eq!(
                quota.admits(Holder::Account, amount(9, 200), amount(1, more)).is_ok(),
                passes,
                "{more}"
            );
        }
        assert!(quota.is_exceeded(amount(0, 101)) && !quota.is_exceeded(amount(1_000, 100)));
        assert!(quota.is_full(amount(0, 100)) && !quota.is_full(amount(1_000, 99)));
    }

    #[test]
    fn what_is_removed_counts_where_it_was_said_to() {
        let change = Change { live: amount(1, 10), removed: amount(1, 7) };
        let counted = |counting| Quota { counting, ..Quota::default() }.counted(change);
        assert_eq!(counted(Counting::Live), amount(1, 10));
        assert_eq!(counted(Counting::LiveAndRemoved), amount(2, 17));
    }
}
