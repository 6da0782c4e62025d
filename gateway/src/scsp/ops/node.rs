//! `GET /`: the node's own page (SCSP section 2.3).

use crate::http::Body;
use crate::scsp::answer::{new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::ALLOW;
use http::{Method, Response, StatusCode};
use lifecycle::Right;

pub(in crate::scsp) fn node(exchange: &Exchange<'_>) -> Result<Response<Body>, Trouble> {
    exchange.principal.require(Right::Read, None, None)?;
    let page = format!(
        "<html><body><h1>{}</h1><p>Barrow {}</p></body></html>\n",
        exchange.gateway.settings.cluster,
        env!("CARGO_PKG_VERSION")
    );
    let length = page.len();
    let head = exchange.parts.method == Method::HEAD;
    let mut response = new(StatusCode::OK, if head { Body::Empty } else { Body::from(page) });
    let headers = response.headers_mut();
    set(headers, "content-type", "text/html; charset=utf-8");
    set(headers, "content-length", length);
    set(headers, "allow", ALLOW);
    if let Some(space) = exchange.gateway.blobs.space() {
        const GB: u64 = 1_000_000_000;
        set(headers, "castor-system-totalgbavailable", space.free / GB);
        set(headers, "castor-system-totalgbcapacity", space.total / GB);
    }
    Ok(response)
}
