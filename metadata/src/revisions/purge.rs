//! Purging revisions, final at once: what CouchDB's `_purge` asks for.
//!
//! One transaction for all pairs. Each takes the ends it names out of the tree of its name, with what led to them alone; all
//! that stays of their rows is a tombstone that is in no tree, and an entry of the ledger. Bytes are destroyed later by
//! whoever finds rows that are being purged and that nobody has claimed; until then, and by all doors, they are gone.
//!
//! A guard on anything that would go keeps the whole pair: nothing of it is purged, and nothing is written down.

use super::cut::Cutting;
use super::effects::{self, Going};
use super::entries::{known, write_down};
use super::written::written_in;
use super::{ground, rows};
use crate::error::Failure;
use crate::notices::Notices;
use crate::objects::{Numbers, Usage, lock_domains, touch_bucket};
use crate::sql::Conn;
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::notification::Happening;
use lifecycle::{Asked, ContainerId, InstallationId, MemberId, Refusal, Revision, Time};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Revisions of one name that are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgePair {
    /// The name.
    pub name: String,
    /// The revisions; only those that are ends of its tree count.
    pub revs: Vec<Asked>,
    /// The same id with the same content is the same purge, and is not made twice.
    pub purge_id: Option<[u8; 16]>,
}

/// What is to be purged, and by whom.
#[derive(Clone, Debug)]
pub struct RevisionPurge {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// In this order, each on what those before it have left. A name may be meant by several.
    pub pairs: Vec<PurgePair>,
    /// Through which door.
    pub door: &'static str,
    /// By whom.
    pub actor: String,
}

/// What became of one pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPurged {
    /// The name.
    pub name: String,
    /// The id it was given, or got.
    pub purge_id: [u8; 16],
    /// Its place in the ledger; `None` if it was refused.
    pub purge_seq: Option<i64>,
    /// The ends that went, in the order in which they were asked for; or the guard that keeps them.
    pub purged: Result<Vec<Asked>, Refusal>,
}

/// What became of a purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionsPurged {
    /// Pair by pair, in their order.
    pub pairs: Vec<PairPurged>,
    /// The bucket's last entry of the ledger.
    pub purge_seq: i64,
    /// Its last change.
    pub change_seq: i64,
    /// Versions that are being purged from now on.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Metadata {
    /// Purges revisions by the purge right: final at once, without a grace. Revisions that are no ends of their names' trees
    /// are passed over; a pair that nothing was found of is written down all the same.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Refusal::Conflict`] where a `purge_id` stands for another purge; nothing has changed then.
    /// [`Failure::Unavailable`], also while purging is halted.
    pub async fn purge_revisions(&self, order: RevisionPurge) -> Result<RevisionsPurged, Failure> {
        let (trusted, drain) = (self.trust_db_clock, self.members.settings.drain_timeout);
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { purge(conn, now, trusted, drain, (&order, None)).await })
            })
            .await
    }

    /// The same for what another installation's ledger names: of each pair only versions that were written first in the
    /// installation beside it, up to this position there. The same bytes written again have the same revision and a later
    /// position, and stay. The ledger says whose positions these are.
    ///
    /// # Errors
    /// As [`Metadata::purge_revisions`].
    pub async fn purge_revisions_from(
        &self,
        order: RevisionPurge,
        origins: Vec<(InstallationId, i64)>,
    ) -> Result<RevisionsPurged, Failure> {
        let (trusted, drain) = (self.trust_db_clock, self.members.settings.drain_timeout);
        let own = self.installation();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (order, origins) = (order.clone(), origins.clone());
                Box::pin(
                    async move { purge(conn, now, trusted, drain, (&order, Some((own, &origins)))).await },
                )
            })
            .await
    }
}

/// This installation, and for each pair the one whose positions are meant, with the last of these: of an entry that comes from
/// elsewhere.
type Origins<'a> = Option<(InstallationId, &'a [(InstallationId, i64)])>;

