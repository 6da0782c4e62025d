//! What the operator's commands print: tables and sentences for people, JSON for machines.

use lifecycle::Time;
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::time::{Duration, UNIX_EPOCH};

/// Prints a line. Whoever reads only the beginning (`| head`) has seen enough.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("cannot write: {error}");
    }
}

/// Says it on standard error, where something else is written to standard output.
pub(crate) fn say_aside(text: &str) {
    eprintln!("{text}");
}

/// Prints a value as JSON, for people to read and machines to parse.
pub(crate) fn json(value: &Value) {
    say(&format!("{value:#}"));
}

/// Rows under headings, in columns.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Table { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    /// Every row on its line; numbers end under one another.
    pub(crate) fn render(&self) -> String {
        let columns = self.headings.len();
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| heading.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let numeric: Vec<bool> = (0..columns)
            .map(|at| {
                let mut cells = self.rows.iter().filter_map(|row| row.get(at)).peekable();
                cells.peek().is_some()
                    && cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit()) && is_amount(cell))
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for (at, cell) in cells.enumerate() {
                let gap = " ".repeat(widths[at].saturating_sub(cell.chars().count()));
                let between = if at == 0 { "" } else { "  " };
                let (before, behind) = if numeric[at] { (gap.as_str(), "") } else { ("", gap.as_str()) };
                text.push_str(&format!("{between}{before}{cell}{behind}"));
            }
            text.trim_end().to_owned()
        };
        let mut lines = vec![line(&mut self.headings.iter().copied())];
        lines.extend(self.rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        lines.join("\n")
    }
}

/// A number, with or without a unit behind it.
fn is_amount(cell: &str) -> bool {
    let number = cell.split(' ').next().unwrap_or_default();
    number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Names may hold anything, and a terminal obeys some of it.
pub(crate) fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// A field of an answer as text; `-` if it is not there.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A field that counts bytes, as people read them.
pub(crate) fn size(value: &Value, name: &str) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let bytes = value[name].as_u64().unwrap_or(0);
    let (mut amount, mut unit) = (bytes as f64, 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}

/// A field that holds a time, seen from `now`: "in 6d 23h", "3h 10m ago", "never".
pub(crate) fn when(value: &Value, name: &str, now: Time) -> String {
    let Some(text) = value[name].as_str() else { return "-".to_owned() };
    let Ok(at) = humantime::parse_rfc3339(text) else { return text.to_owned() };
    let micros = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let at = Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
    if at > now { format!("in {}", short(at.since(now))) } else { format!("{} ago", short(now.since(at))) }
}

/// The two largest units of a duration.
fn short(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts =
        [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let first = parts.iter().position(|(amount, _)| *amount > 0).unwrap_or(3);
    let shown: Vec<String> =
        parts[first..].iter().take(2).map(|(amount, unit)| format!("{amount}{unit}")).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_stand_under_one_another() {
        let mut table = Table::new(&["NAME", "OBJECTS", "STATE"]);
        table.row(vec!["photos".into(), "12".into(), "live".into()]);
        table.row(vec!["a\u{1b}[31m".into(), "3".into(), "removed".into()]);
        let expected =
            "NAME         OBJECTS  STATE\nphotos            12  live\na\\u{1b}[31m        3  removed";
        assert_eq!(table.render(), expected);
    }

    #[test]
    fn times_are_told_from_now() {
        let now = Time::from_secs(1_772_528_400); // 2026-03-03T09:00:00Z
        let told = |text: &str| when(&json!({ "at": text }), "at", now);
        assert_eq!(told("2026-03-10T08:59:00.000Z"), "in 6d 23h");
        assert_eq!(told("2026-03-03T09:00:42.500Z"), "in 42s");
        assert_eq!(told("2026-03-03T07:50:00.000Z"), "1h 10m ago");
        assert_eq!(told("never"), "never");
        assert_eq!(when(&json!({}), "at", now), "-");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let told = |bytes: u64| size(&json!({ "bytes": bytes }), "bytes");
        assert_eq!([0, 1023, 1536, 5 << 30].map(told), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    }
}
