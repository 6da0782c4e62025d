//! A story as it is written: one directive a line, `#` before what is only said, and indented lines that belong to the
//! directive above.

use std::path::Path;

/// One directive.
#[derive(Debug)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: usize,
    /// As it is written.
    pub(crate) text: String,
    /// Its words. Text in double quotes is one word, quotes included.
    pub(crate) words: Vec<String>,
    /// The word behind `refused`, if the directive is to be refused.
    pub(crate) refused: Option<String>,
    /// The indented lines below it, their spaces evened out.
    pub(crate) block: Vec<String>,
}

/// Reads a story.
pub(crate) fn read(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines: Vec<Line> = Vec::new();
    for (at, raw) in text.lines().enumerate() {
        let bare = raw.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let mut words = words(bare);
        match lines.last_mut() {
            Some(above) if raw.starts_with(' ') => above.block.push(words.join(" ")),
            _ => {
                let mark = words.iter().position(|word| word == "refused");
                let refused = mark.and_then(|mark| words.drain(mark..).nth(1));
                lines.push(Line { number: at + 1, text: bare.to_owned(), words, refused, block: Vec::new() });
            }
        }
    }
    lines
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut fresh = true;
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            fresh = true;
            continue;
        }
        if std::mem::take(&mut fresh) {
            words.push(String::new());
        }
        words.last_mut().expect("just pushed").push(c);
    }
    words
}

/// The bytes that `"text"`, `64KiB` or `3MiB` stand for; those of a size are the same every time.
pub(crate) fn content(word: &str) -> Result<Vec<u8>, String> {
    if let Some(text) = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Ok(text.as_bytes().to_vec());
    }
    let (digits, unit) = match (word.strip_suffix("KiB"), word.strip_suffix("MiB")) {
        (Some(digits), _) => (digits, 1 << 10),
        (_, Some(digits)) => (digits, 1 << 20),
        _ => (word, 0),
    };
    match digits.parse::<usize>() {
        Ok(count) if unit > 0 => Ok((0..count * unit).map(|at| (at % 251) as u8).collect()),
        _ => Err(format!("{word} is no content: write \"text\", 64KiB or 3MiB")),
    }
}

/// Content as a person is told of it.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= 80 => format!("{text:?}"),
        _ => format!("{} bytes", bytes.len()),
    }
}