async fn purge(
    conn: &mut Conn,
    now: Time,
    trusted: bool,
    drain: Duration,
    (order, origins): (&RevisionPurge, Origins<'_>),
) -> Result<RevisionsPurged, Failure> {
    let by_clock = if trusted { now.min(conn.db_now().await?) } else { now };
    halted::refuse(conn).await?;
    let live = lock_domains(conn, &BTreeSet::from([order.domain])).await?;
    let touched = touch_bucket(conn, order.bucket, order.domain, Numbers::default()).await?;
    let Some(locked) = touched.filter(|_| live.contains(&order.domain)) else {
        return Err(Refusal::NoSuchBucket.into());
    };
    locked.facts.seal.permits_purge()?;
    locked.facts.seal.permits_delete()?;
    let ground = ground::read_locked(conn, order.bucket).await?;

    let known = known(conn, order).await?;
    let mut pairs: Vec<PairPurged> = Vec::with_capacity(order.pairs.len());
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut ids: HashMap<[u8; 16], usize> = HashMap::new();
    let mut twins: Vec<(usize, usize)> = Vec::new();
    for (at, pair) in order.pairs.iter().enumerate() {
        let purge_id = pair.purge_id.unwrap_or_else(|| *MemberId::random().as_bytes());
        let mut answer =
            PairPurged { name: pair.name.clone(), purge_id, purge_seq: None, purged: Ok(Vec::new()) };
        match (known.get(&purge_id), ids.get(&purge_id)) {
            (Some(known), _) => {
                let (purge_seq, purged) = known.answer(pair)?;
                (answer.purge_seq, answer.purged) = (Some(purge_seq), Ok(purged));
            }
            (None, Some(first)) => {
                let same = order.pairs.get(*first).is_some_and(|other| other == pair);
                if !same {
                    return Err(Refusal::Conflict.into());
                }
                twins.push((at, *first));
            }
            (None, None) => {
                names.entry(&pair.name).or_default().push(at);
                ids.insert(purge_id, at);
            }
        }
        pairs.push(answer);
    }

    let all: Vec<String> = names.keys().map(|name| (*name).to_owned()).collect();
    let (mut gone, mut left) = (Vec::new(), Vec::new());
    let mut fresh: BTreeSet<usize> = BTreeSet::new();
    for part in all.chunks(rows::NAMES_AT_ONCE) {
        let mut found = rows::read_locked(conn, &ground, part).await?;
        for name in part {
            let stored = found.remove(name).unwrap_or_default();
            let mut cutting = Cutting::new(stored, ground.revs_limit, by_clock);
            for at in names.get(name.as_str()).into_iter().flatten().copied() {
                let (Some(pair), Some(answer)) = (order.pairs.get(at), pairs.get_mut(at)) else { continue };
                let mut asked: Vec<Revision> = pair.revs.iter().filter_map(Asked::revision).collect();
                if let Some((own, origins)) = origins {
                    let meant = match origins.get(at) {
                        Some(origin) => written_in(conn, &ground, name, own, *origin).await?,
                        None => BTreeSet::new(),
                    };
                    asked.retain(|revision| meant.contains(revision));
                }
                answer.purged =
                    cutting.take(&asked).map(|purged| purged.into_iter().map(Asked::from).collect());
                if answer.purged.is_ok() {
                    fresh.insert(at);
                }
            }
            let (taken, rest) = cutting.done();
            if !taken.is_empty() {
                gone.push((name.clone(), taken));
                left.push(rest);
            }
        }
    }

    // Once for a purge after which nothing is left of any name; else once for each end that is.
    let ends = left.iter().map(|rest| rest.len() as i64).sum::<i64>();
    let changes = if fresh.is_empty() { 0 } else { ends.max(1) };
    let mut usage = Usage::default();
    let going = Going {
        contents: ground.contents,
        now,
        drained_at: now.plus(drain),
        actor: &order.actor,
        change_seq: locked.change_seq + changes,
    };
    effects::take_out(conn, &gone, going, &mut usage).await?;
    if locked.notify {
        let mut notices = Notices::default();
        for (version, live) in gone.iter().flat_map(|(_, stored)| stored).filter_map(|stored| stored.goes()) {
            if live {
                notices.note(order.bucket, Happening::Deleted, version, &order.actor);
            }
            notices.note(order.bucket, Happening::Purged, version, &order.actor);
        }
        notices.write(conn, now).await?;
    }
    let mut change_seq = locked.change_seq;
    for rest in &left {
        effects::show_again(conn, rest, &locked.facts.rules, locked.keeps(), &mut change_seq).await?;
    }
    let purge_seq = write_down(
        conn,
        (order, origins.map(|(_, origins)| origins)),
        &mut pairs,
        &fresh,
        now,
        (changes, locked.last_seq),
    )
    .await?;
    for (at, first) in twins {
        let said = pairs.get(first).map(|first| (first.purge_seq, first.purged.clone()));
        if let (Some(answer), Some(said)) = (pairs.get_mut(at), said) {
            (answer.purge_seq, answer.purged) = said;
        }
    }
    usage.apply(conn).await?;
    let versions = gone
        .iter()
        .flat_map(|(_, stored)| stored)
        .filter(|stored| matches!(stored.state, Some(lifecycle::State::Live | lifecycle::State::Removed)));
    let (versions, bytes) =
        versions.fold((0, 0), |(versions, bytes), stored| (versions + 1, bytes + stored.size));
    Ok(RevisionsPurged { pairs, purge_seq, change_seq: locked.change_seq + changes, versions, bytes })
}
