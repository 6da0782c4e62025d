//! Access lists, as requests bring them: canned ones and grants in headers, lists as XML; and what becomes of them where a
//! bucket takes none.

use super::allowed::Asked;
use super::error::{Told, Trouble, denied, invalid, trouble};
use super::exchange::{Exchange, Place};
use super::headers::{HOLD, MODE, UNTIL};
use ::access::{
    Acl, Action, BadGrant, Canned, GRANTS_MAX, Grant, Grantee, Group, Ownership, Permission, Settings,
    Unresolved,
};
use http::HeaderName;
use lifecycle::Right;
use s3s::dto::AccessControlPolicy;

/// Headers that grant something, and what.
const GRANTS: [(&str, Permission); 5] = [
    ("x-amz-grant-full-control", Permission::FullControl),
    ("x-amz-grant-read", Permission::Read),
    ("x-amz-grant-read-acp", Permission::ReadAcp),
    ("x-amz-grant-write", Permission::Write),
    ("x-amz-grant-write-acp", Permission::WriteAcp),
];

/// Whose a new object is, and its access list as it is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct NewList {
    pub(super) owner: Option<String>,
    pub(super) acl: Option<String>,
}

/// A list that a request brings in its headers.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Canned(Canned),
    Grants(Vec<Grant>),
}

/// What the headers of a request grant; `None`: they say nothing of it.
///
/// # Errors
/// `InvalidRequest` for a canned list and grants beside it, `InvalidArgument` for what is neither,
/// `UnresolvableGrantByEmailAddress`.
pub(super) async fn sent(exchange: &Exchange<'_>) -> Result<Option<Sent>, Trouble> {
    let headers = &exchange.headers;
    let mut grants = Vec::new();
    let canned = one(exchange, "x-amz-acl")?;
    for (name, may) in GRANTS {
        let Some(value) = one(exchange, name)? else { continue };
        if canned.is_some() {
            return Err(trouble(
                "InvalidRequest",
                "Specifying both Canned ACLs and Header Grants is not allowed",
            ));
        }
        let read = Unresolved::read(value).map_err(|bad| match bad {
            BadGrant::Format => invalid("Argument format not recognized"),
            BadGrant::Uri => invalid("Invalid group uri"),
        })?;
        for to in read {
            grants.push(Grant { to: resolved(exchange, to).await?, may });
        }
    }
    let known = |name: &HeaderName| GRANTS.iter().any(|(known, _)| *known == name.as_str());
    let other = |name: &&HeaderName| name.as_str().starts_with("x-amz-grant-") && !known(name);
    if let Some(name) = headers.keys().find(other) {
        return Err(invalid(format!("The header {name} grants nothing that there is.")));
    }
    if grants.len() > GRANTS_MAX {
        return Err(too_many());
    }
    Ok(match canned {
        Some(name) => Some(Sent::Canned(Canned::named(name).ok_or_else(|| invalid("Invalid canned ACL"))?)),
        None => (!grants.is_empty()).then_some(Sent::Grants(grants)),
    })
}

