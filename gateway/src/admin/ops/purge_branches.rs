//! Purging revisions with what they alone descend from, or names whole, in the operators' own words: final at once, as
//! CouchDB's purge is, and without a trace in the tree.

use crate::admin::error::Complaint;
use crate::admin::request::{Answered, Asked, ok};
use crate::admin::scope::Place;
use lifecycle::Refusal;
use metadata::{Failure, Metadata, PurgePair, RevisionPurge, RevisionsPurged};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A name that grows new ends meanwhile is purged again so often.
const ROUNDS: usize = 4;

/// What is asked of names.
#[derive(Clone, Debug)]
pub(super) struct Branches {
    /// The names with the revisions that are meant of each; `None`: the whole of it.
    pub(super) names: BTreeMap<String, Option<BTreeSet<lifecycle::revision::Revision>>>,
    pub(super) dry_run: bool,
    pub(super) purge_id: Option<[u8; 16]>,
    pub(super) actor: String,
}

/// What became of a purge of revisions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PurgeOfRevisions")]
pub(super) struct RevisionsView {
    ok: bool,
    dry_run: bool,
    /// Versions that are being purged.
    purged: u64,
    /// Their bytes.
    bytes: u64,
    /// The bucket's last number in its ledger.
    purge_seq: i64,
    change_seq: i64,
    /// Nothing of it can be restored.
    #[serde(rename = "final")]
    is_final: bool,
    /// The ends that went, by name.
    names: BTreeMap<String, Vec<String>>,
    /// Names of which nothing went, because something that would go is protected.
    protected: BTreeMap<String, String>,
}

pub(super) async fn purge(asked: &Asked<'_>, place: &Place, branches: Branches) -> Answered {
    let gateway = asked.gateway;
    let metadata = if branches.dry_run { gateway.metadata.rehearsal() } else { gateway.metadata.clone() };
    let mut view = RevisionsView {
        ok: true,
        dry_run: branches.dry_run,
        purged: 0,
        bytes: 0,
        purge_seq: 0,
        change_seq: 0,
        is_final: true,
        names: BTreeMap::new(),
        protected: BTreeMap::new(),
    };
    for _ in 0..ROUNDS {
        let pairs = pairs(&metadata, place, &branches, &view).await?;
        if pairs.is_empty() && view.purge_seq > 0 {
            break;
        }
        let order = RevisionPurge {
            domain: place.domain.id,
            bucket: place.bucket.id,
            pairs,
            door: "admin",
            actor: branches.actor.clone(),
        };
        let done = match metadata.purge_revisions(order).await {
            Err(Failure::Refused(Refusal::Conflict)) => {
                return Err(Complaint::bad_request("purge_id is that of another purge of this bucket"));
            }
            done => done?,
        };
        take(&mut view, done);
        // Revisions that were named are ends or are not; a name may have got another end meanwhile.
        if branches.dry_run || branches.names.values().all(Option::is_some) {
            break;
        }
    }
    asked.trail.amount((view.purged, view.bytes));
    if view.purged > 0 && !branches.dry_run {
        gateway.wake_background();
    }
    ok(&view)
}

/// What is asked for: the revisions that were named, and of whole names the ends that they have now.
async fn pairs(
    metadata: &Metadata,
    place: &Place,
    branches: &Branches,
    so_far: &RevisionsView,
) -> Result<Vec<PurgePair>, Complaint> {
    let whole: Vec<String> =
        branches.names.iter().filter(|(_, revs)| revs.is_none()).map(|(name, _)| name.clone()).collect();
    let trees = metadata.revision_trees(place.bucket.id, &whole).await?;
    let first = so_far.purge_seq == 0;
    let mut pairs = Vec::new();
    for (name, revs) in &branches.names {
        let revs: Vec<_> = match revs {
            Some(revs) => revs.iter().copied().collect(),
            None => {
                trees.get(name).into_iter().flat_map(|tree| tree.leaves()).map(|leaf| leaf.revision).collect()
            }
        };
        // Written down once, whatever was there.
        if first || !(revs.is_empty() || so_far.protected.contains_key(name)) {
            let revs = revs.into_iter().map(Into::into).collect();
            pairs.push(PurgePair { name: name.clone(), revs, purge_id: branches.purge_id });
        }
    }
    Ok(pairs)
}

fn take(view: &mut RevisionsView, done: RevisionsPurged) {
    view.purged += done.versions;
    view.bytes += done.bytes;
    (view.purge_seq, view.change_seq) = (done.purge_seq, done.change_seq);
    for pair in done.pairs {
        match pair.purged {
            Ok(revisions) => {
                view.names.entry(pair.name).or_default().extend(revisions.iter().map(ToString::to_string));
            }
            Err(refusal) => {
                view.protected.insert(pair.name, refusal.to_string());
            }
        }
    }
}

impl Branches {
    /// Refuses what cannot be meant, or not at once.
    pub(super) fn refuse_unclear(&self, says_final: bool, most: usize) -> Result<(), Complaint> {
        let bad = |message: String| Err(Complaint::bad_request(message));
        if !says_final {
            return bad("scope branch and scope all cannot be undone: say \"final\": true".to_owned());
        }
        let revisions: usize = self.names.values().flatten().map(BTreeSet::len).sum();
        if self.names.len().max(revisions) > most {
            return bad(format!(
                "scope branch and scope all take at most {most} names and revisions at once"
            ));
        }
        if self.purge_id.is_some() && (self.names.len() != 1 || revisions == 0) {
            return bad(
                "with scope branch purge_id stands for the revisions of one name, with scope all for none"
                    .to_owned(),
            );
        }
        Ok(())
    }
}
