//! What a caller may do. Separate rights, never implied by one another, except that `admin` holds all of them.

use std::fmt;

/// One thing a caller may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Read objects and list.
    Read,
    /// Create and change objects and containers.
    Write,
    /// Delete objects (restorable).
    Delete,
    /// Delete one version for good in a versioned bucket.
    DeleteVersion,
    /// Remove buckets and domains (restorable).
    Remove,
    /// Restore what is removed.
    Restore,
    /// Purge: early, in bulk, or by `recursive=now`. Not to be undone.
    Purge,
    /// Pass a GOVERNANCE retention.
    BypassGovernance,
    /// Bring in versions with ids and history of their own.
    Import,
    /// Everything, and the operator's view.
    Admin,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 10] = [
        Right::Read,
        Right::Write,
        Right::Delete,
        Right::DeleteVersion,
        Right::Remove,
        Right::Restore,
        Right::Purge,
        Right::BypassGovernance,
        Right::Import,
        Right::Admin,
    ];

    /// The word on the command line, in the database and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Delete => "delete",
            Right::DeleteVersion => "delete-version",
            Right::Remove => "remove",
            Right::Restore => "restore",
            Right::Purge => "purge",
            Right::BypassGovernance => "bypass-governance",
            Right::Import => "import",
            Right::Admin => "admin",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u16);

impl Rights {
    /// No right at all.
    pub const NONE: Rights = Rights(0);

    /// The set of `rights`.
    pub const fn of(rights: &[Right]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < rights.len() {
            bits |= rights[i].bit();
            i += 1;
        }
        Rights(bits)
    }

    /// Whether the set holds `right`, by itself or through `admin`.
    pub const fn hold(self, right: Right) -> bool {
        self.0 & (right.bit() | Right::Admin.bit()) != 0
    }

    /// Reads a comma-separated list of words.
    ///
    /// # Errors
    /// The word that is no right.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut bits = 0;
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let right =
                Right::ALL.into_iter().find(|right| right.as_str() == word).ok_or_else(|| word.to_owned())?;
            bits |= right.bit();
        }
        Ok(Rights(bits))
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> =
            Right::ALL.into_iter().filter(|right| self.0 & right.bit() != 0).map(Right::as_str).collect();
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_right_implies_another_except_admin() {
        for held in Right::ALL {
            for asked in Right::ALL {
                let expected = held == asked || held == Right::Admin;
                assert_eq!(Rights::of(&[held]).hold(asked), expected, "{} {}", held.as_str(), asked.as_str());
            }
        }
    }

    #[test]
    fn a_list_of_rights_reads_back() {
        let rights = Rights::parse("read, delete-version,purge").expect("all three are rights");
        assert_eq!(rights.to_string(), "read,delete-version,purge");
        assert_eq!(Rights::parse("read,everything"), Err("everything".to_owned()));
    }
}
