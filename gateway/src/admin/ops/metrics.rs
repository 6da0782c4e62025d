//! Everything that is counted, in the text form that Prometheus reads: this process's counters, and the installation's
//! gauges. No bucket is a label: there may be millions.

use super::usage::totals;
use crate::admin::request::{Answered, Asked};
use crate::http::Body;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use lifecycle::State;
use std::fmt::Write;

pub(in crate::admin) async fn metrics(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    let (metadata, clock) = (&asked.gateway.metadata, &asked.gateway.clock);
    let mut text = asked.gateway.metrics.render();

    head(&mut text, "barrow_containers", "Domains and buckets by their own state.");
    for (kind, state, count) in metadata.count_containers().await? {
        line(&mut text, format_args!("barrow_containers{{kind=\"{kind}\",state=\"{state}\"}} {count}"));
    }
    let totals = totals(&metadata.usage().await?);
    head(&mut text, "barrow_objects", "Versions by effective state.");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_objects{{state=\"{state}\"}} {}", held.objects));
    }
    head(&mut text, "barrow_bytes", "Bytes of versions by effective state.");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_bytes{{state=\"{state}\"}} {}", held.bytes));
    }
    let in_grace = totals.get(&State::Removed).map_or(0, |held| held.bytes);
    head(&mut text, "barrow_grace_bytes", "Bytes that are removed and can still be restored.");
    line(&mut text, format_args!("barrow_grace_bytes {in_grace}"));

    let halted = metadata.halt().await?.is_some();
    head(&mut text, "barrow_halted", "Whether purging stands still until an operator confirms.");
    line(&mut text, format_args!("barrow_halted {}", u8::from(halted)));

    // The earliest promise of all: how long it has been past tells how far behind purging is.
    let overdue = metadata.next_due().await?.map_or(0, |due| clock.now().since(due).as_secs());
    head(
        &mut text,
        "barrow_grace_overdue_seconds",
        "How long the oldest grace has been over without a purge.",
    );
    line(&mut text, format_args!("barrow_grace_overdue_seconds {overdue}"));
    if let Some(space) = asked.gateway.blobs.space() {
        head(&mut text, "barrow_blobs_free_bytes", "Free bytes of the device under the blobs.");
        line(&mut text, format_args!("barrow_blobs_free_bytes {}", space.free));
    }

    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn head(text: &mut String, name: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} gauge"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
