//! What the fuzz targets share. They are ordinary tests that run for a moment each; `BOLERO_RANDOM_TEST_TIME_MS` makes
//! them run longer, `BOLERO_RANDOM_SEED` runs one input again, and `scripts/fuzz` does the former.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;

/// How long each target runs in the ordinary suite.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(200);

/// Text from random bytes: most of them stand for one of `fragments`, the others for themselves. Random bytes alone
/// would never get past the first letter of a keyword.
pub(crate) fn text(bytes: &[u8], fragments: &[&str]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            0..=160 => text.push_str(fragments[usize::from(*byte) % fragments.len()]),
            161..=255 => text.push(char::from(byte - 129)),
        }
    }
    text
}

/// As a careful client writes a path or an argument.
pub(crate) fn encoded(text: &str) -> String {
    const SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    utf8_percent_encode(text, SET).to_string()
}
