//! What is allowed but probably not meant.

use super::{Anonymous, BlobStore, Config, Database, Reserve, Source};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One sentence for each thing an operator should have meant.
pub(super) fn of(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    short_graces(config, &mut warnings);
    open_doors(config, &mut warnings);
    stores(config, &mut warnings);
    weak_guards(config, &mut warnings);
    if config.entry("cache.realm_stale_timeout").is_some_and(|entry| entry.source != Source::Default) {
        warnings.push(
            "cache.realm_stale_timeout has no effect: nothing goes stale, and a removed name is reusable at once"
                .to_owned(),
        );
    }
    warnings
}

fn short_graces(config: &Config, warnings: &mut Vec<String>) {
    let health = &config.health;
    if health.object_delete_delay.is_zero() {
        warnings.push(
            "health.object_delete_delay = \"0s\": a deleted or overwritten object cannot be restored"
                .to_owned(),
        );
    }
    let graces = [
        (
            "health.recursive_delete_delay",
            health.recursive_delete_delay,
            "a removed domain or bucket is purged",
        ),
        ("health.object_delete_delay", health.object_delete_delay, "a deleted object is purged"),
        ("health.deletion_memory", health.deletion_memory, "a tombstone is forgotten"),
        ("health.upload_expiry", health.upload_expiry, "an unfinished upload is aborted"),
        ("health.staged_expiry", health.staged_expiry, "a write under way is abandoned"),
    ];
    for (key, grace, what) in graces {
        if !grace.is_zero() && grace < DAY {
            let grace = humantime::format_duration(grace);
            warnings.push(format!(
                "{key} = \"{grace}\" is shorter than a day: {what} before anybody may have noticed"
            ));
        }
    }
    if health.drain_timeout.is_zero() {
        warnings.push(
            "health.drain_timeout = \"0s\": a read under way fails when its object is purged".to_owned(),
        );
    }
    if health.brake_share == 100 {
        warnings
            .push("health.brake_share = 100: no share of all bytes is too much to purge at once".to_owned());
    }
}

fn open_doors(config: &Config, warnings: &mut Vec<String>) {
    match config.auth.anonymous {
        Anonymous::None => {}
        Anonymous::Read => {
            warnings.push("auth.anonymous = \"read\": everybody may read everything".to_owned())
        }
        Anonymous::Full => {
            warnings
                .push("auth.anonymous = \"full\": every user of this machine may do everything".to_owned());
        }
    }
    if config.tls.is_none() && !config.listen.only_loopback() {
        warnings.push(
            "tls.cert and tls.key are not set: SCSP and admin keys and all objects cross the network in clear"
                .to_owned(),
        );
    }
}

fn weak_guards(config: &Config, warnings: &mut Vec<String>) {
    if !config.lifepoint.strict {
        warnings.push(
            "lifepoint.strict = false: a mistyped lifepoint is stored, and only the log tells".to_owned(),
        );
    }
    if !config.lifepoint.strict_guard {
        warnings.push(
            "lifepoint.strict_guard = false: whoever may write an object can take off its guard".to_owned(),
        );
    }
}

fn stores(config: &Config, warnings: &mut Vec<String>) {
    match (&config.blobs.url, &config.metadata.url) {
        (BlobStore::Memory, _) => {
            warnings.push(
                "blobs.url = \"memory:\": the bytes of every larger object are lost at exit".to_owned(),
            );
        }
        (BlobStore::File(_), Database::Postgres(_)) => warnings.push(
            "blobs.url is a directory: all members on the Postgres database must share that disk".to_owned(),
        ),
        _ => {}
    }
    if matches!(config.blobs.reserve, Reserve::Percent(0) | Reserve::Bytes(0)) {
        warnings.push("blobs.reserve is 0: writes may fill the disk that deleting needs".to_owned());
    }
}
