//! A model of remove, barrier and purge, in which every order of events is tried.
//!
//! Two members share a database with one bucket in it and one object in that. Of each process the model knows what only it
//! knows: its lease by its own clock, the steps of its heartbeat, what it has looked up, pinned and begun to commit. The
//! predicate is `lifecycle::barrier::waits_for` and the law is `lifecycle::step`: the model calls both and restates neither.
//!
//! What one SQL transaction does is one step, because the rows it locks make it one; what a process does between two locks of
//! its own is one step, too. A process that is paused, slow or cut off is one whose steps do not come.
//!
//! | room | what it holds |
//! | --- | --- |
//! | `bounds` | how often each thing happens, and the rules |
//! | `database`, `process`, `world` | what is true, what a process believes, and both with what was promised to whom |
//! | `deeds`, `beating`, `flowing`, `reclaiming` | what can happen: to everybody, in a heartbeat, to bodies, to bytes |
//! | `action`, `model` | the same for the checker |
//! | `properties` | the promises, and what has to be met so that keeping them means something |
//!
//! Not in it: inline bytes and answers without a body, which end with their lookup; transactions that are open while their
//! process stands still, which the database ends; clocks that jump.

mod action;
mod beating;
mod bounds;
mod database;
mod deeds;
mod flowing;
mod model;
mod process;
mod properties;
mod reclaiming;
mod world;

use bounds::{Bounds, Rules};
use model::Barrier;
use properties::{LOST, SILENT, UNREAD};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// Members lapse, are fenced, die and come back.
const MEMBERS: Bounds = Bounds { ticks: 3, removals: 1, by_hand: 1, kills: 1, runs: [2, 2], ..Bounds::STILL };
/// A download while its bucket is removed and purged.
const DOWNLOAD: Bounds =
    Bounds { ticks: 3, removals: 1, reads: 1, by_hand: 1, runs: [2, 1], ..Bounds::STILL };
/// An upload while its bucket is removed, restored or purged.
const UPLOAD: Bounds =
    Bounds { ticks: 3, removals: 1, restores: 1, writes: 1, pauses: 1, runs: [2, 1], ..Bounds::STILL };
/// Both, while the bucket is removed twice.
const AGAIN: Bounds = Bounds { removals: 2, restores: 1, reads: 1, writes: 1, ..Bounds::STILL };
/// A download while its object is deleted and destroyed.
const DELETION: Bounds = Bounds { ticks: 3, reads: 1, deletes: 1, asks: 1, runs: [2, 1], ..Bounds::STILL };
/// A download while its bucket is purged to the end.
const DESTRUCTION: Bounds = Bounds { ticks: 3, removals: 1, restores: 1, reads: 1, asks: 1, ..Bounds::STILL };
/// A download, and a heartbeat that is given up and arrives late.
const STRAY: Bounds = Bounds { ticks: 3, removals: 1, reads: 1, strays: 1, ..Bounds::STILL };

/// Every promise is kept in every state there is, and everything that `meets` names is met.
fn holds(bounds: Bounds, meets: fn() -> Vec<Property<Barrier>>) {
    let checker =
        Barrier { bounds, rules: Rules::ALL, meets }.checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    eprintln!("{} states, {} steps deep", checker.unique_state_count(), checker.max_depth());
    checker.assert_properties();
}

/// Without the rule, `promise` is broken; with it, nothing else changed, it is one of those that [`holds`] has seen kept.
fn breaks(promise: &'static str, bounds: Bounds, rules: Rules) {
    let checker = Barrier { bounds, rules, meets: Vec::new }.checker();
    let checker = checker.finish_when(HasDiscoveries::AnyOf([promise].into())).spawn_bfs().join();
    let path = checker.assert_any_discovery(promise);
    eprintln!("{promise}: broken by {:?}", path.into_actions());
}

#[test]
fn promises_are_kept_while_members_come_and_go() {
    holds(MEMBERS, properties::waiting);
}

#[test]
fn promises_are_kept_during_a_download() {
    holds(DOWNLOAD, properties::downloads);
}

#[test]
fn promises_are_kept_during_an_upload() {
    holds(UPLOAD, properties::uploads);
}

#[test]
fn promises_are_kept_when_a_bucket_is_removed_again() {
    holds(AGAIN, properties::again);
}

#[test]
fn promises_are_kept_while_an_object_is_destroyed() {
    holds(DELETION, properties::destruction);
}

#[test]
fn promises_are_kept_while_a_bucket_is_destroyed() {
    holds(DESTRUCTION, properties::to_the_end);
}

#[test]
fn promises_are_kept_though_heartbeats_arrive_late() {
    holds(STRAY, Vec::new);
}

#[test]
fn a_commit_that_is_not_fenced_is_found() {
    breaks(LOST, UPLOAD, Rules { commits_are_fenced: false, ..Rules::ALL });
}

#[test]
fn a_barrier_that_ignores_holdouts_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { holdouts_count: false, ..Rules::ALL });
}

#[test]
fn fencing_before_a_lease_is_over_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { leases_count: false, ..Rules::ALL });
}

#[test]
fn a_reader_that_does_not_look_again_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { looks_again: false, ..Rules::ALL });
    breaks(UNREAD, DELETION, Rules { looks_again: false, ..Rules::ALL });
}

#[test]
fn a_heartbeat_that_looks_for_pins_before_the_moment_has_passed_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { moment_before_leaving: false, ..Rules::ALL });
}

#[test]
fn a_fenced_process_that_cuts_before_the_moment_has_passed_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { moment_before_cutting: false, ..Rules::ALL });
}

#[test]
fn a_late_heartbeat_that_shortens_a_lease_is_found() {
    breaks(SILENT, STRAY, Rules { leases_only_grow: false, ..Rules::ALL });
}

#[test]
fn an_operator_who_reads_in_a_removed_bucket_and_tells_nobody_is_found() {
    breaks(SILENT, DOWNLOAD, Rules { only_live_is_read: false, ..Rules::ALL });
}
