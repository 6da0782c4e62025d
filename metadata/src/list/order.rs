//! What a listing is asked for, and the stretch of names in which its rows lie: pure.

use lifecycle::Kind;

/// What one page of a listing is to hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListOrder<'a> {
    /// What the names begin with.
    pub prefix: &'a str,
    /// The name of the row after which the page begins, an object's or a prefix's; empty: it begins at the start. It need
    /// not be there.
    pub marker: &'a str,
    /// A marker that is inside of a group hides of its row only the names up to itself: the row is shown for those behind it
    /// (S3's `start-after`); one that is the group's own name is behind its row. Otherwise it always is.
    pub splits_groups: bool,
    /// Names that go on alike up to the first delimiter behind `prefix` make one row together.
    pub delimiter: Option<&'a Delimiter>,
    /// The most rows. Of 0 the page is empty, and so is what lies behind it.
    pub limit: u32,
    /// From the last name to the first.
    pub descending: bool,
    /// Only objects of this kind: for the hidden bucket of a domain, where two kinds lie. Not together with a delimiter,
    /// for the names there are UUIDs.
    pub kind: Option<Kind>,
}

/// One row of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<T> {
    /// An object, or a container.
    Item(T),
    /// What several names have in common, up to the delimiter and with it. It is the row's name.
    Prefix(String),
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of their names.
    pub entries: Vec<Entry<T>>,
    /// The marker of the next page; `None`: this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page with nothing on it and nothing behind it.
    pub(crate) fn empty() -> Self {
        Page { entries: Vec::new(), next: None }
    }

    /// The page that `found` makes, which holds one row more than `limit` if there is another page.
    pub(crate) fn cut(mut found: Vec<Entry<T>>, limit: u32, name: impl Fn(&T) -> &str) -> Self {
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let last = found.last().filter(|_| more).map(|entry| match entry {
            Entry::Item(item) => name(item).to_owned(),
            Entry::Prefix(prefix) => prefix.clone(),
        });
        Page { entries: found, next: last }
    }
}

/// A text at which names are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimiter {
    text: String,
    /// The first text behind everything that begins with `text`: with it, what lies behind a whole group is found.
    behind: String,
}

/// A text that cannot be a delimiter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a delimiter cannot be {0:?}: allowed is any text that is not empty and not of the characters U+10FFFF alone"
)]
pub struct BadDelimiter(pub String);

impl Delimiter {
    /// The delimiter `text`.
    ///
    /// # Errors
    /// [`BadDelimiter`] if it is empty, or so that nothing can lie behind it in the order of names.
    pub fn new(text: &str) -> Result<Self, BadDelimiter> {
        let behind = successor(text).ok_or_else(|| BadDelimiter(text.to_owned()))?;
        Ok(Delimiter { text: text.to_owned(), behind })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first text behind everything that begins with the delimiter.
    pub(super) fn behind(&self) -> &str {
        &self.behind
    }
}

impl ListOrder<'_> {
    /// Whether `name` makes a row by itself: it begins with the prefix, and is in no group.
    pub(crate) fn has_row(&self, name: &str) -> bool {
        !name.is_empty() && name.starts_with(self.prefix) && self.group(name).is_none()
    }

    /// The group that `name`, which begins with the prefix, is in; `None`: it stands by itself.
    pub(crate) fn group<'n>(&self, name: &'n str) -> Option<&'n str> {
        let delimiter = self.delimiter?.as_str();
        let at = name.get(self.prefix.len()..)?.find(delimiter)?;
        name.get(..self.prefix.len() + at + delimiter.len())
    }
}

/// The names of a page lie in `from..to`; without `to`, from `from` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: String,
    pub(crate) to: Option<String>,
}

impl Range {
    /// Where the rows of a page can be; `None`: nowhere.
    pub(crate) fn of(order: &ListOrder<'_>) -> Option<Self> {
        let (prefix, marker) = (order.prefix, order.marker);
        let end = successor(prefix);
        // A marker inside a group is behind the group's row, or is that row.
        let group = if marker.starts_with(prefix) { order.group(marker) } else { None };
        let range = if order.descending {
            let before = match group {
                _ if marker.is_empty() => None,
                Some(group) if group == marker => Some(marker.to_owned()),
                // The group's row itself comes before the marker: it is yet to come.
                Some(group) => successor(group),
                None => Some(marker.to_owned()),
            };
            let to = match (before, end) {
                (Some(before), Some(end)) => Some(before.min(end)),
                (before, end) => before.or(end),
            };
            Range { from: prefix.to_owned(), to }
        } else {
            let from = match group {
                _ if marker < prefix || marker.is_empty() => prefix.to_owned(),
                Some(group) if !order.splits_groups || group == marker => successor(group)?,
                Some(_) | None => just_behind(marker),
            };
            Range { from, to: end }
        };
        range.holds().then_some(range)
    }

