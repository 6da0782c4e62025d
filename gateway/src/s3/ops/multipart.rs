//! CreateMultipartUpload and AbortMultipartUpload, and finding the upload that a request names.

use crate::objects::headers::{decode, encode};
use crate::objects::{ChecksumAlgorithm, ChecksumKind};
use crate::s3::error::{Told, Trouble, no_such_upload, precondition_failed, trouble};
use crate::s3::exchange::{Exchange, Place};
use crate::s3::locks::Ordered;
use crate::s3::moment::{stamp, time};
use crate::s3::tags::{self, Of};
use crate::s3::{checksums, headers, lists};
use crate::scsp::authorization::Access;
use lifecycle::{Kind, Right, UploadId};
use metadata::{NewUpload, Upload, UploadMode};
use s3s::S3Response;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm as Algorithm, ChecksumType,
    CreateMultipartUploadInput, CreateMultipartUploadOutput,
};

pub(in crate::s3) async fn create(
    exchange: Exchange<'_>,
    input: CreateMultipartUploadInput,
) -> Result<S3Response<CreateMultipartUploadOutput>, Trouble> {
    headers::refuse_unbuilt(&exchange.headers)?;
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.need_name(&place, "initiate multipart uploads")?;
    exchange.authorize_in(Access::Post, &place)?;
    let kept = headers::kept(&exchange.headers, &headers::user(&exchange.headers)?)?;
    let tags = input.tagging.as_deref().map(tags::of_header).transpose()?.unwrap_or_default();
    lists::extras(&exchange, &place)?;
    let list = lists::of_new(&exchange, &place).await?;
    let checksum = declared(
        input.checksum_algorithm.as_ref().map(Algorithm::as_str),
        input.checksum_type.as_ref().map(ChecksumType::as_str),
    )?;
    let lock = Ordered::of(&exchange.headers, &place, exchange.gateway.clock.now())?;
    let upload = NewUpload {
        // In the order in which they began: that is how they are listed.
        id: UploadId::ordered(exchange.gateway.clock.now()),
        domain: place.domain.id,
        bucket: place.bucket.id,
        kind: Kind::Named,
        name: input.key.clone(),
        mode: UploadMode::Replace,
        replaces: None,
        headers: encode(&kept),
        tags: tags::encode(tags, Of::Object)?,
        checksum: checksum.map(|declared| declared.encode()),
        retention: lock.retention,
        hold: lock.hold,
        acl: list.acl,
        owner: list.owner,
        actor: exchange.principal.name.to_string(),
        expires_at: exchange.gateway.clock.now().plus(exchange.gateway.settings.upload_expiry),
    };
    let id = upload.id;
    let ends = exchange.gateway.metadata.begin_upload(upload).await.told()?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        abort_date: Some(stamp(ends.at)),
        abort_rule_id: ends.rule,
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id.to_string()),
        checksum_algorithm: checksum.map(|declared| Algorithm::from_static(declared.algorithm.as_str())),
        checksum_type: checksum.map(|declared| ChecksumType::from_static(declared.kind.as_str())),
        ..CreateMultipartUploadOutput::default()
    }))
}

pub(in crate::s3) async fn abort(
    exchange: Exchange<'_>,
    input: AbortMultipartUploadInput,
) -> Result<S3Response<AbortMultipartUploadOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Write, owner).await?;
    exchange.authorize_in(Access::Post, &place)?;
    let upload = open(&exchange, &place, &input.key, &input.upload_id).await?;
    if let Some(initiated) = input.if_match_initiated_time
        && time(initiated).micros().div_euclid(1_000_000) != upload.created_at.micros().div_euclid(1_000_000)
    {
        return Err(precondition_failed());
    }
    exchange.gateway.metadata.abort_upload(upload.id).await.told()?;
    exchange.gateway.wake_background();
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

/// The upload of this id, if it is one of this key and still open.
///
/// # Errors
/// `NoSuchUpload`.
pub(super) async fn open(
    exchange: &Exchange<'_>,
    place: &Place,
    key: &str,
    id: &str,
) -> Result<Upload, Trouble> {
    find(exchange, place, key, id)
        .await?
        .filter(|upload| upload.completed.is_none())
        .ok_or_else(no_such_upload)
}

/// The upload of this id, open or completed.
pub(super) async fn find(
    exchange: &Exchange<'_>,
    place: &Place,
    key: &str,
    id: &str,
) -> Result<Option<Upload>, Trouble> {
    let Ok(id) = id.parse::<UploadId>() else { return Ok(None) };
    let upload = exchange.gateway.metadata.upload(id).await.told()?;
    let of_key = |upload: &Upload| upload.contents == place.contents && upload.name == key;
    Ok(upload.filter(|upload| of_key(upload) && is_ours(upload)))
}

/// Whether an upload can be ended here. One that SCSP began may add to an object, take the place of one version only, or
/// carry a guard: what S3 has no words for, it must not drop.
pub(super) fn is_ours(upload: &Upload) -> bool {
    let guarded = decode(&upload.headers)
        .iter()
        .any(|(name, _)| matches!(name.as_str(), "lifepoint" | "castor-authorization"));
    upload.mode == UploadMode::Replace && upload.replaces.is_none() && upload.kind == Kind::Named && !guarded
}

/// The checksum that an upload was declared to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) algorithm: ChecksumAlgorithm,
    pub(super) kind: ChecksumKind,
}

impl Declared {
    fn encode(self) -> String {
        format!("{} {}", self.algorithm.as_str(), self.kind.as_str())
    }

    /// What was declared when the upload began.
    pub(super) fn of(upload: &Upload) -> Option<Self> {
        let (algorithm, kind) = upload.checksum.as_deref()?.split_once(' ')?;
        Some(Declared {
            algorithm: ChecksumAlgorithm::parse(algorithm).ok()?,
            kind: ChecksumKind::parse(kind).ok()?,
        })
    }
}

/// # Errors
/// `InvalidRequest` for an algorithm or kind that there is not, or that do not go together.
fn declared(algorithm: Option<&str>, kind: Option<&str>) -> Result<Option<Declared>, Trouble> {
    let kind = kind.map(checksums::kind).transpose()?;
    let Some(algorithm) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(trouble(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let algorithm = checksums::algorithm(algorithm)?;
    let kind = algorithm.kind_of_multipart(kind).map_err(|bad| trouble("InvalidRequest", bad.to_string()))?;
    Ok(Some(Declared { algorithm, kind }))
}
