//! S3's checksums: what a request says its body's is, in a header or behind the body, and how answers say it.

use super::body::Found;
use super::error::{Trouble, trouble};
use super::trailers::Trailers;
use crate::objects::{Checksum, ChecksumAlgorithm, ChecksumKind, Digests, Error, Judge};
use http::{HeaderMap, HeaderName};

/// Ends of headers that say something about checksums, and not what one is.
const BESIDE: [&str; 3] = ["algorithm", "mode", "type"];

/// Where a request says what its checksum is.
enum Said {
    /// In a header.
    Here(Checksum),
    /// Behind the body.
    Behind(Trailers),
    /// Nowhere: it is computed and kept.
    Nowhere,
}

/// A checksum that a body is to be judged by.
pub(super) struct Wanted {
    pub(super) algorithm: ChecksumAlgorithm,
    said: Said,
}

/// The checksum that the headers of a request speak of.
///
/// # Errors
/// `InvalidRequest` for more than one, for a value that is none, and for one that was announced and is not there.
pub(super) fn wanted(headers: &HeaderMap, trailers: Option<Trailers>) -> Result<Option<Wanted>, Trouble> {
    let found = header(headers)?;
    let announced = headers.get_all("x-amz-trailer").iter().filter_map(|value| value.to_str().ok());
    let mut announced =
        announced.flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let trailer = match (announced.next(), announced.next()) {
        (None, _) => None,
        (Some(name), None) => Some(of_header(name).ok_or_else(|| {
            trouble("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
        })?),
        (Some(_), Some(_)) => return Err(several()),
    };
    let wanted = match (found, trailer) {
        (Some(_), Some(_)) => return Err(several()),
        (Some(checksum), None) => Some(Wanted { algorithm: checksum.algorithm, said: Said::Here(checksum) }),
        (None, Some(algorithm)) => {
            let trailers = trailers.ok_or_else(|| {
                trouble(
                    "InvalidRequest",
                    "x-amz-trailer is for bodies that are sent in chunks with a trailer",
                )
            })?;
            Some(Wanted { algorithm, said: Said::Behind(trailers) })
        }
        (None, None) => None,
    };
    match (named(headers)?, &wanted) {
        (Some(_), None) => Err(trouble(
            "InvalidRequest",
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were \
             found.",
        )),
        (Some(named), Some(wanted)) if named != wanted.algorithm => {
            Err(trouble("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid."))
        }
        _ => Ok(wanted),
    }
}

/// The checksum that a header says.
///
/// # Errors
/// `InvalidRequest` for more than one, and for a value that is none.
pub(super) fn header(headers: &HeaderMap) -> Result<Option<Checksum>, Trouble> {
    // Whoever believes that the body is checked is told that it is not.
    let unknown = |name: &HeaderName| {
        let of = name.as_str().strip_prefix("x-amz-checksum-");
        of.is_some_and(|of| !BESIDE.contains(&of)) && of_header(name.as_str()).is_none()
    };
    if headers.keys().any(unknown) {
        return Err(trouble(
            "InvalidRequest",
            "The algorithm type you specified in x-amz-checksum- header is invalid.",
        ));
    }
    let mut found = None;
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        if found.is_some() {
            return Err(several());
        }
        let text = value.to_str().unwrap_or_default();
        let checksum = Checksum::of_text(algorithm, text).ok().filter(|checksum| checksum.parts.is_none());
        found = Some(checksum.ok_or_else(|| invalid_value(algorithm))?);
    }
    Ok(found)
}

/// The algorithm that `x-amz-sdk-checksum-algorithm` names.
///
/// # Errors
/// `InvalidRequest` for one that there is not.
fn named(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>, Trouble> {
    let Some(name) = headers.get("x-amz-sdk-checksum-algorithm").and_then(|name| name.to_str().ok()) else {
        return Ok(None);
    };
    algorithm(name).map(Some)
}

/// An algorithm by its name.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn algorithm(name: &str) -> Result<ChecksumAlgorithm, Trouble> {
    ChecksumAlgorithm::parse(&name.to_ascii_uppercase()).map_err(|_| {
        trouble(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, \
             CRC64NVME, SHA1, SHA256]",
        )
    })
}

/// A kind of checksum by its name.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn kind(name: &str) -> Result<ChecksumKind, Trouble> {
    ChecksumKind::parse(&name.to_ascii_uppercase()).map_err(|bad| trouble("InvalidRequest", bad.to_string()))
}

impl Wanted {
    /// A checksum that is only to be computed.
    pub(super) fn computed(algorithm: ChecksumAlgorithm) -> Self {
        Wanted { algorithm, said: Said::Nowhere }
    }

