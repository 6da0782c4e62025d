//! Pages of listings: how many rows, from where, and how names are written.

use super::error::{Trouble, invalid};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use metadata::Delimiter;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, EncodingType};

/// The largest page.
pub(super) const MOST: u32 = 1_000;

/// What stays as it is where names are encoded.
const BARE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The size of a page.
///
/// # Errors
/// `InvalidArgument` for a negative one.
pub(super) fn size(asked: Option<i32>, argument: &str) -> Result<u32, Trouble> {
    match asked {
        None => Ok(MOST),
        Some(asked) => {
            let asked = u32::try_from(asked);
            asked.map_err(|_| {
                invalid(format!("Argument {argument} must be an integer between 0 and 2147483647"))
            })
        }
    }
}

/// The delimiter; an empty one is none.
///
/// # Errors
/// `InvalidArgument` for one behind which nothing can lie.
pub(super) fn delimiter(asked: Option<&str>) -> Result<Option<Delimiter>, Trouble> {
    let asked = asked.filter(|delimiter| !delimiter.is_empty());
    asked.map(|text| Delimiter::new(text).map_err(|bad| invalid(bad.to_string()))).transpose()
}

/// A name as a URL has it.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, BARE).to_string()
}

/// How names are written in an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    encoded: bool,
}

impl Names {
    /// As the request wants them.
    ///
    /// # Errors
    /// `InvalidArgument` for an encoding that there is not.
    pub(super) fn asked(encoding: Option<&EncodingType>) -> Result<Self, Trouble> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Names { encoded: false }),
            Some("url") => Ok(Names { encoded: true }),
            Some(_) => Err(invalid("Invalid Encoding Method specified in Request")),
        }
    }

    /// A name.
    pub(super) fn write(self, name: &str) -> String {
        if self.encoded { encoded(name) } else { name.to_owned() }
    }

    /// Several names that go on alike.
    pub(super) fn prefix(self, prefix: &str) -> CommonPrefix {
        CommonPrefix { prefix: Some(self.write(prefix)) }
    }
}

/// A token for the next page, which says nothing to clients.
pub(super) fn token(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

/// Reads a token.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn of_token(token: &str) -> Result<String, Trouble> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes
        .filter(|name| !name.is_empty())
        .ok_or_else(|| invalid("The continuation token provided is incorrect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_clients_decode_them() {
        let names = Names { encoded: true };
        assert_eq!(names.write("quux ab/a+b%ü"), "quux%20ab/a%2Bb%25%C3%BC");
        assert_eq!(Names { encoded: false }.write("a b"), "a b");
        assert_eq!(of_token(&token("a\u{1}/ü")).unwrap(), "a\u{1}/ü");
        assert!(of_token("!").is_err());
    }
}
