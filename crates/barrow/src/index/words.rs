//! What of an object is searched: its name, its type, its headers and its tags, each a column of its own.

use super::changes::Change;

/// The texts that are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// A header a line.
    pub(crate) headers: String,
    /// A tag a line.
    pub(crate) tags: String,
}

impl Words {
    /// The words of an object.
    pub(crate) fn of(change: &Change) -> Words {
        let headers = change.headers.iter().flatten().map(|(name, value)| line(name, value));
        let tags = change.tags.iter().flatten().map(|(name, value)| line(name, value));
        Words {
            name: change.name.clone(),
            kind: change.content_type.clone().unwrap_or_default(),
            headers: headers.collect::<Vec<_>>().join("\n"),
            tags: tags.collect::<Vec<_>>().join("\n"),
        }
    }
}

/// One line, whatever the value holds.
fn line(name: &str, value: &str) -> String {
    format!("{name}: {value}").replace(['\n', '\r'], " ")
}

/// How a word that was looked for begins and ends in a text of the index.
pub(crate) const MARKS: (char, char) = ('\u{2}', '\u{3}');

/// The lines of `text` in which something was found, without the marks around it.
pub(crate) fn marked(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter(|line| line.contains(MARKS.0)).map(|line| line.replace([MARKS.0, MARKS.1], ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_header_and_tag_is_a_line() {
        let change: Change = serde_json::from_value(json!({
            "seq": 1, "name": "a", "rev": "1-0", "version": "0", "position": 1, "size": 1, "content_type": "text/plain",
            "created_at": null, "headers": [["x-amz-meta-a", "red\nblue"], ["b", "c"]], "tags": { "t": "u" }
        }))
        .unwrap();
        let words = Words::of(&change);
        assert_eq!(words.headers, "x-amz-meta-a: red blue\nb: c");
        assert_eq!((words.kind.as_str(), words.tags.as_str()), ("text/plain", "t: u"));
    }

    #[test]
    fn only_lines_with_a_mark_are_told() {
        let found: Vec<_> = marked("a: b\nc: \u{2}red\u{3} car\n").collect();
        assert_eq!(found, ["c: red car"]);
    }
}
