//! The checksums that S3 keeps beside an object: pure. A checksum covers the bytes of an object ("full object"), or the
//! checksums of its parts ("composite"; after it stands over how many). Source: Amazon S3 User Guide, "Checking object
//! integrity in Amazon S3".

use super::crc;
use super::hashing::{self, Digest, HashType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// An upload has no more parts than this.
const MOST_PARTS: u32 = 10_000;

/// A function that clients may have an object's integrity checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// CRC-32/ISO-HDLC: 4 bytes.
    Crc32,
    /// CRC-32/ISCSI (Castagnoli): 4 bytes.
    Crc32c,
    /// CRC-64/NVME: 8 bytes.
    Crc64Nvme,
    /// SHA-1: 20 bytes.
    Sha1,
    /// SHA-256: 32 bytes.
    Sha256,
}

/// What a checksum is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumKind {
    /// The bytes of the object.
    FullObject,
    /// The checksums of its parts.
    Composite,
}

/// A checksum of an object or of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Made by this function.
    pub algorithm: ChecksumAlgorithm,
    /// As many bytes as the function makes; of a CRC the most significant first.
    pub bytes: Vec<u8>,
    /// Composite, over so many parts; `None` is a checksum over the bytes themselves.
    pub parts: Option<u32>,
}

/// What cannot be a checksum, or not of this kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChecksum {
    /// No function has this name.
    #[error("{0:?} is no checksum algorithm: allowed are CRC32, CRC32C, CRC64NVME, SHA1, SHA256")]
    Algorithm(String),
    /// Checksums are of no such kind.
    #[error("{0:?} is no checksum type: allowed are FULL_OBJECT, COMPOSITE")]
    Kind(String),
    /// The function makes no checksums of this kind.
    #[error("the checksum type {kind} cannot be used with the {algorithm} checksum algorithm")]
    NotAllowed {
        /// The function.
        algorithm: ChecksumAlgorithm,
        /// What it does not make.
        kind: ChecksumKind,
    },
    /// The function does not make this.
    #[error(
        "{text:?} is no {algorithm}: allowed are {} bytes in base64, behind them a hyphen and the number of parts if it \
         is composite",
        algorithm.hash_type().length()
    )]
    Text {
        /// The function.
        algorithm: ChecksumAlgorithm,
        /// What was to be its checksum.
        text: String,
    },
    /// A part's checksum is not one by the function, or there are more parts than an upload can have.
    #[error("the checksums of {parts} parts make no {algorithm}: allowed are up to 10000 {algorithm}s")]
    Parts {
        /// The function.
        algorithm: ChecksumAlgorithm,
        /// How many there were.
        parts: usize,
    },
    /// What was stored as a checksum is none.
    #[error("{0:?} is no stored checksum")]
    Stored(String),
}

impl ChecksumAlgorithm {
    /// All of them, in the order in which AWS lists them.
    pub const ALL: [ChecksumAlgorithm; 5] = [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32c,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ];

    /// Its name, as `x-amz-checksum-algorithm` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChecksumAlgorithm::Crc32 => "CRC32",
            ChecksumAlgorithm::Crc32c => "CRC32C",
            ChecksumAlgorithm::Crc64Nvme => "CRC64NVME",
            ChecksumAlgorithm::Sha1 => "SHA1",
            ChecksumAlgorithm::Sha256 => "SHA256",
        }
    }

    /// The one of this name, in any case: clients write it in both.
    ///
    /// # Errors
    /// [`BadChecksum::Algorithm`].
    pub fn parse(name: &str) -> Result<Self, BadChecksum> {
        let found = Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
        found.ok_or_else(|| BadChecksum::Algorithm(name.to_owned()))
    }

    /// The header and the trailer that carry its checksums, in lower case.
    pub fn header(self) -> &'static str {
        match self {
            ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
            ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
            ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
            ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The function itself.
    pub fn hash_type(self) -> HashType {
        match self {
            ChecksumAlgorithm::Crc32 => HashType::Crc32,
            ChecksumAlgorithm::Crc32c => HashType::Crc32c,
            ChecksumAlgorithm::Crc64Nvme => HashType::Crc64Nvme,
            ChecksumAlgorithm::Sha1 => HashType::Sha1,
            ChecksumAlgorithm::Sha256 => HashType::Sha256,
        }
    }

    /// Whether a multipart upload may have a checksum of this kind by this function: only CRCs of parts combine to that
    /// of the whole, and CRC64NVME exists only so.
    pub fn allows(self, kind: ChecksumKind) -> bool {
        match self {
            ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => true,
            ChecksumAlgorithm::Crc64Nvme => kind == ChecksumKind::FullObject,
            ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => kind == ChecksumKind::Composite,
        }
    }

    /// The kind of checksum that a multipart upload gets which asked for this one, or for none in particular.
    ///
    /// # Errors
    /// [`BadChecksum::NotAllowed`].
    pub fn kind_of_multipart(self, asked: Option<ChecksumKind>) -> Result<ChecksumKind, BadChecksum> {
        let preset = if self.allows(ChecksumKind::Composite) {
            ChecksumKind::Composite
        } else {
            ChecksumKind::FullObject
        };
        let kind = asked.unwrap_or(preset);
        let refused = BadChecksum::NotAllowed { algorithm: self, kind };
        if self.allows(kind) { Ok(kind) } else { Err(refused) }
    }
}

