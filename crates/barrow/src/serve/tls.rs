//! Certificate and key: read at start, and again at every SIGHUP.
//!
//! A start with files that cannot be used is no start. A SIGHUP with such files changes nothing: the server goes on with
//! what it has, and one line in the log says why. Whoever renews a certificate writes both files, then sends the signal;
//! one that comes in between finds a key that is not the certificate's, and is such a case.

use super::signals;
use crate::config::Tls as Files;
use crate::exit::Failed;
use gateway::http::{BadIdentity, Tls};
use std::path::Path;
use std::sync::Arc;

/// What the two files make together.
pub(super) fn open(files: &Files) -> Result<Arc<Tls>, Failed> {
    let (certificates, key) = read(files).map_err(Failed::Server)?;
    let tls = Tls::new(&certificates, &key).map_err(|bad| Failed::Server(blamed(files, &bad)))?;
    Ok(Arc::new(tls))
}

/// From now on SIGHUP reads the files again. Wants a runtime.
pub(super) fn renew_on_hangup(files: Files, tls: Arc<Tls>) -> Result<(), Failed> {
    signals::on_hangup(move || {
        let (files, tls) = (files.clone(), Arc::clone(&tls));
        async move {
            let renewed = tokio::task::spawn_blocking(move || renew(&files, &tls)).await;
            match renewed.map_err(|error| error.to_string()).flatten() {
                Ok(()) => tracing::info!("new connections get the certificate that was just read"),
                Err(reason) => tracing::error!(reason, "the old certificate stays"),
            }
        }
    })
}

fn renew(files: &Files, tls: &Tls) -> Result<(), String> {
    let (certificates, key) = read(files)?;
    tls.replace(&certificates, &key).map_err(|bad| blamed(files, &bad))
}

fn read(files: &Files) -> Result<(Vec<u8>, Vec<u8>), String> {
    let read = |setting: &str, path: &Path| {
        std::fs::read(path).map_err(|error| format!("{}: {error}", set(setting, path)))
    };
    Ok((read("tls.cert", &files.cert)?, read("tls.key", &files.key)?))
}

fn set(setting: &str, path: &Path) -> String {
    format!("{setting} = {:?}", path.display().to_string())
}

/// What is wrong, with the setting and the file whose fault it is.
fn blamed(files: &Files, bad: &BadIdentity) -> String {
    let (cert, key) = (set("tls.cert", &files.cert), set("tls.key", &files.key));
    match bad {
        BadIdentity::NoCertificate | BadIdentity::Certificate(_) => format!("{cert}: {bad}"),
        BadIdentity::NoKey | BadIdentity::Passphrase | BadIdentity::Key(_) => format!("{key}: {bad}"),
        BadIdentity::Mismatch => format!("{cert}, {key}: {bad}"),
    }
}
