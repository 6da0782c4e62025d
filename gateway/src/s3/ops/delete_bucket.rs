//! DeleteBucket: an empty bucket is removed, restorable for the grace of containers, which is the operator's business.

use crate::s3::error::{Told, Trouble};
use crate::s3::exchange::Exchange;
use crate::scsp::authorization::Access;
use lifecycle::{Cause, Condition, Grace, Right};
use metadata::{Container, ContainerKind, Empty, Failure, RemoveOrder};
use s3s::S3Response;
use s3s::dto::{DeleteBucketInput, DeleteBucketOutput};

pub(in crate::s3) async fn delete(
    exchange: Exchange<'_>,
    input: DeleteBucketInput,
) -> Result<S3Response<DeleteBucketOutput>, Trouble> {
    let owner = input.expected_bucket_owner.as_deref();
    let place = exchange.bucket_of(&input.bucket, Right::Remove, owner).await?;
    exchange.authorize_in(Access::Delete, &place)?;
    let order = RemoveOrder {
        grace: Grace::For(exchange.gateway.settings.recursive_delete_delay),
        early: false,
        reserves_name: false,
        // As AWS counts: parts of what was never completed keep nobody from it.
        only_empty: Some(Empty::OfObjects),
        condition: Condition::NONE,
        cause: Cause::Delete,
        door: "s3",
        actor: exchange.principal.name.to_string(),
        reason: None,
    };
    let removed = exchange.gateway.metadata.remove(ContainerKind::Bucket, place.bucket.id, order).await;
    if let Err(Failure::Refused(refusal)) = &removed {
        exchange.gateway.metrics.refused(refusal);
    }
    let Container { id, name, purge_after, .. } = removed.told()?.container;
    tracing::info!(actor = %exchange.principal.name, "Bucket '{name}' (uuid={id}) has been deleted");
    exchange.note.container(id);
    exchange.note.promised(purge_after);
    exchange.gateway.wake_background();
    Ok(S3Response::new(DeleteBucketOutput::default()))
}
