//! GetBucketAcl, PutBucketAcl, GetObjectAcl, PutObjectAcl.

use crate::s3::allowed::Asked;
use crate::s3::error::{Told, Trouble, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::lists::{self, Sent, not_supported, of_document, refuse_public};
use crate::s3::owners::Owners;
use crate::s3::reading::{object_asked, version_id};
use crate::scsp::authorization::Access;
use ::access::{Acl, Grant, Grantee, Ownership, Settings};
use lifecycle::{Refusal, Right};
use metadata::{Failure, Found, SettingKind, Which};
use s3s::S3Response;
use s3s::dto::{
    AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput,
    Grant as ToldGrant, Grantee as ToldGrantee, Owner, Permission, PutBucketAclInput, PutBucketAclOutput,
    PutObjectAclInput, PutObjectAclOutput, Type,
};

/// How often an object is looked at again that is overwritten in the moment of the change.
const TRIES: usize = 4;

pub(in crate::s3) async fn get_of_bucket(
    exchange: Exchange<'_>,
    input: GetBucketAclInput,
) -> Result<S3Response<GetBucketAclOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let owner = place.bucket.owner.as_deref();
    let acl = match place.settings.as_deref().filter(|settings| settings.ownership().takes_lists()) {
        Some(settings) => settings.acl().cloned(),
        None => None,
    };
    let acl = acl.unwrap_or_else(|| Acl::private(owner));
    let (owner, grants) = told(&exchange, owner, acl).await?;
    Ok(S3Response::new(GetBucketAclOutput { grants: Some(grants), owner: Some(owner) }))
}

pub(in crate::s3) async fn put_of_bucket(
    exchange: Exchange<'_>,
    input: PutBucketAclInput,
) -> Result<S3Response<PutBucketAclOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Put, &place)?;
    if !ownership(&place).takes_lists() {
        return Err(not_supported());
    }
    let owner = place.bucket.owner.as_deref();
    let acl = match wanted(&exchange, input.access_control_policy, owner).await? {
        Wanted::Sent(sent) => sent.of_bucket(owner),
        Wanted::Document(acl) => acl,
    };
    refuse_public(&place, &acl)?;
    // What is private to its owner is what a bucket is anyway.
    let stored = (acl != Acl::private(owner)).then(|| acl.encode());
    exchange.set(&place, SettingKind::Acl, stored).await?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub(in crate::s3) async fn get_of_object(
    exchange: Exchange<'_>,
    input: GetObjectAclInput,
) -> Result<S3Response<GetObjectAclOutput>, Trouble> {
    let version = input.version_id.as_deref();
    let asked = exchange.asked(Right::Read)?.of_version(version);
    let (names, owner) =
        ((input.bucket.as_str(), input.key.as_str()), input.expected_bucket_owner.as_deref());
    let found = object_asked(&exchange, &asked, (names, version), owner, false).await?;
    exchange.authorize(Access::Get, &found)?;
    let settings = exchange.settings_of(&found).await?;
    let takes = settings.as_deref().map_or(Ownership::default(), Settings::ownership).takes_lists();
    let (owner, acl) = match takes {
        true => (found.version.owner.as_deref(), found.version.acl.as_deref().and_then(Acl::decode)),
        false => (found.bucket_owner.as_deref(), None),
    };
    let acl = acl.unwrap_or_else(|| Acl::private(owner));
    let (owner, grants) = told(&exchange, owner, acl).await?;
    let output = GetObjectAclOutput { grants: Some(grants), owner: Some(owner), request_charged: None };
    let mut response = S3Response::new(output);
    say_version(&mut response, &found);
    Ok(response)
}

