//! Whether the process is alive, and whether it can serve.

use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, json, ok};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Display;
use std::time::Duration;

/// A probe that waits longer is told no: its sender has given up as well.
const PATIENCE: Duration = Duration::from_secs(5);

/// How it goes.
#[derive(Debug, Serialize, JsonSchema)]
struct Health {
    /// `ok`, `ready` or `not ready`.
    status: &'static str,
    /// What does not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

pub(in crate::admin) const ALIVE: Described =
    Described::answers(&[Answer::ok("It is alive.", &[shape::<Health>])]);
pub(in crate::admin) const READY: Described = Described::answers(&[
    Answer::ok("It can serve.", &[shape::<Health>]),
    Answer::new(503, "It cannot, and why.", &[shape::<Health>]),
]);

/// The process answers; that is all it says.
pub(in crate::admin) fn alive() -> Answered {
    ok(&Health { status: "ok", reasons: Vec::new() })
}

/// The database answers, and the blob root is this installation's.
pub(in crate::admin) async fn ready(asked: &Asked<'_>) -> Answered {
    let (metadata, blobs) =
        tokio::join!(answers(asked.gateway.metadata.ping()), answers(asked.gateway.blobs.verify_root()));
    let reasons: Vec<String> = [("metadata", metadata), ("blobs", blobs)]
        .into_iter()
        .filter_map(|(what, answer)| answer.err().map(|reason| format!("{what}: {reason}")))
        .collect();
    if reasons.is_empty() {
        return ok(&Health { status: "ready", reasons });
    }
    tracing::warn!(?reasons, "not ready");
    json(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "not ready", reasons })
}

async fn answers<E: Display>(probe: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, probe).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {PATIENCE:?}")),
    }
}
