//! What a target is told, in the shape of S3's event messages. Pure.

use lifecycle::notification::{Happening, NotificationRule};
use metadata::{Addressed, Notice};
use serde_json::{Value, json};

/// To whom a notice goes, each with its message. Of a bucket that is forgotten, and where nobody wants to hear of it any
/// more, to nobody.
pub(super) fn addressed(notice: &Notice) -> Vec<Addressed> {
    let Some(happening) = Happening::parse(&notice.event) else { return Vec::new() };
    let rules: Vec<NotificationRule> =
        notice.rules.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let wanting = rules.iter().filter(|rule| rule.wants(happening, &notice.name));
    let message = |rule: &NotificationRule| {
        let target = rule.target()?.to_owned();
        Some(Addressed { target, message: message(notice, happening, rule)?.to_string() })
    };
    let mut all: Vec<Addressed> = wanting.filter_map(message).collect();
    // Rules do not overlap, so this is one; and a message to a target has one number.
    all.dedup_by(|one, other| one.target == other.target);
    all
}

fn message(notice: &Notice, happening: Happening, rule: &NotificationRule) -> Option<Value> {
    let (bucket, owner, made) = notice.place.as_ref()?;
    let mut object = json!({
        "key": encoded(&notice.name),
        // A bucket made anew under the same name counts on, so to speak.
        "sequencer": format!("{:016X}{:016X}", made.micros(), notice.seq),
    });
    if happening.brings() {
        object["size"] = notice.size.into();
        if let Some(md5) = notice.md5 {
            let parts = notice.parts.map(|parts| format!("-{parts}")).unwrap_or_default();
            object["eTag"] = format!("{:032x}{parts}", u128::from_be_bytes(md5)).into();
        }
    }
    if !notice.null_version {
        object["versionId"] = notice.version.to_string().into();
    }
    let name = happening.as_str();
    Some(json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": notice.at.to_rfc3339(),
        "eventName": name.strip_prefix("s3:").unwrap_or(name),
        "userIdentity": { "principalId": notice.actor },
        "requestParameters": {},
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule.id,
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": owner.as_deref().unwrap_or_default() },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": object,
        },
    }] }))
}

/// A key as S3 writes it in events: as in a form, with its slashes.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::{ContainerId, Time, VersionId};

    fn notice(event: Happening, null_version: bool) -> Notice {
        Notice {
            bucket: ContainerId::from_bytes([1; 16]),
            seq: 26,
            at: Time::from_secs(1_800_000_000),
            event: event.as_str().to_owned(),
            name: "in/a b+ü.png".to_owned(),
            version: VersionId::from_bytes([2; 16]),
            null_version,
            size: 7,
            md5: Some([3; 16]),
            parts: Some(2),
            actor: "alice".to_owned(),
            place: Some(("photos".to_owned(), Some("olga".to_owned()), Time::from_secs(1))),
            rules: Some(
                r#"[{"id": "r", "destination": "queue", "arn": "arn:barrow:sqs::hook:webhook", "prefix": "in/",
                     "events": ["s3:ObjectCreated:*", "barrow:Purged", "s3:ObjectRemoved:*"]}]"#
                    .to_owned(),
            ),
        }
    }

    #[test]
    fn a_message_is_shaped_as_s3_shapes_it() {
        let all = addressed(&notice(Happening::Completed, false));
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(one.target, "hook");
        let told: Value = serde_json::from_str(&one.message).unwrap();
        let record = &told["Records"][0];
        assert_eq!(record["eventName"], "ObjectCreated:CompleteMultipartUpload");
        assert_eq!(record["eventTime"], "2027-01-15T08:00:00.000Z");
        assert_eq!(record["userIdentity"]["principalId"], "alice");
        let s3 = &record["s3"];
        assert_eq!((&s3["configurationId"], &s3["bucket"]["name"]), (&json!("r"), &json!("photos")));
        assert_eq!(
            s3["object"],
            json!({
                "key": "in/a+b%2B%C3%BC.png", "size": 7, "eTag": "03030303030303030303030303030303-2",
                "versionId": "02020202020202020202020202020202", "sequencer": "00000000000F4240000000000000001A",
            })
        );
    }

    #[test]
    fn what_goes_is_told_without_size_and_what_has_no_version_without_that() {
        let told = addressed(&notice(Happening::Deleted, true)).remove(0).message;
        let told: Value = serde_json::from_str(&told).unwrap();
        let object = &told["Records"][0]["s3"]["object"];
        assert_eq!(
            (&object["size"], &object["eTag"], &object["versionId"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let told: Value =
            serde_json::from_str(&addressed(&notice(Happening::Purged, false))[0].message).unwrap();
        assert_eq!(told["Records"][0]["eventName"], "barrow:Purged");
    }

    #[test]
    fn who_does_not_want_to_hear_is_not_told() {
        assert_eq!(addressed(&notice(Happening::Expired, false)), []);
        assert_eq!(addressed(&Notice { name: "out/a".to_owned(), ..notice(Happening::Put, true) }), []);
        assert_eq!(addressed(&Notice { rules: None, ..notice(Happening::Put, true) }), []);
        assert_eq!(addressed(&Notice { place: None, ..notice(Happening::Put, true) }), []);
        assert_eq!(addressed(&Notice { rules: Some("?".to_owned()), ..notice(Happening::Put, true) }), []);
    }
}
