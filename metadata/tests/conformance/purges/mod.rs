//! Purges in bulk: what is meant goes, exactly that, and nothing that is protected.

mod guards;
mod jobs;
mod races;
mod selectors;
mod stream;

use crate::world::{Answer, Caller, OBJECT_GRACE, World, answer};
use lifecycle::{ContainerId, Filter, VersionId, subject};
use metadata::{
    Accepted, ObjectCommand, PurgeBound, PurgeCount, PurgeJob, PurgeNames, PurgeSelector, PurgeState,
    PurgeVersions,
};
use std::collections::BTreeSet;

/// A purge of everything in the bucket.
pub(crate) fn order(by: &Caller) -> PurgeVersions {
    PurgeVersions {
        domain: by.domain,
        bucket: by.bucket,
        selector: PurgeSelector::everything(),
        is_final: false,
        advance: false,
        grace: OBJECT_GRACE,
        purge_id: None,
        if_change: None,
        door: "test",
        actor: "olga".to_owned(),
        reason: None,
    }
}

pub(crate) fn filter(text: &str) -> PurgeNames {
    PurgeNames::Filter(Filter::parse(text).unwrap())
}

/// As a message stream asks: a filter over subjects, and a bound.
pub(crate) fn selector(filter: &str, bound: impl Into<Option<PurgeBound>>) -> PurgeSelector {
    let filter = if filter.is_empty() { Filter::everything() } else { subject::filter(filter).unwrap() };
    PurgeSelector { names: PurgeNames::Filter(filter), bound: bound.into() }
}

pub(crate) fn before(seq: i64) -> PurgeBound {
    PurgeBound::BeforeSeq(seq)
}

pub(crate) fn keep(keep: u64) -> PurgeBound {
    PurgeBound::Keep(keep)
}

pub(crate) fn listed(names: &[&str]) -> PurgeNames {
    PurgeNames::Listed(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
}

pub(crate) async fn begin(by: &Caller, order: PurgeVersions) -> PurgeJob {
    match answer(by.m.purge_versions(order).await).unwrap() {
        Accepted::Begun(job) => job,
        other => panic!("it has not begun: {other:?}"),
    }
}

/// Purges, and waits for the end.
pub(crate) async fn purge_as(by: &Caller, order: PurgeVersions) -> PurgeJob {
    let mut job = begin(by, order).await;
    while job.state == PurgeState::Running {
        job = step(by, job.id).await.unwrap();
        assert!(!job.waits);
    }
    assert_eq!(by.m.purge_job(job.id).await.unwrap().as_ref(), Some(&job), "and it can be asked for again");
    job
}

pub(crate) async fn step(by: &Caller, id: ContainerId) -> Answer<PurgeJob> {
    answer(by.m.purge_versions_step(id).await)
}

pub(crate) async fn purge(by: &Caller, selector: PurgeSelector) -> PurgeJob {
    let order = PurgeVersions { selector, ..order(by) };
    // What is counted before is what goes.
    let count = by.m.count_purge(&order).await.unwrap();
    let job = purge_as(by, order).await;
    let PurgeCount { purged, bytes, protected, .. } = count;
    assert_eq!((job.purged, job.bytes, job.protected), (purged, bytes, protected));
    job
}

/// Writes versions of these names, in this order.
pub(crate) async fn fill<'a>(by: &Caller, names: impl IntoIterator<Item = &'a str>) -> Vec<VersionId> {
    let commands: Vec<ObjectCommand> = names.into_iter().map(|name| by.put(name).command()).collect();
    let mut versions = Vec::new();
    for command in &commands {
        if let ObjectCommand::Publish(publish) = command {
            versions.push(publish.version);
        }
    }
    // Of commands that are sent together those to one name are carried out one by one, behind the rest.
    let mut chunk: Vec<ObjectCommand> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for command in commands {
        let ObjectCommand::Publish(publish) = &command else { continue };
        let fits = chunk.is_empty()
            || !seen.contains(&publish.name) && seen.len() == chunk.len()
            || seen.len() == 1 && seen.contains(&publish.name);
        if !fits || chunk.len() == 1_000 {
            send(by, std::mem::take(&mut chunk)).await;
            seen.clear();
        }
        seen.insert(publish.name.clone());
        chunk.push(command);
    }
    send(by, chunk).await;
    versions
}

async fn send(by: &Caller, commands: Vec<ObjectCommand>) {
    for outcome in by.m.objects(commands, false).await {
        outcome.unwrap();
    }
}

/// Messages, first and last position, holes and names.
pub(crate) async fn state(by: &Caller) -> (u64, i64, i64, u64, u64) {
    let state = by.m.stream_state(by.bucket).await.unwrap();
    (state.messages, state.positions.first_seq, state.positions.last_seq, state.holes, state.names)
}

/// Messages, first and last position.
pub(crate) async fn msgs(by: &Caller) -> (u64, i64, i64) {
    let (messages, first, last, ..) = state(by).await;
    (messages, first, last)
}

/// The positions of a name's live versions, in their order.
pub(crate) async fn positions(world: &World, name: &str) -> Vec<i64> {
    let contents = world.literal(world.contents().await);
    let query = format!(
        "SELECT CAST(seq AS TEXT) FROM versions WHERE contents_id = {contents} AND name = '{name}' AND state = 'live' ORDER BY versions.seq"
    );
    world.ask(&query).await.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) async fn at(by: &Caller, seq: i64) -> Option<VersionId> {
    by.m.at_position(by.bucket, seq).await.unwrap().map(|found| found.version)
}

/// Deletes the version at a position for good.
pub(crate) async fn delete_at(by: &Caller, seq: i64) {
    let found = by.m.at_position(by.bucket, seq).await.unwrap().unwrap();
    by.delete(&found.name).version(found.version).await.unwrap();
}
