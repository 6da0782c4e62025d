//! CreateBucket.

use super::acl::of_new_bucket;
use crate::objects::headers::encode;
use crate::s3::error::{Told, Trouble, failed, invalid, trouble, unbuilt};
use crate::s3::exchange::Exchange;
use crate::s3::tags::{self, Of};
use crate::scsp::authorization::{Access, Protected, check};
use crate::scsp::policies_of_bucket;
use ::access::Ownership;
use lifecycle::{BucketName, Refusal};
use metadata::{Failure, NewContainer, SettingChanges, SettingKind};
use s3s::S3Response;
use s3s::dto::{CreateBucketInput, CreateBucketOutput};

pub(in crate::s3) async fn create(
    exchange: Exchange<'_>,
    input: CreateBucketInput,
) -> Result<S3Response<CreateBucketOutput>, Trouble> {
    refuse_unbuilt(&exchange, &input)?;
    let bad = || trouble("InvalidBucketName", "The specified bucket is not valid.");
    if !is_name(&input.bucket) {
        return Err(bad());
    }
    let name = BucketName::parse(&input.bucket).map_err(|_| bad())?;
    let domain = exchange.domain().await?;
    exchange.principal.require_to_make_buckets(domain.id).told()?;
    check(Access::Post, Protected::domain(&domain), &exchange.principal, false).told()?;
    let ownership = ownership(&exchange, &input)?;
    let acl = of_new_bucket(&exchange, ownership.unwrap_or_default()).await?;
    let tags = exchange.plain.get().map_or(Ok(Vec::new()), |document| tags::of_new_bucket(document))?;
    let object_lock = input.object_lock_enabled_for_bucket == Some(true);
    // What can be locked is a version, so there are versions.
    let headers = match object_lock {
        true => vec![("policy-versioning".to_owned(), "enabled".to_owned())],
        false => Vec::new(),
    };
    let new = NewContainer {
        headers: encode(&headers),
        policies: policies_of_bucket(&headers).map_err(|text| trouble("InvalidBucketState", text))?,
        object_lock,
        tags: tags::encode(tags, Of::Bucket)?,
        settings: settings(acl.clone(), ownership),
        owner: exchange.principal.owner(),
        actor: exchange.principal.name.to_string(),
        allowed: exchange.gateway.settings.policy.allowed(),
        ..NewContainer::default()
    };
    let location = Some(format!("/{}", input.bucket));
    match exchange.gateway.metadata.create_bucket(domain.id, &name, new).await {
        Ok(made) => {
            exchange.note.container(made.id);
            Ok(S3Response::new(CreateBucketOutput { location }))
        }
        // Asked again by its owner, AWS's oldest region answers as before.
        Err(Failure::Refused(refusal @ Refusal::NameInUse)) => {
            let existing = exchange.gateway.metadata.bucket_named(domain.id, &input.bucket).await.told()?;
            let own = existing.as_ref().is_some_and(|bucket| bucket.owner == exchange.principal.owner());
            // Nobody is told that there are locks where there are none.
            let unlocked = object_lock && existing.as_ref().is_some_and(|bucket| !bucket.object_lock);
            let existing = existing.map(|bucket| bucket.id);
            match own {
                true if unlocked => Err(trouble(
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )),
                true => {
                    // AWS resets the access list then, to the one that the request names.
                    let (changes, actor) = (settings(acl, None), &exchange.principal.name);
                    if let (Some(existing), false) = (existing, changes.is_empty()) {
                        exchange
                            .gateway
                            .metadata
                            .set_bucket_settings(existing, changes, actor)
                            .await
                            .told()?;
                    }
                    Ok(S3Response::new(CreateBucketOutput { location }))
                }
                false => Err(crate::s3::error::refused(&refusal)),
            }
        }
        Err(Failure::Refused(Refusal::Protected)) if object_lock => Err(trouble(
            "InvalidBucketState",
            "Object Lock needs versions, and the domain or the installation rules them out.",
        )),
        Err(failure) => Err(failed(failure.into())),
    }
}

/// Whose the objects of the bucket are to be, if the request, or else the configuration, says so.
fn ownership(exchange: &Exchange<'_>, input: &CreateBucketInput) -> Result<Option<Ownership>, Trouble> {
    let Some(said) = &input.object_ownership else {
        // What a bucket is without any word need not be written down.
        let usual = exchange.gateway.settings.s3.object_ownership;
        return Ok((usual != Ownership::default()).then_some(usual));
    };
    let known = Ownership::named(said.as_str());
    known.map(Some).ok_or_else(|| invalid("Invalid x-amz-object-ownership header"))
}

/// What came with the making of a bucket, to be set.
fn settings(acl: Option<String>, ownership: Option<Ownership>) -> SettingChanges {
    let ownership = ownership.map(|ownership| ownership.as_str().to_owned());
    let both = [(SettingKind::Acl, acl), (SettingKind::Ownership, ownership)];
    both.into_iter().filter(|(_, content)| content.is_some()).collect()
}

fn refuse_unbuilt(exchange: &Exchange<'_>, input: &CreateBucketInput) -> Result<(), Trouble> {
    crate::s3::headers::refuse_unbuilt(&exchange.headers)?;
    let configuration = input.create_bucket_configuration.as_ref();
    if let Some(configuration) = configuration
        && (configuration.bucket.is_some() || configuration.location.is_some())
    {
        return Err(unbuilt("A directory bucket"));
    }
    match configuration.and_then(|configuration| configuration.location_constraint.as_ref()) {
        // There is one region, whatever its name.
        Some(constraint) if !is_region(constraint.as_str()) => {
            Err(trouble("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a constraint could be a region's name. Of the oldest region, AWS wants none.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        ["EU"] | [""] => true,
        [area, middle @ .., number] => {
            name != "us-east-1"
                && word(area)
                && !middle.is_empty()
                && middle.iter().all(word)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// AWS's rules for the names of buckets.
fn is_name(name: &str) -> bool {
    const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    s3s::path::check_bucket_name(name)
        && !SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        && !PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !name.contains(".-")
        && !name.contains("-.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_a_regions_name() {
        for good in ["eu-west-1", "us-gov-west-1", "EU", "ap-southeast-2"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["us-east-1", "bogus", "eu-1", "eu-west-", "EU-west-1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_judged_by_awss_rules() {
        for good in ["abc", "a.b.c", "my-bucket-1", &"a".repeat(63)] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "ab",
            &"a".repeat(64),
            "Abc",
            "a_b",
            "a..b",
            "-ab",
            "ab-",
            ".ab",
            "192.168.1.1",
            "xn--abc",
            "abc-s3alias",
            "a.-b",
            "a b",
            "ü-bucket",
        ] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
