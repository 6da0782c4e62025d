//! Deleting an object, or one of its versions.

use super::{Error, SpecCheck};
use crate::Gateway;
use crate::auth::Principal;
use lifecycle::{Cause, Condition, ContainerId, Refusal, VersionId};
use metadata::{Delete, Deleted, Failure, Markers, ObjectCommand, Outcome};

/// What is to be deleted.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// The domain.
    pub domain: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// The object's name.
    pub name: String,
    /// This version for good, and no other.
    pub version: Option<VersionId>,
    /// How delete markers come about.
    pub markers: Markers,
    /// A marker may hide a version that a guard protects.
    pub hides_guarded: bool,
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
    let mut command = Delete {
        domain: deletion.domain,
        bucket: deletion.bucket,
        name: deletion.name,
        version: deletion.version,
        marker: VersionId::ordered(gateway.clock.now()),
        markers: deletion.markers,
        hides_guarded: deletion.hides_guarded,
        heeds_spec: deletion.spec.is_some(),
        expects: None,
        condition: deletion.condition,
        cause: Cause::Delete,
        actor: principal.name.to_string(),
        grace: gateway.settings.object_delete_delay,
    };
    loop {
        match (gateway.metadata.object(ObjectCommand::Delete(command.clone())).await, &deletion.spec) {
            (Ok(Outcome::Deleted(deleted)), _) => return Ok(deleted),
            (Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Restored(_)), _) => {
                return Err(Error::Refused(Refusal::Conflict));
            }
            (Err(Failure::Refused(Refusal::Reserved(met))), Some(spec)) if command.heeds_spec => {
                spec.evaluate(&met.headers, met.owner.as_deref())?;
                (command.heeds_spec, command.expects) = (false, Some(met.version));
            }
            (Err(failure), _) => return Err(failure.into()),
        }
    }
}
