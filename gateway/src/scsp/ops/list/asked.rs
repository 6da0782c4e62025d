//! What a listing is asked for: pure, from the arguments. Nothing that means something is passed over in silence.

use super::fields::Field;
use super::table::Format;
use crate::http::Query;
use crate::scsp::error::Trouble;
use crate::scsp::request::{Asked, Target};
use lifecycle::{ContainerId, VersionId};
use metadata::{Delimiter, ListOrder};

/// The page size when none is asked for.
const SIZE: u32 = 1_000;
/// The largest page.
const SIZE_MAX: u32 = 10_000;
/// The largest page of versions.
const VERSIONS_MAX: u32 = 2_000;

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// What is in the context and readable.
    Rows,
    /// All versions, behind this one of the marker's.
    Versions { behind: Option<VersionId> },
    /// What the context holds, by state.
    Usage,
    /// The domains of the cluster.
    Domains,
    /// Domains and buckets that are removed.
    Deleted,
}

/// Which kinds of things a listing shows (`stype`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    Buckets,
    Named,
    Unnamed,
    Aliases,
    All,
}

impl Kinds {
    const WORDS: [(&'static str, Kinds); 5] = [
        ("bucket", Kinds::Buckets),
        ("named", Kinds::Named),
        ("unnamed", Kinds::Unnamed),
        ("alias", Kinds::Aliases),
        ("all", Kinds::All),
    ];

    fn read(word: &str) -> Result<Self, Trouble> {
        let known = Kinds::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, kinds)| *kinds).ok_or_else(|| {
            bad(format!(
                "The argument stype cannot be {word:?}: allowed are bucket, named, unnamed, alias and all."
            ))
        })
    }
}

/// Which bucket or domain is meant, where the path does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Context<'a> {
    /// Perhaps a domain's name, and a bucket's.
    Named(Option<&'a str>, &'a str),
    /// A UUID.
    Id(ContainerId),
}

/// A listing as it was asked for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) format: Format,
    pub(super) what: What,
    pub(super) context: Option<Context<'a>>,
    pub(super) kinds: Option<Kinds>,
    pub(super) prefix: &'a str,
    pub(super) marker: &'a str,
    pub(super) delimiter: Option<Delimiter>,
    pub(super) descending: bool,
    pub(super) size: u32,
    pub(super) fields: Vec<Field>,
}

impl<'a> Wanted<'a> {
    /// Reads the arguments.
    ///
    /// # Errors
    /// 400 naming the argument, what it says and what is allowed.
    pub(super) fn read(asked: &'a Asked) -> Result<Self, Trouble> {
        let query = &asked.query;
        let format = Format::read(query.get("format").unwrap_or_default())?;
        refuse_filters(query)?;
        let what = what(asked)?;
        refuse_beside(query, what)?;
        let in_bucket = matches!(asked.target, Target::Bucket(_));
        if in_bucket && matches!(what, What::Domains | What::Deleted) {
            return Err(bad("The arguments domains and deleted are for GET / and for no bucket.".to_owned()));
        }
        let context = context(query)?;
        if in_bucket && context.is_some() {
            return Err(bad(
                "The arguments context and contextid are for GET /: the path names a bucket.".to_owned()
            ));
        }
        let delimiter = match query.get("delimiter").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                Some(Delimiter::new(text).map_err(|bad| Trouble::bad_request("BadArgument", &bad))?)
            }
        };
        Ok(Wanted {
            format,
            what,
            context,
            kinds: query.get("stype").map(Kinds::read).transpose()?,
            prefix: query.get("prefix").unwrap_or_default(),
            marker: query.get("marker").unwrap_or_default(),
            delimiter,
            descending: descending(query.get("sort"), what)?,
            size: size(query.get("size"), what)?,
            fields: Field::read(query.get("fields"), matches!(what, What::Versions { .. }))?,
        })
    }

    /// The page that is asked for.
    pub(super) fn order(&self) -> ListOrder<'_> {
        ListOrder {
            splits_groups: false,
            prefix: self.prefix,
            marker: self.marker,
            delimiter: self.delimiter.as_ref(),
            limit: self.size,
            descending: self.descending,
            kind: None,
        }
    }
}

pub(super) fn bad(text: String) -> Trouble {
    Trouble::new(400, "BadArgument", text)
}

