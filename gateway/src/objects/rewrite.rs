//! Changing an object's headers, or its name, and not its bytes.
//!
//! Where the bucket keeps no older versions, the bytes pass to the new version, in one transaction; a version that stays
//! keeps its bytes, and they are copied. Nothing is ever shared.

use super::put::publish;
use super::{Error, NewObject, Source, Stored, put};
use crate::Gateway;
use crate::auth::Principal;
use lifecycle::{Refusal, Versioning};
use metadata::{Body, Found};

/// Publishes `object` with the bytes of `found`, whose current version must not have changed meanwhile if it is the one
/// that gives way: [`Refusal::Conflict`] then, and the caller may look again.
///
/// # Errors
/// Any [`Error`]; nothing has changed then.
pub async fn rewrite(
    gateway: &Gateway,
    principal: &Principal,
    found: &Found,
    mut object: NewObject,
) -> Result<Stored, Error> {
    if found.version.marker {
        return Err(Refusal::NoSuchObject { marker: Some(found.version.id) }.into());
    }
    if found.version.is_current {
        object.replaces = Some(found.version.id);
    }
    let gives_way = match found.versioning {
        Versioning::Disabled => true,
        Versioning::Suspended => found.version.null_version && object.renames.is_none(),
        Versioning::Enabled => false,
    };
    // The same content: what was said of it is true of the new version too.
    if object.checksum.is_none() {
        object.checksum = found.version.checksum.clone();
    }
    if found.version.is_current && gives_way {
        let md5 = found.version.md5.unwrap_or_default();
        let body = Body::HandOver { memory: gateway.settings.deletion_memory };
        return publish(gateway, principal, object, (found.version.size, md5), body).await;
    }
    // Copied, it is in one piece: a checksum over those of its parts is not one of that.
    object.checksum = object.checksum.filter(|_| found.version.parts.is_none());
    // A version made of parts has no MD5 of its content to compare with.
    object.content_md5 = found.version.md5.filter(|_| found.version.parts.is_none());
    let mut source = Source::stored(gateway, found, None).await?;
    put(gateway, principal, object, &mut source).await
}
