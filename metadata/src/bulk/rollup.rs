//! The purge that goes with a write: what arrived before the new version goes, under its name or in its whole bucket.
//!
//! It is accepted in the transaction in which the version arrives, so that there is never one without the other. Whoever reads
//! the name meanwhile finds what stood there before or what stands there now; older versions go in as many steps as it takes.

use super::accept::{Accepted, PurgeVersions, accept};
use super::selector::{PurgeBound, PurgeNames, PurgeSelector};
use super::step::Finality;
use crate::error::Failure;
use crate::objects::{Publish, RollUp};
use crate::sql::{Conn, DbError};
use lifecycle::{ContainerId, Filter, Time};
use std::collections::BTreeSet;
use std::time::Duration;

/// By which such purges are told from others.
const DOOR: &str = "roll-up";

/// Accepts the purge of what arrived before `seq`, at which `publish` has just arrived; gives its id. The bucket is locked, and
/// was found to permit it.
pub(crate) async fn roll_up(
    conn: &mut Conn,
    now: Time,
    publish: &Publish,
    rolls_up: RollUp,
    seq: i64,
) -> Result<ContainerId, DbError> {
    let names = match rolls_up {
        RollUp::Name => PurgeNames::Listed(BTreeSet::from([publish.name.clone()])),
        RollUp::Bucket => PurgeNames::Filter(Filter::everything()),
    };
    let order = PurgeVersions {
        domain: publish.domain,
        bucket: publish.bucket,
        selector: PurgeSelector { names, bound: Some(PurgeBound::BeforeSeq(seq)) },
        is_final: false,
        advance: false,
        grace: publish.grace,
        // A version arrives once.
        purge_id: Some(*publish.version.as_bytes()),
        if_change: None,
        door: DOOR,
        actor: publish.actor.clone(),
        reason: None,
    };
    // Nothing of it is final, so neither clock nor readers have to be asked.
    let finality = Finality { asks_db_clock: false, drain: Duration::ZERO };
    match accept(conn, now, &order, finality).await {
        Ok(Accepted::Begun(job)) => Ok(job.id),
        Ok(other) => Err(DbError::Row(format!("a roll-up was not accepted: {other:?}"))),
        Err(failure) => Err(undo(failure)),
    }
}

/// The whole transaction comes to nothing, the write with it, and for the reason that this one has.
fn undo(failure: Failure) -> DbError {
    match failure {
        Failure::Unavailable { text, again: true } => DbError::Retry(text),
        Failure::NoSpace(text) => DbError::Full(text),
        Failure::Fenced(text) => DbError::Fenced(text),
        Failure::Violated(violation) => DbError::Row(violation.to_string()),
        other => DbError::Other(other.to_string()),
    }
}
