//! Writing an object: what a PUT and a form have in common, and what other calls that write need.

use crate::objects::{Error, NewObject, Stored, put as put_object};
use crate::s3::body::Content;
use crate::s3::error::{Trouble, no_such_key};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::lists::NewList;
use crate::s3::locks::Ordered;
use crate::s3::reading::shown_id;
use crate::scsp::authorization::Access;
use lifecycle::condition::{TagKind, Tags};
use lifecycle::{Condition, Guard, Kind, Refusal, VersionId, Versioning};
use metadata::{Existence, RollUp, Written};
use s3s::dto::ETagCondition;

/// What is to be written.
pub(in crate::s3) struct Order {
    pub(in crate::s3) key: String,
    pub(in crate::s3) headers: Vec<(String, String)>,
    pub(in crate::s3) tags: Option<String>,
    pub(in crate::s3) lock: Ordered,
    pub(in crate::s3) condition: Condition,
    /// How it comes to be written.
    pub(in crate::s3) written: Written,
    /// It names what must be there.
    pub(in crate::s3) conditional: bool,
    /// Whose it is, and its access list.
    pub(in crate::s3) list: NewList,
    /// What goes with it.
    pub(in crate::s3) rolls_up: Option<RollUp>,
}

/// Writes it.
pub(in crate::s3) async fn write(
    exchange: &Exchange<'_>,
    place: &Place,
    order: Order,
    content: &mut Content,
) -> Result<Stored, Trouble> {
    let mut object = new_object(exchange, place, order.key, order.headers, order.tags);
    (object.condition, object.content_md5) = (order.condition, content.md5);
    (object.retention, object.guard.hold) = (order.lock.retention, order.lock.hold);
    (object.written, object.rolls_up) = (order.written, order.rolls_up);
    (object.owner, object.acl) = (order.list.owner, order.list.acl);
    let put = put_object(exchange.gateway, &exchange.principal, object, &mut content.source).await;
    put.map_err(|error| match error {
        Error::Refused(Refusal::ConditionFailed { current: None }) if order.conditional => no_such_key(),
        error => content.trouble(error),
    })
}

/// The id of a version that was just written, as S3 shows it.
pub(in crate::s3) fn written_id(versioning: Versioning, id: VersionId) -> Option<String> {
    match versioning {
        // AWS says nothing of null versions when they are written.
        Versioning::Disabled | Versioning::Suspended => None,
        Versioning::Enabled => shown_id(versioning, false, &id.to_string()),
    }
}

/// An object to be, of this bucket.
pub(super) fn new_object(
    exchange: &Exchange<'_>,
    place: &Place,
    key: String,
    headers: Vec<(String, String)>,
    tags: Option<String>,
) -> NewObject {
    NewObject {
        domain: place.domain.id,
        bucket: (place.bucket.id, place.contents),
        kind: Kind::Named,
        name: key,
        version: VersionId::ordered(exchange.gateway.clock.now()),
        written: Written::Put,
        headers,
        tags,
        keeps_tags: false,
        checksum: None,
        keep_md5: false,
        guard: Guard::default(),
        retention: None,
        acl: None,
        expires_at: None,
        owner: exchange.principal.owner(),
        existence: Existence::Any,
        condition: Condition::NONE,
        replaces: None,
        renames: None,
        rolls_up: None,
        may_shorten_guard: !exchange.gateway.settings.lifepoint.strict_guard,
        content_md5: None,
        spec: Some(exchange.spec(Access::Put, place)),
    }
}

/// The conditions of a write, by the content that is there.
///
/// # Errors
/// `NotImplemented` for both at once, which AWS has not. It has an `If-None-Match` that names a tag and an `If-Match: *` as
/// little; here they are what they are on any other request.
pub(in crate::s3) fn condition(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> Result<Condition, Trouble> {
    if if_match.is_some() && if_none_match.is_some() {
        return Err(crate::s3::error::unbuilt("If-Match beside If-None-Match on a write"));
    }
    Ok(Condition {
        by: TagKind::Content,
        if_match: if_match.map(tags_of),
        if_none_match: if_none_match.map(tags_of),
        ..Condition::NONE
    })
}

fn tags_of(condition: &ETagCondition) -> Tags {
    match condition.as_etag() {
        Some(etag) => Tags::List(vec![etag.value().to_owned()]),
        None => Tags::Any,
    }
}
