//! Deleting an object, or one of its versions.

use super::{Error, SpecCheck};
use crate::Gateway;
use crate::auth::Principal;
use lifecycle::{Cause, Condition, ContainerId, Refusal, VersionId};
use metadata::{Delete, Deleted, Failure, Markers, ObjectCommand, Outcome, Which};

/// What is to be deleted.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// The domain.
    pub domain: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// The object's name.
    pub name: String,
    /// The current version, or one for good and no other.
    pub which: Which,
    /// How delete markers come about.
    pub markers: Markers,
    /// A marker may hide a version that a guard protects.
    pub hides_guarded: bool,
    /// The caller may pass by a GOVERNANCE retention, and has said so.
    pub bypass: bool,
    /// What must be true of what is deleted.
    pub condition: Condition,
    /// Who decides where the object has an authorisation spec of its own.
    pub spec: Option<SpecCheck>,
}

/// Deletes it. When this has answered, it is invisible, durably.
///
/// # Errors
/// Any [`Error`]; nothing has changed then.
pub async fn delete(gateway: &Gateway, principal: &Principal, deletion: Deletion) -> Result<Deleted, Error> {
    let command = command(gateway, principal, deletion.clone());
    let outcome = gateway.metadata.object(ObjectCommand::Delete(command.clone())).await;
    settle(gateway, command, deletion.spec.as_ref(), outcome).await
}

/// Deletes many, in one transaction where that is possible. Each has its own outcome, in their order.
pub async fn delete_all(
    gateway: &Gateway,
    principal: &Principal,
    deletions: Vec<Deletion>,
) -> Vec<Result<Deleted, Error>> {
    let specs: Vec<_> = deletions.iter().map(|deletion| deletion.spec.clone()).collect();
    let commands: Vec<_> =
        deletions.into_iter().map(|deletion| command(gateway, principal, deletion)).collect();
    let orders = commands.iter().cloned().map(ObjectCommand::Delete).collect();
    let outcomes = gateway.metadata.objects(orders, false).await;
    let mut settled = Vec::with_capacity(commands.len());
    for ((command, spec), outcome) in commands.into_iter().zip(specs).zip(outcomes) {
        settled.push(settle(gateway, command, spec.as_ref(), outcome).await);
    }
    settled
}

fn command(gateway: &Gateway, principal: &Principal, deletion: Deletion) -> Delete {
    Delete {
        domain: deletion.domain,
        bucket: deletion.bucket,
        name: deletion.name,
        which: deletion.which,
        marker: VersionId::ordered(gateway.clock.now()),
        markers: deletion.markers,
        hides_guarded: deletion.hides_guarded,
        bypass: deletion.bypass,
        heeds_spec: deletion.spec.is_some(),
        expects: None,
        condition: deletion.condition,
        cause: Cause::Delete,
        actor: principal.name.to_string(),
        grace: gateway.settings.object_delete_delay,
    }
}

/// What became of a command. Where the object carries an authorisation spec, that is evaluated first, and what was
/// evaluated must be current still.
async fn settle(
    gateway: &Gateway,
    mut command: Delete,
    spec: Option<&SpecCheck>,
    mut outcome: Result<Outcome, Failure>,
) -> Result<Deleted, Error> {
    loop {
        match (outcome, spec) {
            (Ok(Outcome::Deleted(deleted)), _) => return Ok(deleted),
            (Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Restored(_)), _) => {
                return Err(Error::Refused(Refusal::Conflict));
            }
            (Err(Failure::Refused(Refusal::Reserved(met))), Some(spec)) if command.heeds_spec => {
                spec.evaluate(&met.headers, met.owner.as_deref())?;
                (command.heeds_spec, command.expects) = (false, Some(met.version));
                outcome = gateway.metadata.object(ObjectCommand::Delete(command.clone())).await;
            }
            (Err(failure), _) => return Err(failure.into()),
        }
    }
}
