//! Everything that is counted, in the text form that Prometheus reads: this process's counters, and the installation's
//! gauges. No bucket is a label: there may be millions. No query here walks versions.

use super::usage::totals;
use crate::Gateway;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described};
use crate::admin::request::{Answered, Asked};
use crate::http::Body;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use lifecycle::quota::Amount;
use lifecycle::{ContainerId, Standing, State, Time};
use metadata::{AccountUsage, ContainerCount, ContainerKind, QuotaStanding, TaskRow, UsageRow};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(in crate::admin) const METRICS: Described =
    Described::answers(&[Answer::text("Prometheus reads it.", TEXT)]);

pub(in crate::admin) async fn metrics(asked: &Asked<'_>) -> Answered {
    asked.only(&[])?;
    let gateway = asked.gateway;
    let counters = gateway.background.as_ref().map(|background| background.counters()).unwrap_or_default();
    let mut text = gateway.metrics.render_with(&counters.violations);

    head(&mut text, "barrow_build_info", "The version of this process.", "gauge");
    line(&mut text, format_args!("barrow_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")));
    counter(
        &mut text,
        "barrow_purge_objects_total",
        "Versions that this process purged for good.",
        counters.purged_objects,
    );
    counter(&mut text, "barrow_purge_bytes_total", "The bytes they had.", counters.purged_bytes);
    counter(
        &mut text,
        "barrow_claims_lapsed_total",
        "Claims that had lapsed or been given up, and were taken over by this process.",
        counters.lapsed_claims,
    );
    counter(
        &mut text,
        "barrow_audit_dropped_total",
        "Audit records that were lost; must stay 0.",
        gateway.audit.dropped(),
    );

    membership(&mut text, gateway);
    // What this process counts is told even while the database is away: then above all.
    let told = installation(asked).await;
    gauge(
        &mut text,
        "barrow_database_up",
        "Whether the database answered this scrape; if not, everything that it knows is left out.",
        u8::from(told.is_ok()),
    );
    match told {
        Ok(installation) => text.push_str(&installation),
        Err(complaint) => tracing::warn!(?complaint, "a scrape got no answer of the database"),
    }

    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    Ok(response)
}

/// What the database knows of the whole installation.
async fn installation(asked: &Asked<'_>) -> Result<String, Complaint> {
    let gateway = asked.gateway;
    let (metadata, clock) = (&gateway.metadata, &gateway.clock);
    let mut text = String::new();
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

    let usage = metadata.usage().await?;
    let totals = totals(&usage);
    head(&mut text, "barrow_objects", "Versions by effective state.", "gauge");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_objects{{state=\"{state}\"}} {}", held.objects));
    }
    head(&mut text, "barrow_bytes", "Bytes of versions by effective state.", "gauge");
    for (state, held) in &totals {
        line(&mut text, format_args!("barrow_bytes{{state=\"{state}\"}} {}", held.bytes));
    }
    quotas(&mut text, &usage, &metadata.account_usage().await?);
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
    let lag = metadata.oldest_overdue(clock.now()).await?.map_or(0, |due| clock.now().since(due).as_secs());
    gauge(
        &mut text,
        "barrow_purge_lag_seconds",
        "How long the oldest thing waits whose purge nothing but the health processor keeps.",
        lag,
    );
    if let Some(space) = gateway.blobs.space() {
        gauge(&mut text, "barrow_blobs_free_bytes", "Free bytes of the device under the blobs.", space.free);
        gauge(&mut text, "barrow_blobs_total_bytes", "All bytes of that device.", space.total);
    }
    tasks(&mut text, &metadata.tasks().await?);

    members(&mut text, &metadata.members().await?);
    Ok(text)
}

/// How many quotas leave no room: writes are refused there.
fn quotas(text: &mut String, usage: &[UsageRow], accounts: &[AccountUsage]) {
    let mut buckets: BTreeMap<ContainerId, QuotaStanding> = BTreeMap::new();
    for row in usage.iter().filter(|row| row.quota.is_some()) {
        let standing = buckets.entry(row.bucket_id).or_default();
        standing.quota = row.quota;
        let amount = Amount { objects: row.objects, bytes: row.bytes };
        match row.state {
            State::Live => standing.held.live += amount,
            State::Removed => standing.held.removed += amount,
            State::Staged | State::Purging | State::Purged | State::Forgotten => {}
        }
    }
    let full = |standing: &QuotaStanding| standing.quota.is_some_and(|quota| quota.is_full(standing.used()));
    let buckets = buckets.values().filter(|standing| full(standing)).count();
    let accounts = accounts.iter().filter(|account| full(&account.standing)).count();
    head(text, "barrow_quotas_full", "Quotas that leave no room for more, by what they are of.", "gauge");
    line(text, format_args!("barrow_quotas_full{{of=\"account\"}} {accounts}"));
    line(text, format_args!("barrow_quotas_full{{of=\"bucket\"}} {buckets}"));
}