/// A header that says something and stands once.
fn one<'e>(exchange: &'e Exchange<'_>, name: &str) -> Result<Option<&'e str>, Trouble> {
    let mut lines = exchange.headers.get_all(name).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().ok().filter(|_| lines.next().is_none());
    let text = text.ok_or_else(|| invalid(format!("The header {name} cannot be read.")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Who is meant.
async fn resolved(exchange: &Exchange<'_>, to: Unresolved) -> Result<Grantee, Trouble> {
    let gateway = exchange.gateway;
    match to {
        Unresolved::Group(group) => Ok(Grantee::Group(group)),
        Unresolved::Email(email) => match gateway.metadata.account_by_email(&email).await.told()? {
            Some(account) => Ok(Grantee::Id(account.id)),
            None => Err(trouble(
                "UnresolvableGrantByEmailAddress",
                "The e-mail address you provided does not match any account on record.",
            )),
        },
        Unresolved::Id(id) => {
            let own = exchange.principal.owns(Some(&id));
            // A key without an account is its own.
            let there = own
                || gateway.auth.account(&id).await.told()?.is_some()
                || gateway.auth.signed_by(&id).await.is_ok_and(|holder| holder.account().is_none());
            if there { Ok(Grantee::Id(id)) } else { Err(invalid("Invalid id")) }
        }
    }
}

/// The list that a document says.
///
/// # Errors
/// `MalformedACLError`, `AccessDenied` for one that makes it somebody else's.
pub(super) async fn of_document(
    exchange: &Exchange<'_>,
    document: AccessControlPolicy,
    owner: Option<&str>,
) -> Result<Acl, Trouble> {
    let malformed = || {
        trouble(
            "MalformedACLError",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let said = document.owner.and_then(|owner| owner.id).ok_or_else(malformed)?;
    if Some(said.as_str()) != owner {
        return Err(denied("Access Denied"));
    }
    let listed = document.grants.ok_or_else(malformed)?;
    if listed.len() > GRANTS_MAX {
        return Err(too_many());
    }
    let mut grants = Vec::with_capacity(listed.len());
    for grant in listed {
        let (grantee, may) = grant.grantee.zip(grant.permission).ok_or_else(malformed)?;
        let may = Permission::named(may.as_str()).ok_or_else(malformed)?;
        let to = match (grantee.type_.as_str(), grantee.id, grantee.email_address, grantee.uri) {
            ("CanonicalUser", Some(id), None, None) => Unresolved::Id(id),
            ("AmazonCustomerByEmail", None, Some(email), None) => Unresolved::Email(email),
            ("Group", None, None, Some(uri)) => {
                Unresolved::Group(Group::of_uri(&uri).ok_or_else(|| invalid("Invalid group uri"))?)
            }
            _ => return Err(malformed()),
        };
        grants.push(Grant { to: resolved(exchange, to).await?, may });
    }
    Ok(Acl { grants })
}

fn too_many() -> Trouble {
    trouble("MalformedACLError", format!("An access list holds {GRANTS_MAX} grants at most."))
}

/// Passes if what a PUT brings beside its body is allowed as well: its tags, on which rules and policies may hang, and its lock.
pub(super) fn extras(exchange: &Exchange<'_>, place: &Place) -> Result<(), Trouble> {
    let key = exchange.named.key.as_deref();
    locks(exchange, place, key)?;
    if exchange.headers.contains_key("x-amz-tagging") {
        exchange.also(place, &Asked::of(Action::PutObjectTagging, Right::Write, key), true)?;
    }
    Ok(())
}

/// Passes if the lock that a write brings is allowed: of what may be written it takes the deletion.
pub(super) fn locks(exchange: &Exchange<'_>, place: &Place, key: Option<&str>) -> Result<(), Trouble> {
    const LOCKS: [(&str, Action); 3] = [
        (MODE, Action::PutObjectRetention),
        (UNTIL, Action::PutObjectRetention),
        (HOLD, Action::PutObjectLegalHold),
    ];
    for (name, action) in LOCKS {
        if exchange.headers.contains_key(name) {
            exchange.also(place, &Asked::of(action, Right::Write, key), true)?;
        }
    }
    Ok(())
}

/// As [`of_new_key`], of the key that the target names.
pub(super) async fn of_new(exchange: &Exchange<'_>, place: &Place) -> Result<NewList, Trouble> {
    of_new_key(exchange, place, exchange.named.key.as_deref().unwrap_or_default()).await
}

/// Whose an object is that is written now, and the list that the request gives it.
///
/// # Errors
/// `AccessControlListNotSupported` where lists mean nothing; `AccessDenied` for one that the public access block does not take,
/// or that a policy denies; what is wrong with it.
pub(super) async fn of_new_key(
    exchange: &Exchange<'_>,
    place: &Place,
    key: &str,
) -> Result<NewList, Trouble> {
    let ownership = place.settings.as_deref().map_or(Ownership::default(), Settings::ownership);
    let bucket_owner = place.bucket.owner.as_deref();
    let sent = sent(exchange).await?;
    let full = matches!(sent, Some(Sent::Canned(Canned::BucketOwnerFullControl)));
    if !ownership.takes_lists() {
        let acl = sent.as_ref().map(|sent| sent.of_object(bucket_owner, bucket_owner));
        // The list that everything has there is none that is asked for.
        let same = full
            || acl.is_none_or(|acl| !acl.grants.is_empty() && grants_owner_alone(&acl, bucket_owner, &sent));
        return match same {
            true => Ok(NewList { owner: place.bucket.owner.clone(), acl: None }),
            false => Err(not_supported()),
        };
    }
    let owner = match ownership {
        Ownership::BucketOwnerPreferred if full => place.bucket.owner.clone(),
        _ => exchange.principal.owner(),
    };
    let Some(sent) = sent else { return Ok(NewList { owner, acl: None }) };
    let acl = sent.of_object(owner.as_deref(), bucket_owner);
    refuse_public(place, &acl)?;
    let opens = acl.opens_beyond(&[owner.as_deref(), bucket_owner]);
    exchange.also(place, &Asked::of(Action::PutObjectAcl, Right::Write, Some(key)), opens)?;
    let private = acl == Acl::private(owner.as_deref());
    Ok(NewList { acl: (!private).then(|| acl.encode()), owner })
}

/// Whether explicit grants say no more than full control for the bucket's owner.
fn grants_owner_alone(acl: &Acl, owner: Option<&str>, sent: &Option<Sent>) -> bool {
    matches!(sent, Some(Sent::Grants(_))) && *acl == Acl::private(owner)
}

impl Sent {
    /// The list of an object.
    pub(super) fn of_object(&self, owner: Option<&str>, bucket_owner: Option<&str>) -> Acl {
        match self {
            Sent::Canned(canned) => canned.of_object(owner, bucket_owner),
            Sent::Grants(grants) => Acl { grants: grants.clone() },
        }
    }

    /// The list of a bucket.
    pub(super) fn of_bucket(&self, owner: Option<&str>) -> Acl {
        match self {
            Sent::Canned(canned) => canned.of_bucket(owner),
            Sent::Grants(grants) => Acl { grants: grants.clone() },
        }
    }
}

/// Passes unless the public access block takes no list that opens something to everybody.
pub(super) fn refuse_public(place: &Place, acl: &Acl) -> Result<(), Trouble> {
    let blocks = place.settings.as_deref().is_some_and(|settings| settings.block().block_public_acls);
    if blocks && acl.is_public() { Err(denied("Access Denied")) } else { Ok(()) }
}

/// What AWS says of a list where there are none.
pub(super) fn not_supported() -> Trouble {
    trouble("AccessControlListNotSupported", "The bucket does not allow ACLs")
}