impl fmt::Display for ChecksumAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ChecksumKind {
    /// Its name, as `x-amz-checksum-type` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChecksumKind::FullObject => "FULL_OBJECT",
            ChecksumKind::Composite => "COMPOSITE",
        }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// [`BadChecksum::Kind`].
    pub fn parse(name: &str) -> Result<Self, BadChecksum> {
        let found = [ChecksumKind::FullObject, ChecksumKind::Composite]
            .into_iter()
            .find(|kind| kind.as_str() == name);
        found.ok_or_else(|| BadChecksum::Kind(name.to_owned()))
    }
}

impl fmt::Display for ChecksumKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Checksum {
    /// The checksum that a digest of the bytes is; `None` if S3 has none by its function.
    pub fn of_digest(digest: &Digest) -> Option<Self> {
        let algorithm = ChecksumAlgorithm::ALL.into_iter().find(|known| known.hash_type() == digest.of())?;
        Some(Checksum { algorithm, bytes: digest.bytes().to_vec(), parts: None })
    }

    /// The digest that the bytes must have; `None` if it is composite.
    pub fn digest(&self) -> Option<Digest> {
        match self.parts {
            None => Digest::new(self.algorithm.hash_type(), self.bytes.clone()),
            Some(_) => None,
        }
    }

    /// What it is made of.
    pub fn kind(&self) -> ChecksumKind {
        if self.parts.is_some() { ChecksumKind::Composite } else { ChecksumKind::FullObject }
    }

