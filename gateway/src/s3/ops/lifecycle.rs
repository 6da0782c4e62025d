//! GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration, DeleteBucketLifecycle, and the older calls of the same path.
//!
//! What is put is given back as it was put. What SCSP says of the same bucket in its header is in force beside it, and neither
//! shown here nor overwritten: whoever puts back what he got must not make it S3's. That there is any, a header tells.

use crate::objects::lifecycle::{Unset, configured, set, unset};
use crate::s3::documents::Kind;
use crate::s3::error::{Told, Trouble, failed, invalid, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::moment::{stamp, time};
use crate::scsp::authorization::Access;
use http::{HeaderName, HeaderValue};
use lifecycle::lifecycle_rules::{
    Abort, And, BadConfiguration, Configuration, ConfiguredRule, Expiration, Fault, Noncurrent, RuleFilter,
    Tag,
};
use lifecycle::{Right, Time};
use s3s::S3Response;
use s3s::dto;
use s3s::dto::{
    BucketLifecycleConfiguration, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput,
    PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
    TransitionDefaultMinimumObjectSize,
};
use s3s::xml::{Deserialize, Deserializer};

/// How many objects may go because of it within a day.
const CONFIRM: &str = "x-barrow-confirm-removal";
/// How many rules are in force beside these.
const BESIDE: HeaderName = HeaderName::from_static("x-barrow-policy-lifecycle-rules");
/// What AWS says where nothing was said.
const MINIMUM: &str = "all_storage_classes_128K";

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketLifecycleConfigurationInput,
) -> Result<S3Response<GetBucketLifecycleConfigurationOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let said = configured(exchange.gateway, place.bucket.id).await.map_err(failed)?;
    let Some(said) = said else {
        return Err(trouble("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"));
    };
    let beside = place.bucket.rules.iter().filter(|rule| !rule.s3).count();
    let output = GetBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(minimum(&said)),
        rules: Some(said.rules.into_iter().map(shown).collect()),
    };
    let mut response = S3Response::new(output);
    if beside > 0 {
        response.headers.insert(BESIDE, HeaderValue::from(beside));
    }
    Ok(response)
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketLifecycleConfigurationInput,
) -> Result<S3Response<PutBucketLifecycleConfigurationOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    let document = input
        .lifecycle_configuration
        .ok_or_else(|| trouble("MissingRequestBodyError", "Request body is empty."))?;
    let mut configuration = said(document).map_err(bad)?;
    configuration.transition_default_minimum_object_size =
        input.transition_default_minimum_object_size.map(|size| size.as_str().to_owned());
    deletes(&exchange, &place, &configuration)?;
    let output = PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(minimum(&configuration)),
    };
    let confirmed = confirmed(&exchange)?;
    let actor = exchange.principal.name.to_string();
    match set(exchange.gateway, &place.bucket, configuration, confirmed, &actor).await {
        Ok(()) => Ok(S3Response::new(output)),
        Err(why) => Err(not_set(why)),
    }
}

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketLifecycleInput,
) -> Result<S3Response<DeleteBucketLifecycleOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    let actor = exchange.principal.name.to_string();
    unset(exchange.gateway, &place.bucket, &actor).await.map_err(not_set)?;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}

/// `x-amz-expiration`: when a rule lets an object go, and which.
pub(in crate::s3) fn expiration((at, rule): (Time, &str)) -> String {
    let rule = crate::s3::paging::encoded(rule).replace('/', "%2F");
    format!("expiry-date=\"{}\", rule-id=\"{rule}\"", at.to_http_date())
}

/// A rule deletes in the name of whoever wrote it: nobody writes one who may not delete himself.
fn deletes(exchange: &Exchange<'_>, place: &Place, configuration: &Configuration) -> Result<(), Trouble> {
    let (domain, bucket) = (Some(place.domain.id), Some(place.bucket.id));
    let owner = place.bucket.owner.as_deref();
    exchange.principal.require_in(Right::Delete, domain, bucket, owner).told()?;
    let versions = configuration.rules.iter().any(|rule| {
        let markers = rule.expiration.as_ref().and_then(|expiration| expiration.expired_object_delete_marker);
        rule.noncurrent_version_expiration.is_some() || markers == Some(true)
    });
    if versions {
        exchange.principal.require_in(Right::DeleteVersion, domain, bucket, owner).told()?;
    }
    Ok(())
}

fn confirmed(exchange: &Exchange<'_>) -> Result<Option<u64>, Trouble> {
    let Some(value) = exchange.headers.get(CONFIRM) else { return Ok(None) };
    let count = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    count
        .map(Some)
        .ok_or_else(|| invalid(format!("{CONFIRM} is the number of objects that may go within a day.")))
}

fn not_set(why: Unset) -> Trouble {
    match why {
        Unset::Bad(wrong) => bad(wrong),
        Unset::Unconfirmed(much) => {
            trouble("RemovalNotConfirmed", format!("This configuration is not put into force: {much}."))
        }
        Unset::Failed(error) => failed(error),
    }
}

fn bad(wrong: BadConfiguration) -> Trouble {
    trouble(wrong.fault.as_str(), wrong.reason)
}

