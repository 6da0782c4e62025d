//! The answer: its fields, and the same in one paragraph.

use super::blocks::{Backlog, Block, Facts, Guarded, Space, Standstill, Waited, blocks, space};
use super::place::{Level, Place};
use crate::admin::error::Complaint;
use crate::admin::openapi::written;
use crate::admin::request::Asked;
use crate::admin::view::time;
use lifecycle::barrier::{Wait, waits_for};
use lifecycle::grace::container_due;
use lifecycle::{ContainerId, Guard, State, Time};
use metadata::{Container, ContainerKind, Inside, Life, Members, Version};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// Versions that are due are counted up to so many.
const DUE_MAX: u32 = 1_000_000;

/// What is told of anything.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Why")]
pub(super) struct Told {
    /// All of it in a paragraph.
    pub(super) answer: String,
    /// Since when it has been what it is.
    #[schemars(with = "Option<written::Moment>")]
    since: Option<String>,
    /// Who made it so, through which door, and why in his words.
    by: Option<String>,
    door: Option<String>,
    reason: Option<String>,
    /// Whether it comes back by itself, with nothing around it to be restored first.
    restorable: bool,
    #[schemars(with = "Option<written::Moment>")]
    restorable_until: Option<String>,
    /// What brings it back, or what has to come back first.
    restore: Option<String>,
    /// What its purge waits for.
    blocks: Vec<Block>,
    space: Space,
    domain: Option<String>,
    #[schemars(with = "Option<written::Uuid>")]
    domain_id: Option<ContainerId>,
    bucket: Option<String>,
    #[schemars(with = "Option<written::Uuid>")]
    bucket_id: Option<ContainerId>,
}

/// What holds for everything in the installation.
pub(super) struct Installation {
    now: Time,
    standstill: Option<Standstill>,
    drain: Duration,
    backlog: Backlog,
    next_run: Option<Time>,
    members: Members,
    margin: Duration,
}

impl Installation {
    pub(super) async fn look(asked: &Asked<'_>) -> Result<Self, Complaint> {
        let metadata = &asked.gateway.metadata;
        // What this member itself has let go of is told now, and not with its next heartbeat.
        metadata.beat_now().await?;
        let now = asked.gateway.clock.now();
        let standstill = metadata.halt().await?.map(|halt| Standstill {
            since: halt.at,
            by_brake: halt.is_brake(),
            reason: halt.reason,
        });
        let mut objects = 0;
        for waiting in metadata.contents_due(State::Removed, now).await? {
            let left = u32::try_from(u64::from(DUE_MAX).saturating_sub(objects)).unwrap_or(0);
            if waiting.above == State::Live && left > 0 {
                objects += metadata.count_due(waiting.contents, now, left).await?.0;
            }
        }
        let counted = |objects: i64| u64::try_from(objects).unwrap_or(0);
        for waiting in metadata.contents_with(State::Purging).await? {
            objects += counted(waiting.objects);
        }
        for waiting in metadata.contents_to_cascade().await? {
            objects += counted(waiting.objects);
        }
        let reclaim = metadata.tasks().await?.into_iter().find(|task| task.name == "reclaim");
        let rate = reclaim.as_ref().and_then(|task| {
            let purged = task.report.as_ref()?["purged"].as_u64().filter(|purged| *purged > 0)?;
            let took = task.finished_at?.since(task.started_at?);
            (!took.is_zero()).then(|| purged as f64 / took.as_secs_f64())
        });
        Ok(Installation {
            now,
            standstill,
            drain: asked.gateway.settings.drain_timeout,
            backlog: Backlog { objects, rate },
            next_run: reclaim.and_then(|task| task.next_at),
            members: metadata.members().await?,
            margin: metadata.member_margin(),
        })
    }

