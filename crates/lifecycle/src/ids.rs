//! Identities: 128 bits, used once, ever (rule R3). The one door through which randomness makes a name.

use crate::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Text that is not 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadId(pub String);

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not 32 hexadecimal digits", self.0)
    }
}

impl std::error::Error for BadId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh, unguessable identity from the operating system's random source.
            pub fn random() -> Self {
                $name(random_bytes())
            }

            /// The identity that these 16 bytes are, as stored in the database.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                $name(bytes)
            }

            /// The 16 bytes, as stored in the database.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Reads a database column; anything but 16 bytes is `None`.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            /// Either case is read, lower case is written; hyphens are not accepted (SCSP section 1.3).
            fn from_str(text: &str) -> Result<Self, BadId> {
                let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
                match u128::from_str_radix(text, 16) {
                    Ok(value) if digits => Ok($name(value.to_be_bytes())),
                    _ => Err(BadId(text.chars().take(64).collect())),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// A domain, a bucket, or a bucket's contents. Children point at it; names never do.
    ContainerId
}
id! {
    /// One version of an object: SCSP's ETag and `version=`, S3's VersionId.
    VersionId
}
id! {
    /// A blob: where bytes lie. Random, never derived from an object's name.
    BlobName
}
id! {
    /// One run of one process, and the holder named in its claims.
    MemberId
}
id! {
    /// A multipart upload.
    UploadId
}
id! {
    /// This installation: written beside the metadata and at the root of the blobs, so that neither is ever used
    /// with the other's partner.
    InstallationId
}

impl VersionId {
    /// A fresh identity whose order follows time (48 bits of milliseconds, then 80 random bits), so that an index over
    /// versions grows at its end. For versions that nobody needs to be unable to guess; an unnamed object's is
    /// [`VersionId::random`].
    pub fn ordered(now: Time) -> Self {
        let mut bytes = random_bytes();
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&millis[2..]);
        VersionId(bytes)
    }
}

impl UploadId {
    /// A fresh identity whose order follows time (56 bits of microseconds, then 72 random bits): uploads of one name are
    /// listed in the order of their ids, and so in the order in which they began.
    pub fn ordered(now: Time) -> Self {
        let mut bytes = random_bytes();
        let micros = u64::try_from(now.micros()).unwrap_or(0).to_be_bytes();
        bytes[..7].copy_from_slice(&micros[1..]);
        UploadId(bytes)
    }
}

/// A fresh id of an account, in the form of S3's canonical user ids: 64 hexadecimal digits.
pub fn account_id() -> String {
    [random_bytes(), random_bytes()]
        .iter()
        .map(|half| format!("{:032x}", u128::from_be_bytes(*half)))
        .collect()
}

/// Whether text has the form of an account's id. Keys and users of other doors are called otherwise.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

#[allow(clippy::disallowed_methods, reason = "the one place that draws random identities")]
fn random_bytes() -> [u8; 16] {
    // Two draws folded together: a version-4 UUID fixes six bits, and an identity here wants all 128.
    let (a, b) = (Uuid::new_v4().as_u128(), Uuid::new_v4().as_u128());
    (a ^ b.rotate_left(64)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_what_it_writes_in_either_case() {
        let id = ContainerId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for bad in ["", "0", "+123456789abcdef0123456789abcdef0", "0123456789abcdef0123456789abcdeg", "é"] {
            assert!(bad.parse::<ContainerId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ordered_version_ids_follow_the_clock() {
        let (a, b) = (VersionId::ordered(Time::from_secs(1)), VersionId::ordered(Time::from_secs(2)));
        assert!(a < b);
        assert_ne!(VersionId::ordered(Time::from_secs(1)), a);
    }

    #[test]
    fn an_accounts_id_has_64_digits_and_is_used_once() {
        let (one, other) = (account_id(), account_id());
        assert!(is_account_id(&one) && is_account_id(&other));
        assert_ne!(one, other);
        for bad in ["", "BK0123456789ABCDEF", &one[1..], &one.to_uppercase(), "anonymous"] {
            assert!(!is_account_id(bad), "{bad}");
        }
    }

    #[test]
    fn ordered_upload_ids_follow_the_clock_to_the_microsecond() {
        let at = |micros: i64| UploadId::ordered(Time::from_micros(1_800_000_000_000_000 + micros));
        assert!(at(0) < at(1) && at(1) < at(1_000_000));
        assert_ne!(at(0), at(0));
    }
}
