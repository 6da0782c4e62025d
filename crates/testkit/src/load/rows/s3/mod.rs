//! The S3 door: what the SCSP rows measure, and what S3 alone has. Every request is signed.

pub mod deleting;
pub mod governed;
pub mod listing;
pub mod multipart;
pub mod objects;
pub mod whole;

use super::super::drive::Measured;
use super::super::error::Failed;
use super::super::http::Kept;
use super::objects::Operations;
use std::time::Duration;

/// What the promises speak of.
#[derive(Clone, Copy, Debug, Default)]
pub struct S3 {
    /// 1 KiB from 64 clients, bodies signed.
    pub small: Operations,
    /// A page of 1,000 keys of many.
    pub listing_p99: Duration,
    /// Keys deleted a second by requests of 1,000 each from two clients.
    pub keys_deleted: f64,
    /// A GET with and without a policy.
    pub governed: governed::Governed,
}

/// Fast answers that lack bytes would be worth nothing.
///
/// # Errors
/// [`Failed::Load`] unless each of the answers had `size` bytes.
fn expect_bytes(doing: &str, measured: &Measured, size: u64) -> Result<(), Failed> {
    match missing(measured.received, measured.done() * size) {
        None => Ok(()),
        Some(troubles) => Err(Failed::Load { doing: doing.to_owned(), troubles }),
    }
}

fn missing(received: u64, wanted: u64) -> Option<String> {
    (received != wanted).then(|| format!("{received} bytes came instead of {wanted}"))
}

/// The text of the first element of this name in an answer's document.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let rest = document.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// The text of an element that an answer must have.
///
/// # Errors
/// [`Failed::Answer`] with the beginning of the document, for S3 tells of some errors under a status of 200.
fn needed(doing: &str, answer: &Kept, name: &str) -> Result<String, Failed> {
    let document = String::from_utf8_lossy(&answer.body);
    element(&document, name).map(str::to_owned).ok_or_else(|| Failed::Answer {
        doing: doing.to_owned(),
        status: answer.status,
        body: format!("no {name} in {}", document.chars().take(300).collect::<String>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name() {
        let document = "<?xml?><A><UploadId>x-1</UploadId><B/></A>";
        assert_eq!(element(document, "UploadId"), Some("x-1"));
        assert_eq!(element(document, "Upload"), None);
        assert_eq!(element("<UploadId>x", "UploadId"), None);
    }

    #[test]
    fn answers_without_their_bytes_are_noticed() {
        assert_eq!(missing(4, 4), None);
        assert_eq!(missing(3, 4).as_deref(), Some("3 bytes came instead of 4"));
    }
}
