//! A purge of versions that is to meet so many and no others.

use crate::Gateway;
use metadata::{Accepted, Failure, PurgeVersions};

/// How often a purge that must not meet anything else than was counted is tried, while others change the bucket.
const ATTEMPTS: u32 = 8;

/// What became of a purge that is to meet so many versions and no others.
#[derive(Debug)]
pub(super) enum Expected {
    /// It met them, or was known.
    Accepted(Accepted),
    /// It would meet so many.
    Changed(u64),
    /// The bucket never stood still.
    Restless,
}

/// Accepts a purge if it meets so many versions.
pub(super) async fn accept_expecting(
    gateway: &Gateway,
    mut order: PurgeVersions,
    expected: u64,
) -> Result<Expected, Failure> {
    // Of a purge that was carried out before, nothing is left to count.
    order.if_change = Some(i64::MIN);
    let known = gateway.metadata.purge_versions(order.clone()).await?;
    if known != Accepted::Moved {
        return Ok(Expected::Accepted(known));
    }
    for _ in 0..ATTEMPTS {
        let count = gateway.metadata.count_purge(&order).await?;
        if count.purged != expected {
            return Ok(Expected::Changed(count.purged));
        }
        order.if_change = Some(count.change_seq);
        let accepted = gateway.metadata.purge_versions(order.clone()).await?;
        if accepted != Accepted::Moved {
            return Ok(Expected::Accepted(accepted));
        }
    }
    Ok(Expected::Restless)
}
