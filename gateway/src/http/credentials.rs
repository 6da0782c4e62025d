//! `Authorization: Basic` and `Authorization: Bearer`: both carry a key and its secret.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard base64; clients differ on the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The secret half of a credential. It can be compared by whoever asks for its bytes, and by design it cannot be
/// printed, logged or serialised.
pub struct Secret(Box<[u8]>);

impl Secret {
    /// The bytes. Compare them in constant time, keep them nowhere.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// What a client says about itself; nothing is checked yet.
pub struct Credentials {
    /// The key's name: not empty, no control characters.
    pub key: String,
    /// What proves it.
    pub secret: Secret,
}

/// Why an `Authorization` header cannot be read. Never repeats any part of it but the scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCredentials {
    /// Not a scheme that is spoken here.
    #[error("Authorization scheme {0:?} is not known: allowed are Basic, Bearer and Digest")]
    Scheme(String),
    /// What follows Basic is not base64.
    #[error("what follows Basic is not base64")]
    Base64,
    /// Not text.
    #[error("the credentials are not UTF-8")]
    Utf8,
    /// Not two halves.
    #[error("the credentials are not a key and a secret separated by ':'")]
    Form,
    /// A parameter of Digest credentials is missing, there twice, or not what is spoken here.
    #[error("the Digest credentials need {0}")]
    Digest(&'static str),
}

impl Credentials {
    /// Reads the value of an `Authorization` header: `Basic base64(key:secret)` or `Bearer key:secret`.
    ///
    /// # Errors
    /// Another scheme, or credentials that are not of this form.
    pub fn parse(header: &[u8]) -> Result<Self, BadCredentials> {
        let header = header.trim_ascii();
        let end = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
        let (scheme, token) = (&header[..end], header[end..].trim_ascii_start());
        let decoded;
        let pair = if scheme.eq_ignore_ascii_case(b"basic") {
            decoded = BASE64.decode(token).map_err(|_| BadCredentials::Base64)?;
            &decoded[..]
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            token
        } else {
            // whoever forgot the scheme sent the secret in its place
            let named = !token.is_empty() && scheme.len() <= 32;
            let scheme = if named { String::from_utf8_lossy(scheme).into_owned() } else { String::new() };
            return Err(BadCredentials::Scheme(scheme));
        };
        let pair = std::str::from_utf8(pair).map_err(|_| BadCredentials::Utf8)?;
        let (key, secret) = pair.split_once(':').ok_or(BadCredentials::Form)?;
        if key.is_empty() || key.contains(char::is_control) {
            return Err(BadCredentials::Form);
        }
        Ok(Credentials { key: key.to_owned(), secret: Secret(secret.as_bytes().into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Result<(String, String), BadCredentials> {
        let read = Credentials::parse(header.as_bytes())?;
        Ok((read.key, String::from_utf8(read.secret.expose().to_vec()).unwrap()))
    }

    fn pair(key: &str, secret: &str) -> Result<(String, String), BadCredentials> {
        Ok((key.into(), secret.into()))
    }

    #[test]
    fn basic_and_bearer_carry_a_key_and_a_secret() {
        assert_eq!(parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(parse("basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ "), pair("Aladdin", "open sesame"));
        assert_eq!(parse("Basic YTpiOmM="), pair("a", "b:c"));
        assert_eq!(parse("Basic w6k6w7w="), pair("é", "ü"));
        assert_eq!(parse("Bearer AKIA1:s3cr3t/+="), pair("AKIA1", "s3cr3t/+="));
        assert_eq!(parse("BEARER k:"), pair("k", ""));
    }

    #[test]
    fn anything_else_is_refused() {
        for (header, bad) in [
            ("Digest username=\"x\"", BadCredentials::Scheme("Digest".into())),
            ("AWS4-HMAC-SHA256 Credential=x", BadCredentials::Scheme("AWS4-HMAC-SHA256".into())),
            ("", BadCredentials::Scheme(String::new())),
            ("Basic", BadCredentials::Form),
            ("Basic !!!", BadCredentials::Base64),
            ("Basic /zo=", BadCredentials::Utf8),
            ("Basic bm9jb2xvbg==", BadCredentials::Form),
            ("Basic OnNlY3JldA==", BadCredentials::Form),
            ("Basic YQpiOmM=", BadCredentials::Form),
            ("Bearer token", BadCredentials::Form),
            ("Bearer :secret", BadCredentials::Form),
        ] {
            assert_eq!(parse(header), Err(bad), "{header}");
        }
    }

    #[test]
    fn a_secret_sent_without_a_scheme_is_not_repeated() {
        let said = parse("AKIA1:canary").unwrap_err().to_string();
        assert!(!said.contains("canary"), "{said}");
    }
}
