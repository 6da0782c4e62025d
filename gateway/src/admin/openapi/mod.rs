//! What the admin door says of itself: one OpenAPI 3.1 document, made of the table of operations and of the very types that
//! are read and written. A test holds every request and every answer of the door's other tests against it.
//!
//! | file | promise |
//! | --- | --- |
//! | `described` | what can be said of one operation: arguments, order, answers |
//! | `operations` | where each operation is described: an operation that is not does not compile |
//! | `segments` | what the braces of a path stand for |
//! | `written` | how what we write as text looks: UUIDs, times, states |
//! | `document` | all of it, put together |

mod described;
mod document;
mod operations;
mod segments;
pub(crate) mod written;

pub(super) use described::{Answer, Argument, Described, shape};
pub(super) use operations::describes;

use super::request::{Answered, Asked, json_body};
use crate::http::Body;
use bytes::Bytes;
use http::StatusCode;
use schemars::JsonSchema;
use std::sync::LazyLock;

/// It is the same as long as the process lives.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| format!("{}\n", document::document()).into());

pub(super) const DESCRIBED: Described =
    Described::answers(&[Answer::ok("This document.", &[shape::<Document>])]);

/// An OpenAPI document: https://spec.openapis.org/oas/v3.1.1.html
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Document(
    #[expect(dead_code, reason = "it stands for its schema")] serde_json::Map<String, serde_json::Value>,
);

pub(super) fn show(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    Ok(json_body(StatusCode::OK, Body::Full(DOCUMENT.clone())))
}