pub(in crate::s3) async fn put_of_object(
    exchange: Exchange<'_>,
    input: PutObjectAclInput,
) -> Result<S3Response<PutObjectAclOutput>, Trouble> {
    let version = input.version_id.as_deref();
    let asked: Asked<'_> = exchange.asked(Right::Write)?.of_version(version);
    let (names, bucket_owner) =
        ((input.bucket.as_str(), input.key.as_str()), input.expected_bucket_owner.as_deref());
    let mut tries = 0;
    loop {
        tries += 1;
        let found = object_asked(&exchange, &asked, (names, version), bucket_owner, false).await?;
        exchange.authorize(Access::Put, &found)?;
        // The bucket as it is set now: the block, and whether it takes lists at all.
        let place = exchange.located(names.0, Right::Write).await?;
        if !ownership(&place).takes_lists() {
            return Err(not_supported());
        }
        let owner = found.version.owner.as_deref();
        let acl = match wanted(&exchange, input.access_control_policy.clone(), owner).await? {
            Wanted::Sent(sent) => sent.of_object(owner, place.bucket.owner.as_deref()),
            Wanted::Document(acl) => acl,
        };
        refuse_public(&place, &acl)?;
        let stored = (acl != Acl::private(owner)).then(|| acl.encode());
        // The version that was looked at, and no other: the next one may be somebody else's.
        let which = Which::Version(found.version.id);
        let metadata = &exchange.gateway.metadata;
        match metadata.set_acl(found.domain.0, found.bucket.0, names.1, which, stored).await {
            Err(Failure::Refused(Refusal::NoSuchVersion)) if version.is_none() && tries < TRIES => {}
            changed => {
                changed.told()?;
                let mut response = S3Response::new(PutObjectAclOutput::default());
                say_version(&mut response, &found);
                return Ok(response);
            }
        }
    }
}

fn say_version<T>(response: &mut S3Response<T>, found: &Found) {
    if let Some(Ok(id)) = version_id(found).map(|id| id.parse()) {
        response.headers.insert("x-amz-version-id", id);
    }
}

fn ownership(place: &Place) -> Ownership {
    place.settings.as_deref().map_or(Ownership::default(), Settings::ownership)
}

/// The list that a request says, in its headers or in its body.
enum Wanted {
    Sent(Sent),
    Document(Acl),
}

async fn wanted(
    exchange: &Exchange<'_>,
    document: Option<AccessControlPolicy>,
    owner: Option<&str>,
) -> Result<Wanted, Trouble> {
    match (lists::sent(exchange).await?, document) {
        (Some(_), Some(_)) => Err(trouble("UnexpectedContent", "This request does not support content")),
        (Some(sent), None) => Ok(Wanted::Sent(sent)),
        (None, Some(document)) => Ok(Wanted::Document(of_document(exchange, document, owner).await?)),
        (None, None) => Err(trouble("MissingSecurityHeader", "Your request was missing a required header")),
    }
}

/// An owner and a list as XML says them, with the names that accounts show.
async fn told(
    exchange: &Exchange<'_>,
    owner: Option<&str>,
    acl: Acl,
) -> Result<(Owner, Vec<ToldGrant>), Trouble> {
    let ids = acl.grants.iter().filter_map(|grant| match &grant.to {
        Grantee::Id(id) => Some(id.as_str()),
        Grantee::Group(_) => None,
    });
    let owners = Owners::of(exchange, ids.chain(owner).collect()).await?;
    let row = |Grant { to, may }: &Grant| {
        let none = ToldGrantee {
            display_name: None,
            email_address: None,
            id: None,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        };
        let grantee = match to {
            Grantee::Id(id) => {
                let Owner { display_name, id } = owners.show(Some(id));
                ToldGrantee { display_name, id, ..none }
            }
            Grantee::Group(group) => ToldGrantee {
                type_: Type::from_static(Type::GROUP),
                uri: Some(group.uri().to_owned()),
                ..none
            },
        };
        ToldGrant { grantee: Some(grantee), permission: Some(Permission::from_static(may.as_str())) }
    };
    // AWS promises no order. Groups first, and less before more: so whoever compares two lists finds them alike.
    let mut grants: Vec<&Grant> = acl.grants.iter().collect();
    grants.sort_by_key(|grant| (matches!(grant.to, Grantee::Id(_)), grant.may));
    Ok((owners.show(owner), grants.into_iter().map(row).collect()))
}

/// What a new bucket's list and ownership are to be, as they are stored.
pub(super) async fn of_new_bucket(
    exchange: &Exchange<'_>,
    ownership: Ownership,
) -> Result<Option<String>, Trouble> {
    let owner = exchange.principal.owner();
    let Some(sent) = lists::sent(exchange).await? else { return Ok(None) };
    let acl = sent.of_bucket(owner.as_deref());
    if acl == Acl::private(owner.as_deref()) {
        return Ok(None);
    }
    if !ownership.takes_lists() {
        return Err(super::ownership::lists_beside_enforced());
    }
    Ok(Some(acl.encode()))
}
