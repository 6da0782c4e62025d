//! Who asks: found out once, before anything is looked at, and handed on with the request.

use super::error::{Trouble, denied, not_allowed, trouble};
use super::op::Op;
use super::target::Named;
use super::trail::Note;
use crate::auth::Auth;
use crate::permit::of_anybody;
use http::Extensions;
use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::Credentials;
use std::sync::Arc;

/// Whoever signed a request, or nobody.
pub(super) struct Access(pub(super) Arc<Auth>);

/// The principal of a request whose signature was verified; without one, anybody, if what is asked can be open to them.
///
/// # Errors
/// `AccessDenied`; `InvalidAccessKeyId` for a key that was revoked in this moment.
pub(super) async fn admit(
    auth: &Auth,
    credentials: Option<&Credentials>,
    extensions: &mut Extensions,
) -> Result<(), Trouble> {
    let principal = match credentials {
        Some(credentials) => auth.signed_by(&credentials.access_key).await.map_err(not_allowed)?,
        None => auth.anybody(),
    };
    // Whoever shows no credentials and may do nothing by themselves may find a bucket open to everybody, and nothing else.
    let op = extensions.get::<Arc<Note>>().map_or(Op::UNKNOWN, |note| note.op());
    if principal.holds_nothing() && !of_anybody(op.as_str()) {
        return Err(denied("Access Denied"));
    }
    if let Some(note) = extensions.get::<Arc<Note>>() {
        note.by(&principal);
    }
    extensions.insert(principal);
    Ok(())
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        // Two readings of one target that differ are how authorisation is passed by (CVE-2026-42882 in another house).
        let (bucket, key) = (cx.s3_path().get_bucket_name(), cx.s3_path().get_object_key());
        let (bucket, key) = (bucket.map(str::to_owned), key.filter(|key| !key.is_empty()).map(str::to_owned));
        let (credentials, op) = (cx.credentials().cloned(), Op::named(cx.s3_op().name()));
        let extensions = cx.extensions_mut();
        let same =
            extensions.get::<Arc<Named>>().is_some_and(|named| named.bucket == bucket && named.key == key);
        if let Some(note) = extensions.get::<Arc<Note>>() {
            note.asked(op);
        }
        if !same {
            return Err(trouble("InvalidURI", "Couldn't parse the specified URI."));
        }
        admit(&self.0, credentials.as_ref(), extensions).await
    }
}
