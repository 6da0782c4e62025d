//! Making a key and its secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lifecycle::MemberId;
use metadata::Secret;

/// A key that nobody has had before: `BK` and 16 hexadecimal digits; and its secret: 40 characters that need no
/// escaping anywhere, 240 random bits.
pub fn fresh_key() -> (String, Secret) {
    let id = MemberId::random().to_string().to_ascii_uppercase();
    let random = [*MemberId::random().as_bytes(), *MemberId::random().as_bytes()].concat();
    (format!("BK{}", &id[..16]), Secret::new(URL_SAFE_NO_PAD.encode(&random[..30])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_one_form_and_never_the_same() {
        let ((id, secret), (other, _)) = (fresh_key(), fresh_key());
        assert_eq!((id.len(), secret.expose().len()), (18, 40));
        assert!(id.starts_with("BK") && id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
        assert!(secret.expose().iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
        assert_ne!(id, other);
    }
}
