//! GET, HEAD and PUT of objects, and lists of keys to delete, past the typed requests and answers of `s3s`.
//!
//! Three reasons. They are what a store does most, and turning headers into a structure and the structure into headers costs
//! more than the rest. And `s3s` refuses what is to be passed over or kept as it is: a `Range` or a date that cannot be read,
//! an `Expires` that is none. And it does not read all keys that a list may hold (see `documents`). Signatures are verified before, as for every other call.

use super::access::admit;
use super::arguments::Arguments;
use super::deleting::delete;
use super::exchange::Exchange;
use super::op::Op;
use super::reading::read;
use super::target::{Named, Plain};
use super::trail::Note;
use super::writing::write;
use crate::Gateway;
use crate::http::Body;
use http::{Extensions, HeaderMap, Method, Uri};
use s3s::route::S3Route;
use s3s::{S3Request, S3Response, S3Result};
use std::sync::{Arc, Mutex};

/// The route.
pub(super) struct Hot(pub(super) Gateway);

/// A body of ours, carried past `s3s`, which would wrap it twice.
#[derive(Clone)]
pub(super) struct Answered(pub(super) Arc<Mutex<Option<Body>>>);

impl Answered {
    /// With this body.
    pub(super) fn with(body: Body) -> Self {
        Answered(Arc::new(Mutex::new(Some(body))))
    }
}

#[async_trait::async_trait]
impl S3Route for Hot {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, extensions: &mut Extensions) -> bool {
        let (named, arguments) = (extensions.get::<Arc<Named>>(), Arguments::read(uri.query()));
        // What has no arguments that can be read did not come this far.
        let Ok(arguments) = arguments else { return false };
        named.and_then(|named| Plain::of(method, named, &arguments, headers)).is_some()
    }

    async fn check_access(&self, request: &mut S3Request<s3s::Body>) -> S3Result<()> {
        let name = match request.method {
            Method::HEAD => "HeadObject",
            Method::PUT => "PutObject",
            Method::POST => "DeleteObjects",
            _ => "GetObject",
        };
        if let Some(note) = request.extensions.get::<Arc<Note>>() {
            note.asked(Op::named(name));
        }
        let credentials = request.credentials.take();
        admit(&self.0.auth, credentials.as_ref(), &mut request.extensions).await
    }

    async fn call(&self, request: S3Request<s3s::Body>) -> S3Result<S3Response<s3s::Body>> {
        let S3Request { input, method, uri, headers, mut extensions, trailing_headers, .. } = request;
        let exchange = Exchange::begin(&self.0, (headers, uri.clone()), &mut extensions)?
            .with_trailers(trailing_headers);
        let (status, headers, body) = match method {
            Method::PUT => write(&exchange, input).await?,
            Method::POST => delete(exchange, input).await?,
            method => {
                let arguments = Arguments::read(uri.query())?;
                read(&exchange, &arguments, method == Method::HEAD).await?
            }
        };
        let mut response = S3Response::new(s3s::Body::empty());
        response.status = Some(status);
        response.headers = headers;
        response.extensions.insert(Answered::with(body));
        Ok(response)
    }
}
