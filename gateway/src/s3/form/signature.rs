//! Who signed a form's policy. Version 4 as everywhere; and version 2, which here signs the policy alone and which forms of
//! old pages still carry: there is no request for it to leave unsigned.

use super::fields::Fields;
use crate::s3::error::{Trouble, invalid, trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A signature, and what it claims to be of.
pub(super) enum Signature<'a> {
    /// Version 2: HMAC-SHA1 of the policy.
    Two { key: &'a str, policy: &'a str, said: &'a str },
    /// Version 4.
    Four { key: &'a str, scope: [&'a str; 3], policy: &'a str, said: &'a str },
}

impl<'a> Signature<'a> {
    /// The signature of a form; `None`: it has none, and no policy that would need one.
    ///
    /// # Errors
    /// `InvalidArgument` if a field of it is missing, `InvalidRequest` for another algorithm.
    pub(super) fn of(fields: &'a Fields) -> Result<Option<Self>, Trouble> {
        let missing = |name: &str| {
            invalid(format!(
                "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
            ))
        };
        let need = |name: &str| fields.get(name).ok_or_else(|| missing(name));
        let four = fields
            .iter()
            .any(|(name, _)| matches!(name, "x-amz-signature" | "x-amz-credential" | "x-amz-algorithm"));
        let two = fields.get("signature").is_some() || fields.get("awsaccesskeyid").is_some();
        match (four, two) {
            (false, false) if fields.get("policy").is_none() => Ok(None),
            (false, false) => Err(missing("AWSAccessKeyId")),
            (true, true) => Err(invalid("Only one auth mechanism allowed")),
            (false, true) => Ok(Some(Signature::Two {
                key: need("awsaccesskeyid")?,
                policy: need("policy")?,
                said: need("signature")?,
            })),
            (true, false) => {
                if need("x-amz-algorithm")? != "AWS4-HMAC-SHA256" {
                    return Err(invalid("Only AWS4-HMAC-SHA256 is supported"));
                }
                let bad = || invalid("The field x-amz-credential is not KEY/DATE/REGION/s3/aws4_request.");
                let credential: Vec<&str> = need("x-amz-credential")?.split('/').collect();
                let [key, day, region, "s3", "aws4_request"] = credential.as_slice() else {
                    return Err(bad());
                };
                if !need("x-amz-date")?.starts_with(day) || day.len() != 8 {
                    return Err(bad());
                }
                let (scope, policy) = ([*day, *region, "s3"], need("policy")?);
                Ok(Some(Signature::Four { key, scope, policy, said: need("x-amz-signature")? }))
            }
        }
    }

    /// Whose it claims to be.
    pub(super) fn key(&self) -> &'a str {
        match self {
            Signature::Two { key, .. } | Signature::Four { key, .. } => key,
        }
    }

    /// Passes if `secret` made it. Takes as long if not.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch`.
    pub(super) fn verify(&self, secret: &[u8]) -> Result<(), Trouble> {
        let (is, said) = match self {
            Signature::Two { policy, said, .. } => {
                let is = mac::<Hmac<Sha1>>(secret, policy.as_bytes());
                (is, STANDARD.decode(said).unwrap_or_default())
            }
            Signature::Four { scope, policy, said, .. } => {
                let start = mac::<Hmac<Sha256>>(&[b"AWS4", secret].concat(), scope[0].as_bytes());
                let rest = [scope[1], scope[2], "aws4_request", policy];
                let is = rest.iter().fold(start, |key, text| mac::<Hmac<Sha256>>(&key, text.as_bytes()));
                (is, unhex(said))
            }
        };
        match bool::from(is.ct_eq(&said)) {
            true => Ok(()),
            false => Err(trouble(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing \
                 method.",
            )),
        }
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes keys of any length");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

/// The bytes of hexadecimal digits; what is none is the signature of nothing.
fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(pair).collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's documentation for version 4: the policy in base64 is its string to sign.
    #[test]
    fn a_signature_is_of_one_policy_and_one_secret() {
        let policy = STANDARD.encode(b"{\"expiration\":\"2030-01-01T00:00:00Z\",\"conditions\":[]}");
        let start = mac::<Hmac<Sha256>>(b"AWS4secret", b"20260101");
        let key = ["us-east-1", "s3", "aws4_request"]
            .iter()
            .fold(start, |key, text| mac::<Hmac<Sha256>>(&key, text.as_bytes()));
        let said: String =
            mac::<Hmac<Sha256>>(&key, policy.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let fields = Fields::of(&[
            ("policy", &policy),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", "key/20260101/us-east-1/s3/aws4_request"),
            ("x-amz-date", "20260101T000000Z"),
            ("x-amz-signature", &said),
        ]);
        let signature = Signature::of(&fields).unwrap().unwrap();
        assert_eq!(signature.key(), "key");
        assert!(signature.verify(b"secret").is_ok());
        assert!(signature.verify(b"other").is_err());
    }

    #[test]
    fn version_2_signs_the_policy_alone() {
        let said = STANDARD.encode(mac::<Hmac<Sha1>>(b"secret", b"cG9saWN5"));
        let pairs = [("awsaccesskeyid", "key"), ("policy", "cG9saWN5"), ("signature", said.as_str())];
        assert!(Signature::of(&Fields::of(&pairs)).unwrap().unwrap().verify(b"secret").is_ok());
        assert!(Signature::of(&Fields::of(&pairs)).unwrap().unwrap().verify(b"Secret").is_err());
        assert!(Signature::of(&Fields::of(&pairs[1..])).is_err());
        assert!(Signature::of(&Fields::of(&[])).unwrap().is_none());
        assert!(Signature::of(&Fields::of(&[("policy", "x")])).is_err(), "a policy that nobody signed");
        assert_eq!(unhex("0aFf"), [0x0a, 0xff]);
        assert!(unhex("0").is_empty() && unhex("zz").is_empty());
    }
}