    /// The members that a purge of this container would wait for.
    fn waited(&self, container: &Container) -> Vec<Waited> {
        let Some(epoch) = container.removed_epoch.filter(|_| container.state == State::Removed) else {
            return Vec::new();
        };
        let Members { members, now, .. } = &self.members;
        let waited = members.iter().filter_map(|member| {
            let wait = waits_for(member, container.id, epoch, *now, self.margin)?;
            let lease = member.lease_until.plus(self.margin).since(*now);
            let (silent, left) = match wait {
                Wait::NotDrained => (false, lease.min(self.drain)),
                Wait::Holds(_) => (false, self.drain),
                Wait::LeaseRuns | Wait::Lapsed => (true, lease),
            };
            let (node, why) = (member.node.clone(), wait.to_string());
            Some(Waited { node, why, silent, until: self.now.plus(left) })
        });
        waited.collect()
    }

    fn facts(&self, place: &Place, of: Option<ContainerId>) -> Facts {
        Facts {
            now: self.now,
            state: State::Live,
            removed_at: None,
            purge_after: None,
            purged_at: None,
            guard: Guard::NONE,
            inside: Guarded::default(),
            around: place.around(of).into_iter().map(Level::blocks).collect(),
            standstill: self.standstill.clone(),
            waited: Vec::new(),
            drain: self.drain,
            backlog: self.backlog,
            next_run: self.next_run,
        }
    }
}

/// What a version is among those of its name.
pub(super) fn role(life: &Life, now: Time) -> &'static str {
    let version = &life.version;
    match version.state {
        State::Staged => "staged",
        State::Live if version.is_current && version.expires_at.is_some_and(|at| at <= now) => "expired",
        State::Live if version.is_current => "current",
        State::Live if life.erased => "erased",
        State::Live if version.marker => "marker",
        State::Live => "covered",
        State::Removed => "removed",
        State::Purging => "purging",
        State::Purged | State::Forgotten => "tombstone",
    }
}

impl Told {
    /// `hides`: it is the delete marker that hides its object.
    pub(super) fn version(
        version: &Version,
        hides: bool,
        place: &Place,
        installation: &Installation,
    ) -> Told {
        let facts = Facts {
            state: version.state,
            removed_at: version.removed_at,
            purge_after: version.purge_after,
            purged_at: version.purged_at,
            guard: version.guard,
            ..installation.facts(place, None)
        };
        let own = of_version(version, hides, place, installation.now);
        let restore = (version.state == State::Removed).then(|| restore_version(version, place));
        let removed = (version.removed_at, version.actor.clone());
        let since = version.removed_at.or(Some(version.created_at));
        Told::new(own, since, removed, restore, None, place, &facts)
    }

    pub(super) fn container(
        container: &Container,
        inside: Inside,
        place: &Place,
        installation: &Installation,
    ) -> Told {
        let due = container.purge_after.map(|own| container_due(own, inside.latest));
        let facts = Facts {
            state: container.state,
            // Reads in it end when it does; what drains is each version inside.
            removed_at: container.removed_at,
            purge_after: due,
            purged_at: None,
            waited: installation.waited(container),
            inside: Guarded { count: inside.guarded, held: inside.held, until: inside.guarded_until },
            ..installation.facts(place, Some(container.id))
        };
        let level = if container.kind == ContainerKind::Domain { &place.domain } else { &place.bucket };
        let own = of_container(container, level.as_ref());
        let restore =
            (container.state == State::Removed).then(|| restore_container(place, level.as_ref())).flatten();
        let removed = (container.removed_at, container.actor.clone());
        let since = container.removed_at.or(Some(container.created_at));
        Told::new(own, since, removed, restore, level.as_ref(), place, &facts)
    }

