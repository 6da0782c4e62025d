//! One transaction for whatever queued while the last one ran.
//!
//! The order of statements is what makes it right. First the domains, shared: none of them can be removed until we are
//! done. Then, bucket by bucket, the statement that takes the bucket's row, hands out positions and finds it live. Only
//! *later* statements read what is current and what guards it: read together with the lock, two writers with
//! `If-None-Match: *` would both find nothing and both win.

use super::command::{Numbers, ObjectCommand, Outcome, Restore, RestoreWhat, Stage, Which};
use super::decide::{self, BucketFacts, Effects, Slot};
use super::effects::{self, Usage};
use super::facts;
use super::import;
use super::plan;
use super::quota::{Limits, Room};
use super::surplus::{Grown, trim};
use super::told;
use super::touch::{Touched, touch_bucket};
use crate::bulk;
use crate::notices::Notices;
use crate::sql::{Conn, DbError, args};
use lifecycle::{Cause, ContainerId, Refusal, Time, VersionId, Versioning};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

type Answers = Vec<Result<Outcome, Refusal>>;

/// Carries out `commands` inside the transaction that `conn` is in. Answers stand in the order of the commands.
pub(crate) async fn run(conn: &mut Conn, commands: &[&ObjectCommand], now: Time) -> Result<Answers, DbError> {
    let mut answers: Vec<Option<Result<Outcome, Refusal>>> = vec![None; commands.len()];
    let mut usage = Usage::default();

    let open = lock_buckets(conn, commands).await?;
    let limited = open.iter().filter(|(_, open)| open.limits.are_any());
    let limited = limited.map(|(id, open)| (*id, open.limits.clone())).collect();
    let mut room = Room::read(conn, limited).await?;
    let names = read_names(conn, commands).await?;
    stage(conn, commands, now, &mut usage, &mut answers).await?;
    let mut waiting: Vec<usize> = (0..commands.len()).filter(|&at| answers[at].is_none()).collect();
    let mut next: HashMap<ContainerId, Next> = open.iter().map(|(id, open)| (*id, open.first)).collect();
    while !waiting.is_empty() {
        let (round, later) = split_round(commands, &waiting, &names);
        run_round(conn, commands, &round, &open, &mut next, &mut room, now, &mut usage, &mut answers).await?;
        waiting = later;
    }
    give_back(conn, &open, &next).await?;
    usage.apply(conn).await?;
    roll_up(conn, commands, now, &mut answers).await?;
    Ok(answers.into_iter().map(|answer| answer.unwrap_or(Err(Refusal::Conflict))).collect())
}

/// What some of them purge by arriving. Their positions are given by now, and nothing is counted twice.
async fn roll_up(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    now: Time,
    answers: &mut [Option<Result<Outcome, Refusal>>],
) -> Result<(), DbError> {
    for (command, answer) in commands.iter().zip(answers) {
        if let ObjectCommand::Publish(publish) = command
            && let Some(rolls_up) = publish.rolls_up
            && let Some(Ok(Outcome::Published(published))) = answer
        {
            published.rolled_up = Some(bulk::roll_up(conn, now, publish, rolls_up, published.seq).await?);
        }
    }
    Ok(())
}

/// A bucket that was found live and is locked until the transaction ends.
pub(super) struct Open {
    pub(super) bucket: BucketFacts,
    /// The first numbers that it gave.
    first: Next,
    /// The last ones.
    last: Next,
    /// Somebody wants to hear of what happens in it.
    notify: bool,
    /// How much it may hold.
    limits: Limits,
}

/// Position and change that the next command takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Next {
    seq: i64,
    change: i64,
}

