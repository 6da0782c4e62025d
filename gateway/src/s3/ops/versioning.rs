//! GetBucketVersioning, PutBucketVersioning. The same policy as SCSP's `Policy-Versioning` of the bucket.

use crate::objects::headers::{decode, encode};
use crate::s3::error::{Told, Trouble, malformed, trouble};
use crate::s3::exchange::Exchange;
use crate::scsp::authorization::Access;
use crate::scsp::policies_of_bucket;
use lifecycle::condition::Tags;
use lifecycle::{Condition, Refusal, Right, Versioning};
use metadata::{ContainerKind, ContextChange, Failure};
use s3s::S3Response;
use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};

const HEADER: &str = "policy-versioning";
/// How often a bucket is looked at again that changes in the moment of its change.
const TRIES: usize = 8;

pub(in crate::s3) async fn get(
    exchange: Exchange<'_>,
    input: GetBucketVersioningInput,
) -> Result<S3Response<GetBucketVersioningOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Read, owner).await?;
    exchange.authorize_in(Access::Get, &place)?;
    let status = match place.versioning() {
        Versioning::Disabled => None,
        Versioning::Enabled => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

pub(in crate::s3) async fn put(
    exchange: Exchange<'_>,
    input: PutBucketVersioningInput,
) -> Result<S3Response<PutBucketVersioningOutput>, Trouble> {
    let configuration = input.versioning_configuration;
    if input.mfa.is_some() || configuration.mfa_delete.is_some_and(|mfa| mfa.as_str() != "Disabled") {
        return Err(trouble("NotImplemented", "MFA delete is not implemented."));
    }
    let wanted = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => "enabled",
        Some("Suspended") => "suspended",
        Some(_) => return Err(malformed()),
        None => {
            return Err(trouble(
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified",
            ));
        }
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let owner = input.expected_bucket_owner.as_deref();
        let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
        exchange.authorize_in(Access::Put, &place)?;
        if place.bucket.object_lock && wanted != "enabled" {
            return Err(trouble(
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ));
        }
        let mut headers = decode(&place.bucket.headers);
        headers.retain(|(name, _)| name != HEADER);
        headers.push((HEADER.to_owned(), wanted.to_owned()));
        let change = ContextChange {
            headers: encode(&headers),
            policies: policies_of_bucket(&headers).map_err(|_| malformed())?,
            allowed: exchange.gateway.settings.policy.allowed(),
            as_name: None,
            // The other headers must be those that were read.
            condition: Condition {
                if_match: Some(Tags::List(vec![place.bucket.etag.to_string()])),
                ..Condition::NONE
            },
            versioning: Some(if wanted == "enabled" { Versioning::Enabled } else { Versioning::Suspended }),
            actor: exchange.principal.name.to_string(),
        };
        let changed =
            exchange.gateway.metadata.change_context(ContainerKind::Bucket, place.bucket.id, change).await;
        match changed {
            Err(Failure::Refused(Refusal::ConditionFailed { .. })) if tries < TRIES => {}
            // Its domain, or the installation, has the last word.
            Err(Failure::Refused(Refusal::Protected)) => {
                return Err(trouble(
                    "InvalidBucketState",
                    format!(
                        "Versioning cannot be {wanted} here: the bucket's domain or the installation rules it out."
                    ),
                ));
            }
            changed => return changed.told().map(|_| S3Response::new(PutBucketVersioningOutput::default())),
        }
    }
}
