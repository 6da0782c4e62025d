//! A bucket's lifecycle as S3 says it: the document itself, as it was put, and the rules that it means.
//!
//! As JSON it has the shape that `aws s3api put-bucket-lifecycle-configuration` takes and gives, and so it is stored. What is in
//! it is judged in `check`; only what passed there is ever turned into rules.

use super::{After, BadConfiguration, ExpiryRule};
use crate::Time;
use serde::{Deserialize, Serialize};

/// A bucket's lifecycle configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Configuration {
    /// Its rules.
    pub rules: Vec<Rule>,
    /// The least size of what moves to another storage class by itself. There is no other class here, so nothing follows
    /// from it; it is kept and told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_default_minimum_object_size: Option<String>,
}

/// One rule of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Rule {
    /// Its name; one that has none is given one.
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `Enabled` or `Disabled`.
    #[serde(default)]
    pub status: String,
    /// What the names begin with, as it was said before there was a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// When current versions go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// When versions go that are no longer current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_version_expiration: Option<Noncurrent>,
    /// When open uploads are given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<Abort>,
    /// Moves to other storage classes, of which there are none: only that any are asked for counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<serde_json::Value>,
    /// The same for versions that are no longer current.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noncurrent_version_transitions: Vec<serde_json::Value>,
}

/// What a rule is about: one condition, or several in `And`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Filter {
    /// What the names begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// A tag that it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// More bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<i64>,
    /// Fewer bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<i64>,
    /// Several at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<And>,
}

/// Several conditions, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct And {
    /// What the names begin with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Tags that it must have, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// More bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<i64>,
    /// Fewer bytes than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<i64>,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// When current versions go: one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Expiration {
    /// From this midnight on, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// At so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i64>,
    /// Whether delete markers go that are all that is left of their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_object_delete_marker: Option<bool>,
}

/// When versions go that are no longer current.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Noncurrent {
    /// So many days after they ceased to be current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<i64>,
    /// So many of them stay, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<i64>,
}

/// When open uploads are given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Abort {
    /// So many days after they began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_after_initiation: Option<i64>,
}

impl Configuration {
    /// Gives names to the rules that have none.
    pub fn name_rules(&mut self, mut fresh: impl FnMut() -> String) {
        for rule in &mut self.rules {
            if rule.id.as_deref().unwrap_or_default().is_empty() {
                rule.id = Some(fresh());
            }
        }
    }

    /// The rules that it means.
    ///
    /// # Errors
    /// [`BadConfiguration`]: what is wrong with it, as AWS would say it. Of a configuration with one bad rule no rule counts.
    pub fn compile(&self) -> Result<Vec<ExpiryRule>, BadConfiguration> {
        self.check()?;
        Ok(self.rules.iter().map(Rule::compiled).collect())
    }
}

impl Rule {
    /// What it means; it was judged before.
    fn compiled(&self) -> ExpiryRule {
        let and = self.filter.as_ref().and_then(|filter| filter.and.as_ref());
        let size = |of: fn(&Filter) -> Option<i64>, inside: fn(&And) -> Option<i64>| {
            let said = self.filter.as_ref().and_then(of).or_else(|| and.and_then(inside));
            said.and_then(|size| u64::try_from(size).ok())
        };
        let expiration = self.expiration.as_ref();
        let by_date = expiration.and_then(|at| at.date.as_deref()).and_then(date).map(After::From);
        let by_days = expiration.and_then(|at| count(at.days)).map(After::Midnights);
        let noncurrent = self.noncurrent_version_expiration.as_ref();
        ExpiryRule {
            id: self.id.clone().unwrap_or_default(),
            enabled: self.status == "Enabled",
            prefix: self.said_prefix().unwrap_or_default().to_owned(),
            current: by_date.or(by_days),
            noncurrent: noncurrent.and_then(|at| count(at.noncurrent_days)).map(After::Midnights),
            s3: true,
            tags: self.said_tags().map(|tag| (tag.key.clone(), tag.value.clone())).collect(),
            larger_than: size(|filter| filter.object_size_greater_than, |and| and.object_size_greater_than),
            smaller_than: size(|filter| filter.object_size_less_than, |and| and.object_size_less_than),
            keep_newest: noncurrent.and_then(|at| count(at.newer_noncurrent_versions)),
            lone_markers: expiration.is_some_and(|at| at.expired_object_delete_marker == Some(true)),
            abort_uploads: self
                .abort_incomplete_multipart_upload
                .as_ref()
                .and_then(|abort| count(abort.days_after_initiation)),
        }
    }

    /// What the names begin with, wherever it is said.
    pub(super) fn said_prefix(&self) -> Option<&str> {
        let filter = self.filter.as_ref();
        let inside = || filter.and_then(|filter| filter.and.as_ref()).and_then(|and| and.prefix.as_deref());
        self.prefix.as_deref().or_else(|| filter.and_then(|filter| filter.prefix.as_deref())).or_else(inside)
    }

    /// The tags that are asked for, wherever they stand.
    pub(super) fn said_tags(&self) -> impl Iterator<Item = &Tag> {
        let filter = self.filter.as_ref();
        let one = filter.and_then(|filter| filter.tag.as_ref());
        let several = filter.and_then(|filter| filter.and.as_ref()).map(|and| and.tags.as_slice());
        one.into_iter().chain(several.unwrap_or_default())
    }
}

fn count(said: Option<i64>) -> Option<u32> {
    said.and_then(|said| u32::try_from(said).ok())
}

/// A date as JSON holds it: RFC 3339, or the day alone, which is its midnight.
pub(super) fn date(text: &str) -> Option<Time> {
    Time::parse_rfc3339(text).or_else(|| Time::parse_rfc3339(&format!("{text}T00:00:00Z")))
}
