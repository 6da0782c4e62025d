//! Rules as AWS takes them, and as they are stored.

use crate::s3::error::{Trouble, malformed, trouble};
use http::HeaderName;
use s3s::dto::{CORSConfiguration, CORSRule};
use serde::{Deserialize, Serialize};

/// The most rules of a bucket.
const MOST: usize = 100;
/// The longest name of a rule, in characters.
const ID_MAX: usize = 255;
/// The methods that a rule may allow.
pub(super) const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// The rules of a bucket, in their order: the first that a request falls under holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::s3) struct Rules(pub(super) Vec<Rule>);

/// What pages of some origins may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// Each with at most one star, which stands for anything.
    pub(super) origins: Vec<String>,
    pub(super) methods: Vec<String>,
    /// Headers that requests may carry; each with at most one star.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) headers: Vec<String>,
    /// Headers of answers that pages may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) exposed: Vec<String>,
    /// For how many seconds a browser may remember what a preflight said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_age: Option<i32>,
}

impl Rules {
    /// Rules as a client wrote them.
    ///
    /// # Errors
    /// `MalformedXML` for what AWS's schema does not know, `InvalidRequest` for what it does not mean.
    pub(in crate::s3) fn of(configuration: CORSConfiguration) -> Result<Self, Trouble> {
        let rules = configuration.cors_rules;
        if rules.is_empty() {
            return Err(malformed());
        }
        if rules.len() > MOST {
            return Err(refused("The number of CORS rules should not exceed allowed limit of 100 rules."));
        }
        rules.into_iter().map(Rule::of).collect::<Result<_, _>>().map(Rules)
    }

    /// Rules as they were stored; `None`: not by us.
    pub(in crate::s3) fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    /// As they are stored.
    ///
    /// # Errors
    /// Never: they are plain values.
    pub(in crate::s3) fn stored(&self) -> Result<String, Trouble> {
        serde_json::to_string(self)
            .map_err(|error| trouble("InternalError", format!("The rules cannot be written: {error}")))
    }

    /// As clients read them.
    pub(in crate::s3) fn shown(self) -> Vec<CORSRule> {
        let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
        let shown = |rule: Rule| CORSRule {
            allowed_headers: some(rule.headers),
            allowed_methods: rule.methods,
            allowed_origins: rule.origins,
            expose_headers: some(rule.exposed),
            id: rule.id,
            max_age_seconds: rule.max_age,
        };
        self.0.into_iter().map(shown).collect()
    }
}

impl Rule {
    fn of(rule: CORSRule) -> Result<Self, Trouble> {
        let rule = Rule {
            id: rule.id,
            origins: rule.allowed_origins,
            methods: rule.allowed_methods,
            headers: rule.allowed_headers.unwrap_or_default(),
            exposed: rule.expose_headers.unwrap_or_default(),
            max_age: rule.max_age_seconds,
        };
        if rule.origins.is_empty() || rule.methods.is_empty() || rule.max_age.is_some_and(|age| age < 0) {
            return Err(malformed());
        }
        if rule.id.as_ref().is_some_and(|id| id.chars().count() > ID_MAX) {
            return Err(refused(format!("The ID of a CORS rule has at most {ID_MAX} characters.")));
        }
        if let Some(method) = rule.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(refused(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        let stars = |text: &&String| text.matches('*').count() > 1;
        if let Some(origin) = rule.origins.iter().find(stars) {
            return Err(refused(format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.")));
        }
        if let Some(header) = rule.headers.iter().find(stars) {
            return Err(refused(format!("AllowedHeader \"{header}\" can not have more than one wildcard.")));
        }
        // A star stands for any part of a name.
        let named = |header: &&String| HeaderName::try_from(header.replace('*', "x")).is_err();
        if let Some(header) = rule.headers.iter().find(named) {
            return Err(refused(format!("AllowedHeader \"{header}\" contains invalid character.")));
        }
        if let Some(header) = rule.exposed.iter().find(|header| header.contains('*')) {
            return Err(refused(format!(
                "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            )));
        }
        // It will stand in a header of ours.
        if let Some(header) = rule.exposed.iter().find(|name| HeaderName::try_from(name.as_str()).is_err()) {
            return Err(refused(format!("ExposeHeader \"{header}\" is no name of a header.")));
        }
        Ok(rule)
    }
}

fn refused(text: impl Into<std::borrow::Cow<'static, str>>) -> Trouble {
    trouble("InvalidRequest", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(change: impl FnOnce(&mut CORSRule)) -> CORSRule {
        let mut rule = CORSRule {
            allowed_headers: None,
            allowed_methods: vec!["GET".to_owned()],
            allowed_origins: vec!["https://*.example.com".to_owned()],
            expose_headers: None,
            id: None,
            max_age_seconds: None,
        };
        change(&mut rule);
        rule
    }

    fn code(rules: Vec<CORSRule>) -> String {
        let read = Rules::of(CORSConfiguration { cors_rules: rules });
        read.map_or_else(|trouble| trouble.code().as_str().to_owned(), |_| "fine".to_owned())
    }

    #[test]
    fn rules_are_judged_as_aws_does() {
        let one = |change: fn(&mut CORSRule)| code(vec![rule(change)]);
        assert_eq!(one(|_| {}), "fine");
        assert_eq!(one(|rule| rule.id = Some("ü".repeat(255))), "fine");
        assert_eq!(one(|rule| rule.allowed_headers = Some(vec!["x-amz-*".to_owned()])), "fine");
        assert_eq!(code(Vec::new()), "MalformedXML");
        assert_eq!(code((0..100).map(|_| rule(|_| {})).collect()), "fine");
        assert_eq!(code((0..101).map(|_| rule(|_| {})).collect()), "InvalidRequest");
        assert_eq!(one(|rule| rule.allowed_origins = Vec::new()), "MalformedXML");
        assert_eq!(one(|rule| rule.allowed_methods = Vec::new()), "MalformedXML");
        assert_eq!(one(|rule| rule.max_age_seconds = Some(-1)), "MalformedXML");
        for bad in [
            |rule: &mut CORSRule| rule.id = Some("x".repeat(256)),
            |rule: &mut CORSRule| rule.allowed_methods.push("PATCH".to_owned()),
            |rule: &mut CORSRule| rule.allowed_methods.push("get".to_owned()),
            |rule: &mut CORSRule| rule.allowed_origins.push("http://*.*".to_owned()),
            |rule: &mut CORSRule| rule.allowed_headers = Some(vec!["**".to_owned()]),
            |rule: &mut CORSRule| rule.expose_headers = Some(vec!["x-amz-*".to_owned()]),
            |rule: &mut CORSRule| rule.expose_headers = Some(vec!["a\r\nb".to_owned()]),
        ] {
            assert_eq!(one(bad), "InvalidRequest");
        }
    }
}
