//! Purging revisions, final at once: what CouchDB's `_purge` asks for.
//!
//! One transaction for all pairs. Each takes the ends it names out of the tree of its name, with what led to them alone; all
//! that stays of their rows is a tombstone that is in no tree, and an entry of the ledger. Bytes are destroyed later by
//! whoever finds rows that are being purged and that nobody has claimed; until then, and by all doors, they are gone.
//!
//! A guard on anything that would go keeps the whole pair: nothing of it is purged, and nothing is written down.

use super::cut::Cutting;
use super::effects::{self, Going};
use super::{ground, missing::read_list, rows};
use crate::error::Failure;
use crate::ledger::{self, Entry, What};
use crate::lookup::read_revision;
use crate::objects::plan;
use crate::objects::{Numbers, Usage, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, args};
use crate::writer::Urgency;
use crate::{Metadata, halted};
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
    let Some(mut row) = touched.filter(|_| live.contains(&order.domain)) else {
        return Err(Refusal::NoSuchBucket.into());
    };
    let locked = effects::read_lock(&mut row)?;
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
    let mut change_seq = locked.change_seq;
    for rest in &left {
        effects::show_again(conn, rest, &locked.rules, locked.kept, &mut change_seq).await?;
    }
    if !gone.is_empty() {
        plan::disturb(conn, order.bucket, &locked.rules, locked.kept).await?;
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

/// What stands in the ledger under an id that was given.
struct Known {
    purge_seq: i64,
    name: Option<String>,
    revs: Option<String>,
    purged: Option<String>,
}

impl Known {
    /// The first answer, if `pair` is what that was given to.
    fn answer(&self, pair: &PurgePair) -> Result<(i64, Vec<Asked>), Failure> {
        if self.name.as_deref() != Some(&pair.name) || self.revs.as_deref() != Some(&list(&pair.revs)?) {
            return Err(Refusal::Conflict.into());
        }
        let purged = read_list(self.purged.as_deref().unwrap_or("[]"))?;
        let purged = purged.iter().filter_map(|text| Asked::parse(text).ok()).collect();
        Ok((self.purge_seq, purged))
    }
}

async fn known(conn: &mut Conn, order: &RevisionPurge) -> Result<HashMap<[u8; 16], Known>, Failure> {
    let ids = order.pairs.iter().filter_map(|pair| pair.purge_id).map(|id| args![id]).collect();
    let text = "SELECT p.purge_id, p.purge_seq, p.name, p.revs, p.purged FROM (VALUES {rows}) AS wanted CROSS JOIN purges p
         WHERE p.bucket_id = $1 AND p.purge_id = wanted.column1";
    let mut found = HashMap::new();
    for mut row in conn.fetch_rows(text, &[order.bucket.into()], ids).await? {
        let id = row.need_id(|id| id)?;
        let (purge_seq, name) = (row.need_int()?, row.text()?);
        found.insert(id, Known { purge_seq, name, revs: row.text()?, purged: row.text()? });
    }
    Ok(found)
}

/// Revisions as the ledger holds them.
fn list(revs: &[Asked]) -> Result<String, DbError> {
    let texts: Vec<&str> = revs.iter().map(Asked::as_str).collect();
    serde_json::to_string(&texts).map_err(|error| DbError::Other(error.to_string()))
}

/// Counts the changes, and writes every pair that was not refused into the ledger, in their order. Tells its last number.
async fn write_down(
    conn: &mut Conn,
    (order, origins): (&RevisionPurge, Option<&[(InstallationId, i64)]>),
    pairs: &mut [PairPurged],
    fresh: &BTreeSet<usize>,
    now: Time,
    (changes, last_seq): (i64, i64),
) -> Result<i64, Failure> {
    let mut entries = Vec::with_capacity(fresh.len());
    for at in fresh {
        let (Some(pair), Some(answer)) = (order.pairs.get(*at), pairs.get(*at)) else { continue };
        let purged = answer.purged.as_ref().map_or_else(|_| Ok("[]".to_owned()), |purged| list(purged))?;
        entries.push(Entry {
            purge_id: answer.purge_id,
            at: now,
            door: order.door,
            actor: order.actor.clone(),
            what: What::Revisions { name: pair.name.clone(), revs: list(&pair.revs)?, purged },
            upto_seq: origins.and_then(|origins| origins.get(*at)).map_or(last_seq, |(_, upto)| *upto),
            origin: origins.and_then(|origins| origins.get(*at)).map(|(origin, _)| *origin.as_bytes()),
        });
    }
    conn.execute(
        "UPDATE buckets SET change_seq = change_seq + $2 WHERE id = $1",
        args![order.bucket, changes],
    )
    .await?;
    let last = ledger::append_new(conn, order.bucket, &entries).await?;
    let first = last - entries.len() as i64 + 1;
    for (number, at) in (first..).zip(fresh) {
        if let Some(answer) = pairs.get_mut(*at) {
            answer.purge_seq = Some(number);
        }
    }
    Ok(last)
}

/// The revisions of a name whose versions were written first in `origin`, up to this position there.
async fn written_in(
    conn: &mut Conn,
    ground: &ground::Ground,
    name: &str,
    own: InstallationId,
    (origin, upto): (InstallationId, i64),
) -> Result<BTreeSet<Revision>, DbError> {
    macro_rules! rows {
        ($which:literal) => {
            concat!(
                "SELECT v.generation, v.revision, v.origin, v.origin_seq, v.seq FROM versions v
                 WHERE v.contents_id = $1 AND v.name = $2 AND v.revision IS NOT NULL AND ",
                $which
            )
        };
    }
    let text = concat!(
        rows!("v.is_current = 1"),
        " UNION ALL ",
        rows!("v.state = 'live' AND v.is_current = 0"),
        " UNION ALL ",
        rows!("v.state = 'removed'"),
        " UNION ALL ",
        rows!("v.state IN ('purging', 'purged')")
    );
    let mut found = BTreeSet::new();
    for mut row in conn.fetch(text, args![ground.contents, name]).await? {
        let Some(revision) = read_revision(&mut row)? else { continue };
        let whose = row.id(InstallationId::from_bytes)?;
        let (there, here) = (row.int()?, row.int()?);
        let (whose, seq) = match whose {
            Some(whose) => (whose, there),
            None => (own, here),
        };
        if whose == origin && seq.is_none_or(|seq| seq <= upto) {
            found.insert(revision);
        }
    }
    Ok(found)
}