    fn new(
        own: String,
        since: Option<Time>,
        (removed_at, actor): (Option<Time>, Option<String>),
        restore: Option<String>,
        level: Option<&Level>,
        place: &Place,
        facts: &Facts,
    ) -> Told {
        let blocks = blocks(facts);
        let space = space(facts, &blocks);
        let around = place.around(level.map(|level| level.id));
        let above = around.iter().fold(State::Live, |state, level| level.state.under(state));
        // What nobody removed went with the innermost container that somebody did.
        let went_with = around.first().filter(|_| facts.state == State::Live).copied();
        let removal = level.or(went_with).and_then(|level| level.removal.as_ref());
        let since = went_with.map_or(since, |level| level.removed_at);
        let by = removed_at.and(actor).or_else(|| removal.map(|removal| removal.actor.clone()));
        let restorable = facts.state == State::Removed && above == State::Live;
        // From the outside in.
        let first = around
            .last()
            .filter(|_| above == State::Removed)
            .and_then(|level| restore_container(place, Some(level)));
        let until = facts.purge_after.filter(|_| facts.state == State::Removed);
        let until = around.iter().filter_map(|level| level.purge_after).chain(until).min();
        let until = until.filter(|_| facts.effective() == State::Removed);
        let restore = first.or(restore).filter(|_| facts.effective() == State::Removed);

        let mut answer = own;
        match above {
            State::Removed => answer.push_str(" Its bucket or domain is removed: restore that first"),
            State::Purging | State::Purged if facts.state < State::Purging => {
                answer.push_str(" Its bucket or domain is being purged: it cannot come back.");
            }
            State::Staged | State::Live | State::Purging | State::Purged | State::Forgotten => {}
        }
        match (&restore, above) {
            (Some(restore), State::Removed) => answer.push_str(&format!(", with: {restore}.")),
            (None, State::Removed) => answer.push('.'),
            (Some(restore), _) => answer.push_str(&format!(" Restore it with: {restore}.")),
            (None, _) => {}
        }
        if !blocks.is_empty() {
            let details: Vec<&str> = blocks.iter().map(|block| block.detail.as_str()).collect();
            let blocked = if facts.effective() == State::Live {
                "What would keep it from being removed"
            } else {
                "Its purge waits"
            };
            answer.push_str(&format!(" {blocked}: {}.", details.join("; ")));
        }
        match (facts.effective(), space.expected_at) {
            (State::Removed | State::Purging, Some(at)) => {
                answer.push_str(&format!(" Its space is expected back at {}: {}.", time(at), space.reason));
            }
            (State::Removed | State::Purging, None) => {
                answer.push_str(" Nobody can say when its space comes back while that is so.");
            }
            (State::Staged | State::Live | State::Purged | State::Forgotten, _) => {}
        }
        let bucket = place.bucket.as_ref();
        let domain = place.domain.as_ref();
        Told {
            answer,
            since: since.map(time),
            by,
            door: removal.map(|removal| removal.door.clone()),
            reason: removal.and_then(|removal| removal.reason.clone()),
            restorable,
            restorable_until: until.map(time),
            restore,
            blocks,
            space,
            domain: domain.map(|domain| domain.name.clone()),
            domain_id: domain.map(|domain| domain.id),
            bucket: bucket.map(|bucket| bucket.name.clone()),
            bucket_id: bucket.map(|bucket| bucket.id),
        }
    }
}

fn of_version(version: &Version, hides: bool, place: &Place, now: Time) -> String {
    let at = |at: Option<Time>| at.map_or_else(|| "an unknown time".to_owned(), time);
    let by = || {
        let actor = version.actor.as_deref().unwrap_or("somebody unknown");
        let cause = version.cause.map_or("no recorded cause", |cause| cause.as_str());
        format!("by {actor} ({cause})")
    };
    match version.state {
        State::Staged => "It is still being uploaded, or its upload was given up.".to_owned(),
        State::Live if hides => format!(
            "It was deleted at {}: delete marker {} hides it, and deleting that version shows what is behind it again.",
            time(version.created_at),
            version.id
        ),
        State::Live if version.expires_at.is_some_and(|at| at <= now) => format!(
            "It expired at {}{} and is absent for every reader; task expire has not removed it yet.",
            at(version.expires_at),
            version
                .expiry_rule
                .as_deref()
                .map_or(String::new(), |rule| format!(" by lifecycle rule {rule:?}"))
        ),
        State::Live if place.above() == State::Live && version.is_current => {
            format!("It is live and current.{}", goes(version))
        }
        State::Live if version.is_current => "It is live by itself.".to_owned(),
        State::Live if version.marker => format!("It is a delete marker.{}", goes(version)),
        State::Live => format!(
            "It is live by itself, and not current: a newer version or a delete marker stands before it.{}",
            goes(version)
        ),
        State::Removed => {
            format!(
                "It was removed at {} {}; kept until {}.",
                at(version.removed_at),
                by(),
                at(version.purge_after)
            )
        }
        State::Purging => {
            format!("It was removed at {} {}; its bytes are being destroyed.", at(version.removed_at), by())
        }
        State::Purged | State::Forgotten => format!(
            "It was removed at {} {} and purged at {}; remembered until {}.",
            at(version.removed_at),
            by(),
            at(version.purged_at),
            at(version.forget_after)
        ),
    }
}