    /// Who decides at the end of the body.
    /// What is wrong with a trailer is kept in `found`: no other door knows of such.
    pub(super) fn judge(self, found: Found) -> Judge {
        Box::new(move |digests: &Digests| {
            let algorithm = self.algorithm;
            let digest = digests.get(algorithm.hash_type())?;
            let is = Checksum::of_digest(digest)
                .ok_or_else(|| Error::Unavailable("a checksum was not computed".to_owned()))?;
            let said = match self.said {
                Said::Nowhere => None,
                Said::Here(checksum) => Some(checksum),
                Said::Behind(trailers) => {
                    let text = behind(algorithm, &trailers).map_err(|why| {
                        found.keep(trouble("MalformedTrailerError", why.clone()));
                        Error::BadRequest(why)
                    })?;
                    let said = Checksum::of_text(algorithm, &text).ok().filter(|said| said.parts.is_none());
                    let header = algorithm.header();
                    Some(said.ok_or_else(|| {
                        Error::BadRequest(format!("Value for {header} trailing header is invalid."))
                    })?)
                }
            };
            match said {
                Some(said) if said != is => {
                    Err(Error::Digest { of: algorithm.as_str(), is: is.text(), said: said.text() })
                }
                Some(_) | None => Ok(Some(is.encode())),
            }
        })
    }
}

/// The checksum that came behind the body: the one that was announced, once, and no other.
fn behind(algorithm: ChecksumAlgorithm, trailers: &Trailers) -> Result<String, String> {
    let missing = || format!("the trailer {} that was announced is missing", algorithm.header());
    let trailers = trailers.take().ok_or_else(missing)?;
    let mut values = trailers.get_all(algorithm.header()).iter();
    let value = values.next().ok_or_else(missing)?;
    let known =
        |name: &HeaderName| name.as_str() == algorithm.header() || name.as_str() == "x-amz-trailer-signature";
    if values.next().is_some() || !trailers.keys().all(known) {
        return Err("the body has trailers that were not announced".to_owned());
    }
    Ok(value.to_str().unwrap_or_default().to_owned())
}

/// Reads a checksum as it was stored. What cannot be read is none.
pub(super) fn stored(text: &str) -> Option<Checksum> {
    Checksum::decode(text).ok()
}

fn of_header(name: &str) -> Option<ChecksumAlgorithm> {
    ChecksumAlgorithm::ALL.into_iter().find(|known| known.header().eq_ignore_ascii_case(name))
}

fn several() -> Trouble {
    trouble(
        "InvalidRequest",
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    )
}

pub(super) fn invalid_value(algorithm: ChecksumAlgorithm) -> Trouble {
    trouble("InvalidRequest", format!("Value for {} header is invalid.", algorithm.header()))
}

/// Puts a checksum into the fields that an answer of `s3s` has for it.
macro_rules! say {
    ($answer:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            let text = Some($crate::objects::Checksum::text(checksum));
            match checksum.algorithm {
                $crate::objects::ChecksumAlgorithm::Crc32 => $answer.checksum_crc32 = text,
                $crate::objects::ChecksumAlgorithm::Crc32c => $answer.checksum_crc32c = text,
                $crate::objects::ChecksumAlgorithm::Crc64Nvme => $answer.checksum_crc64nvme = text,
                $crate::objects::ChecksumAlgorithm::Sha1 => $answer.checksum_sha1 = text,
                $crate::objects::ChecksumAlgorithm::Sha256 => $answer.checksum_sha256 = text,
            }
        }
    };
}
pub(super) use say;

/// The checksums among the fields that a structure of `s3s` has for one, as text.
macro_rules! said {
    ($given:expr) => {
        $crate::s3::checksums::Texts([
            ($crate::objects::ChecksumAlgorithm::Crc32, $given.checksum_crc32.as_deref()),
            ($crate::objects::ChecksumAlgorithm::Crc32c, $given.checksum_crc32c.as_deref()),
            ($crate::objects::ChecksumAlgorithm::Crc64Nvme, $given.checksum_crc64nvme.as_deref()),
            ($crate::objects::ChecksumAlgorithm::Sha1, $given.checksum_sha1.as_deref()),
            ($crate::objects::ChecksumAlgorithm::Sha256, $given.checksum_sha256.as_deref()),
        ])
    };
}
pub(super) use said;

/// What [`said!`] found.
pub(super) struct Texts<'a>(pub(super) [(ChecksumAlgorithm, Option<&'a str>); 5]);

impl<'a> Texts<'a> {
    /// The one that is there; `None` without any.
    ///
    /// # Errors
    /// There are several.
    pub(super) fn one(&self) -> Result<Option<(ChecksumAlgorithm, &'a str)>, Several> {
        let mut there = self.0.iter().filter_map(|(algorithm, text)| Some((*algorithm, (*text)?)));
        let one = there.next();
        if there.next().is_none() { Ok(one) } else { Err(Several) }
    }
}

/// Several checksums stand where one is expected.
pub(super) struct Several;

impl From<Several> for Trouble {
    fn from(_: Several) -> Self {
        several()
    }
}
