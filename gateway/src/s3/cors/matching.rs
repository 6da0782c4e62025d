//! Which rule a request falls under, and what that says.

use super::rules::{Rule, Rules};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
    HeaderValue,
};

/// What a page of another site asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) origin: &'a str,
    pub(super) method: &'a str,
    /// The headers that it wants to send; of a request that is sent already, none.
    pub(super) headers: &'a [String],
}

impl Rules {
    /// What the first rule says that takes this.
    pub(super) fn say(&self, asked: Asked<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
        self.0.iter().find(|rule| rule.takes(asked)).map(|rule| rule.says(asked))
    }
}

impl Rule {
    fn takes(&self, asked: Asked<'_>) -> bool {
        self.origins.iter().any(|pattern| fits(pattern, asked.origin))
            && self.methods.iter().any(|method| method == asked.method)
            && asked.headers.iter().all(|name| {
                let name = name.to_ascii_lowercase();
                self.headers.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &name))
            })
    }

    fn says(&self, asked: Asked<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let mut said = Vec::new();
        let mut say = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                said.push((name, value));
            }
        };
        match self.origins.iter().any(|origin| origin == "*") {
            true => say(ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            // Credentials are for those alone that are named.
            false => {
                say(ACCESS_CONTROL_ALLOW_ORIGIN, asked.origin);
                say(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
            }
        }
        say(ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(", "));
        if !asked.headers.is_empty() {
            say(ACCESS_CONTROL_ALLOW_HEADERS, &asked.headers.join(", ").to_ascii_lowercase());
        }
        if !self.exposed.is_empty() {
            say(ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(", "));
        }
        if let Some(age) = self.max_age {
            say(ACCESS_CONTROL_MAX_AGE, &age.to_string());
        }
        said
    }
}

/// Whether `text` is `pattern`, where one star stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((front, back)) => {
            text.len() >= front.len() + back.len() && text.starts_with(front) && text.ends_with(back)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_once() {
        for (pattern, text, is) in [
            ("*", "", true),
            ("*", "http://a", true),
            ("http://a", "http://a", true),
            ("http://a", "http://A", false),
            ("http://a", "http://a:80", false),
            ("http://*.a.com", "http://x.y.a.com", true),
            ("http://*.a.com", "http://a.com", false),
            ("http://*.a.com", "http://.a.com", true),
            ("http://*.a.com", "https://x.a.com", false),
            ("start*end", "startend", true),
            ("aba*ba", "aba", false),
            ("aba*ba", "ababa", true),
            ("*end", "theend", true),
            ("*end", "ends", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, text), is, "{pattern} {text}");
        }
    }

    /// Origins, methods, headers of three rules.
    const TABLE: &str = r#"[
        {"origins": ["http://one"], "methods": ["GET", "PUT"], "headers": ["x-amz-*", "Content-Type"],
         "exposed": ["ETag", "x-amz-version-id"], "max_age": 60},
        {"origins": ["http://*.two", "http://three"], "methods": ["POST"]},
        {"origins": ["http://one", "*"], "methods": ["GET", "DELETE"], "headers": ["*"]}
    ]"#;

    fn said(origin: &str, method: &str, headers: &[&str]) -> String {
        let headers: Vec<String> = headers.iter().map(|name| (*name).to_owned()).collect();
        let rules = Rules::read(TABLE).unwrap();
        let Some(said) = rules.say(Asked { origin, method, headers: &headers }) else {
            return "no".to_owned();
        };
        let short = |name: &HeaderName| name.as_str().trim_start_matches("access-control-").to_owned();
        let line = |(name, value): &(HeaderName, HeaderValue)| {
            format!("{}: {}", short(name), value.to_str().unwrap())
        };
        said.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_first_rule_that_takes_a_request_answers_it() {
        let first = "allow-origin: http://one; allow-credentials: true; allow-methods: GET, PUT";
        let more = "expose-headers: ETag, x-amz-version-id; max-age: 60";
        let any = "allow-origin: *; allow-methods: GET, DELETE";
        let second =
            |origin: &str| format!("allow-origin: {origin}; allow-credentials: true; allow-methods: POST");
        for (origin, method, headers, wanted) in [
            ("http://one", "GET", &[][..], format!("{first}; {more}")),
            ("http://one", "PUT", &["X-Amz-Date"], format!("{first}; allow-headers: x-amz-date; {more}")),
            (
                "http://one",
                "PUT",
                &["content-TYPE", "x-amz-acl"],
                format!("{first}; allow-headers: content-type, x-amz-acl; {more}"),
            ),
            // What the first does not take, the third may.
            ("http://one", "GET", &["range"], format!("{any}; allow-headers: range")),
            ("http://one", "PUT", &["range"], "no".to_owned()),
            ("http://one", "DELETE", &[], any.to_owned()),
            ("http://x.two", "POST", &[], second("http://x.two")),
            ("http://three", "POST", &[], second("http://three")),
            ("http://three", "POST", &["range"], "no".to_owned()),
            ("http://three.two.one", "POST", &[], "no".to_owned()),
            ("null", "GET", &[], any.to_owned()),
            ("http://other", "HEAD", &[], "no".to_owned()),
            ("http://other", "get", &[], "no".to_owned()),
        ] {
            assert_eq!(said(origin, method, headers), wanted, "{origin} {method} {headers:?}");
        }
    }
}