    /// What is left of the range behind the row of `name`, which lies in it.
    pub(crate) fn behind(&self, name: &str, order: &ListOrder<'_>) -> Option<Self> {
        let group = order.group(name);
        let left = if order.descending {
            Range { from: self.from.clone(), to: Some(group.unwrap_or(name).to_owned()) }
        } else {
            Range { from: group.map_or(Some(just_behind(name)), successor)?, to: self.to.clone() }
        };
        left.holds().then_some(left)
    }

    /// Whether any name can be in it.
    fn holds(&self) -> bool {
        self.to.as_ref().is_none_or(|to| self.from < *to)
    }

    /// `to` as a statement takes it: the empty text stands for no end.
    pub(crate) fn bound(&self) -> &str {
        self.to.as_deref().unwrap_or("")
    }
}

/// The name that follows `name` in the order of names: none has a NUL in it.
pub(crate) fn just_behind(name: &str) -> String {
    format!("{name}\u{1}")
}

/// The first text behind everything that begins with `prefix`, in byte order; `None` if there is none.
pub(crate) fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_lies_behind_everything_with_the_prefix() {
        assert_eq!(successor("a").as_deref(), Some("b"));
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor(""), None);
        for text in ["a", "a\u{10ffff}z", "ab", "aé"] {
            assert!(text < successor("a").expect("has one").as_str());
        }
    }

    #[test]
    fn a_delimiter_is_a_text_that_something_can_lie_behind() {
        assert_eq!(Delimiter::new("/").expect("good").behind(), "0");
        assert_eq!(Delimiter::new("ab\u{10ffff}").expect("good").behind(), "ac");
        for bad in ["", "\u{10ffff}", "\u{10ffff}\u{10ffff}"] {
            assert_eq!(Delimiter::new(bad), Err(BadDelimiter(bad.to_owned())));
        }
    }

    fn range(
        prefix: &str,
        marker: &str,
        delimiter: &str,
        descending: bool,
    ) -> Option<(String, Option<String>)> {
        let delimiter = Delimiter::new(delimiter).ok();
        let order =
            ListOrder { prefix, marker, delimiter: delimiter.as_ref(), descending, ..ListOrder::default() };
        Range::of(&order).map(|range| (range.from, range.to))
    }

    fn between(from: &str, to: &str) -> Option<(String, Option<String>)> {
        Some((from.to_owned(), (!to.is_empty()).then(|| to.to_owned())))
    }

    #[test]
    fn upwards_a_page_begins_behind_its_marker() {
        assert_eq!(range("", "", "", false), between("", ""));
        assert_eq!(range("", "m", "", false), between("m\u{1}", ""));
        assert_eq!(range("a", "", "", false), between("a", "b"));
        assert_eq!(range("a", "A", "", false), between("a", "b"));
        assert_eq!(range("a", "a", "", false), between("a\u{1}", "b"));
        assert_eq!(range("a", "az", "", false), between("az\u{1}", "b"));
        assert_eq!(range("a", "b", "", false), None);
        assert_eq!(range("a/", "a/x/", "/", false), between("a/x0", "a0"), "behind the whole group");
        assert_eq!(range("a/", "a/x/y", "/", false), between("a/x0", "a0"));
        assert_eq!(range("a/", "a/x", "/", false), between("a/x\u{1}", "a0"));
    }

    #[test]
    fn downwards_it_ends_in_front_of_it() {
        assert_eq!(range("", "", "", true), between("", ""));
        assert_eq!(range("", "m", "", true), between("", "m"));
        assert_eq!(range("a", "", "", true), between("a", "b"));
        assert_eq!(range("a", "z", "", true), between("a", "b"));
        assert_eq!(range("a", "az", "", true), between("a", "az"));
        assert_eq!(range("a", "a", "", true), None);
        assert_eq!(range("a", "A", "", true), None);
        assert_eq!(range("a/", "a/x/", "/", true), between("a/", "a/x/"), "the group is over");
        assert_eq!(range("a/", "a/x/y", "/", true), between("a/", "a/x0"), "the group's row comes yet");
    }

    #[test]
    fn groups_are_found_behind_the_prefix_only() {
        let slash = Delimiter::new("/").expect("good");
        let order = ListOrder { prefix: "a/", delimiter: Some(&slash), ..ListOrder::default() };
        assert_eq!(order.group("a/b/c/d"), Some("a/b/"));
        assert_eq!(order.group("a//c"), Some("a//"));
        assert_eq!(order.group("a/b"), None);
        let plain = ListOrder { prefix: "a/", ..ListOrder::default() };
        assert_eq!(plain.group("a/b/c"), None);
    }
}
