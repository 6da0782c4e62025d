//! What the policy of a form allows. `s3s` reads it; whether a form is what was signed is decided here, because `s3s` decides
//! it over a form of its own that holds the whole file.

use super::fields::Fields;
use crate::s3::error::{Trouble, denied, trouble};
use crate::s3::moment::time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifecycle::Time;
use s3s::post_policy::{PostPolicy, PostPolicyCondition};
use serde_json::Value;
use std::ops::RangeInclusive;

/// A policy.
pub(super) struct Policy(PostPolicy);

impl Policy {
    /// Reads one from base64.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub(super) fn read(text: &str) -> Result<Self, Trouble> {
        // Browsers break long fields into lines.
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let read =
            settled(&bare).and_then(|json| PostPolicy::from_json(&json).map_err(|bad| bad.to_string()));
        read.map(Policy).map_err(|bad| trouble("InvalidPolicyDocument", format!("Invalid Policy: {bad}")))
    }

    /// Passes if the policy allows a form of these fields, now; with the sizes that the file may have.
    ///
    /// # Errors
    /// `AccessDenied`, with the condition that does not hold.
    pub(super) fn allows(
        &self,
        fields: &Fields,
        bucket: &str,
        key: &str,
        now: Time,
    ) -> Result<RangeInclusive<u64>, Trouble> {
        if now >= time(self.0.expiration.clone()) {
            return Err(denied("Invalid according to Policy: Policy expired."));
        }
        let mut size = 0..=super::FILE_MAX;
        let mut named = Vec::new();
        for condition in &self.0.conditions {
            let (field, holds, text) = match condition {
                PostPolicyCondition::ContentLengthRange { min, max } => {
                    size = (*size.start()).max(*min)..=(*size.end()).min(*max);
                    continue;
                }
                PostPolicyCondition::Eq { field, value } => {
                    let field = plain(field);
                    let is = self::value(fields, &field, bucket, key);
                    let text = format!("[\"eq\", \"${field}\", \"{value}\"]");
                    (field, is == Some(value.as_str()), text)
                }
                PostPolicyCondition::StartsWith { field, prefix } => {
                    let field = plain(field);
                    let is = self::value(fields, &field, bucket, key);
                    let text = format!("[\"starts-with\", \"${field}\", \"{prefix}\"]");
                    // Of several types, each must begin so.
                    let each = |value: &str| match field.as_str() {
                        "content-type" => value.split(',').all(|one| one.trim().starts_with(prefix.as_str())),
                        _ => value.starts_with(prefix.as_str()),
                    };
                    let holds = is.is_some_and(each);
                    (field, holds, text)
                }
            };
            if !holds {
                return Err(denied(format!("Invalid according to Policy: Policy Condition failed: {text}")));
            }
            named.push(field);
        }
        // A form that says nothing of the bucket would be good for every one of its signer's.
        let all = [("bucket", bucket)].into_iter().chain(fields.iter());
        let mut open = all.filter(|(name, _)| !is_exempt(name) && !named.iter().any(|known| known == name));
        match open.next() {
            Some((name, _)) => {
                Err(denied(format!("Invalid according to Policy: Extra input fields: {name}")))
            }
            None => Ok(size),
        }
    }
}

/// A policy as `s3s` reads it: it takes more dates than the one that AWS does, and no sizes that are written as text, as many
/// published forms have them.
fn settled(base64: &str) -> Result<String, String> {
    let bytes = STANDARD.decode(base64).map_err(|bad| bad.to_string())?;
    let mut json: Value = serde_json::from_slice(&bytes).map_err(|bad| bad.to_string())?;
    if let Some(end) = json.get("expiration").and_then(Value::as_str)
        && !is_moment(end)
    {
        return Err("Invalid 'expiration' value".to_owned());
    }
    let conditions = json.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_array_mut) {
        if condition.first().and_then(Value::as_str).is_some_and(|word| word == "content-length-range") {
            for size in condition.iter_mut().skip(1) {
                if let Some(number) = size.as_str().and_then(|text| text.parse::<u64>().ok()) {
                    *size = number.into();
                }
            }
        }
    }
    Ok(json.to_string())
}