/// Locks what the commands need, in the order that every transaction keeps: domains, then buckets by id, then contents.
async fn lock_buckets(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
) -> Result<BTreeMap<ContainerId, Open>, DbError> {
    let mut wanted: BTreeMap<(ContainerId, ContainerId), Numbers> = BTreeMap::new();
    for command in commands {
        if let Some(place) = command.place() {
            *wanted.entry(place).or_default() += command.numbers();
        }
    }
    let domains: BTreeSet<ContainerId> = wanted.keys().map(|(domain, _)| *domain).collect();
    let live = lock_domains(conn, &domains).await?;
    let mut buckets: Vec<(ContainerId, ContainerId, Numbers)> =
        wanted.into_iter().map(|((domain, bucket), numbers)| (bucket, domain, numbers)).collect();
    buckets.sort_unstable_by_key(|(bucket, domain, _)| (*bucket, *domain));

    let mut open = BTreeMap::new();
    for (bucket, domain, numbers) in buckets.into_iter().filter(|(_, domain, _)| live.contains(domain)) {
        if let Some(touched) = touch_bucket(conn, bucket, domain, numbers).await? {
            let last = Next { seq: touched.last_seq, change: touched.change_seq };
            let first = Next {
                seq: last.seq - numbers.positions_in(touched.facts.versioning) + 1,
                change: last.change - numbers.changes + 1,
            };
            let Touched { facts, notify, limits, .. } = touched;
            open.insert(bucket, Open { bucket: facts, first, last, notify, limits });
        }
    }
    Ok(open)
}

/// Numbers that nobody took after all, because a command was refused or hid nothing, stand at the end of what was handed
/// out, and go back: so positions count what arrived, without holes. The bucket is locked, so nobody has seen them.
async fn give_back(
    conn: &mut Conn,
    open: &BTreeMap<ContainerId, Open>,
    next: &HashMap<ContainerId, Next>,
) -> Result<(), DbError> {
    for (bucket, open) in open {
        let Some(next) = next.get(bucket) else { continue };
        let (seqs, changes) = (open.last.seq + 1 - next.seq, open.last.change + 1 - next.change);
        if (seqs, changes) != (0, 0) {
            conn.execute(
                "UPDATE buckets SET last_seq = last_seq - $2, change_seq = change_seq - $3 WHERE id = $1",
                args![*bucket, seqs, changes],
            )
            .await?;
        }
    }
    Ok(())
}

/// Finds which of `domains` are live, and keeps them so until the transaction ends.
pub(crate) async fn lock_domains(
    conn: &mut Conn,
    domains: &BTreeSet<ContainerId>,
) -> Result<HashSet<ContainerId>, DbError> {
    let text = match conn.engine().share() {
        "" => {
            "SELECT id FROM domains WHERE id IN (SELECT column1 FROM (VALUES {rows}) AS wanted) AND state = 'live' ORDER BY id"
        }
        _ => {
            "SELECT id FROM domains WHERE id IN (SELECT column1 FROM (VALUES {rows}) AS wanted) AND state = 'live' ORDER BY id FOR SHARE"
        }
    };
    let rows = domains.iter().map(|id| args![*id]).collect();
    let mut live = HashSet::new();
    for mut row in conn.fetch_rows(text, &[], rows).await? {
        live.insert(row.need_id(ContainerId::from_bytes)?);
    }
    Ok(live)
}

/// Puts staged rows down. In contents that are purging or purged nobody would look for them any more, so there they
/// are refused; the row of the contents stays locked, or they could be closed before this transaction ends.
async fn stage(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    now: Time,
    usage: &mut Usage,
    answers: &mut [Option<Result<Outcome, Refusal>>],
) -> Result<(), DbError> {
    let asked = commands.iter().zip(answers).filter_map(|(command, answer)| match command {
        ObjectCommand::Stage(stage) => Some((stage, answer)),
        ObjectCommand::Publish(_) | ObjectCommand::Delete(_) | ObjectCommand::Restore(_) => None,
    });
    let asked: Vec<(&Stage, &mut Option<Result<Outcome, Refusal>>)> = asked.collect();
    let wanted: BTreeSet<ContainerId> = asked.iter().map(|(stage, _)| stage.contents).collect();
    let open = lock_contents(conn, &wanted).await?;
    let mut stages = Vec::with_capacity(asked.len());
    for (stage, answer) in asked {
        if open.contains(&stage.contents) {
            *answer = Some(Ok(Outcome::Staged));
            stages.push(stage);
        } else {
            *answer = Some(Err(Refusal::ContainerGone));
        }
    }
    effects::stage(conn, &stages, now, usage).await
}