    /// The name of what it is made of, as `x-amz-checksum-type` has it.
    pub fn kind_str(&self) -> &'static str {
        self.kind().as_str()
    }

    /// As headers and documents have it: base64, and `-N` behind it if it is composite over N parts.
    pub fn text(&self) -> String {
        let text = STANDARD.encode(&self.bytes);
        match self.parts {
            Some(parts) => format!("{text}-{parts}"),
            None => text,
        }
    }

    /// Reads what [`text`](Self::text) writes, and nothing else: the padding must be there, the bits behind the last
    /// byte must be 0, and the number of parts has no 0 in front.
    ///
    /// # Errors
    /// [`BadChecksum::Text`].
    pub fn of_text(algorithm: ChecksumAlgorithm, text: &str) -> Result<Self, BadChecksum> {
        let bad = || BadChecksum::Text { algorithm, text: text.to_owned() };
        let (base64, parts) = match text.split_once('-') {
            Some((base64, parts)) => (base64, Some(count(parts).ok_or_else(bad)?)),
            None => (text, None),
        };
        let bytes = STANDARD.decode(base64).map_err(|_| bad())?;
        if bytes.len() == algorithm.hash_type().length() {
            Ok(Checksum { algorithm, bytes, parts })
        } else {
            Err(bad())
        }
    }

    /// One line to store, such as `CRC32 FULL_OBJECT y/Q5Jg==`.
    pub fn encode(&self) -> String {
        format!("{} {} {}", self.algorithm, self.kind_str(), self.text())
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`BadChecksum::Stored`].
    pub fn decode(stored: &str) -> Result<Self, BadChecksum> {
        let read = || {
            let (algorithm, rest) = stored.split_once(' ')?;
            let (kind, text) = rest.split_once(' ')?;
            let algorithm = ChecksumAlgorithm::parse(algorithm).ok()?;
            let checksum = Checksum::of_text(algorithm, text).ok()?;
            (checksum.kind_str() == kind).then_some(checksum)
        };
        read().ok_or_else(|| BadChecksum::Stored(stored.to_owned()))
    }

    /// The checksum over the checksums of parts, in their order.
    ///
    /// # Errors
    /// [`BadChecksum::NotAllowed`] for CRC64NVME, and [`BadChecksum::Parts`].
    pub fn composite(algorithm: ChecksumAlgorithm, parts: &[Vec<u8>]) -> Result<Self, BadChecksum> {
        algorithm.kind_of_multipart(Some(ChecksumKind::Composite))?;
        let length = algorithm.hash_type().length();
        let count = u32::try_from(parts.len()).ok().filter(|count| (1..=MOST_PARTS).contains(count));
        match count {
            Some(count) if parts.iter().all(|part| part.len() == length) => {
                let digest = hashing::digest(algorithm.hash_type(), &parts.concat());
                Ok(Checksum { algorithm, bytes: digest.bytes().to_vec(), parts: Some(count) })
            }
            _ => Err(BadChecksum::Parts { algorithm, parts: parts.len() }),
        }
    }

    /// The checksum of the whole, from those of its parts and their lengths in bytes, in their order.
    ///
    /// # Errors
    /// [`BadChecksum::NotAllowed`] for SHA1 and SHA256, and [`BadChecksum::Parts`].
    pub fn combined(algorithm: ChecksumAlgorithm, parts: &[(Vec<u8>, u64)]) -> Result<Self, BadChecksum> {
        algorithm.kind_of_multipart(Some(ChecksumKind::FullObject))?;
        let bytes = crc::combined(algorithm.hash_type(), parts);
        let bytes = bytes.ok_or(BadChecksum::Parts { algorithm, parts: parts.len() })?;
        Ok(Checksum { algorithm, bytes, parts: None })
    }
}

