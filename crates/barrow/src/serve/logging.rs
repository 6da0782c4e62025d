//! The log: to standard error, so that standard output stays what a command says.

use crate::config::{Format, Level, Log};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging. Called once; a second call changes nothing.
pub(super) fn start(log: &Log) {
    let level = log.level.as_str();
    // The database driver logs every statement at debug, which helps nobody but its authors. The S3 library logs each
    // refused request as an error of its own, and expected signatures at debug: whoever reads a log must not be able to sign.
    let filter = match log.level {
        Level::Error => "error".to_owned(),
        Level::Warn | Level::Info => format!("{level},sqlx=warn"),
        Level::Debug => format!("{level},sqlx=info"),
        Level::Trace => level.to_owned(),
    } + ",s3s=off";
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Fails only if somebody has set a subscriber already; then there is a log.
    let _ = match log.format {
        Format::Text => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
}