fn minimum(said: &Configuration) -> TransitionDefaultMinimumObjectSize {
    let size = said.transition_default_minimum_object_size.as_deref().unwrap_or(MINIMUM);
    TransitionDefaultMinimumObjectSize::from(size.to_owned())
}

/// Reads a document of XML, for whoever has one and no request of S3's.
///
/// # Errors
/// [`BadConfiguration`] if it is none. What stands in it is not judged yet.
pub(crate) fn read(document: &[u8]) -> Result<Configuration, BadConfiguration> {
    let wrong = |what: String| BadConfiguration {
        fault: Fault::MalformedXml,
        reason: format!(
            "The XML you provided was not well-formed or did not validate against our published schema: {what}"
        ),
    };
    let plain = Kind::Lifecycle.rewrite(document).map_err(|error| wrong(error.to_string()))?;
    let mut reader = Deserializer::new(plain.as_bytes());
    let read = BucketLifecycleConfiguration::deserialize(&mut reader);
    let read = read.and_then(|document| reader.expect_eof().map(|()| document));
    said(read.map_err(|error| wrong(error.to_string()))?)
}

/// What a document says.
fn said(document: BucketLifecycleConfiguration) -> Result<Configuration, BadConfiguration> {
    let rules = document.rules.into_iter().map(rule).collect();
    Ok(Configuration { rules, transition_default_minimum_object_size: None })
}

fn rule(rule: dto::LifecycleRule) -> ConfiguredRule {
    let asked = |count: usize| vec![serde_json::Value::Object(serde_json::Map::new()); count];
    ConfiguredRule {
        id: rule.id,
        status: rule.status.as_str().to_owned(),
        prefix: rule.prefix,
        filter: rule.filter.map(|filter| RuleFilter {
            prefix: filter.prefix,
            tag: filter.tag.map(tag),
            object_size_greater_than: filter.object_size_greater_than,
            object_size_less_than: filter.object_size_less_than,
            and: filter.and.map(|and| And {
                prefix: and.prefix,
                tags: and.tags.unwrap_or_default().into_iter().map(tag).collect(),
                object_size_greater_than: and.object_size_greater_than,
                object_size_less_than: and.object_size_less_than,
            }),
        }),
        expiration: rule.expiration.map(|at| Expiration {
            date: at.date.map(|date| time(date).to_rfc3339()),
            days: at.days.map(i64::from),
            expired_object_delete_marker: at.expired_object_delete_marker,
        }),
        noncurrent_version_expiration: rule.noncurrent_version_expiration.map(|at| Noncurrent {
            noncurrent_days: at.noncurrent_days.map(i64::from),
            newer_noncurrent_versions: at.newer_noncurrent_versions.map(i64::from),
        }),
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload
            .map(|at| Abort { days_after_initiation: at.days_after_initiation.map(i64::from) }),
        transitions: asked(rule.transitions.map_or(0, |moves| moves.len())),
        noncurrent_version_transitions: asked(
            rule.noncurrent_version_transitions.map_or(0, |moves| moves.len()),
        ),
    }
}

fn tag(tag: dto::Tag) -> Tag {
    Tag { key: tag.key.unwrap_or_default(), value: tag.value.unwrap_or_default() }
}

/// A rule as it was put.
fn shown(rule: ConfiguredRule) -> dto::LifecycleRule {
    let few = |count: Option<i64>| count.and_then(|count| i32::try_from(count).ok());
    let tag = |tag: Tag| dto::Tag { key: Some(tag.key), value: Some(tag.value) };
    let date = |text: String| {
        Time::parse_rfc3339(&text).or_else(|| Time::parse_rfc3339(&format!("{text}T00:00:00Z")))
    };
    dto::LifecycleRule {
        id: rule.id,
        status: dto::ExpirationStatus::from(rule.status),
        prefix: rule.prefix,
        filter: rule.filter.map(|filter| dto::LifecycleRuleFilter {
            prefix: filter.prefix,
            tag: filter.tag.map(tag),
            object_size_greater_than: filter.object_size_greater_than,
            object_size_less_than: filter.object_size_less_than,
            and: filter.and.map(|and| dto::LifecycleRuleAndOperator {
                prefix: and.prefix,
                tags: (!and.tags.is_empty()).then(|| and.tags.into_iter().map(tag).collect()),
                object_size_greater_than: and.object_size_greater_than,
                object_size_less_than: and.object_size_less_than,
            }),
        }),
        expiration: rule.expiration.map(|at| dto::LifecycleExpiration {
            date: at.date.and_then(date).map(stamp),
            days: few(at.days),
            expired_object_delete_marker: at.expired_object_delete_marker,
        }),
        noncurrent_version_expiration: rule.noncurrent_version_expiration.map(|at| {
            dto::NoncurrentVersionExpiration {
                noncurrent_days: few(at.noncurrent_days),
                newer_noncurrent_versions: few(at.newer_noncurrent_versions),
            }
        }),
        abort_incomplete_multipart_upload: rule.abort_incomplete_multipart_upload.map(|at| {
            dto::AbortIncompleteMultipartUpload { days_after_initiation: few(at.days_after_initiation) }
        }),
        transitions: None,
        noncurrent_version_transitions: None,
    }
}

#[cfg(test)]
#[path = "lifecycle_fuzz.rs"]
mod fuzz;
