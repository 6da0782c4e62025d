//! What a request asks of its content's integrity: pure, from arguments and headers (SCSP sections 7.3 and 7.4).

use super::error::Trouble;
use crate::http::Query;
use crate::objects::{Digest, HashType};
use http::HeaderMap;
use http::header::{EXPECT, HeaderName, HeaderValue, LOCATION, TE};

/// The seal that a write is to make.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sealing {
    /// By which function.
    pub(super) of: HashType,
    /// What it must come to.
    pub(super) said: Option<Digest>,
}

/// What a read is to check and to tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Integrity {
    /// The content must have this digest.
    pub(super) seal: Option<Digest>,
    /// The seal that is told is made by this function instead of the seal's own.
    pub(super) reseal: Option<HashType>,
    /// The content must be what was stored.
    pub(super) validate: bool,
    /// All of it must be there before any of it is sent.
    pub(super) present: bool,
    /// The MD5 of what is sent is to be told.
    pub(super) md5: bool,
}

impl Sealing {
    /// The arguments of a write.
    ///
    /// # Errors
    /// 400 for a function that is none, a digest that it cannot make, and one without its function.
    pub(super) fn asked(query: &Query) -> Result<Option<Self>, Trouble> {
        match (hash_type(query, "hashtype")?, query.get("hash")) {
            (Some(of), Some(text)) => Ok(Some(Sealing { of, said: Some(hash(of, text)?) })),
            (Some(of), None) => Ok(Some(Sealing { of, said: None })),
            (None, Some(_)) => Err(bad("The argument hash needs the argument hashtype beside it.")),
            (None, None) => Ok(None),
        }
    }
}

impl Integrity {
    /// The arguments of a read.
    ///
    /// # Errors
    /// As [`Sealing::asked`], and 400 for half a seal: who leaves the digest out must not believe that it was checked.
    pub(super) fn asked(query: &Query) -> Result<Self, Trouble> {
        let seal = match Sealing::asked(query)? {
            Some(Sealing { said: None, .. }) => {
                return Err(bad("A seal that is to be checked has two arguments: hashtype and hash."));
            }
            Some(Sealing { said, .. }) => said,
            None => None,
        };
        let reseal = hash_type(query, "newhashtype")?;
        if reseal.is_some() && seal.is_none() {
            return Err(bad(
                "The argument newhashtype makes a new seal of an old one: send hashtype and hash.",
            ));
        }
        let flag = |name| query.flag(name).map_err(|bad| Trouble::bad_request("BadArgument", &bad));
        Ok(Integrity {
            seal,
            reseal,
            validate: flag("validate")?,
            present: flag("checkintegrity")?,
            md5: flag("gencontentmd5")?,
        })
    }

    /// Whether the content is compared with something, for which all of it must be read.
    pub(super) fn needs_all(&self) -> bool {
        self.seal.is_some() || self.validate
    }

    /// The function whose digest is told as the seal.
    pub(super) fn told(&self) -> Option<HashType> {
        self.reseal.or(self.seal.as_ref().map(Digest::of))
    }
}

fn hash_type(query: &Query, argument: &str) -> Result<Option<HashType>, Trouble> {
    let Some(text) = query.get(argument) else { return Ok(None) };
    let found = HashType::SEALS.into_iter().find(|known| known.name().eq_ignore_ascii_case(text));
    found.map(Some).ok_or_else(|| {
        bad(format!(
            "The argument {argument} cannot be {text:?}: allowed are {}.",
            HashType::SEALS.map(HashType::name).join(", ")
        ))
    })
}

fn hash(of: HashType, text: &str) -> Result<Digest, Trouble> {
    bytes(text).and_then(|bytes| Digest::new(of, bytes)).ok_or_else(|| {
        let digits = 2 * of.length();
        bad(format!(
            "The argument hash cannot be {text:?}: a digest by {of} has {digits} hexadecimal digits."
        ))
    })
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(16)).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok());
    bytes.collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

fn bad(text: impl Into<String>) -> Trouble {
    Trouble::new(400, "BadArgument", text)
}

/// `location`, which has arguments already, with the seal behind them.
pub(super) fn sealed(location: &str, seal: &Digest) -> String {
    format!("{location}&hashtype={}&hash={seal}", seal.of())
}

/// Puts the seal into the `Location` of an answer.
pub(super) fn seal_location(headers: &mut HeaderMap, seal: Option<&Digest>) {
    let Some(seal) = seal else { return };
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    if let Some(Ok(value)) = location.map(|location| HeaderValue::try_from(sealed(location, seal))) {
        headers.insert(LOCATION, value);
    }
}

