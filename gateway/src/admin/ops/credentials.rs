//! A key and its secret: fresh ones, or those that somebody brings along from another store.

use crate::admin::error::Complaint;
use crate::admin::keys::fresh_key;
use crate::admin::request::Asked;
use lifecycle::Refusal;
use lifecycle::ids::is_account_id;
use metadata::Secret;

const KEY: std::ops::RangeInclusive<usize> = 3..=128;
const SECRET: std::ops::RangeInclusive<usize> = 8..=128;

/// The key and secret that were given, or fresh ones.
pub(super) fn credentials(
    asked: &Asked<'_>,
    key: Option<String>,
    secret: Option<String>,
) -> Result<(String, Secret), Complaint> {
    match (key, secret) {
        (None, None) => Ok(fresh_key()),
        (Some(key), Some(secret)) => {
            let good = checked(&key, &secret);
            good.map_err(Complaint::bad_request)?;
            // It would be shadowed, and seem not to work.
            if asked.gateway.auth.is_environments(&key) {
                return Err(Refusal::NameInUse.into());
            }
            Ok((key, Secret::new(secret)))
        }
        _ => Err(Complaint::bad_request("access_key and secret_key: one is given without the other")),
    }
}

/// What headers and URLs of all doors can carry, and what is nobody else's name. Secrets are not repeated in the complaint.
fn checked(key: &str, secret: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._@+-".contains(&b);
    if !KEY.contains(&key.len()) || !key.bytes().all(plain) {
        return Err(format!(
            "access_key cannot be {key:?}: allowed are {} to {} letters, digits and '._@+-'",
            KEY.start(),
            KEY.end()
        ));
    }
    if key == "anonymous" || is_account_id(key) {
        return Err(format!("access_key cannot be {key:?}: that is somebody else's name"));
    }
    if !SECRET.contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!(
            "secret_key must have {} to {} characters, all of them visible ASCII",
            SECRET.start(),
            SECRET.end()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_stores_are_taken_and_nonsense_is_not() {
        for (key, secret) in [
            ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("minioadmin", "minioadmin"),
            ("0555b35654ad1656d804", "h7GhxuBLTrlhVUyxSPUKUV8r/2EI4ngqJxD7iBdYLE21lc+nSA=="),
            ("ann@example.org", "12345678"),
        ] {
            assert_eq!(checked(key, secret), Ok(()), "{key}");
        }
        let id = "ab".repeat(32);
        for (key, secret) in [
            ("ab", "12345678"),
            ("a b c", "12345678"),
            ("a:b", "12345678"),
            ("a/b", "12345678"),
            ("a,b", "12345678"),
            ("anonymous", "12345678"),
            (id.as_str(), "12345678"),
            ("good", "1234567"),
            ("good", "1234 5678"),
            ("good", "1234567\u{e9}"),
        ] {
            let complaint = checked(key, secret).unwrap_err();
            assert!(!complaint.contains("12345678"), "{complaint}");
        }
    }
}
