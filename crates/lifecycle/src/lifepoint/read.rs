//! From header values to lifepoints, noting what is wrong on the way.

use super::constraint::{self, Constraints};
use super::{BadLifepoint, Lifepoint, Lifepoints};
use crate::Time;

/// One piece of a header, as far as it is legible.
struct Piece {
    /// `None`: its end date cannot be read.
    end: Option<Time>,
    deletable: bool,
    delete: bool,
    /// Taken for a guard although it is broken.
    presumed_guard: bool,
}

/// Reads all headers. With an empty list of what is wrong, the lifepoints are exactly what was written.
pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> (Lifepoints, Vec<BadLifepoint>) {
    let mut all = Lifepoints::default();
    let mut wrong = Vec::new();
    for header in headers {
        for text in split(header) {
            let piece = read_one(text, &mut wrong);
            add(&mut all, &piece, text, &mut wrong);
        }
    }
    all.points.sort_by_key(|point| point.end);
    if let Some(first) = all.points.first_mut().filter(|first| first.delete) {
        first.delete = false;
        let reason = "the object would be gone at once; a dated lifepoint must come before 'delete'";
        wrong.push(bad("[] delete", reason));
    }
    (all, wrong)
}

/// They stand alone and are not merged: the first of two with one end date counts. But then it is not known which of
/// them its writer went by, so that nothing expires, and what was taken for a guard in doubt stays one.
fn add(all: &mut Lifepoints, piece: &Piece, text: &str, wrong: &mut Vec<BadLifepoint>) {
    let Piece { end, deletable, delete, presumed_guard } = *piece;
    let Some(end) = end else {
        // Whatever was meant to happen later may be meant to happen later still.
        all.no_expiry = true;
        all.endless_guard |= !deletable;
        return;
    };
    let Some(earlier) = all.points.iter_mut().find(|point| point.end == end) else {
        all.points.push(Lifepoint { end, deletable, delete });
        return;
    };
    wrong.push(bad(text, "two lifepoints have the same end date"));
    all.no_expiry = true;
    if presumed_guard {
        earlier.deletable = false;
    }
}

/// Cuts a header at the commas that separate lifepoints: those before a `[`. HTTP dates hold commas of their own.
/// What stands before the first `[` is a piece by itself, and a bad one.
fn split(header: &str) -> impl Iterator<Item = &str> {
    let header = header.trim();
    let mut starts: Vec<usize> = header.match_indices('[').map(|(at, _)| at).collect();
    if starts.first() != Some(&0) {
        starts.insert(0, 0);
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([header.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let text = header[start..end].trim_end();
        text.strip_suffix(',').unwrap_or(text)
    })
}

fn read_one(text: &str, wrong: &mut Vec<BadLifepoint>) -> Piece {
    let illegible = |reason, guard: bool, wrong: &mut Vec<BadLifepoint>| {
        wrong.push(bad(text, reason));
        let presumed_guard = guard || constraint::resembles_guard(text);
        Piece { end: None, deletable: !presumed_guard, delete: false, presumed_guard }
    };
    let Some(rest) = text.strip_prefix('[') else {
        return illegible("a lifepoint starts with its end date in brackets", false, wrong);
    };
    let Some((date, constraints)) = rest.split_once(']') else {
        return illegible("the end date's bracket is not closed", false, wrong);
    };
    let end = match date.trim() {
        "" => Some(Time::NEVER),
        date => Time::parse_http_date(date),
    };
    let (constraints, broken) = Constraints::read(constraints, end == Some(Time::NEVER));
    if end.is_none() {
        return illegible("the end date is not an HTTP date", !constraints.deletable(), wrong);
    }
    wrong.extend(broken.into_iter().map(|reason| bad(text, reason)));
    Piece {
        end,
        deletable: constraints.deletable(),
        delete: constraints.delete(),
        presumed_guard: constraints.presumed_guard,
    }
}

fn bad(text: &str, reason: &'static str) -> BadLifepoint {
    BadLifepoint { text: text.chars().take(200).collect(), reason }
}