/// When it goes by itself, and by what.
fn goes(version: &Version) -> String {
    match (version.expires_at, version.expiry_rule.as_deref()) {
        (None, _) => String::new(),
        (Some(at), None) => format!(" Its lifepoint ends it at {}.", time(at)),
        (Some(at), Some(rule)) => format!(" Lifecycle rule {rule:?} lets it go at {}.", time(at)),
    }
}

fn of_container(container: &Container, level: Option<&Level>) -> String {
    let Container { kind, name, state, .. } = container;
    let what = format!("{} {name}", kind.as_str());
    let at = |at: Option<Time>| at.map_or_else(|| "an unknown time".to_owned(), time);
    let how = || {
        let actor = container.actor.as_deref().unwrap_or("somebody unknown");
        let cause = container.cause.map_or("no recorded cause", |cause| cause.as_str());
        let removal = level.and_then(|level| level.removal.as_ref());
        let door = removal.map_or(String::new(), |removal| format!(" through the {} door", removal.door));
        let why = removal.and_then(|removal| removal.reason.as_deref());
        let why = why.map_or(String::new(), |reason| format!(": {reason:?}"));
        let held = removal.map_or(String::new(), |removal| {
            format!(", with {} objects of {} bytes", removal.objects, removal.bytes)
        });
        format!("at {} by {actor} ({cause}){door}{why}{held}", at(container.removed_at))
    };
    match state {
        State::Staged | State::Live => format!("The {what} is live by itself."),
        State::Removed => {
            format!("The {what} was removed {}; kept until {}.", how(), at(container.purge_after))
        }
        State::Purging => format!("The {what} was removed {}; what it holds is being destroyed.", how()),
        State::Purged | State::Forgotten => {
            format!(
                "The {what} was removed {}, and is purged; remembered until {}.",
                how(),
                at(container.forget_after)
            )
        }
    }
}

fn restore_version(version: &Version, place: &Place) -> String {
    let id = version.id;
    match (&place.domain, &place.bucket) {
        (Some(domain), Some(bucket)) => {
            format!("barrow trash restore {}/{} --version {id}", word(&domain.name), word(&bucket.name))
        }
        (Some(domain), None) => {
            format!("POST /v1/domains/{}/objects/restore {{\"versions\":[\"{id}\"]}}", domain.name)
        }
        (None, _) => format!("barrow why {id}"),
    }
}

fn restore_container(place: &Place, level: Option<&Level>) -> Option<String> {
    let level = level?;
    let domain = place.domain.as_ref()?;
    Some(match level.kind {
        ContainerKind::Domain => format!("barrow domain restore {}", level.id),
        ContainerKind::Bucket => format!("barrow bucket restore {}/{}", word(&domain.name), level.id),
        ContainerKind::Contents => {
            let bucket = place.bucket.as_ref()?;
            format!(
                "barrow trash restore {}/{} --contents {}",
                word(&domain.name),
                word(&bucket.name),
                level.id
            )
        }
    })
}

/// A word on a command line.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
