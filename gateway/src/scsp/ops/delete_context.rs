//! DELETE of a domain or bucket with everything in it (SCSP section 3.4): restorable for the grace, or at once final.

use crate::http::Body;
use crate::http::headers::write_conditions;
use crate::scsp::answer::{describe_context, new, set};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use ::access::Action;
use http::{Response, StatusCode};
use lifecycle::{Cause, Condition, Grace, Right};
use metadata::{ContainerKind, Empty, Failure, RemoveOrder};
use std::time::Duration;

/// What the argument `recursive` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scsp) enum Recursive {
    No,
    Yes,
    Now,
}

pub(in crate::scsp) async fn delete_context(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let recursive = recursive(exchange.asked.query.get("recursive"))?;
    let conditions =
        write_conditions(&exchange.parts.headers).map_err(|bad| Trouble::bad_request("BadHeader", &bad))?;
    let bucket = match &exchange.asked.target {
        Target::Bucket(bucket) => Some(bucket),
        Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => None,
    };
    let located = exchange.locate(bucket).await?;
    let found = located.as_ref().and_then(|located| match bucket {
        None => Some((&located.domain, Protected::domain(&located.domain))),
        Some(_) => located.bucket.as_ref().map(|bucket| (bucket, Protected::bucket(&located.domain, bucket))),
    });
    let Some((container, protected)) = found else {
        exchange.principal.require_somewhere(Right::Remove)?;
        return Err(Trouble::not_found());
    };
    let (domain, bucket) = match container.parent {
        Some(domain) => (domain, Some(container.id)),
        None => (container.id, None),
    };
    match bucket {
        Some(_) => exchange.permit(Right::Remove, Action::DeleteBucket, container.into(), None).await?,
        None => exchange.principal.require(Right::Remove, Some(domain), None)?,
    }
    exchange.authorize(Access::Delete, protected)?;
    let settings = &exchange.gateway.settings;
    let (now, only_empty) = match recursive {
        Recursive::Now => {
            exchange.principal.require(Right::Purge, Some(domain), bucket)?;
            (true, false)
        }
        Recursive::Yes => (false, false),
        Recursive::No if settings.scsp.auto_recursive_delete => (false, false),
        Recursive::No if settings.scsp.gateway_mode => (false, true),
        Recursive::No => {
            return Err(Trouble::new(
                400,
                "RecursiveRequired",
                "DELETE of a domain or bucket requires the recursive query argument.",
            ));
        }
    };
    let order = RemoveOrder {
        grace: Grace::For(if now { Duration::ZERO } else { settings.recursive_delete_delay }),
        early: now,
        reserves_name: false,
        only_empty: only_empty.then_some(Empty::Altogether),
        condition: Condition::from(conditions),
        cause: Cause::Recursive,
        door: "scsp",
        actor: exchange.principal.name.to_string(),
        reason: None,
    };
    let removed = match exchange.gateway.metadata.remove(container.kind, container.id, order).await {
        Ok(removed) => removed,
        Err(failure) => {
            if let Failure::Refused(refusal) = &failure {
                exchange.gateway.metrics.refused(refusal);
            }
            return Err(failure.into());
        }
    };
    let kind = if removed.container.kind == ContainerKind::Domain { "Domain" } else { "Bucket" };
    // The wording that operators of SCSP clusters search their logs for.
    tracing::info!(
        request = %exchange.trail.id,
        objects = removed.objects,
        bytes = removed.bytes,
        actor = %exchange.principal.name,
        "{kind} '{}' (uuid={}) has been deleted",
        removed.container.name,
        removed.container.id
    );
    exchange.gateway.wake_background();
    exchange.trail.promised(removed.container.purge_after);
    let mut response = new(StatusCode::OK, Body::Empty);
    let headers = response.headers_mut();
    describe_context(headers, &removed.container);
    if let Some(purge_after) = removed.container.purge_after {
        set(headers, "barrow-purge-after", purge_after.to_http_date());
    }
    set(headers, "content-length", 0);
    Ok(response)
}

/// An unrecognised value is refused, never guessed.
pub(in crate::scsp) fn recursive(value: Option<&str>) -> Result<Recursive, Trouble> {
    let Some(value) = value else { return Ok(Recursive::No) };
    match value.to_ascii_lowercase().as_str() {
        "" | "yes" | "true" => Ok(Recursive::Yes),
        "now" => Ok(Recursive::Now),
        "no" | "false" => Ok(Recursive::No),
        _ => Err(Trouble::new(
            400,
            "BadRecursiveValue",
            format!("The argument recursive cannot be {value:?}: allowed is yes, now or no."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recursive_is_read_and_never_guessed() {
        for (value, meaning) in [
            (None, Recursive::No),
            (Some(""), Recursive::Yes),
            (Some("YES"), Recursive::Yes),
            (Some("true"), Recursive::Yes),
            (Some("now"), Recursive::Now),
            (Some("no"), Recursive::No),
        ] {
            assert_eq!(recursive(value).expect("known"), meaning, "{value:?}");
        }
        assert_eq!(recursive(Some("maybe")).expect_err("refused").status, StatusCode::BAD_REQUEST);
    }
}
