//! `Nats-Rollup`: what arrived before a version goes when it arrives, as JetStream has it. A purge, and so it takes the right to
//! purge beside that to write, and a bucket that permits it (`allow_rollup`).

use http::HeaderMap;
use metadata::RollUp;

/// The header that asks for it.
pub(crate) const HEADER: &str = "nats-rollup";

/// What a write's headers let go with it. Whoever asks must be allowed to purge in the bucket.
///
/// # Errors
/// What is wrong with the header, in words.
pub(crate) fn rolls_up(headers: &HeaderMap) -> Result<Option<RollUp>, String> {
    let mut lines = headers.get_all(HEADER).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    match (line.as_bytes(), lines.next()) {
        (b"sub", None) => Ok(Some(RollUp::Name)),
        (b"all", None) => Ok(Some(RollUp::Bucket)),
        _ => Err(format!(
            "The header Nats-Rollup cannot be {:?}: allowed is sub (what is older under the object's name goes) or all (what is \
             older in its bucket does).",
            String::from_utf8_lossy(line.as_bytes())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn it_has_two_values_and_stands_once() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_static(value));
            }
            rolls_up(&headers)
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["sub"]), Ok(Some(RollUp::Name)));
        assert_eq!(of(&["all"]), Ok(Some(RollUp::Bucket)));
        for bad in [&["x"][..], &[""], &["SUB"], &["sub, all"], &["sub", "sub"]] {
            assert!(of(bad).is_err_and(|text| text.contains("allowed is sub")), "{bad:?}");
        }
    }
}
