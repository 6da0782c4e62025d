//! Everything that is counted, in the text form that Prometheus reads: this process's counters, and the installation's
//! gauges. No bucket is a label: there may be millions. No query here walks versions.

use super::usage::totals;
use crate::admin::request::{Answered, Asked};
use crate::http::Body;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use lifecycle::State;
use metadata::{ContainerCount, ContainerKind};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

pub(in crate::admin) async fn metrics(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    let gateway = asked.gateway;
    let (metadata, clock) = (&gateway.metadata, &gateway.clock);
    let counters = gateway.background.as_ref().map(|background| background.counters()).unwrap_or_default();
    let mut text = gateway.metrics.render_with(counters.violations);

    counter(
        &mut text,
        "barrow_purge_objects_total",
        "Versions that this process purged for good.",
        counters.purged_objects,
    );
    counter(&mut text, "barrow_purge_bytes_total", "The bytes they had.", counters.purged_bytes);
    counter(
        &mut text,
        "barrow_audit_dropped_total",
        "Audit records that were lost; must stay 0.",
        gateway.audit.dropped(),
    );

    let counts = metadata.container_counts().await?;
    containers(&mut text, &counts);
    contexts(&mut text, &counts);
    let oldest = counts
        .iter()
        .filter(|count| count.effective == State::Removed)
        .filter_map(|count| count.oldest_removal)
        .min();
    let oldest = oldest.map_or(0, |since| clock.now().since(since).as_secs());
    gauge(
        &mut text,
        "barrow_oldest_grace_seconds",
        "Since when the oldest domain, bucket or emptied content that can still be restored is removed.",
        oldest,
    );

    let totals = totals(&metadata.usage().await?);
    head(&mut text, "barrow_objects", "Versions by effective state.", "gauge");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_objects{{state=\"{state}\"}} {}", held.objects));
    }
    head(&mut text, "barrow_bytes", "Bytes of versions by effective state.", "gauge");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_bytes{{state=\"{state}\"}} {}", held.bytes));
    }
    let in_grace = totals.get(&State::Removed).map_or(0, |held| held.bytes);
    gauge(&mut text, "barrow_grace_bytes", "Bytes that are removed and can still be restored.", in_grace);
    let purging = totals.get(&State::Purging).map_or(0, |held| held.objects);
    gauge(
        &mut text,
        "barrow_purge_backlog_objects",
        "Versions past the point of no return whose bytes are not given back yet.",
        purging,
    );

    let halted = metadata.halt().await?.is_some();
    gauge(
        &mut text,
        "barrow_halted",
        "Whether purging stands still until an operator confirms.",
        u8::from(halted),
    );

    // The earliest promise of all: how long it has been past tells how far behind purging is.
    let overdue = metadata.next_due().await?.map_or(0, |due| clock.now().since(due).as_secs());
    gauge(
        &mut text,
        "barrow_grace_overdue_seconds",
        "How long the oldest grace has been over without a purge.",
        overdue,
    );
    if let Some(space) = gateway.blobs.space() {
        gauge(&mut text, "barrow_blobs_free_bytes", "Free bytes of the device under the blobs.", space.free);
    }

    let mut response = Response::new(Body::from(text));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// Domains and buckets by the state of their own row.
fn containers(text: &mut String, counts: &[ContainerCount]) {
    let mut by_own: BTreeMap<(&str, State), u64> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.kind != ContainerKind::Contents) {
        *by_own.entry((count.kind.as_str(), count.own)).or_default() += count.count;
    }
    head(text, "barrow_containers", "Domains and buckets by their own state.", "gauge");
    for ((kind, state), count) in by_own {
        line(text, format_args!("barrow_containers{{kind=\"{kind}\",state=\"{state}\"}} {count}"));
    }
}

/// Domains and buckets together by the worst state of their own and of what is around them. A state without any is there
/// with 0, so that an alarm has something to look at.
fn contexts(text: &mut String, counts: &[ContainerCount]) {
    head(text, "barrow_contexts", "Domains and buckets by effective state.", "gauge");
    for state in [State::Live, State::Removed, State::Purging, State::Purged] {
        let all = counts.iter().filter(|count| count.kind != ContainerKind::Contents);
        let count: u64 = all.filter(|count| count.effective == state).map(|count| count.count).sum();
        line(text, format_args!("barrow_contexts{{state=\"{state}\"}} {count}"));
    }
}

fn counter(text: &mut String, name: &str, help: &str, value: impl Display) {
    head(text, name, help, "counter");
    line(text, format_args!("{name} {value}"));
}

fn gauge(text: &mut String, name: &str, help: &str, value: impl Display) {
    head(text, name, help, "gauge");
    line(text, format_args!("{name} {value}"));
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a String cannot fail");
}
