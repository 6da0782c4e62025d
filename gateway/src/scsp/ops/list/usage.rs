//! Disk use (`du`): what a bucket or domain holds, from the counters.

use super::scope::Scope;
use super::table::Table;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use lifecycle::State;
use metadata::ContainerKind;

/// A row for each effective state in which something is there, and one for what is live in any case.
pub(super) async fn usage(exchange: &Exchange<'_>, scope: &Scope, table: &mut Table) -> Result<(), Trouble> {
    let (kind, id) = match scope {
        Scope::Bucket { bucket, .. } => (ContainerKind::Bucket, bucket.id),
        Scope::Domain { domain, .. } => (ContainerKind::Domain, domain.id),
    };
    let mut held = exchange.gateway.metadata.held_in(kind, id).await?;
    held.entry(State::Live).or_default();
    for (state, held) in held {
        table.row();
        table.text("state", state.as_str());
        table.number("objects", held.objects);
        table.number("bytes", held.bytes);
        table.end_row();
    }
    Ok(())
}
