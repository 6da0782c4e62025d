//! Lifepoints: how an SCSP writer says until when an object must be kept and when it goes (SCSP section 4).
//!
//! ```text
//! Lifepoint: [Thu, 03 Sep 2026 09:00:00 GMT] reps=3, deletable=no
//! Lifepoint: [] delete
//! ```
//!
//! One lifepoint is in force at a time: the first whose end date lies ahead, else the open one. They do not add up.

use crate::{Guard, Time};
use std::fmt;

/// What is wrong with a lifepoint header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLifepoint {
    /// The offending text, cut to a readable length.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for BadLifepoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad lifepoint {:?}: {}", self.text, self.reason)
    }
}

impl std::error::Error for BadLifepoint {}

/// What holds until one lifepoint's end date.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lifepoint {
    /// [`Time::NEVER`] for the open lifepoint `[]`.
    end: Time,
    deletable: bool,
    delete: bool,
}

/// All lifepoints of one object, in order of their end dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifepoints(Vec<Lifepoint>);

impl Lifepoints {
    /// Reads the values of all `Lifepoint` headers, strictly: what protects nothing by a typing error is refused.
    ///
    /// # Errors
    /// [`BadLifepoint`] naming the text and the rule.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, BadLifepoint> {
        let mut points = Vec::new();
        for header in headers {
            for text in split(header)? {
                points.push(parse_one(text)?);
            }
        }
        points.sort_by_key(|point| point.end);
        if let Some(pair) = points.windows(2).find(|pair| pair[0].end == pair[1].end) {
            let text = if pair[0].end == Time::NEVER { "[]".to_owned() } else { pair[0].end.to_http_date() };
            return Err(BadLifepoint { text, reason: "two lifepoints have the same end date" });
        }
        if points.first().is_some_and(|first| first.delete) {
            let reason = "the object would be gone at once; a dated lifepoint must come before 'delete'";
            return Err(BadLifepoint { text: "[] delete".to_owned(), reason });
        }
        Ok(Lifepoints(points))
    }

    /// When the object goes by itself: the moment from which `delete` is in force.
    pub fn expires_at(&self) -> Option<Time> {
        let at = self.0.iter().position(|point| point.delete)?;
        at.checked_sub(1).map(|before| self.0[before].end)
    }

    /// What the lifepoints forbid: from the first to the end of the last undeletable stretch.
    pub fn guard(&self) -> Guard {
        let begins = |at: usize| at.checked_sub(1).map(|before| self.0[before].end);
        let Some(first) = self.0.iter().position(|point| !point.deletable) else { return Guard::NONE };
        let last = self.0.iter().rfind(|point| !point.deletable).map(|point| point.end);
        Guard { from: begins(first), until: last, hold: false }
    }

    /// Whether any lifepoint was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cuts a header at the commas that separate lifepoints: those before a `[`. HTTP dates hold commas of their own.
fn split(header: &str) -> Result<Vec<&str>, BadLifepoint> {
    let header = header.trim();
    if !header.starts_with('[') {
        return Err(bad(header, "a lifepoint starts with its end date in brackets"));
    }
    let starts: Vec<usize> = header.match_indices('[').map(|(at, _)| at).collect();
    Ok(starts
        .iter()
        .enumerate()
        .map(|(i, &at)| header[at..starts.get(i + 1).copied().unwrap_or(header.len())].trim_end())
        .map(|text| text.strip_suffix(',').unwrap_or(text))
        .collect())
}

fn parse_one(text: &str) -> Result<Lifepoint, BadLifepoint> {
    let (date, constraints) = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .ok_or_else(|| bad(text, "the end date's bracket is not closed"))?;
    let end = match date.trim() {
        "" => Time::NEVER,
        date => Time::parse_http_date(date).ok_or_else(|| bad(text, "the end date is not an HTTP date"))?,
    };
    let (mut deletable, mut delete, mut reps, mut any) = (None, false, false, false);
    for constraint in constraints.split(',').map(str::trim) {
        let (name, value) = match constraint.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (constraint, None),
        };
        any = true;
        match (name.to_ascii_lowercase().as_str(), value) {
            ("", _) => return Err(bad(text, "a constraint is missing")),
            ("reps", Some(count)) if is_reps(count) && !reps => reps = true,
            ("reps", _) if reps => return Err(bad(text, "'reps' stands twice")),
            ("reps", _) => return Err(bad(text, "'reps' takes a number, or data:parity")),
            ("delete", None) if end == Time::NEVER && !delete && deletable.is_none() => delete = true,
            ("delete", Some(_)) => return Err(bad(text, "'delete' takes no value")),
            ("delete", None) if end != Time::NEVER => {
                return Err(bad(
                    text,
                    "'delete' belongs into the open lifepoint []; here it would delete at once",
                ));
            }
            ("delete" | "deletable", _) if delete || deletable.is_some() => {
                return Err(bad(text, "'delete' and 'deletable' stand at most once, and not together"));
            }
            ("deletable", value) => {
                deletable = Some(match value.map(str::to_ascii_lowercase).as_deref() {
                    None | Some("yes" | "true") => true,
                    Some("no" | "false") => false,
                    Some(_) => return Err(bad(text, "'deletable' is yes or no")),
                });
            }
            (word, _) if resembles_guard(word) => {
                return Err(bad(text, "unknown constraint; 'deletable' was meant?"));
            }
            (word, _) if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {}
            _ => return Err(bad(text, "a constraint is a word, or a word with a value")),
        }
    }
    if !any {
        return Err(bad(text, "a lifepoint has at least one constraint"));
    }
    Ok(Lifepoint { end, deletable: deletable.unwrap_or(true), delete })
}

