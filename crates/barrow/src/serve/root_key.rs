//! The root key: made at the first start, unless the environment sets one.
//!
//! The file comes before the row. A crash between the two leaves a file whose key is not in the database yet; the next
//! start finds no key there and takes this one up, so that what was written down is always a key that works.

use crate::config::Config;
use crate::credentials::{Credentials, root_file};
use crate::exit::Failed;
use gateway::admin::fresh_key;
use lifecycle::{Clock, Right, Rights};
use metadata::{AccessKey, Metadata, Secret};
use std::io::ErrorKind;
use std::path::Path;

/// Makes the root key if the installation has no key at all. The answer is to be shown once.
pub(super) async fn ensure(
    config: &Config,
    metadata: &Metadata,
    clock: &dyn Clock,
) -> Result<Option<Credentials>, Failed> {
    let failed = |failure: metadata::Failure| Failed::Server(format!("the root key: {failure}"));
    if config.auth.root.is_some() || !metadata.keys().await.map_err(failed)?.is_empty() {
        return Ok(None);
    }
    let root = stored(&root_file(config))?;
    let key = AccessKey {
        id: root.key.clone(),
        secret: Secret::new(root.secret.as_str()),
        rights: Rights::of(&[Right::Admin]),
        domain: None,
        bucket: None,
        label: "root".to_owned(),
        created_at: clock.now(),
        expires_at: None,
        disabled_at: None,
        revoked_at: None,
        account: None,
    };
    metadata.create_key(key).await.map_err(failed)?;
    Ok(Some(root))
}

/// The key of the file, which is made if it is not there.
fn stored(path: &Path) -> Result<Credentials, Failed> {
    let failed = |what: &dyn std::fmt::Display| Failed::Server(format!("{}: {what}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(text) => Credentials::parse(&text)
            .ok_or_else(|| failed(&"it does not hold a key and its secret on two lines; move it away")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (key, secret) = fresh_key();
            let secret = String::from_utf8_lossy(secret.expose()).into_owned();
            let written = metadata::write_private(path, format!("{key}\n{secret}\n").as_bytes());
            written.map_err(|error| failed(&error))?;
            Ok(Credentials { key, secret })
        }
        Err(error) => Err(failed(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_written_down_is_taken_up_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.credentials");
        let made = stored(&path).unwrap();
        assert!(stored(&path).unwrap() == made);
        std::fs::write(&path, "half").unwrap();
        assert!(stored(&path).is_err());
    }
}
