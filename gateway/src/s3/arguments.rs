//! The arguments of a request's target: read here once, decoded, by their exact names. A plus is a space in them, as AWS and
//! `s3s` read it.

use super::error::{Trouble, invalid, trouble};
use percent_encoding::percent_decode_str;

/// The most arguments.
const MOST: usize = 64;

/// Arguments in their order: names, values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// Reads the query of a target.
    ///
    /// # Errors
    /// `InvalidURI` for what is no text once decoded, `InvalidArgument` for a name that stands twice: of two, a signature may
    /// cover the other one.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Trouble> {
        let bad = || trouble("InvalidURI", "Couldn't parse the specified URI.");
        let plain = |text: &str| {
            let text = text.replace('+', " ");
            let text = percent_decode_str(&text).decode_utf8().map_err(|_| bad())?;
            if text.contains('\0') { Err(bad()) } else { Ok(text.into_owned()) }
        };
        let mut arguments: Vec<(String, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (plain(name)?, plain(value)?);
            if arguments.len() == MOST {
                return Err(bad());
            }
            if arguments.iter().any(|(known, _)| *known == name) {
                return Err(invalid(format!("The argument {name:?} stands more than once.")));
            }
            arguments.push((name, value));
        }
        Ok(Arguments(arguments))
    }

    /// The value of the argument with exactly this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact_and_stand_once() {
        let arguments = Arguments::read(Some("prefix=a+b%2B&%76ersions&max-keys=1")).unwrap();
        assert_eq!(arguments.get("prefix"), Some("a b+"));
        assert!(arguments.has("versions") && !arguments.has("Versions"));
        for bad in ["a&a", "a=1&%61=2", "a=%ff", "a=%00", &"a&".repeat(2)] {
            assert!(Arguments::read(Some(bad)).is_err(), "{bad}");
        }
        assert!(Arguments::read(None).unwrap().names().next().is_none());
    }
}