/// This process among the others, by its own knowledge.
fn membership(text: &mut String, gateway: &Gateway) {
    let gauges = gateway.metadata.member_gauges();
    gauge(
        text,
        "barrow_lease_age_seconds",
        "Since this member's last accepted heartbeat; 0 where leases do not end.",
        gauges.lease_age.as_secs_f64(),
    );
    gauge(
        text,
        "barrow_lease_seconds",
        "How long one heartbeat lets a member serve; 0 where leases do not end.",
        gauges.lease.as_secs_f64(),
    );
    gauge(
        text,
        "barrow_serving",
        "Whether this member may answer.",
        u8::from(gateway.metadata.serving().is_ok()),
    );
    gauge(text, "barrow_epoch", "The last epoch that this member has read.", gauges.epoch);
    counter(
        text,
        "barrow_member_fenced_total",
        "How often this member was fenced and registered anew.",
        gauges.fenced,
    );
    gauge(text, "barrow_barrier_waiters", "Purges of containers that wait for members now.", gauges.waiters);
    counter(
        text,
        "barrow_barrier_unsatisfied_total",
        "Purges of containers for which members did not let go in time.",
        gauges.unsatisfied,
    );
    gauge(text, "barrow_transfers", "Downloads and uploads of stored objects under way.", gauges.pins);
}

/// All members, by what they are to each other, and what keeps them busy where they should let go.
fn members(text: &mut String, found: &metadata::Members) {
    head(
        text,
        "barrow_members",
        "Processes that share the database, those that ended within a day included.",
        "gauge",
    );
    for standing in Standing::ALL {
        let count = found.members.iter().filter(|member| member.standing == standing).count();
        line(text, format_args!("barrow_members{{state=\"{}\"}} {count}", standing.as_str()));
    }
    let active = found.members.iter().filter(|member| member.standing == Standing::Active);
    let holdouts: u64 = active.flat_map(|member| &member.holdouts).map(|holdout| holdout.count).sum();
    gauge(
        text,
        "barrow_holdouts",
        "Downloads and uploads that go on in containers that were removed.",
        holdouts,
    );
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

/// The tasks of the installation, whichever process ran them last, as they wrote it down.
fn tasks(text: &mut String, rows: &[TaskRow]) {
    let moment = |at: Option<Time>| at.map_or(0, |at| at.micros() / 1_000_000);
    head(text, "barrow_task_last_run_timestamp_seconds", "When a task last came to an end.", "gauge");
    for TaskRow { name, finished_at, .. } in rows {
        let at = moment(*finished_at);
        line(text, format_args!("barrow_task_last_run_timestamp_seconds{{task=\"{name}\"}} {at}"));
    }
    head(
        text,
        "barrow_task_next_run_timestamp_seconds",
        "When a task runs next, unless something wakes it earlier.",
        "gauge",
    );
    for TaskRow { name, next_at, .. } in rows {
        let at = moment(*next_at);
        line(text, format_args!("barrow_task_next_run_timestamp_seconds{{task=\"{name}\"}} {at}"));
    }
    head(text, "barrow_task_failed", "Whether a task's last run was broken off.", "gauge");
    for TaskRow { name, report, .. } in rows {
        let failed = report.as_ref().is_some_and(|report| !report["failed"].is_null());
        line(text, format_args!("barrow_task_failed{{task=\"{name}\"}} {}", u8::from(failed)));
    }
    findings(text, rows.iter().find(|row| row.name == "reconcile").and_then(|row| row.report.as_ref()));
}

/// What the last comparison of rows and bytes found, by kind: everything in its report that has a count.
fn findings(text: &mut String, report: Option<&Value>) {
    head(
        text,
        "barrow_reconcile_findings",
        "What the last run of task reconcile found, by kind; missing and violations must be 0.",
        "gauge",
    );
    for (kind, found) in report.and_then(Value::as_object).into_iter().flatten() {
        if let Some(count) = found["count"].as_u64() {
            line(text, format_args!("barrow_reconcile_findings{{kind=\"{kind}\"}} {count}"));
        }
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
