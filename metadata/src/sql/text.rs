//! Statement texts, those for a number of rows included.

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

pub(super) fn chunks(
    template: &'static str,
    head: &[Value],
    rows: Vec<Vec<Value>>,
) -> Vec<(Text, Vec<Value>)> {
    let mut chunks = Vec::new();
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        let size = largest_power_of_two(rows.len()).min(CHUNK_ROWS_MAX);
        let mut values = head.to_vec();
        let mut columns = 0;
        for row in rows.by_ref().take(size) {
            columns = row.len();
            values.extend(row);
        }
        chunks.push((built(template, head.len(), columns, size), values));
    }
    chunks
}

fn largest_power_of_two(n: usize) -> usize {
    1 << (usize::BITS - 1 - n.leading_zeros())
}

/// The text for `size` rows of `columns` values each. Built once per template and size: both sets are small.
pub(super) fn built(template: &'static str, head: usize, columns: usize, size: usize) -> Text {
    type Built = HashMap<(usize, usize), Arc<str>>;
    static TEXTS: Mutex<Option<Built>> = Mutex::new(None);
    let mut texts = TEXTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = (template.as_ptr() as usize, size);
    let text = texts.get_or_insert_default().entry(key).or_insert_with(|| {
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
        template.replace("{rows}", &rows).into()
    });
    Text::Built(Arc::clone(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::args;

    #[test]
    fn rows_are_cut_into_powers_of_two_and_numbered_after_the_head() {
        let rows = |n: usize| (0..n).map(|_| args![1_i64, "a"]).collect::<Vec<_>>();
        let cut = chunks("X {rows}", &[9_i64.into()], rows(5));
        let texts: Vec<String> = cut
            .iter()
            .map(|(text, _)| match text {
                Text::Built(text) => text.to_string(),
                Text::Constant(text) => (*text).to_owned(),
            })
            .collect();
        assert_eq!(texts, ["X ($2,$3),($4,$5),($6,$7),($8,$9)", "X ($2,$3)"]);
        assert_eq!(cut[0].1.len(), 9);
        assert!(chunks("Y {rows}", &[], rows(0)).is_empty());
        assert_eq!(chunks("Z {rows}", &[], rows(1_100)).len(), 2 + 3);
    }
}