/// Filters would have to look at everything: no index serves them.
fn refuse_filters(query: &Query) -> Result<(), Trouble> {
    for (name, _) in query.iter() {
        if name == "decorates" {
            return Err(bad(
                "The argument decorates is not served, for annotations are not indexed: list them by their names, with \
                 prefix."
                    .to_owned(),
            ));
        }
        if name.starts_with("x-") && name.contains("-meta") {
            return Err(bad(format!(
                "The argument {name} is not served, for metadata is not indexed: ask for it by fields=name,{name} and \
                 choose among the rows."
            )));
        }
        // What comes of `context>=a` and `context<=a`.
        if name == "context>" || name == "context<" {
            return Err(bad(format!(
                "The argument {name}= is not served: allowed is context=BUCKET or DOMAIN/BUCKET."
            )));
        }
    }
    Ok(())
}

fn what(asked: &Asked) -> Result<What, Trouble> {
    let query = &asked.query;
    let mut on = Vec::new();
    for (name, what) in [
        ("versions", What::Versions { behind: None }),
        ("du", What::Usage),
        ("domains", What::Domains),
        ("deleted", What::Deleted),
    ] {
        if asked.flag(name)? {
            on.push((name, what));
        }
    }
    let what = match on[..] {
        [] => What::Rows,
        [(_, what)] => what,
        [(one, _), (other, _), ..] => {
            return Err(bad(format!("The arguments {one} and {other} do not go together: choose one.")));
        }
    };
    let Some(behind) = query.get("marker-version").filter(|text| !text.is_empty()) else { return Ok(what) };
    if !matches!(what, What::Versions { .. }) || query.get("marker").is_none_or(str::is_empty) {
        return Err(bad(
            "The argument marker-version goes with versions and marker: it is a version of that name."
                .to_owned(),
        ));
    }
    let behind = behind.trim_matches('"');
    let behind: VersionId = behind.parse().map_err(|_| {
        bad(format!("The argument marker-version cannot be {behind:?}: allowed are 32 hexadecimal digits."))
    })?;
    Ok(What::Versions { behind: Some(behind) })
}

/// Arguments that mean nothing to this kind of listing would be passed over.
fn refuse_beside(query: &Query, what: What) -> Result<(), Trouble> {
    let (word, strangers): (_, &[&str]) = match what {
        What::Rows => return Ok(()),
        What::Versions { .. } => ("versions", &["delimiter"]),
        What::Usage => ("du", &["prefix", "marker", "delimiter", "sort", "fields", "stype"]),
        What::Domains => ("domains", &["stype", "context", "contextid"]),
        What::Deleted => ("deleted", &["delimiter", "sort", "fields", "stype", "context", "contextid"]),
    };
    // An empty one says nothing: clients send them all, filled in or not.
    let said = |name: &&&str| query.get(name).is_some_and(|value| !value.is_empty());
    match strangers.iter().find(said) {
        Some(name) => Err(bad(format!("The arguments {word} and {name} do not go together."))),
        None => Ok(()),
    }
}

fn context(query: &Query) -> Result<Option<Context<'_>>, Trouble> {
    let id = match query.get("contextid") {
        None => None,
        Some(text) => Some(Context::Id(text.parse().map_err(|_| {
            bad(format!(
                "The argument contextid cannot be {text:?}: allowed are the 32 hexadecimal digits of a UUID."
            ))
        })?)),
    };
    let Some(text) = query.get("context") else { return Ok(id) };
    if id.is_some() {
        return Err(bad("The arguments context and contextid do not go together: choose one.".to_owned()));
    }
    let (domain, bucket) = match text.rsplit_once('/') {
        Some((domain, bucket)) => (Some(domain), bucket),
        None => (None, text),
    };
    if bucket.is_empty() || bucket.ends_with('*') || text.starts_with(['<', '>']) {
        return Err(bad(format!(
            "The argument context cannot be {text:?}: allowed is one context, BUCKET or DOMAIN/BUCKET."
        )));
    }
    Ok(Some(Context::Named(domain, bucket)))
}

fn descending(sort: Option<&str>, what: What) -> Result<bool, Trouble> {
    let Some(sort) = sort.filter(|sort| !sort.is_empty()) else { return Ok(false) };
    let (field, direction) = sort.split_once(':').unwrap_or((sort, "asc"));
    let is = |word: &str| direction.eq_ignore_ascii_case(word);
    let forwards_only = matches!(what, What::Versions { .. });
    match () {
        () if !field.eq_ignore_ascii_case("name") => {}
        () if is("asc") => return Ok(false),
        () if is("desc") && !forwards_only => return Ok(true),
        () => {}
    }
    let allowed = if forwards_only { "name:asc with versions" } else { "name, name:asc and name:desc" };
    Err(bad(format!(
        "The argument sort cannot be {sort:?}, for nothing else is indexed: allowed is {allowed}."
    )))
}

