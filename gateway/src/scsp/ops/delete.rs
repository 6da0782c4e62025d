//! DELETE of an object (SCSP sections 3.1 to 3.3). The answer describes what was deleted.

use crate::http::Body;
use crate::http::headers::write_conditions;
use crate::objects::headers::decode;
use crate::scsp::answer::{encoded, new, set, stamp};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use http::{Response, StatusCode};
use lifecycle::{Cause, Condition, Kind, Refusal, Right};
use metadata::{Delete, Failure, ObjectCommand, Outcome};

const UNBUILT: [&str; 2] = ["version", "uploadid"];

pub(in crate::scsp) async fn delete(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.asked.refuse_unbuilt(&UNBUILT)?;
    let conditions =
        write_conditions(&exchange.parts.headers).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    let (domain, bucket, name, kind) = match &exchange.asked.target {
        Target::Object(bucket, name) => {
            let located = exchange.locate(Some(bucket)).await?;
            let found = located.and_then(|located| Some((located.domain.id, located.bucket?.id)));
            let Some((domain, bucket)) = found else {
                exchange.principal.require_somewhere(Right::Delete)?;
                return Err(Trouble::not_found());
            };
            (domain, bucket, name.as_str().to_owned(), Kind::Named)
        }
        Target::Uuid(uuid) => match exchange.gateway.metadata.find_uuid(uuid, false).await? {
            Some(found) => (found.domain.0, found.bucket.0, uuid.clone(), found.version.kind),
            None => {
                exchange.principal.require_somewhere(Right::Delete)?;
                return Err(Trouble::not_found());
            }
        },
        Target::Root | Target::Bucket(_) | Target::Child(_) => return Err(Trouble::not_found()),
    };
    exchange.principal.require(Right::Delete, Some(domain), Some(bucket))?;
    let command = Delete {
        domain,
        bucket,
        name: name.clone(),
        version: None,
        condition: Condition::from(conditions),
        cause: Cause::Delete,
        actor: exchange.principal.name.to_string(),
        grace: exchange.gateway.settings.object_delete_delay,
    };
    let deleted = match exchange.gateway.metadata.object(ObjectCommand::Delete(command)).await {
        Ok(Outcome::Deleted(deleted)) => deleted,
        Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Restored(_)) => {
            return Err(Refusal::Conflict.into());
        }
        Err(failure) => {
            if let Failure::Refused(refusal) = &failure {
                exchange.gateway.metrics.refused(refusal);
            }
            return Err(failure.into());
        }
    };
    let mut response = new(StatusCode::OK, Body::Empty);
    let headers = response.headers_mut();
    crate::scsp::headers::echo(&decode(&deleted.headers), headers);
    stamp(headers, deleted.version, deleted.created_at);
    set(headers, "content-length", 0);
    if let Some(owner) = &deleted.owner {
        set(headers, "castor-system-owner", encoded(owner));
    }
    match kind {
        Kind::Named => {
            set(headers, "castor-system-cid", bucket);
            set(headers, "castor-system-name", encoded(&name));
        }
        Kind::Alias => set(headers, "castor-system-alias", name),
        Kind::Unnamed => {}
    }
    Ok(response)
}
