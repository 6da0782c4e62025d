//! Rows on their way into the answer, as JSON or as XML: the same names, the same values.
//!
//! JSON is an array of flat objects. XML is
//!
//! ```text
//! <listing><row><name>a.jpg</name><bytes>4</bytes><meta name="x-acme-meta-camera">d850</meta></row></listing>
//! ```
//!
//! with a `meta` element for each header, because a header's name need not be an element's. XML has no way to write most
//! control characters: a value that holds one is percent-encoded, as in a path, and says so: `encoding="percent"`.

use super::asked::bad;
use crate::scsp::answer::encoded;
use crate::scsp::error::Trouble;
use bytes::Bytes;
use quick_xml::escape::escape;
use std::fmt::Display;
use std::io::Write;

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

impl Format {
    /// Reads the argument `format`.
    ///
    /// # Errors
    /// 400 for anything else than the two words.
    pub(super) fn read(word: &str) -> Result<Self, Trouble> {
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        match () {
            () if is("json") => Ok(Format::Json),
            () if is("xml") => Ok(Format::Xml),
            () => Err(bad(format!("The argument format cannot be {word:?}: allowed are json and xml."))),
        }
    }
}

/// A listing that is being written.
#[derive(Debug)]
pub(super) struct Table {
    format: Format,
    bytes: Vec<u8>,
    in_order: Place,
}

/// Where the writer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before the first row.
    Start,
    /// At the beginning of a row.
    Row,
    /// Behind a cell.
    Cell,
    /// Behind a row.
    Between,
}

impl Table {
    /// An empty listing.
    pub(super) fn new(format: Format) -> Self {
        let start = match format {
            Format::Json => "[",
            Format::Xml => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<listing>",
        };
        Table { format, bytes: start.into(), in_order: Place::Start }
    }

    /// Begins a row.
    pub(super) fn row(&mut self) {
        match (self.format, self.in_order) {
            (Format::Json, Place::Start) => self.push("{"),
            (Format::Json, _) => self.push(",\n{"),
            (Format::Xml, _) => self.push("<row>"),
        }
        self.in_order = Place::Row;
    }

    /// Ends it.
    pub(super) fn end_row(&mut self) {
        self.push(match self.format {
            Format::Json => "}",
            Format::Xml => "</row>",
        });
        self.in_order = Place::Between;
    }

    /// A cell with a text. `name` is one of ours, and so an element's.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        match self.format {
            Format::Json => {
                self.key(name);
                self.json(value);
            }
            Format::Xml => self.element(name, None, value),
        }
    }

    /// A cell with a number.
    pub(super) fn number(&mut self, name: &'static str, value: impl Display) {
        self.bare(name, value);
    }

    /// A cell with yes or no.
    pub(super) fn flag(&mut self, name: &'static str, value: bool) {
        self.bare(name, value);
    }

    /// A cell with a header's value.
    pub(super) fn metadata(&mut self, name: &str, value: &str) {
        match self.format {
            Format::Json => {
                self.key(name);
                self.json(value);
            }
            Format::Xml => self.element("meta", Some(name), value),
        }
    }

    /// The whole: its content type and its bytes.
    pub(super) fn finish(mut self) -> (&'static str, Bytes) {
        match self.format {
            Format::Json => {
                self.push("]");
                ("application/json; charset=utf-8", self.bytes.into())
            }
            Format::Xml => {
                self.push("</listing>");
                ("application/xml; charset=utf-8", self.bytes.into())
            }
        }
    }

    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn bare(&mut self, name: &'static str, value: impl Display) {
        match self.format {
            Format::Json => {
                self.key(name);
                let _ = write!(self.bytes, "{value}");
            }
            Format::Xml => {
                let _ = write!(self.bytes, "<{name}>{value}</{name}>");
            }
        }
    }

    fn key(&mut self, name: &str) {
        if self.in_order == Place::Cell {
            self.push(",");
        }
        self.in_order = Place::Cell;
        self.json(name);
        self.push(":");
    }

    fn json(&mut self, value: &str) {
        serde_json::to_writer(&mut self.bytes, value)
            .expect("memory takes whatever is written, and a text is JSON");
    }

    fn element(&mut self, element: &'static str, name: Option<&str>, value: &str) {
        let _ = write!(self.bytes, "<{element}");
        if let Some(name) = name {
            let _ = write!(self.bytes, " name=\"{}\"", escape(name));
        }
        if value.chars().all(is_xml) {
            // A bare carriage return would be read as a line feed.
            let _ = write!(self.bytes, ">{}</{element}>", escape(value).replace('\r', "&#13;"));
        } else {
            let _ = write!(
                self.bytes,
                " encoding=\"percent\">{}</{element}>",
                escape(encoded(value).to_string())
            );
        }
    }
}

/// Whether XML 1.0 has the character at all, escaped or not.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, write: impl FnOnce(&mut Table)) -> String {
        let mut table = Table::new(format);
        write(&mut table);
        String::from_utf8(table.finish().1.to_vec()).expect("text")
    }

    fn two_rows(table: &mut Table) {
        table.row();
        table.text("name", "a<b>&\"'\n\r");
        table.number("bytes", 4);
        table.metadata("x-a!-meta", "]]>");
        table.end_row();
        table.row();
        table.flag("subdir", true);
        table.end_row();
    }

    #[test]
    fn json_is_an_array_of_flat_objects() {
        let text = written(Format::Json, two_rows);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            value,
            serde_json::json!([
                {"name": "a<b>&\"'\n\r", "bytes": 4, "x-a!-meta": "]]>"},
                {"subdir": true},
            ])
        );
        assert_eq!(written(Format::Json, |_| {}), "[]");
    }

    #[test]
    fn xml_says_the_same() {
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<listing>";
        assert_eq!(
            written(Format::Xml, two_rows),
            format!(
                "{start}<row><name>a&lt;b&gt;&amp;&quot;&apos;\n&#13;</name><bytes>4</bytes>\
                 <meta name=\"x-a!-meta\">]]&gt;</meta></row><row><subdir>true</subdir></row></listing>"
            )
        );
        assert_eq!(written(Format::Xml, |_| {}), format!("{start}</listing>"));
    }

    #[test]
    fn what_xml_cannot_say_is_percent_encoded() {
        for (name, element) in [
            ("a\u{1}/b", "<name encoding=\"percent\">a%01/b</name>"),
            ("\u{ffff}'%", "<name encoding=\"percent\">%EF%BF%BF&apos;%25</name>"),
            ("50%", "<name>50%</name>"),
            ("\u{85}\u{10ffff}", "<name>\u{85}\u{10ffff}</name>"),
        ] {
            let text = written(Format::Xml, |table| table.text("name", name));
            assert!(text.ends_with(&format!("{element}</listing>")), "{text}");
        }
    }
}