fn size(asked: Option<&str>, what: What) -> Result<u32, Trouble> {
    let (default, allowed) = match what {
        What::Usage => (0, 0..=0),
        What::Versions { .. } => (SIZE, 1..=VERSIONS_MAX),
        What::Rows | What::Domains | What::Deleted => (SIZE, 1..=SIZE_MAX),
    };
    let Some(text) = asked else { return Ok(default) };
    text.parse().ok().filter(|size| allowed.contains(size)).ok_or_else(|| match what {
        What::Usage => bad(format!("The argument size cannot be {text:?} with du: allowed is 0.")),
        _ => bad(format!("The argument size cannot be {text:?}: allowed is 1 to {}.", allowed.end())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scsp::request::decode;
    use http::Request;

    fn asked(target: &str) -> Asked {
        let request = Request::get(target).header("host", "d.example").body(()).expect("a request");
        decode(&request.into_parts().0).expect("understood").1
    }

    fn refused(target: &str) -> String {
        let trouble = Wanted::read(&asked(target)).expect_err(target);
        assert_eq!(trouble.status.as_u16(), 400, "{target}");
        format!("{trouble:?}")
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let plain = asked("/b?format=json");
        let plain = Wanted::read(&plain).expect("good");
        assert_eq!((plain.what, plain.size, plain.descending), (What::Rows, 1_000, false));
        let id = "0123456789abcdef0123456789abcdef";
        let full = asked(&format!(
            "/b?format=XML&Versions&marker=a&marker-version=%22{id}%22&size=2000&sort=Name:ASC"
        ));
        let full = Wanted::read(&full).expect("good");
        assert_eq!(full.what, What::Versions { behind: Some(id.parse().expect("an id")) });
        assert_eq!((full.format, full.size, full.marker), (Format::Xml, 2_000, "a"));
        let grouped = asked("/b?format=json&delimiter=%2F&sort=name:desc&versions=no&stype=");
        assert!(Wanted::read(&grouped).is_err(), "an empty stype is none of the kinds");
        let grouped = asked("/b?format=json&delimiter=%2F&sort=name:desc&versions=no&stype=all");
        let grouped = Wanted::read(&grouped).expect("good");
        assert!(grouped.descending && grouped.what == What::Rows && grouped.kinds == Some(Kinds::All));
        assert_eq!(grouped.delimiter.as_ref().map(Delimiter::as_str), Some("/"));
        let usage = asked("/?format=json&du&size=0&context=d.example/b&marker=");
        let usage = Wanted::read(&usage).expect("good");
        assert_eq!((usage.what, usage.context), (What::Usage, Some(Context::Named(Some("d.example"), "b"))));
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        for (arguments, names) in [
            ("format=yaml", "format"),
            ("format", "format"),
            ("format=json&size=0", "1 to 10000"),
            ("format=json&size=10001", "1 to 10000"),
            ("format=json&size=2001&versions", "1 to 2000"),
            ("format=json&size=1&du", "allowed is 0"),
            ("format=json&sort=tmBorn", "tmBorn"),
            ("format=json&sort=content-length:desc", "content-length"),
            ("format=json&sort=name:up", "name:up"),
            ("format=json&versions&sort=name:desc", "name:asc with versions"),
            ("format=json&versions&delimiter=/", "delimiter"),
            ("format=json&versions&du", "versions and du"),
            ("format=json&versions=maybe", "maybe"),
            ("format=json&delimiter=%F4%8F%BF%BF", "U+10FFFF"),
            ("format=json&marker-version=0123456789abcdef0123456789abcdef", "marker-version"),
            ("format=json&versions&marker=a&marker-version=x", "marker-version"),
            ("format=json&x-acme-meta-camera=d850", "x-acme-meta-camera"),
            ("format=json&decorates=x", "decorates"),
            ("format=json&context%3E=a", "context>"),
            ("format=json&context=a*", "a*"),
            ("format=json&context=b&contextid=0123456789abcdef0123456789abcdef", "contextid"),
            ("format=json&contextid=b", "contextid"),
            ("format=json&stype=tenant", "tenant"),
            ("format=json&fields=name,colour", "colour"),
            ("format=json&du&prefix=a", "prefix"),
            ("format=json&domains&stype=all", "stype"),
            ("format=json&deleted&sort=name", "sort"),
        ] {
            let text = refused(&format!("/?{arguments}"));
            assert!(text.contains(names), "{arguments}: {text}");
        }
        for arguments in
            ["context=b", "contextid=0123456789abcdef0123456789abcdef", "domains", "deleted&admin"]
        {
            refused(&format!("/b?format=json&{arguments}"));
        }
    }
}
