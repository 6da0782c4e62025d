//! As whom the operator's commands ask.

use crate::config::Config;
use crate::exit::Failed;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: String,
}

/// Where the first start leaves the root key: two lines, key and secret, readable by the owner alone.
pub(crate) fn root_file(config: &Config) -> PathBuf {
    config.cluster.data_dir.join("root.credentials")
}

impl Credentials {
    /// From `BARROW_KEY` and `BARROW_SECRET`, else from the root key's variables, else from the root key's file. `None`
    /// where none of them is there: the server says then what it wants.
    pub(crate) fn find(config: &Config) -> Result<Option<Credentials>, Failed> {
        match (std::env::var("BARROW_KEY"), std::env::var("BARROW_SECRET")) {
            (Ok(key), Ok(secret)) => return Ok(Some(Credentials { key, secret })),
            (Err(_), Err(_)) => {}
            _ => {
                let what = "BARROW_KEY and BARROW_SECRET: one is set without the other; set both, or neither";
                return Err(Failed::Usage(what.to_owned()));
            }
        }
        if let Some(root) = &config.auth.root {
            return Ok(Some(Credentials { key: root.key.clone(), secret: root.secret.expose().to_owned() }));
        }
        let path = root_file(config);
        match std::fs::read_to_string(&path) {
            Ok(text) => match Credentials::parse(&text) {
                Some(credentials) => Ok(Some(credentials)),
                None => Err(Failed::Usage(format!(
                    "{}: it should hold two lines, the key and its secret",
                    path.display()
                ))),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failed::Usage(format!(
                "{}: {error}; run as the user that Barrow runs as, or set BARROW_KEY and BARROW_SECRET",
                path.display()
            ))),
        }
    }

    /// Those for the other side of a replication: from `BARROW_TO_KEY` and `BARROW_TO_SECRET`. `None`: there are none.
    pub(crate) fn to() -> Result<Option<Credentials>, Failed> {
        match (std::env::var("BARROW_TO_KEY"), std::env::var("BARROW_TO_SECRET")) {
            (Ok(key), Ok(secret)) => Ok(Some(Credentials { key, secret })),
            (Err(_), Err(_)) => Ok(None),
            _ => {
                let what =
                    "BARROW_TO_KEY and BARROW_TO_SECRET: one is set without the other; set both, or neither";
                Err(Failed::Usage(what.to_owned()))
            }
        }
    }

    /// Reads the two lines of the root key's file.
    pub(crate) fn parse(text: &str) -> Option<Credentials> {
        let (key, secret) = text.trim_end().split_once('\n')?;
        let (key, secret) = (key.trim(), secret.trim());
        let good = !key.is_empty() && !secret.is_empty() && !secret.contains('\n');
        good.then(|| Credentials { key: key.to_owned(), secret: secret.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_a_key_and_its_secret() {
        let read = Credentials::parse("BK1\nabc\n").unwrap();
        assert_eq!((read.key.as_str(), read.secret.as_str()), ("BK1", "abc"));
        for bad in ["", "BK1", "BK1\n", "\nabc", "a\nb\nc"] {
            assert!(Credentials::parse(bad).is_none(), "{bad:?}");
        }
    }
}
