//! One pass over all bytes: how far it is and what it found. It is kept in the database, so that whoever goes on with it
//! begins where the last one ended.

use blobs::Verdict;
use lifecycle::{BlobName, Time, VersionId};
use metadata::{BlobPlace, Owner};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is remembered from run to run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memo {
    /// The pass under way.
    pub(super) pass: Option<Pass>,
    /// The last one that came to its end.
    pub(super) last: Option<Pass>,
    /// The blob at which runs break off, and how many have.
    pub(super) stuck: Option<(BlobPlace, u32)>,
}

impl Memo {
    /// When the next pass begins; `None`: one is under way, or there never was any.
    pub(super) fn next_pass(&self, period: Duration) -> Option<Time> {
        match (&self.pass, &self.last) {
            (None, Some(last)) => Some(last.began_at.plus(period)),
            (Some(_), _) | (None, None) => None,
        }
    }

    /// One more run could not read the blob there; how many could not.
    pub(super) fn stumble(&mut self, place: BlobPlace) -> u32 {
        let before = self.stuck.filter(|(stuck, _)| *stuck == place).map_or(0, |(_, tries)| tries);
        self.stuck = Some((place, before + 1));
        before + 1
    }
}

/// One pass.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pass {
    #[serde(with = "as_text")]
    pub(super) began_at: Time,
    #[serde(default, with = "as_optional_text")]
    pub(super) ended_at: Option<Time>,
    /// The blob that was looked at last: its version and its place in that.
    pub(super) after: Option<BlobPlace>,
    /// Blobs that were read, and their bytes.
    pub(super) blobs: u64,
    pub(super) bytes: u64,
    /// Blobs of which only the size could be compared: their rows hold no checksum.
    pub(super) without_checksum: u64,
    /// Blobs that only a later version of Barrow can read.
    pub(super) unknown_format: u64,
    /// Blobs that are not what was written.
    pub(super) damaged: Damages,
    /// Blobs that the store did not give, run after run, although it is there.
    pub(super) unreadable: Damages,
}

/// Damaged blobs: how many, and the first of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Damages {
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) first: Vec<Damage>,
}

/// What is wrong with which blob of which object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Damage {
    /// `domain/bucket/name`, or `domain/name` of an unnamed or alias object.
    pub(super) object: String,
    pub(super) version: VersionId,
    pub(super) blob: BlobName,
    pub(super) what: String,
}

/// Damages that are shown by name.
const SHOWN: usize = 100;

impl Pass {
    pub(super) fn begun(at: Time) -> Self {
        Pass {
            began_at: at,
            ended_at: None,
            after: None,
            blobs: 0,
            bytes: 0,
            without_checksum: 0,
            unknown_format: 0,
            damaged: Damages::default(),
            unreadable: Damages::default(),
        }
    }
}

impl Damages {
    pub(super) fn add(&mut self, damage: Damage, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
        if self.first.len() < SHOWN {
            self.first.push(damage);
        }
    }
}

impl Damage {
    pub(super) fn of(owner: &Owner, blob: BlobName, what: String) -> Self {
        let Owner { domain, bucket, name, version, .. } = owner;
        let object =
            if bucket.is_empty() { format!("{domain}/{name}") } else { format!("{domain}/{bucket}/{name}") };
        Damage { object, version: *version, blob, what }
    }
}

/// What is wrong, in words; `None`: nothing, as far as can be told.
pub(super) fn wrong(verdict: &Verdict, size: u64, md5: Option<[u8; 16]>) -> Option<String> {
    match verdict {
        Verdict::Sound | Verdict::Unrecorded => None,
        Verdict::Missing => Some("missing".to_owned()),
        Verdict::Shorter { found } => Some(format!("shorter: {found} bytes of {size}")),
        Verdict::Longer { found } => Some(format!("longer: {found} bytes instead of {size}")),
        Verdict::Different { found } => {
            let recorded = md5.map_or_else(|| "none".to_owned(), hex);
            Some(format!("different digest: {} instead of {recorded}", hex(*found)))
        }
    }
}

fn hex(digest: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(digest))
}

/// Times as operators read them. Finer than a millisecond they need not be.
mod as_text {
    use lifecycle::Time;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&time.to_rfc3339())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        Time::parse_rfc3339(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no time")))
    }
}

mod as_optional_text {
    use lifecycle::Time;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_some(&time.to_rfc3339()),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.as_deref().and_then(Time::parse_rfc3339))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_comes_back_as_it_was() {
        let mut memo = Memo { pass: Some(Pass::begun(Time::from_secs(1_772_528_400))), ..Memo::default() };
        let place = (VersionId::random(), 3);
        assert_eq!((memo.stumble(place), memo.stumble(place), memo.stumble((place.0, 4))), (1, 2, 1));
        if let Some(pass) = &mut memo.pass {
            pass.after = Some(place);
            let (version, blob) = (place.0, BlobName::random());
            pass.damaged
                .add(Damage { object: "d/b/n".to_owned(), version, blob, what: "missing".to_owned() }, 7);
        }
        let text = serde_json::to_value(&memo).unwrap();
        let back: Memo = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap(), text);
        assert_eq!(back.pass.map(|pass| pass.began_at), Some(Time::from_secs(1_772_528_400)));
    }

    #[test]
    fn the_next_pass_follows_the_beginning_of_the_last() {
        let day = Duration::from_secs(24 * 3_600);
        let mut memo = Memo::default();
        assert_eq!(memo.next_pass(day), None);
        memo.last = Some(Pass::begun(Time::from_secs(0)));
        assert_eq!(memo.next_pass(day), Some(Time::from_secs(24 * 3_600)));
        memo.pass = Some(Pass::begun(Time::from_secs(1)));
        assert_eq!(memo.next_pass(day), None);
    }

    #[test]
    fn of_many_damages_the_first_are_named_and_all_are_counted() {
        let mut damages = Damages::default();
        for _ in 0..150 {
            let (version, blob) = (VersionId::random(), BlobName::random());
            damages.add(Damage { object: String::new(), version, blob, what: String::new() }, 2);
        }
        assert_eq!((damages.count, damages.bytes, damages.first.len()), (150, 300, 100));
    }
}