fn count(digits: &str) -> Option<u32> {
    let count: u32 = digits.parse().ok()?;
    // No plus sign and no 0 in front: one number has one text.
    ((1..=MOST_PARTS).contains(&count) && count.to_string() == digits).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    use super::*;

    const NINE: &[u8] = b"123456789";

    fn of(algorithm: ChecksumAlgorithm, content: &[u8]) -> Checksum {
        Checksum::of_digest(&hashing::digest(algorithm.hash_type(), content)).unwrap()
    }

    #[test]
    fn the_checksums_of_the_nine_digits_are_the_published_ones() {
        for (algorithm, wanted) in [
            (Crc32, "y/Q5Jg=="),
            (Crc32c, "4waSgw=="),
            (Crc64Nvme, "rosUhgp5mIg="),
            (Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let checksum = of(algorithm, NINE);
            assert_eq!(checksum.text(), wanted);
            assert_eq!(Checksum::of_text(algorithm, wanted), Ok(checksum.clone()));
            assert_eq!(checksum.kind_str(), "FULL_OBJECT");
            assert_eq!(checksum.digest().unwrap().of(), algorithm.hash_type());
        }
        assert!(Checksum::of_digest(&Digest::md5([0; 16])).is_none(), "S3 has no MD5 among its checksums");
    }

    #[test]
    fn names_are_read_in_any_case_and_headers_end_in_them() {
        for algorithm in ChecksumAlgorithm::ALL {
            let name = algorithm.as_str();
            assert_eq!(ChecksumAlgorithm::parse(name), Ok(algorithm));
            assert_eq!(ChecksumAlgorithm::parse(&name.to_lowercase()), Ok(algorithm));
            assert_eq!(algorithm.header(), format!("x-amz-checksum-{}", name.to_lowercase()));
        }
        assert_eq!(
            ChecksumAlgorithm::parse("MD5").unwrap_err().to_string(),
            "\"MD5\" is no checksum algorithm: allowed are CRC32, CRC32C, CRC64NVME, SHA1, SHA256"
        );
        assert_eq!(ChecksumKind::parse("COMPOSITE"), Ok(ChecksumKind::Composite));
        assert!(ChecksumKind::parse("composite").is_err() && ChecksumKind::parse("").is_err());
    }

    #[test]
    fn one_checksum_has_one_text() {
        assert_eq!(Checksum::of_text(Crc32, "y/Q5Jg==-10000").unwrap().parts, Some(10_000));
        for text in [
            "",
            "y/Q5Jg",
            "y/Q5Jg=",
            "y/Q5Jh==", // a bit behind the last byte
            "y_Q5Jg==",
            " y/Q5Jg==",
            "y/Q5Jg==\n",
            "y/Q5Jg==-",
            "y/Q5Jg==-0",
            "y/Q5Jg==-01",
            "y/Q5Jg==-+1",
            "y/Q5Jg==--1",
            "y/Q5Jg==-1-1",
            "y/Q5Jg==-10001",
            "rosUhgp5mIg=",
            "cbf43926",
        ] {
            let bad = Checksum::of_text(Crc32, text).unwrap_err().to_string();
            assert!(
                bad.starts_with(&format!("{text:?} is no CRC32: allowed are 4 bytes in base64")),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_stored_checksum_is_read_back_as_it_was() {
        for algorithm in ChecksumAlgorithm::ALL {
            let whole = of(algorithm, NINE);
            let composite = Checksum { parts: Some(7), ..whole.clone() };
            assert_eq!(composite.digest(), None, "the bytes do not have a composite checksum");
            for checksum in [whole, composite] {
                assert_eq!(Checksum::decode(&checksum.encode()), Ok(checksum));
            }
        }
        assert_eq!(of(Crc32, NINE).encode(), "CRC32 FULL_OBJECT y/Q5Jg==");
        for stored in
            ["", "CRC32", "CRC32 FULL_OBJECT", "CRC32 COMPOSITE y/Q5Jg==", "CRC32 FULL_OBJECT y/Q5Jg==-2"]
        {
            assert!(Checksum::decode(stored).is_err(), "{stored}");
        }
    }

    #[test]
    fn a_composite_checksum_is_that_of_the_raw_checksums_of_the_parts() {
        for algorithm in [Crc32, Crc32c, Sha1, Sha256] {
            let parts = [of(algorithm, b"1234").bytes, of(algorithm, b"56789").bytes];
            let composite = Checksum::composite(algorithm, &parts).unwrap();
            assert_eq!(composite.bytes, of(algorithm, &parts.concat()).bytes);
            assert_eq!((composite.parts, composite.kind_str()), (Some(2), "COMPOSITE"));
            assert!(composite.text().ends_with("=-2"));
            for wrong in [vec![], vec![vec![0; 3]], vec![parts[0].clone(); 10_001]] {
                assert!(Checksum::composite(algorithm, &wrong).is_err(), "{algorithm}, {}", wrong.len());
            }
        }
        assert!(Checksum::composite(Crc64Nvme, &[vec![0; 8]]).is_err());
    }

    #[test]
    fn crcs_of_parts_combine_to_that_of_the_whole_and_hashes_do_not() {
        for algorithm in [Crc32, Crc32c, Crc64Nvme] {
            let parts = [b"1234".as_slice(), b"", b"56789"]
                .map(|part| (of(algorithm, part).bytes, part.len() as u64));
            assert_eq!(Checksum::combined(algorithm, &parts), Ok(of(algorithm, NINE)));
            assert!(Checksum::combined(algorithm, &[(vec![0; 5], 1)]).is_err());
        }
        assert_eq!(
            Checksum::combined(Sha256, &[]).unwrap_err().to_string(),
            "the checksum type FULL_OBJECT cannot be used with the SHA256 checksum algorithm"
        );
    }

    #[test]
    fn a_multipart_upload_has_the_kinds_that_aws_has() {
        use ChecksumKind::{Composite, FullObject};
        for (algorithm, preset, full, composite) in [
            (Crc32, Composite, true, true),
            (Crc32c, Composite, true, true),
            (Crc64Nvme, FullObject, true, false),
            (Sha1, Composite, false, true),
            (Sha256, Composite, false, true),
        ] {
            assert_eq!(algorithm.kind_of_multipart(None), Ok(preset));
            for (kind, allowed) in [(FullObject, full), (Composite, composite)] {
                assert_eq!(algorithm.kind_of_multipart(Some(kind)).is_ok(), allowed, "{algorithm} {kind}");
            }
        }
    }
}