/// Finds which of `contents` have not begun to be purged, under a bucket and a domain that are live, and keeps them so until
/// the transaction ends. Those above are read and not locked: whoever stages was pinned before this, so a removal that
/// commits after it finds the pin (`members::pins`).
pub(crate) async fn lock_contents(
    conn: &mut Conn,
    contents: &BTreeSet<ContainerId>,
) -> Result<HashSet<ContainerId>, DbError> {
    let text = match conn.engine().share() {
        "" => {
            "SELECT c.id FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
             WHERE c.id IN (SELECT column1 FROM (VALUES {rows}) AS wanted) AND c.state IN ('live', 'removed')
                AND b.state = 'live' AND d.state = 'live' ORDER BY c.id"
        }
        _ => {
            "SELECT c.id FROM contents c JOIN buckets b ON b.id = c.bucket_id JOIN domains d ON d.id = b.domain_id
             WHERE c.id IN (SELECT column1 FROM (VALUES {rows}) AS wanted) AND c.state IN ('live', 'removed')
                AND b.state = 'live' AND d.state = 'live' ORDER BY c.id FOR SHARE OF c"
        }
    };
    let rows = contents.iter().map(|id| args![*id]).collect();
    let mut open = HashSet::new();
    for mut row in conn.fetch_rows(text, &[], rows).await? {
        open.insert(row.need_id(ContainerId::from_bytes)?);
    }
    Ok(open)
}

/// The names of the versions that are restored by id: a round must know what name each of its commands may take.
async fn read_names(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
) -> Result<HashMap<VersionId, String>, DbError> {
    let rows = commands
        .iter()
        .filter_map(|command| match command {
            ObjectCommand::Restore(Restore { what: RestoreWhat::Version(id), .. }) => Some(args![*id]),
            _ => None,
        })
        .collect();
    let text = "SELECT v.id, v.name FROM (VALUES {rows}) AS wanted CROSS JOIN versions v WHERE v.id = wanted.column1";
    let mut names = HashMap::new();
    for mut row in conn.fetch_rows(text, &[], rows).await? {
        names.insert(row.need_id(VersionId::from_bytes)?, row.need_text()?);
    }
    Ok(names)
}

/// A round holds one command per name and per version: repeats in one `UPDATE … FROM` would apply only once, silently.
fn split_round(
    commands: &[&ObjectCommand],
    waiting: &[usize],
    restored: &HashMap<VersionId, String>,
) -> (Vec<usize>, Vec<usize>) {
    let mut names: HashSet<(ContainerId, &str)> = HashSet::new();
    let mut versions: HashSet<VersionId> = HashSet::new();
    waiting.iter().partition(|&&at| {
        let (bucket, version, own, other) = match commands[at] {
            ObjectCommand::Stage(_) => return true,
            ObjectCommand::Publish(c) => {
                let old = c.renames.as_ref().map(|rename| rename.from.as_str());
                (c.bucket, Some(c.version), Some(c.name.as_str()), old.filter(|old| *old != c.name))
            }
            ObjectCommand::Delete(c) => {
                // Of a name there is one command in a round, so the null version needs no entry of its own.
                let version = if let Which::Version(version) = c.which { Some(version) } else { None };
                (c.bucket, version, Some(c.name.as_str()), None)
            }
            ObjectCommand::Restore(c) => {
                let (version, own) = match &c.what {
                    RestoreWhat::Latest(name) => (None, Some(name.as_str())),
                    RestoreWhat::Version(id) => (Some(*id), restored.get(id).map(String::as_str)),
                };
                (c.bucket, version, own, c.as_name.as_deref().filter(|name| Some(*name) != own))
            }
        };
        let mut fresh = true;
        for name in own.into_iter().chain(other) {
            fresh &= names.insert((bucket, name));
        }
        if let Some(version) = version {
            fresh &= versions.insert(version);
        }
        fresh
    })
}