fn is_reps(count: &str) -> bool {
    let number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    match count.split_once(':') {
        Some((data, parity)) => number(data) && number(parity),
        None => number(count),
    }
}

/// A mistyped `deletable=no` protects nothing, silently, wherever constraints of one's own are allowed.
fn resembles_guard(word: &str) -> bool {
    word.starts_with("delet") || word.starts_with("undelet") || word.starts_with("dele")
}

fn bad(text: &str, reason: &'static str) -> BadLifepoint {
    BadLifepoint { text: text.chars().take(200).collect(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: &str = "Thu, 03 Sep 2026 09:00:00 GMT";
    const LATE: &str = "Wed, 03 Mar 2027 09:00:00 GMT";

    fn date(text: &str) -> Time {
        Time::parse_http_date(text).expect("a date of these tests")
    }

    fn parse(headers: &[&str]) -> Result<Lifepoints, BadLifepoint> {
        Lifepoints::parse(headers.iter().copied())
    }

    #[test]
    fn the_example_of_the_specification_guards_then_expires() {
        let points = parse(&[
            &format!("[{EARLY}] reps=3, deletable=no"),
            &format!("[{LATE}] reps=1, deletable=yes"),
            "[] delete",
        ])
        .expect("valid");
        assert_eq!(points.guard(), Guard { from: None, until: Some(date(EARLY)), hold: false });
        assert_eq!(points.expires_at(), Some(date(LATE)));
    }

    #[test]
    fn one_header_with_commas_reads_like_several_headers() {
        let several = parse(&[&format!("[{EARLY}] reps=3, deletable=no"), "[] delete"]).expect("valid");
        let one = parse(&[&format!("[{EARLY}] reps=3, deletable=no, [] delete")]).expect("valid");
        assert_eq!(one, several);
    }

    #[test]
    fn order_of_writing_does_not_matter() {
        let points = parse(&["[] delete", &format!("[{EARLY}] DELETABLE=No")]).expect("valid");
        assert_eq!(points.expires_at(), Some(date(EARLY)));
        assert!(points.guard().is_active(date(EARLY).minus(std::time::Duration::from_secs(1))));
        assert!(!points.guard().is_active(date(EARLY)));
    }

    #[test]
    fn an_open_undeletable_lifepoint_guards_without_end_from_where_it_begins() {
        let points = parse(&[&format!("[{EARLY}] deletable=yes"), "[] deletable=no"]).expect("valid");
        assert_eq!(points.guard(), Guard { from: Some(date(EARLY)), until: Some(Time::NEVER), hold: false });
    }

    #[test]
    fn what_would_protect_nothing_or_delete_at_once_is_refused() {
        let dated_delete = format!("[{EARLY}] delete");
        let twice = format!("[{EARLY}] reps=1, [{EARLY}] reps=2");
        for bad in [
            "[not a date] deletable=no",
            "[] delete",
            "[] deletable=maybe",
            "[] deleteable=no",
            "[] reps=x",
            "[] reps=1, reps=2",
            "[] delete=yes",
            "[] delete, deletable=yes",
            "[]",
            "[",
            "deletable=no",
            "",
            dated_delete.as_str(),
            twice.as_str(),
        ] {
            assert!(parse(&[bad]).is_err(), "{bad}");
        }
        assert!(parse(&["[] reps=1", "[] deletable=no"]).is_err(), "they stand alone and are not merged");
    }

    #[test]
    fn erasure_coding_and_constraints_of_ones_own_are_accepted() {
        assert!(parse(&["[] reps=5:2, colour=green"]).is_ok());
        assert!(parse(&[]).expect("no lifepoint is fine").is_empty());
    }
}
