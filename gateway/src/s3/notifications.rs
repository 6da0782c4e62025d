//! Who is told what happens in a bucket, as S3 says it. Topics, queues and functions are all webhooks of the operator's.

use super::error::{Trouble, invalid, malformed, unbuilt};
use lifecycle::MemberId;
use lifecycle::notification::{Destination, Heard, NotificationRule, heard, overlapping, target_of};
use s3s::dto::{
    Event, FilterRule, FilterRuleName, GetBucketNotificationConfigurationOutput, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};

/// The most rules of a bucket.
const MOST: usize = 100;
/// The longest name of a rule, and the longest part of a name that a rule asks for.
const ID_MAX: usize = 255;
const VALUE_MAX: usize = 1024;

/// The rules of a configuration; `targets`: the webhooks that there are.
///
/// # Errors
/// `MalformedXML`, `InvalidArgument` as AWS; `NotImplemented` for what never happens here.
pub(super) fn rules(
    configuration: NotificationConfiguration,
    targets: &[String],
) -> Result<Vec<NotificationRule>, Trouble> {
    if configuration.event_bridge_configuration.is_some() {
        return Err(unbuilt("EventBridgeConfiguration"));
    }
    let mut rules = Vec::new();
    for one in configuration.topic_configurations.into_iter().flatten() {
        rules.push(rule(Destination::Topic, (one.id, one.topic_arn, one.events, one.filter))?);
    }
    for one in configuration.queue_configurations.into_iter().flatten() {
        rules.push(rule(Destination::Queue, (one.id, one.queue_arn, one.events, one.filter))?);
    }
    for one in configuration.lambda_function_configurations.into_iter().flatten() {
        rules.push(rule(Destination::Function, (one.id, one.lambda_function_arn, one.events, one.filter))?);
    }
    if rules.len() > MOST {
        return Err(invalid(format!("A bucket has at most {MOST} notification configurations.")));
    }
    for (at, one) in rules.iter().enumerate() {
        if rules.iter().take(at).any(|other| other.id == one.id) {
            return Err(invalid("Same ID used for multiple configurations. IDs must be unique"));
        }
    }
    if overlapping(&rules).is_some() {
        return Err(invalid(
            "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
        ));
    }
    if rules.iter().any(|one| target_of(&one.arn).is_none()) {
        return Err(invalid("The ARN is not well formed"));
    }
    let known = |one: &NotificationRule| targets.iter().any(|known| one.target() == Some(known));
    if !rules.iter().all(known) {
        return Err(invalid("Unable to validate the following destination configurations"));
    }
    Ok(rules)
}

type Parts = (Option<String>, String, Vec<Event>, Option<NotificationConfigurationFilter>);

fn rule(destination: Destination, (id, arn, events, filter): Parts) -> Result<NotificationRule, Trouble> {
    if events.is_empty() {
        return Err(malformed());
    }
    for event in &events {
        match heard(event.as_ref()) {
            Heard::Of(_) => {}
            Heard::Unbuilt => return Err(unbuilt(&format!("The event {}", event.as_ref()))),
            Heard::Unknown => {
                return Err(invalid("A specified event is not supported for notifications."));
            }
        }
    }
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| MemberId::random().to_string());
    if id.chars().count() > ID_MAX {
        return Err(invalid(format!("The ID of a configuration has at most {ID_MAX} characters.")));
    }
    let (mut prefix, mut suffix) = (None, None);
    for FilterRule { name, value } in filter.and_then(|filter| filter.key?.filter_rules).into_iter().flatten()
    {
        let name = name.map(|name| name.as_str().to_ascii_lowercase());
        let into = match name.as_deref() {
            Some("prefix") => &mut prefix,
            Some("suffix") => &mut suffix,
            _ => return Err(invalid("filter rule name must be either prefix or suffix")),
        };
        let value = value.unwrap_or_default();
        if value.len() > VALUE_MAX {
            return Err(invalid(format!("Filter rule value has at most {VALUE_MAX} bytes")));
        }
        if into.replace(value).is_some() {
            let name = name.unwrap_or_default();
            return Err(invalid(format!("Cannot specify more than one {name} rule in a filter.")));
        }
    }
    let events = events.iter().map(|event| event.as_ref().to_owned()).collect();
    Ok(NotificationRule { id, destination, arn, events, prefix, suffix })
}

/// Rules as clients read them.
pub(super) fn shown(rules: Vec<NotificationRule>) -> GetBucketNotificationConfigurationOutput {
    let (mut topics, mut queues, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    for rule in rules {
        let (filter, id) = (filter(&rule), Some(rule.id));
        let events: Vec<Event> = rule.events.into_iter().map(Event::from).collect();
        match rule.destination {
            Destination::Topic => {
                topics.push(TopicConfiguration { events, filter, id, topic_arn: rule.arn });
            }
            Destination::Queue => {
                queues.push(QueueConfiguration { events, filter, id, queue_arn: rule.arn });
            }
            Destination::Function => {
                let lambda_function_arn = rule.arn;
                functions.push(LambdaFunctionConfiguration { events, filter, id, lambda_function_arn });
            }
        }
    }
    GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: None,
        lambda_function_configurations: (!functions.is_empty()).then_some(functions),
        queue_configurations: (!queues.is_empty()).then_some(queues),
        topic_configurations: (!topics.is_empty()).then_some(topics),
    }
}

fn filter(rule: &NotificationRule) -> Option<NotificationConfigurationFilter> {
    let said = |name: &'static str, value: &Option<String>| {
        value
            .clone()
            .map(|value| FilterRule { name: Some(FilterRuleName::from(name.to_owned())), value: Some(value) })
    };
    let rules: Vec<FilterRule> =
        said("Prefix", &rule.prefix).into_iter().chain(said("Suffix", &rule.suffix)).collect();
    (!rules.is_empty())
        .then_some(NotificationConfigurationFilter { key: Some(S3KeyFilter { filter_rules: Some(rules) }) })
}
