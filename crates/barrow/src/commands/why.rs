//! `barrow why`: what something is, who made it so, how it comes back, and what keeps its space.

use super::Session;
use crate::cli::Why;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, printable, size, when};
use serde_json::Value;

pub(super) async fn run(session: &Session<'_>, which: Why) -> Result<Exit, Failed> {
    let asked = Asked::read(which).map_err(Failed::Usage)?;
    let answer = session.client.get(&asked.target()).await?;
    session.tell(&answer, |why| told(session, why));
    Ok(Exit::Done)
}

/// What is asked about.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    id: Option<String>,
    domain: Option<String>,
    bucket: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

impl Asked {
    /// What stands before the first slash is a domain, as in every other command, unless one is given apart.
    fn read(which: Why) -> Result<Asked, String> {
        let Why { what, name, domain, version } = which;
        let mut asked = Asked { domain, version, ..Asked::default() };
        let Some(what) = what else { return Ok(asked) };
        if asked.domain.is_none() && asked.version.is_none() && name.is_none() && is_uuid(&what) {
            asked.id = Some(what);
            return Ok(asked);
        }
        let mut rest = what.as_str();
        if asked.domain.is_none()
            && let Some((domain, behind)) = rest.split_once('/')
        {
            (asked.domain, rest) = (Some(domain.to_owned()), behind);
        }
        let (bucket, within) = match rest.split_once('/') {
            Some((bucket, within)) => (bucket, Some(within.to_owned())),
            None => (rest, None),
        };
        if bucket.is_empty() || within.as_deref() == Some("") {
            return Err(format!(
                "{what:?} names no bucket, or no object in one; write BUCKET, DOMAIN/BUCKET or DOMAIN/BUCKET/NAME"
            ));
        }
        asked.bucket = Some(bucket.to_owned());
        asked.name = match (within, name) {
            (Some(within), Some(name)) => {
                return Err(format!("the object is named twice: {within:?} behind the bucket, and {name:?}"));
            }
            (within, name) => within.or(name),
        };
        Ok(asked)
    }

    fn target(&self) -> String {
        let arguments = [
            ("id", &self.id),
            ("domain", &self.domain),
            ("bucket", &self.bucket),
            ("name", &self.name),
            ("version", &self.version),
        ];
        let given = arguments
            .iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", encoded(value))));
        format!("/v1/why?{}", given.collect::<Vec<_>>().join("&"))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn told(session: &Session<'_>, why: &Value) -> String {
    let place = match (why["domain"].as_str(), why["bucket"].as_str()) {
        (Some(domain), Some(bucket)) => format!("{domain}/{bucket}"),
        (Some(domain), None) => domain.to_owned(),
        (None, _) => "-".to_owned(),
    };
    let head = match why["kind"].as_str() {
        Some("domain" | "bucket") => {
            format!("{} {place} ({}, {})", field(why, "kind"), field(why, "state"), field(why, "id"))
        }
        Some("name") => format!("{place}/{} ({})", field(why, "name"), field(why, "state")),
        Some(_) | None => format!(
            "{place}/{} ({}, {}, written {})",
            field(why, "name"),
            field(why, "state"),
            size(why, "size"),
            field(why, "created_at")
        ),
    };
    let mut text = format!("{}\n{}", printable(&head), printable(&field(why, "answer")));
    if let Some(versions) = why["versions"].as_array() {
        let mut table = Table::new(&["IS", "BYTES", "WRITTEN", "REMOVED", "PURGE", "CAUSE", "BY", "VERSION"]);
        for item in versions {
            let purge = if item["purged_at"].is_null() { "purge_after" } else { "purged_at" };
            table.row(vec![
                field(item, "is"),
                if item["marker"] == true { "-".to_owned() } else { size(item, "size") },
                when(item, "created_at", session.now),
                when(item, "removed_at", session.now),
                when(item, purge, session.now),
                field(item, "cause"),
                field(item, "actor"),
                field(item, "version"),
            ]);
        }
        text.push_str(&format!("\n\n{}", table.render()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(what: Option<&str>, name: Option<&str>, domain: Option<&str>) -> Result<String, String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let which = Why { what: text(what), name: text(name), domain: text(domain), version: None };
        Asked::read(which).map(|asked| asked.target())
    }

    #[test]
    fn what_stands_before_the_first_slash_is_a_domain_unless_one_is_given() {
        let id = "0123456789abcdef0123456789abcdef";
        for (what, name, domain, asked) in [
            (Some(id), None, None, format!("id={id}")),
            (Some(id), None, Some("d"), format!("domain=d&bucket={id}")),
            (Some(id), Some("x"), None, format!("bucket={id}&name=x")),
            (Some("b"), None, None, "bucket=b".to_owned()),
            (Some("b"), Some("x/y"), None, "bucket=b&name=x%2Fy".to_owned()),
            (Some("d/b"), None, None, "domain=d&bucket=b".to_owned()),
            (Some("d/b/x/y"), None, None, "domain=d&bucket=b&name=x%2Fy".to_owned()),
            (Some("b/x/y"), None, Some("d"), "domain=d&bucket=b&name=x%2Fy".to_owned()),
            (None, None, Some("d"), "domain=d".to_owned()),
        ] {
            assert_eq!(
                read(what, name, domain),
                Ok(format!("/v1/why?{asked}")),
                "{what:?} {name:?} {domain:?}"
            );
        }
        for (what, name) in [("d/", None), ("d/b/", None), ("d/b/x", Some("y")), ("", None)] {
            assert!(read(Some(what), name, None).is_err(), "{what:?}");
        }
    }
}
