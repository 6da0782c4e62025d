//! Texts with wildcards and variables: `*` stands for any characters, `/` among them, `?` for one, `${key}` for what the
//! request says.

use crate::key::{Facts, Key, Value};
use std::borrow::Cow;

/// A text with wildcards and variables, taken apart once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
    variables: bool,
    /// All of it is in lower case, and what variables stand for is taken so.
    lowered: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Star,
    One,
    Variable { key: Key, default: Option<String> },
}

/// A piece once the request is known.
#[derive(Clone, Copy)]
enum Known<'a> {
    Text(&'a str),
    Star,
    One,
}

/// A text that cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPattern;

impl Pattern {
    /// Takes `text` apart. `variables`: it may hold some; `wildcards`: it may hold those.
    pub(crate) fn read(text: &str, variables: bool, wildcards: bool) -> Result<Self, BadPattern> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut has = false;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let next = &rest[first.len_utf8()..];
            let piece = match first {
                '*' if wildcards => Piece::Star,
                '?' if wildcards => Piece::One,
                '$' if variables && next.starts_with('{') => {
                    let (inside, behind) = next[1..].split_once('}').ok_or(BadPattern)?;
                    rest = behind;
                    match variable(inside)? {
                        Ok(literal) => plain.push(literal),
                        Err(piece) => {
                            has = true;
                            flush(&mut plain, &mut pieces);
                            pieces.push(piece);
                        }
                    }
                    continue;
                }
                _ => {
                    plain.push(first);
                    rest = next;
                    continue;
                }
            };
            flush(&mut plain, &mut pieces);
            // Two stars are one.
            if piece != Piece::Star || pieces.last() != Some(&Piece::Star) {
                pieces.push(piece);
            }
            rest = next;
        }
        flush(&mut plain, &mut pieces);
        Ok(Pattern { pieces, variables: has, lowered: false })
    }

    /// Whether `text` is one that the pattern stands for. What a variable stands for is taken literally; one that stands for
    /// nothing makes a pattern that stands for nothing.
    pub(crate) fn matches(&self, text: &str, facts: &dyn Facts) -> bool {
        if !self.variables {
            return self.plainly(text);
        }
        let mut said: Vec<Cow<'_, str>> = Vec::new();
        for piece in &self.pieces {
            if let Piece::Variable { key, default } = piece {
                match (facts.value(key), default) {
                    (Value::One(value), _) if self.lowered => said.push(Cow::Owned(value.to_lowercase())),
                    (Value::One(value), _) => said.push(value),
                    (Value::Nothing, Some(default)) => said.push(Cow::Borrowed(default)),
                    // Of many it cannot be told which one is meant.
                    (Value::Nothing | Value::Many(_), _) => return false,
                }
            }
        }
        let mut said = said.iter();
        let known: Vec<Known<'_>> = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Known::Text(text),
                Piece::Star => Known::Star,
                Piece::One => Known::One,
                Piece::Variable { .. } => Known::Text(said.next().map_or("", AsRef::as_ref)),
            })
            .collect();
        matches(known.len(), |at| known.get(at).copied(), text)
    }

    /// As [`Pattern::matches`] of one without variables.
    pub(crate) fn plainly(&self, text: &str) -> bool {
        let piece = |at: usize| {
            Some(match self.pieces.get(at)? {
                Piece::Text(text) => Known::Text(text),
                Piece::Star => Known::Star,
                Piece::One | Piece::Variable { .. } => Known::One,
            })
        };
        matches(self.pieces.len(), piece, text)
    }

    /// The same with its letters in lower case.
    pub(crate) fn lowered(mut self) -> Self {
        self.lowered = true;
        for piece in &mut self.pieces {
            if let Piece::Text(text) = piece {
                *text = text.to_lowercase();
            }
        }
        self
    }

    pub(crate) fn has_variables(&self) -> bool {
        self.variables
    }

    /// Whether it stands for one text alone.
    pub(crate) fn is_fixed(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }
}

fn flush(plain: &mut String, pieces: &mut Vec<Piece>) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain)));
    }
}

/// What stands in `${}`: a character that would mean something otherwise, or a key, with what to take where it says nothing.
fn variable(inside: &str) -> Result<Result<char, Piece>, BadPattern> {
    if let "*" | "?" | "$" = inside {
        return Ok(Ok(inside.chars().next().unwrap_or('$')));
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
            (key, Some(default.ok_or(BadPattern)?.to_owned()))
        }
    };
    let key = Key::read(key.trim()).map_err(|_| BadPattern)?;
    Ok(Err(Piece::Variable { key, default }))
}

/// Whether `text` is pieces of this kind, one behind the other. Only the last star is ever looked at again: whatever an earlier
/// one could take in addition, the last one can take as well.
fn matches<'a>(pieces: usize, piece: impl Fn(usize) -> Option<Known<'a>>, text: &str) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let rest = text.get(from..).unwrap_or_default();
        let step = match piece(at) {
            Some(Known::Star) => {
                star = Some((at + 1, from));
                // Behind the last star is whatever there is.
                if at + 1 == pieces {
                    return true;
                }
                Some(0)
            }
            Some(Known::Text(wanted)) => rest.starts_with(wanted).then_some(wanted.len()),
            Some(Known::One) => rest.chars().next().map(char::len_utf8),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(step) = step {
            (at, from) = (at + 1, from + step);
            continue;
        }
        let Some((behind, begun)) = star else { return false };
        let Some(next) = text.get(begun..).and_then(|rest| rest.chars().next()) else { return false };
        star = Some((behind, begun + next.len_utf8()));
        (at, from) = (behind, begun + next.len_utf8());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::NoFacts;

    #[test]
    fn a_star_stands_for_anything_and_a_question_mark_for_one_character() {
        for (pattern, text, is) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a*", "ab/c", true),
            ("a*c", "a/b/c", true),
            ("a*c", "a/b/cd", false),
            ("a?c", "a/c", true),
            ("a?c", "aäc", true),
            ("a?c", "ac", false),
            ("*.jpg", "a.jpg.jpg", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ababa", false),
            ("a**b", "ab", true),
            ("Ab", "ab", false),
            ("a${*}c", "a*c", true),
            ("a${*}c", "abc", false),
            ("a${$}c", "a$c", true),
            ("$a", "$a", true),
        ] {
            let read = Pattern::read(pattern, true, true).unwrap();
            assert_eq!(read.matches(text, &NoFacts), is, "{pattern} {text}");
        }
        for bad in ["${", "${aws:username", "${nothing}", "${aws:username,x}", "${}"] {
            assert_eq!(Pattern::read(bad, true, true), Err(BadPattern), "{bad}");
        }
        assert!(Pattern::read("${aws:username}", false, true).unwrap().matches("${aws:username}", &NoFacts));
    }

    #[test]
    fn many_stars_cost_no_more_than_their_product() {
        let pattern = Pattern::read(&"*a".repeat(5_000), true, true).unwrap();
        assert!(!pattern.matches(&"a".repeat(1_024), &NoFacts));
    }
}
