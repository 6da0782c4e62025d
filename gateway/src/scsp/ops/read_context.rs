//! READ and INFO of a domain or bucket (SCSP section 2.3).

use crate::http::Body;
use crate::scsp::answer::{describe_context, evaluate_policies, new, set};
use crate::scsp::authorization::{Access, Protected};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use ::access::Action;
use http::{Response, StatusCode};
use lifecycle::Right;

pub(in crate::scsp) async fn read_context(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
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
        exchange.principal.require_somewhere(Right::Read)?;
        return Err(Trouble::not_found());
    };
    match container.parent {
        Some(_) => exchange.permit(Right::Read, Action::ListBucket, container.into(), None).await?,
        None => exchange.principal.require(Right::Read, Some(container.id), None)?,
    }
    exchange.authorize(Access::reading(&exchange.parts.method), protected)?;
    let mut response = new(StatusCode::OK, Body::Empty);
    describe_context(response.headers_mut(), container);
    let cluster_allows = exchange.gateway.settings.policy.versioning;
    evaluate_policies(response.headers_mut(), container, cluster_allows);
    set(response.headers_mut(), "content-length", 0);
    Ok(response)
}
