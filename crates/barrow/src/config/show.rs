//! The effective configuration, for people: TOML with each value's origin beside it, and nothing secret.

use super::problem::Source;
use super::reader::{Effective, Entry};
use std::fmt::Write;

/// The entries as TOML, in their order.
pub(super) fn toml(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut section = "";
    for entry in entries {
        let (of, name) = entry.key.split_once('.').unwrap_or(("", &entry.key));
        if of != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            put(&mut text, format_args!("{gap}[{of}]\n"));
            section = of;
        }
        let source = one_line(&entry.source);
        match &entry.value {
            Effective::Value(value) => put(&mut text, format_args!("{name} = {value}  # {source}\n")),
            Effective::Secret => put(&mut text, format_args!("# {name} is set and not shown ({source})\n")),
            Effective::Unset => put(&mut text, format_args!("# {name} is not set\n")),
        }
    }
    text
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a String cannot fail");
}

/// A file's name may hold a line break, which would end the comment it stands in.
fn one_line(source: &Source) -> String {
    source.to_string().replace(|c: char| c.is_control(), "?")
}

/// `text` as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => put(&mut quoted, format_args!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` without the password it may hold if it is a URL: `user:password@` and `?password=`. Works on any text, for
/// a URL with a mistake in it is repeated in an error message too.
pub(super) fn redacted(text: &str) -> String {
    const HIDDEN: &str = "***";
    let mut text = text.to_owned();
    if let Some(start) = text.find("://").map(|at| at + 3)
        && let Some(end) = text[start..].rfind('@').map(|at| start + at)
        && let Some(colon) = text[start..end].find(':').map(|at| start + at)
    {
        text.replace_range(colon + 1..end, HIDDEN);
    }
    if let Some(start) = text.find("password=").map(|at| at + "password=".len()) {
        let end = text[start..].find('&').map_or(text.len(), |at| start + at);
        text.replace_range(start..end, HIDDEN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_left_out_of_urls() {
        assert_eq!(redacted("postgres://me:s3cr@t/@db/x"), "postgres://me:***@db/x");
        assert_eq!(redacted("postgres://me@db/x?password=secret&a=b"), "postgres://me@db/x?password=***&a=b");
        assert_eq!(redacted("sqlite:./data/barrow.db"), "sqlite:./data/barrow.db");
        assert_eq!(redacted("127.0.0.1:9000"), "127.0.0.1:9000");
    }

    #[test]
    fn quoting_survives_being_read_back() {
        for text in ["plain", "a \"b\" \\ c", "tab\tand\nline", "\u{7f}"] {
            let table: toml::Table = format!("a = {}", quoted(text)).parse().unwrap();
            assert_eq!(table["a"].as_str(), Some(text));
        }
    }
}