/// `2030-01-01T00:00:00Z`, with or without thousandths.
fn is_moment(text: &str) -> bool {
    let Some(bare) = text.strip_suffix('Z') else { return false };
    let (bare, thousandths) = bare.split_once('.').map_or((bare, None), |(bare, rest)| (bare, Some(rest)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    bare.len() == 19 && bare.bytes().enumerate().all(is) && thousandths.is_none_or(digits)
}

/// A field's name, without the dollar sign that conditions put before it.
fn plain(field: &str) -> String {
    field.strip_prefix('$').unwrap_or(field).to_ascii_lowercase()
}

fn value<'a>(fields: &'a Fields, field: &str, bucket: &'a str, key: &'a str) -> Option<&'a str> {
    match field {
        "bucket" => Some(bucket),
        "key" => Some(key),
        _ => fields.get(field),
    }
}

/// Fields that need no condition. A checksum only narrows what may be uploaded.
fn is_exempt(name: &str) -> bool {
    matches!(name, "policy" | "signature" | "awsaccesskeyid" | "x-amz-signature" | "file")
        || name.starts_with("x-ignore-")
        || name.starts_with("x-amz-checksum-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_secs(1_800_000_000);

    fn policy(conditions: &str) -> Policy {
        let json = format!("{{\"expiration\":\"2030-01-01T00:00:00Z\",\"conditions\":[{conditions}]}}");
        Policy::read(&STANDARD.encode(json)).unwrap_or_else(|bad| panic!("{conditions}: {bad}"))
    }

    fn allows(conditions: &str, fields: &[(&str, &str)]) -> Result<RangeInclusive<u64>, String> {
        let fields = Fields::of(fields);
        let key = fields.get("key").unwrap_or_default().to_owned();
        policy(conditions)
            .allows(&fields, "photos", &key, NOW)
            .map_err(|trouble| trouble.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn conditions_hold_or_are_named() {
        let all = "{\"bucket\":\"photos\"},[\"starts-with\",\"$key\",\"ann/\"],[\"eq\",\"$acl\",\"private\"],\
                   [\"content-length-range\",10,20]";
        assert_eq!(allows(all, &[("key", "ann/1"), ("acl", "private")]), Ok(10..=20));
        for (fields, names) in [
            (&[("key", "bob/1"), ("acl", "private")][..], "\"$key\", \"ann/\""),
            (&[("key", "ann/1")][..], "$acl"),
            (
                &[("key", "ann/1"), ("acl", "private"), ("x-amz-meta-a", "1")][..],
                "Extra input fields: x-amz-meta-a",
            ),
        ] {
            let said = allows(all, fields).unwrap_err();
            assert!(said.contains(names), "{said}");
        }
        assert!(allows("{\"bucket\":\"other\"}", &[]).unwrap_err().contains("$bucket"));
    }

    #[test]
    fn what_needs_no_condition_has_none() {
        let fields = [("policy", "p"), ("x-amz-signature", "s"), ("x-ignore-this", "1")];
        assert_eq!(allows("{\"bucket\":\"photos\"}", &fields), Ok(0..=5 << 30));
        assert!(allows("", &fields).unwrap_err().contains("Extra input fields: bucket"));
    }

    #[test]
    fn sizes_may_be_written_as_text() {
        assert_eq!(
            allows("{\"bucket\":\"photos\"},[\"content-length-range\",\"10\",\"20\"]", &[]),
            Ok(10..=20)
        );
    }

    #[test]
    fn one_way_of_writing_its_end_is_understood() {
        let read = |end: &str| {
            let json = format!("{{\"expiration\":\"{end}\",\"conditions\":[]}}");
            Policy::read(&STANDARD.encode(json)).is_ok()
        };
        assert!(read("2099-01-01T00:00:00Z") && read("2099-01-01T00:00:00.123Z"));
        for bad in [
            "2099-01-01 00:00:00Z",
            "2099-01-01T00:00:00+00:00",
            "2099-01-01 00:00:00.123456+00:00",
            "2099-01-01T00:00:00.Z",
            "2099-01-01",
            "",
        ] {
            assert!(!read(bad), "{bad}");
        }
    }

    #[test]
    fn a_policy_ends() {
        let json = "{\"expiration\":\"2020-01-01T00:00:00Z\",\"conditions\":[]}";
        let policy = Policy::read(&STANDARD.encode(json)).unwrap();
        let said = policy.allows(&Fields::of(&[]), "b", "k", NOW).unwrap_err();
        assert_eq!(said.code().as_str(), "AccessDenied");
        assert!(Policy::read("!").is_err() && Policy::read(&STANDARD.encode("{}")).is_err());
    }
}
