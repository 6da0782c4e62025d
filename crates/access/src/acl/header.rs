//! Grants as headers have them: `id="…", uri="…", emailAddress="…"`.

use super::{Grantee, Group};

/// A grantee as it is written. Who is meant by an id or an address is for somebody else to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// A canonical id.
    Id(String),
    /// An address.
    Email(String),
    /// A group.
    Group(Group),
}

/// What is no list of grantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    /// Something else than `kind=value` pairs.
    #[error("Argument format not recognized")]
    Format,
    /// A URI that is no group's.
    #[error("Invalid group uri")]
    Uri,
}

impl Unresolved {
    /// Reads a header's value.
    ///
    /// # Errors
    /// [`BadGrant`].
    pub fn read(value: &str) -> Result<Vec<Self>, BadGrant> {
        let mut read = Vec::new();
        let mut rest = value.trim();
        loop {
            let (kind, behind) = rest.split_once('=').ok_or(BadGrant::Format)?;
            let behind = behind.trim_start();
            let (word, next) = match behind.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or(BadGrant::Format)?,
                None => behind.split_at(behind.find(',').unwrap_or(behind.len())),
            };
            let (word, next) = (word.trim(), next.trim_start());
            if word.is_empty() || word.contains('"') {
                return Err(BadGrant::Format);
            }
            read.push(match kind.trim() {
                kind if kind.eq_ignore_ascii_case("id") => Unresolved::Id(word.to_owned()),
                kind if kind.eq_ignore_ascii_case("emailAddress") => Unresolved::Email(word.to_owned()),
                kind if kind.eq_ignore_ascii_case("uri") => {
                    Unresolved::Group(Group::of_uri(word).ok_or(BadGrant::Uri)?)
                }
                _ => return Err(BadGrant::Format),
            });
            if next.is_empty() {
                return Ok(read);
            }
            rest = next.strip_prefix(',').ok_or(BadGrant::Format)?.trim_start();
        }
    }

    /// The grantee, where it needs nobody to find out.
    pub fn group(&self) -> Option<Grantee> {
        match self {
            Unresolved::Group(group) => Some(Grantee::Group(*group)),
            Unresolved::Id(_) | Unresolved::Email(_) => None,
        }
    }
}
