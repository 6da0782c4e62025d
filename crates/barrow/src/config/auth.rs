//! Who may come in without a key, and the root key if the environment sets it.

use super::section::Section;
use std::fmt;

/// `[auth]`.
#[derive(Clone, Debug)]
pub struct Auth {
    /// What a request without credentials may do.
    pub anonymous: Anonymous,
    /// The root key from `BARROW_AUTH__ROOT_KEY` and `BARROW_AUTH__ROOT_SECRET`; without it, the first start makes one.
    pub root: Option<RootKey>,
}

/// What a request without credentials may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// Nothing.
    None,
    /// Read.
    Read,
    /// Everything; allowed only where every door listens on loopback.
    Full,
}

/// The key that holds every right.
#[derive(Clone, Debug)]
pub struct RootKey {
    /// Its name.
    pub key: String,
    /// Its secret.
    pub secret: Secret,
}

/// Text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

const KEY_MAX: usize = 128;
const SECRET_MIN: usize = 8;
const SECRET_MAX: usize = 256;

impl Auth {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let anonymous = section.choice(
            "anonymous",
            "none",
            &[("none", Anonymous::None), ("read", Anonymous::Read), ("full", Anonymous::Full)],
        );
        // No colon: HTTP Basic sends `key:secret`. No slash: SigV4 puts the key into a path of scopes.
        let key = section.secret("root_key", "1 to 128 ASCII letters, digits, '.', '_' and '-'", |text| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            ((1..=KEY_MAX).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
        });
        let secret =
            section.secret("root_secret", "8 to 256 printable ASCII characters without spaces", |text| {
                let good = (SECRET_MIN..=SECRET_MAX).contains(&text.len());
                (good && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Secret(text.to_owned()))
            });
        let root = match (key, secret) {
            (Some(key), Some(secret)) => Some(RootKey { key, secret }),
            (None, None) => None,
            _ => {
                let what =
                    "one is set without the other; set both, or neither to have one made at first start";
                section.clash(&["auth.root_key", "auth.root_secret"], what.to_owned());
                None
            }
        };
        Auth { anonymous, root }
    }
}
