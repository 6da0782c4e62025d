//! Tags of objects and buckets: as the header `x-amz-tagging`, as XML, and as they are stored.

use super::error::{Trouble, invalid, malformed, trouble};
use percent_encoding::percent_decode_str;
use s3s::dto::{Tag, Tagging};
use s3s::xml::{Deserialize, Deserializer};

/// A tag's key and value.
pub(super) type Pair = (String, String);

/// What is tagged, and how many tags it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Object,
    Bucket,
}

impl Of {
    const fn most(self) -> usize {
        match self {
            Of::Object => 10,
            Of::Bucket => 50,
        }
    }
}

/// The longest key and the longest value, in characters.
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// Checks tags as AWS does, and writes them down as they are stored; without any, nothing.
///
/// # Errors
/// `BadRequest` for too many, `InvalidTag` for one that is none, or that stands twice.
pub(super) fn encode(tags: Vec<Pair>, of: Of) -> Result<Option<String>, Trouble> {
    if tags.len() > of.most() {
        let what = if of == Of::Object { "Object" } else { "Bucket" };
        return Err(trouble("BadRequest", format!("{what} tags cannot be greater than {}", of.most())));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.chars().count() > KEY_MAX {
            return Err(trouble("InvalidTag", "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > VALUE_MAX {
            return Err(trouble("InvalidTag", "The TagValue you have provided is invalid"));
        }
        if !key.chars().all(allowed) {
            return Err(trouble("InvalidTag", "The TagKey you have provided is invalid"));
        }
        if !value.chars().all(allowed) {
            return Err(trouble("InvalidTag", "The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(trouble("InvalidTag", "System tags cannot be added/updated by requester"));
        }
        if tags.iter().take(at).any(|(known, _)| known == key) {
            return Err(trouble("InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&tags).unwrap_or_else(|_| "[]".to_owned())))
}

/// Letters, digits and spaces of every script, and what AWS names beside them.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(stored: Option<&str>) -> Vec<Pair> {
    stored.and_then(|stored| serde_json::from_str(stored).ok()).unwrap_or_default()
}

/// How many tags were stored.
pub(super) fn count(stored: &str) -> usize {
    decode(Some(stored)).len()
}

/// Reads `x-amz-tagging`: like the arguments of a URL.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn of_header(header: &str) -> Result<Vec<Pair>, Trouble> {
    let bad = || {
        invalid(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )
    };
    let plain = |text: &str| {
        let text = text.replace('+', " ");
        if !is_encoded(&text) {
            return Err(bad());
        }
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).map_err(|_| bad())
    };
    let pairs = header.split('&').filter(|pair| !pair.is_empty());
    let mut tags: Vec<Pair> = Vec::new();
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (plain(key)?, plain(value)?);
        if key.is_empty() || tags.iter().any(|(known, _)| *known == key) {
            return Err(bad());
        }
        tags.push((key, value));
    }
    Ok(tags)
}

/// Whether every `%` stands before two hexadecimal digits.
pub(super) fn is_encoded(text: &str) -> bool {
    let two = |rest: &str| rest.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(two)
}

/// Reads the XML.
///
/// # Errors
/// `MalformedXML` for a tag without key or value.
pub(super) fn of_xml(tagging: Tagging) -> Result<Vec<Pair>, Trouble> {
    let pairs = tagging.tag_set.into_iter().map(|tag| tag.key.zip(tag.value));
    pairs.collect::<Option<_>>().ok_or_else(malformed)
}

/// Reads a document of tags.
///
/// # Errors
/// `MalformedXML`.
pub(super) fn of_document(xml: &str) -> Result<Vec<Pair>, Trouble> {
    let mut reader = Deserializer::new(xml.as_bytes());
    let read = Tagging::deserialize(&mut reader).and_then(|tagging| reader.expect_eof().map(|()| tagging));
    of_xml(read.map_err(|_| malformed())?)
}

/// Reads the tags in the document of a bucket to be made, in plain characters.
///
/// # Errors
/// `MalformedXML` for a tag without key or value, or for tags in two places.
pub(super) fn of_new_bucket(document: &str) -> Result<Vec<Pair>, Trouble> {
    let Some((_, rest)) = document.split_once("<Tags>") else { return Ok(Vec::new()) };
    let (tags, rest) = rest.split_once("</Tags>").ok_or_else(malformed)?;
    if rest.contains("<Tags>") {
        return Err(malformed());
    }
    of_document(&format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"))
}

/// As XML says it, by key: in which order they were written, nobody is promised.
pub(super) fn set(stored: Option<&str>) -> Vec<Tag> {
    let mut pairs = decode(stored);
    pairs.sort_unstable();
    pairs.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(tags: &[(&str, &str)], of: Of) -> String {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        encode(tags, of).map_or_else(|trouble| trouble.code().as_str().to_owned(), |_| "fine".to_owned())
    }

    #[test]
    fn tags_are_read_and_stored_and_read_again() {
        let tags = of_header("a=1&b%20c=%C3%BC+x&empty").unwrap();
        assert_eq!(tags[1], ("b c".to_owned(), "ü x".to_owned()));
        let stored = encode(tags.clone(), Of::Object).unwrap();
        assert_eq!(decode(stored.as_deref()), tags);
        assert_eq!(encode(Vec::new(), Of::Object).unwrap(), None);
        for bad in ["a=1&a=2", "a=%ff", "=", "=1", "key%", "a=%4", "a=%GG"] {
            assert!(of_header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_tags_are_refused() {
        let many: Vec<(String, String)> = (0..11).map(|n| (format!("k{n}"), String::new())).collect();
        let many: Vec<(&str, &str)> =
            many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(code(&many, Of::Object), "BadRequest");
        assert_eq!(code(&many, Of::Bucket), "fine");
        assert_eq!(code(&[("", "v")], Of::Object), "InvalidTag");
        assert_eq!(code(&[(&"k".repeat(129), "v")], Of::Object), "InvalidTag");
        assert_eq!(code(&[("k", &"v".repeat(257))], Of::Object), "InvalidTag");
        assert_eq!(code(&[("k", "1"), ("k", "2")], Of::Object), "InvalidTag");
        assert_eq!(code(&[("aws:k", "1")], Of::Object), "InvalidTag");
        assert_eq!(code(&[("k", "<")], Of::Object), "InvalidTag");
        assert_eq!(code(&[("k ü", "a_b.c:d/e=f+g-h@i")], Of::Object), "fine");
    }
}