#[allow(clippy::too_many_arguments, reason = "one transaction's whole state, passed once")]
async fn run_round(
    conn: &mut Conn,
    commands: &[&ObjectCommand],
    round: &[usize],
    open: &BTreeMap<ContainerId, Open>,
    next: &mut HashMap<ContainerId, Next>,
    room: &mut Room,
    now: Time,
    usage: &mut Usage,
    answers: &mut [Option<Result<Outcome, Refusal>>],
) -> Result<(), DbError> {
    let facts = facts::read(conn, commands, round, open).await?;
    let mut arrivals = Vec::new();
    let mut all = Changes::default();
    let (mut ended, mut aging, mut back) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let mut grown = BTreeMap::new();
    let mut notices = Notices::default();
    for &at in round {
        let command = commands[at];
        let Some((_, bucket_id)) = command.place() else { continue };
        let Some(Open { bucket, notify, .. }) = open.get(&bucket_id) else {
            answers[at] = Some(Err(Refusal::ContainerGone));
            continue;
        };
        let next = next.entry(bucket_id).or_default();
        let slot = Slot { now, seq: next.seq, change: next.change };
        let seen = |name: &str| facts.seen(bucket.contents, name);
        let decision = match command {
            ObjectCommand::Stage(_) => continue,
            // Taken back meanwhile: the client left, or the upload took longer than uploads may.
            ObjectCommand::Publish(c) if facts.lost.contains(&c.version) => Err(Refusal::Conflict),
            ObjectCommand::Publish(c) => {
                let before = c.renames.as_ref().map(|rename| seen(&rename.from));
                let parts = facts.parts.get(&at).map(Vec::as_slice);
                decide::publish(c, seen(&c.name), before, parts, bucket, slot)
            }
            ObjectCommand::Delete(c) => {
                let named = match c.which {
                    Which::Version(version) => facts.named(version, bucket, &c.name),
                    Which::Current | Which::Null => None,
                };
                let above = named.and_then(|named| facts.above.get(&named.id));
                decide::delete(c, seen(&c.name), named, above, bucket, slot)
            }
            ObjectCommand::Restore(c) => {
                let found = facts.removed.get(&at);
                let own = found.map(|found| found.name.as_str());
                let name = c.as_name.as_deref().or(own).unwrap_or_default();
                decide::restore(c, found, seen(name), bucket, slot)
            }
        };
        let decision = decision.and_then(|done| heed_quotas(room, bucket_id, command, done));
        if decision.is_ok() && bucket.versioning != Versioning::Disabled {
            let removed = facts.removed.get(&at).map(|removed| removed.name.as_str());
            ended.extend(
                may_have_ended(command, removed)
                    .map(|name| ((bucket.contents, name.to_owned()), (bucket, slot))),
            );
        }
        if bucket.looks_around() && moves_history(command, &decision, &facts, bucket) {
            let removed = facts.removed.get(&at);
            aging.extend(
                facts::names_of(command, removed).map(|name| ((bucket.contents, name.to_owned()), bucket)),
            );
        }
        if let (ObjectCommand::Publish(c), Ok(_)) = (command, &decision)
            && bucket.max_per_name.is_some()
            && bucket.versioning_of(c.kind) != Versioning::Disabled
        {
            let one = Grown { bucket, change: slot.change, actor: &c.actor, grace: c.grace };
            grown.insert((bucket.contents, c.name.as_str()), one);
        }
        answers[at] = Some(decision.map(|(effects, outcome)| {
            if *notify {
                for (what, version) in told::happened(command, &effects, &outcome) {
                    notices.note(bucket_id, what, version, told::actor(command));
                }
            }
            let taken = effects.taken();
            next.seq += taken.positions;
            next.change += taken.changes;
            let arrival = all.add(effects);
            if let (ObjectCommand::Publish(c), Some(arrival)) = (command, arrival) {
                arrivals.push((&**c, arrival));
            }
            if let Outcome::Restored(restored) = &outcome
                && !restored.is_current
                && bucket.looks_around()
            {
                back.push((bucket, restored.version));
            }
            outcome
        }));
    }
    // What gives way goes first: at most one version of a name is current at any moment.
    effects::remove(conn, &all.removals, now, usage).await?;
    effects::hand_over(conn, &all.hand_overs, now, usage).await?;
    effects::turn(conn, &all.turns).await?;
    effects::mark(conn, &all.markers, usage).await?;
    effects::arrive(conn, &arrivals, usage).await?;
    effects::come_back(conn, &all.returns, usage).await?;
    trim(conn, &grown, now, usage).await?;
    import::settle_all(conn, &ended).await?;
    plan::settle(conn, &aging).await?;
    // What came back may stand deeper than that looks.
    for (bucket, version) in back {
        plan::anew(conn, bucket, version).await?;
    }
    notices.write(conn, now).await
}

