//! A body on its way into the object store, with the row that names its blob.
//!
//! The row comes first (rule R5), so that whatever happens to the body, something remembers that bytes may lie there.
//! An upload that is dropped on the way, because the client left or the bucket went, is taken back at once; what a crash
//! leaves is found by the staged task.

use super::Error;
use crate::Gateway;
use crate::auth::Principal;
use bytes::Bytes;
use lifecycle::{BlobName, Kind, Refusal, UploadId, VersionId, Within};
use metadata::{ClaimOrder, Cut, ObjectCommand, Pin, Stage};
use std::time::Duration;

/// What a body is to become.
pub(super) struct Intent {
    /// Where it will probably be.
    pub(super) within: Within,
    pub(super) version: VersionId,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The multipart upload that it is a part of, and the part's number.
    pub(super) part_of: Option<(UploadId, u32)>,
}

/// A body being written.
pub(super) struct Staged {
    upload: blobs::Upload,
    guard: TakeBack,
}

impl Staged {
    /// Writes the row down and begins the blob.
    pub(super) async fn begin(
        gateway: &Gateway,
        principal: &Principal,
        intent: Intent,
        expected: Option<u64>,
    ) -> Result<Self, Error> {
        let blob = BlobName::random();
        let Within { domain, bucket, contents } = intent.within;
        let what = if intent.part_of.is_some() { "PUT part" } else { "PUT" };
        // Before the row: a removal that comes after it finds us.
        let pin = gateway.metadata.pin_write(domain, bucket, contents, what)?;
        let stage = Stage {
            contents,
            version: intent.version,
            kind: intent.kind,
            name: intent.name,
            blob,
            actor: principal.name.to_string(),
            part_of: intent.part_of,
        };
        // From here on a row may stand, whether or not we learn of it.
        let guard = TakeBack { gateway: Some(gateway.clone()), version: intent.version, pin: Some(pin) };
        gateway.metadata.object(ObjectCommand::Stage(stage)).await?;
        let upload = gateway.blobs.create(blob, expected).await?;
        Ok(Staged { upload, guard })
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        match self.ended() {
            Some(error) => Err(error),
            None => Ok(self.upload.write(bytes).await?),
        }
    }

    /// Why this has to end, if it has to.
    pub(super) fn ended(&self) -> Option<Error> {
        match self.guard.pin.as_ref()?.why_cut()? {
            Cut::Left | Cut::Purged => Some(Refusal::ContainerGone.into()),
            Cut::Fenced => Some(Error::Fenced("this member may not go on; try again".to_owned())),
        }
    }

    /// Ready when this has to end: its bucket was removed, or this process may not go on.
    pub(super) fn ending(&self) -> impl Future<Output = ()> + Send + 'static {
        let ending = self.guard.pin.as_ref().map(Pin::ending);
        async move {
            match ending {
                Some(ending) => ending.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Ends the writing first, so that nothing lands behind the back of whoever takes the version back.
    pub(super) async fn give_up(self) {
        self.upload.abort().await;
    }

    /// Makes the bytes durable. The guard takes them back unless it is told to keep them.
    pub(super) async fn finish(self) -> Result<(blobs::Stored, TakeBack), Error> {
        let Staged { upload, guard } = self;
        Ok((upload.finish().await?, guard))
    }
}

/// Takes a staged version back when dropped.
pub(super) struct TakeBack {
    gateway: Option<Gateway>,
    version: VersionId,
    /// Held until the version is published, or its bytes are gone.
    pin: Option<Pin>,
}

impl TakeBack {
    /// The version was published: it is not ours to take back any more.
    pub(super) fn keep(mut self) {
        self.gateway = None;
    }
}

impl Drop for TakeBack {
    fn drop(&mut self) {
        let Some(gateway) = self.gateway.take() else { return };
        let (version, pin) = (self.version, self.pin.take());
        // Whoever dropped us cannot wait. If this does not get through, the row is swept later.
        tokio::spawn(async move {
            if let Err(error) = take_back(&gateway, version).await {
                tracing::info!(%version, %error, "a failed upload is left to the sweep");
            }
            drop(pin);
        });
    }
}

async fn take_back(gateway: &Gateway, version: VersionId) -> Result<(), Error> {
    let order = ClaimOrder {
        holder: gateway.member,
        limit: 1,
        lease: gateway.settings.claim_lease,
        drain: Duration::ZERO,
    };
    // Nothing is claimed if the version was published after all: the claim asks for a staged row.
    let claims = gateway.metadata.claim_failed_upload(version, order).await?;
    let destroyed = gateway.blobs.destroy(&claims).await;
    let failed = destroyed.into_iter().find_map(Result::err);
    match failed {
        None => {
            gateway.metadata.finish(claims, gateway.settings.deletion_memory).await?;
            Ok(())
        }
        Some(error) => {
            gateway.metadata.release(claims).await?;
            Err(error.into())
        }
    }
}
