//! Statement texts, those for a number of rows included.

use super::Engine;
use super::value::Value;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// A statement's text: constant, or built here for a number of rows and kept.
#[derive(Clone)]
pub(crate) enum Text {
    Constant(&'static str),
    Built(Arc<str>),
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text::Constant(text)
    }
}

/// The largest chunk of [`Conn::execute_rows`]: with 32 columns, well below what either engine binds at once.
const CHUNK_ROWS_MAX: usize = 512;

/// Of SQLite, the values of the rows come first, and have no numbers: its driver asks for the name of each marker, and each
/// answer is a search through all names. With a thousand rows that was a fifth of all the work there is.
pub(super) fn chunks(
    engine: Engine,
    template: &'static str,
    head: &[Value],
    rows: Vec<Vec<Value>>,
) -> Vec<(Text, Vec<Value>)> {
    let mut chunks = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = largest_power_of_two(rows.len()).min(CHUNK_ROWS_MAX);
        let chunk: Vec<Vec<Value>> = rows.by_ref().take(size).collect();
        let columns = chunk.first().map_or(0, Vec::len);
        let text = built(engine, template, head.len(), columns, size);
        chunks.push((text, in_order(engine, head, chunk)));
    }
    chunks
}

/// The values of one text, in the order in which that wants them.
pub(super) fn in_order(engine: Engine, head: &[Value], rows: Vec<Vec<Value>>) -> Vec<Value> {
    let rows = rows.into_iter().flatten();
    match engine {
        Engine::Sqlite => rows.chain(head.iter().cloned()).collect(),
        Engine::Postgres => head.iter().cloned().chain(rows).collect(),
    }
}

fn largest_power_of_two(n: usize) -> usize {
    1 << (usize::BITS - 1 - n.leading_zeros())
}

/// The text for `size` rows of `columns` values each. Built once per template and size: both sets are small.
pub(super) fn built(
    engine: Engine,
    template: &'static str,
    head: usize,
    columns: usize,
    size: usize,
) -> Text {
    type Built = HashMap<(usize, usize, bool), Arc<str>>;
    static TEXTS: Mutex<Option<Built>> = Mutex::new(None);
    let mut texts = TEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = (template.as_ptr() as usize, size, engine == Engine::Sqlite);
    let text = texts.get_or_insert_default().entry(key).or_insert_with(|| match engine {
        Engine::Sqlite => behind(template, size * columns).replace("{rows}", &bare(columns, size)).into(),
        Engine::Postgres => template.replace("{rows}", &numbered(head, columns, size)).into(),
    });
    Text::Built(Arc::clone(text))
}

/// `($3,$4),($5,$6)…`, behind a head.
fn numbered(head: usize, columns: usize, size: usize) -> String {
    let mut rows = String::new();
    let mut next = head;
    for row in 0..size {
        rows.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..columns {
            next += 1;
            let _ = write!(rows, "{}${next}", if column == 0 { "" } else { "," });
        }
        rows.push(')');
    }
    rows
}

/// `(?,?),(?,?)…`.
fn bare(columns: usize, size: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; size].join(",")
}

/// The template with the numbers of its head moved behind `values` others.
fn behind(template: &str, values: usize) -> String {
    let mut parts = template.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        match number.parse::<usize>() {
            Ok(number) => {
                let _ = write!(text, "${}{rest}", number + values);
            }
            Err(_) => {
                text.push('$');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::args;

    fn texts(engine: Engine, template: &'static str, rows: usize) -> (Vec<String>, Vec<usize>) {
        let rows = (0..rows).map(|_| args![1_i64, "a"]).collect();
        let cut = chunks(engine, template, &[9_i64.into()], rows);
        let text = |text: &Text| match text {
            Text::Built(text) => text.to_string(),
            Text::Constant(text) => (*text).to_owned(),
        };
        (
            cut.iter().map(|(built, _)| text(built)).collect(),
            cut.iter().map(|(_, values)| values.len()).collect(),
        )
    }

    #[test]
    fn rows_are_cut_into_powers_of_two() {
        let (found, values) = texts(Engine::Postgres, "X $1 {rows}", 5);
        assert_eq!(found, ["X $1 ($2,$3),($4,$5),($6,$7),($8,$9)", "X $1 ($2,$3)"]);
        assert_eq!(values, [9, 3]);
        let (found, values) = texts(Engine::Sqlite, "X $1, $$ {rows} $1", 5);
        assert_eq!(found, ["X $9, $$ (?,?),(?,?),(?,?),(?,?) $9", "X $3, $$ (?,?) $3"]);
        assert_eq!(values, [9, 3]);
        assert!(texts(Engine::Sqlite, "Y {rows}", 0).0.is_empty());
        assert_eq!(texts(Engine::Postgres, "Z {rows}", 1_100).0.len(), 2 + 3);
    }

    #[test]
    fn each_engine_has_its_values_where_its_text_wants_them() {
        let order =
            |engine| format!("{:?}", in_order(engine, &[9_i64.into()], vec![args![1_i64], args![2_i64]]));
        let plain = |values: Vec<Value>| format!("{values:?}");
        assert_eq!(order(Engine::Postgres), plain(args![9_i64, 1_i64, 2_i64]));
        assert_eq!(order(Engine::Sqlite), plain(args![1_i64, 2_i64, 9_i64]));
    }
}