/// Takes room for what was decided. What publishes is refused where there is none; a delete never is, though its marker
/// counts, and a restore is told that there is more now than may be.
fn heed_quotas(
    room: &mut Room,
    bucket: ContainerId,
    command: &ObjectCommand,
    (effects, mut outcome): (Effects, Outcome),
) -> Result<(Effects, Outcome), Refusal> {
    let change = effects.stored();
    match command {
        ObjectCommand::Publish(_) => room.take(bucket, change)?,
        ObjectCommand::Stage(_) | ObjectCommand::Delete(_) | ObjectCommand::Restore(_) => {
            let exceeded = room.take_anyway(bucket, change);
            if let Outcome::Restored(restored) = &mut outcome {
                restored.over_quota = exceeded;
            }
        }
    }
    Ok((effects, outcome))
}

/// Whether a command may have changed which older versions its names have. The first version of a name has none below it, and
/// what it covers is planned where that is decided. What the clock is refused was planned wrongly.
fn moves_history(
    command: &ObjectCommand,
    decision: &Result<(Effects, Outcome), Refusal>,
    facts: &facts::RoundFacts,
    bucket: &BucketFacts,
) -> bool {
    match (command, decision) {
        (ObjectCommand::Stage(_), _) => false,
        (ObjectCommand::Publish(c), Ok(_)) => {
            c.renames.is_some() || facts.seen(bucket.contents, &c.name).has_history()
        }
        (ObjectCommand::Delete(c), Ok((effects, _))) => {
            let hides = effects.marker.is_some() && !effects.turns.is_empty();
            !hides || facts.seen(bucket.contents, &c.name).has_history()
        }
        (ObjectCommand::Delete(c), Err(Refusal::NotDue { .. })) => c.cause == Cause::Lifepoint,
        (ObjectCommand::Restore(_), Ok(_)) => true,
        (_, Err(_)) => false,
    }
}

/// The name of which a command may have ended the version that stood for it, or brought back another one. Where versions of
/// several installations are in conflict, the winner is then looked for anew. `removed`: the name that a restored version had.
fn may_have_ended<'a>(command: &'a ObjectCommand, removed: Option<&'a str>) -> impl Iterator<Item = &'a str> {
    match command {
        ObjectCommand::Stage(_) => None,
        ObjectCommand::Publish(c) => c.renames.as_ref().map(|rename| rename.from.as_str()),
        ObjectCommand::Delete(c) => Some(c.name.as_str()),
        ObjectCommand::Restore(c) => c.as_name.as_deref().or(removed),
    }
    .into_iter()
}

/// What the commands of one round change, sorted by kind.
#[derive(Default)]
struct Changes {
    removals: Vec<decide::Removal>,
    hand_overs: Vec<decide::HandOver>,
    turns: Vec<decide::Turn>,
    markers: Vec<decide::Marker>,
    returns: Vec<decide::Return>,
}

impl Changes {
    fn add(&mut self, effects: Effects) -> Option<decide::Arrival> {
        let Effects { removals, hand_over, turns, marker, arrival, comeback } = effects;
        self.removals.extend(removals);
        self.hand_overs.extend(hand_over);
        self.turns.extend(turns);
        self.markers.extend(marker);
        self.returns.extend(comeback);
        arrival
    }
}