/// Whether the deprecated `Expect: Content-MD5` is there, alone or beside another expectation.
pub(super) fn expects_md5(headers: &HeaderMap) -> bool {
    lists(headers, EXPECT, "content-md5")
}

/// Whether trailers reach the client: they are sent only to one that says so.
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    lists(headers, TE, "trailers")
}

fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "8cbad96aced40b3838dd9f07f6ef5772";

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).unwrap()
    }

    fn writes(raw: &str) -> Option<Sealing> {
        Sealing::asked(&query(raw)).unwrap()
    }

    fn reads(raw: &str) -> Integrity {
        Integrity::asked(&query(raw)).unwrap()
    }

    #[test]
    fn a_write_is_sealed_by_one_of_five_functions_in_any_case() {
        assert_eq!(writes("domain=d"), None);
        for of in HashType::SEALS {
            assert_eq!(writes(&format!("hashtype={of}")), Some(Sealing { of, said: None }));
        }
        let sealing = writes(&format!("HashType=MD5&hash={}", MD5.to_uppercase())).unwrap();
        assert_eq!(sealing.said.unwrap().to_string(), MD5);
    }

    #[test]
    fn what_cannot_be_a_seal_is_refused_with_what_can() {
        for (raw, told) in [
            ("hashtype=crc32", "\"crc32\": allowed are md5, sha1, sha256, sha384, sha512."),
            ("hashtype", "\"\": allowed are md5"),
            ("hash=00", "needs the argument hashtype"),
            ("hashtype=md5&hash=", "32 hexadecimal digits"),
            ("hashtype=sha1&hash=8cbad96aced40b3838dd9f07f6ef5772", "40 hexadecimal digits"),
            ("hashtype=md5&hash=8cbad96aced40b3838dd9f07f6ef577", "32 hexadecimal digits"),
            ("hashtype=md5&hash=8cbad96aced40b3838dd9f07f6ef577g", "32 hexadecimal digits"),
            ("hashtype=md5&hash=%2B8cbad96aced40b3838dd9f07f6ef57", "32 hexadecimal digits"),
        ] {
            for trouble in [Sealing::asked(&query(raw)).err(), Integrity::asked(&query(raw)).err()] {
                let trouble = trouble.expect("refused");
                assert_eq!((trouble.status.as_u16(), trouble.token), (400, "BadArgument"), "{raw}");
                let said = format!("{trouble:?}").replace("\\\"", "\"");
                assert!(said.contains(told), "{raw}: {said}");
            }
        }
    }

    #[test]
    fn a_read_has_a_whole_seal_or_none() {
        assert_eq!(reads("domain=d"), Integrity::default());
        let sealed = reads(&format!("hashtype=md5&hash={MD5}"));
        assert!(sealed.needs_all() && sealed.told() == Some(HashType::Md5));
        let resealed = reads(&format!("hashtype=md5&hash={MD5}&newhashtype=sha512"));
        assert_eq!(resealed.told(), Some(HashType::Sha512));
        for half in ["hashtype=md5", "newhashtype=md5", "hashtype=md5&newhashtype=sha1", "validate=maybe"] {
            assert!(Integrity::asked(&query(half)).is_err(), "{half}");
        }
        let all = reads("validate&checkintegrity=yes&gencontentmd5=true");
        assert!(all.validate && all.present && all.md5 && all.needs_all());
        assert!(!reads("validate=no&checkintegrity=false").needs_all());
    }

    #[test]
    fn the_seal_stands_behind_the_arguments_of_the_location() {
        let mut headers =
            HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("http://h/b/o?domain=d"))]);
        seal_location(&mut headers, None);
        seal_location(&mut headers, Some(&Digest::md5([0xab; 16])));
        assert_eq!(
            headers[LOCATION],
            "http://h/b/o?domain=d&hashtype=md5&hash=abababababababababababababababab"
        );
    }

    #[test]
    fn expectations_and_trailers_are_found_in_lists_and_on_several_lines() {
        let mut headers = HeaderMap::new();
        assert!(!expects_md5(&headers) && !takes_trailers(&headers));
        headers.append(EXPECT, HeaderValue::from_static("100-continue"));
        headers.append(TE, HeaderValue::from_static("gzip;q=0.5, Trailers"));
        assert!(!expects_md5(&headers) && takes_trailers(&headers));
        headers.append(EXPECT, HeaderValue::from_static("Content-MD5"));
        assert!(expects_md5(&headers));
    }
}
