//! Who is to be told of what.

use super::happening::{Happening, Heard, heard};
use serde::{Deserialize, Serialize};

/// What a rule calls its target. To S3 these are different services; here each is a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Destination {
    /// A topic.
    Topic,
    /// A queue.
    Queue,
    /// A function.
    Function,
}

/// A target, what it wants to hear of, and for which names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRule {
    /// Its name.
    pub id: String,
    /// What it calls its target.
    pub destination: Destination,
    /// The target as it was written.
    pub arn: String,
    /// What it wants to hear of, as it was written.
    pub events: Vec<String>,
    /// What names must begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What they must end in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
}

impl NotificationRule {
    /// All that it wants to hear of.
    pub fn wanted(&self) -> impl Iterator<Item = Happening> {
        self.events.iter().flat_map(|word| match heard(word) {
            Heard::Of(all) => all,
            Heard::Unbuilt | Heard::Unknown => Vec::new(),
        })
    }

    /// Whether it wants to hear of this.
    pub fn wants(&self, happening: Happening, name: &str) -> bool {
        let (prefix, suffix) = self.ends();
        name.starts_with(prefix) && name.ends_with(suffix) && self.wanted().any(|wanted| wanted == happening)
    }

    /// The name of its target.
    pub fn target(&self) -> Option<&str> {
        target_of(&self.arn)
    }

    fn ends(&self) -> (&str, &str) {
        (self.prefix.as_deref().unwrap_or_default(), self.suffix.as_deref().unwrap_or_default())
    }

    /// Whether both may want to hear of the same.
    fn overlaps(&self, other: &Self) -> bool {
        let ((prefix, suffix), (others, ends)) = (self.ends(), other.ends());
        (prefix.starts_with(others) || others.starts_with(prefix))
            && (suffix.ends_with(ends) || ends.ends_with(suffix))
            && self.wanted().any(|wanted| other.wanted().any(|also| also == wanted))
    }
}

/// Two rules that may want to hear of the same, if there are such.
pub fn overlapping(rules: &[NotificationRule]) -> Option<(&NotificationRule, &NotificationRule)> {
    let pairs =
        rules.iter().enumerate().flat_map(|(at, one)| rules[at + 1..].iter().map(move |other| (one, other)));
    pairs.into_iter().find(|(one, other)| one.overlaps(other))
}

/// The name in `arn:barrow:SERVICE:REGION:NAME:webhook`, where the service is S3's for its kinds of targets and the region
/// may be any, or none.
pub fn target_of(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", "barrow", "sqs" | "sns" | "lambda", _, name, "webhook"] if !name.is_empty() => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(events: &[&str], prefix: Option<&str>, suffix: Option<&str>) -> NotificationRule {
        NotificationRule {
            id: "r".to_owned(),
            destination: Destination::Queue,
            arn: "arn:barrow:sqs::hook:webhook".to_owned(),
            events: events.iter().map(|word| (*word).to_owned()).collect(),
            prefix: prefix.map(str::to_owned),
            suffix: suffix.map(str::to_owned),
        }
    }

    #[test]
    fn a_rule_wants_some_of_what_happens_to_some_names() {
        let images = rule(&["s3:ObjectCreated:*", "barrow:Purged"], Some("in/"), Some(".png"));
        assert!(images.wants(Happening::Post, "in/a.png"));
        assert!(images.wants(Happening::Purged, "in/.png"));
        assert!(!images.wants(Happening::Deleted, "in/a.png"));
        assert!(!images.wants(Happening::Put, "out/a.png") && !images.wants(Happening::Put, "in/a.jpg"));
        assert!(rule(&["s3:ObjectRemoved:*"], None, None).wants(Happening::Marked, ""));
    }

    #[test]
    fn no_two_rules_may_want_the_same() {
        let created = &["s3:ObjectCreated:*"][..];
        for (one, other, overlap) in [
            (rule(created, None, None), rule(&["s3:ObjectCreated:Put"], Some("a"), None), true),
            (rule(created, None, None), rule(&["s3:ObjectRemoved:*"], None, None), false),
            (rule(created, Some("a/"), None), rule(created, Some("b/"), None), false),
            (rule(created, Some("a/"), None), rule(created, Some("a/b/"), None), true),
            (rule(created, Some("a/"), Some(".x")), rule(created, Some("a/"), Some(".y")), false),
            (rule(created, Some("a/"), Some(".x")), rule(created, None, Some("b.x")), true),
        ] {
            assert_eq!(overlapping(&[one.clone(), other.clone()]).is_some(), overlap, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_target_is_named_by_an_arn() {
        assert_eq!(target_of("arn:barrow:sqs::hook:webhook"), Some("hook"));
        assert_eq!(target_of("arn:barrow:lambda:eu-west-1:hook:webhook"), Some("hook"));
        for bad in [
            "",
            "hook",
            "arn:aws:sqs:us-east-1:123456789012:queue",
            "arn:barrow:sqs:::webhook",
            "arn:barrow:s3::hook:webhook",
            "arn:barrow:sqs::hook:webhook:more",
            "arn:barrow:sqs::hook:kafka",
        ] {
            assert_eq!(target_of(bad), None, "{bad}");
        }
    }
}
