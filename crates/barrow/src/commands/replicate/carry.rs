//! One version, from the source's door to the target's.

use super::Link;
use crate::client::encoded;
use crate::payload::Payload;
use crate::peer::Trouble;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::Method;
use http::header::HeaderMap;
use serde_json::{Value, json};

/// Up to so many bytes go through memory; more pass through as they come, when the target has said that it will take them.
const WHOLE: u64 = 1024 * 1024;

/// Why the target does not take a version, however often it is offered: what is gone there, or names another thing; and what
/// is not what it is said to be.
const REFUSALS: [&str; 4] = ["Remembered", "PurgedHere", "Elsewhere", "BadRequest"];

/// What became of it.
#[derive(Clone, Debug)]
pub(super) enum Carried {
    /// The target has it: the state that it gave, and the bytes that went.
    Taken(String, u64),
    /// It is at the source no longer; what took its place is a change of its own.
    Gone,
    /// The source cannot read its bytes.
    Unreadable(String),
    /// A guard at the target refuses it for the time being.
    Guarded(String),
    /// The target refuses it.
    Refused(String, String),
}

pub(super) async fn carry(link: &Link, name: &str, rev: &str) -> Result<Carried, Trouble> {
    let (name, rev) = (encoded(name), encoded(rev));
    let source = format!("{}/revisions?name={name}&rev={rev}", link.from.path);
    let (headers, body) = match link.from.peer.fetch(&source).await {
        Ok(found) => found,
        Err(trouble) if trouble.status() == Some(404) => return Ok(Carried::Gone),
        // Its bytes are damaged or missing there: that must not keep the rest from going.
        Err(Trouble::No { status: 500, text, .. }) => return Ok(Carried::Unreadable(text)),
        Err(trouble) => return Err(trouble),
    };
    let stored = described(&headers)?;
    let size = stored["size"].as_u64().unwrap_or_default();
    let head = head(&headers, &stored);
    let target = format!("{}/revisions?name={name}&head={}", link.to.path, head.len());
    let answered = if size <= WHOLE {
        let bytes = link.from.peer.whole(body).await?;
        let mut whole = BytesMut::with_capacity(head.len() + bytes.len());
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&bytes);
        link.to.peer.bytes(Method::PUT, &target, whole.freeze()).await
    } else {
        let wanted = link.to.peer.bytes(Method::PUT, &format!("{target}&dry_run=true"), head.clone()).await;
        match wanted {
            Ok(answer) if answer["state"] == "known" => Ok(answer),
            Ok(_) => {
                let payload = Payload::passing(head, body, size);
                link.to.peer.pass(Method::PUT, &target, payload).await
            }
            refused => refused,
        }
    };
    match answered {
        Ok(answer) => {
            let state = answer["state"].as_str().unwrap_or_default().to_owned();
            let bytes = if state == "known" { 0 } else { size };
            Ok(Carried::Taken(state, bytes))
        }
        Err(Trouble::No { code, text, .. }) if code == "Guarded" => Ok(Carried::Guarded(text)),
        // Somebody else brings the same version at this moment, or the bucket is being changed: that is not for good.
        Err(Trouble::No { code, text, .. }) if code == "Conflict" => Err(Trouble::Busy(text)),
        Err(Trouble::No { code, text, .. }) if REFUSALS.contains(&code.as_str()) => {
            Ok(Carried::Refused(code, text))
        }
        Err(trouble) => Err(trouble),
    }
}

/// What the source says of the version.
fn described(headers: &HeaderMap) -> Result<Value, Trouble> {
    let text = headers.get("barrow-stored").map(|value| STANDARD.decode(value.as_bytes()));
    let stored = text.and_then(Result::ok).and_then(|text| serde_json::from_slice(&text).ok());
    stored.ok_or_else(|| Trouble::No {
        status: 200,
        code: "NotBarrow".to_owned(),
        text:
            "the source describes a version in a way that is not understood; is it older than this program?"
                .to_owned(),
    })
}

/// What goes before the bytes.
fn head(headers: &HeaderMap, stored: &Value) -> Bytes {
    let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let history: Vec<&str> = word("barrow-history").split(',').filter(|rev| !rev.is_empty()).collect();
    json!({ "revision": word("barrow-revision"), "history": history, "stored": stored }).to_string().into()
}
