//! What becomes of a version that another installation has written: a pure function over the tree of its name.
//!
//! The winner is the best end of the tree: live before deleted, then the longer path, then the larger hash. So whoever has
//! seen the same ends has the same winner. A bucket that keeps versions keeps the other ends as conflicts; in one that keeps
//! none a live end that loses is removed, with its grace, and only its id stays known.

use super::{BucketFacts, Hand, Removal, Slot, Turn, VersionFacts, amount};
use crate::objects::expiry::{Aged, Expiry, lifepoint};
use crate::objects::import::{Import, ImportState};
use lifecycle::notification::Happening;
use lifecycle::quota::Change;
use lifecycle::revision::Revision;
use lifecycle::tree::{Node, Tree};
use lifecycle::{Cause, Grace, Kind, Refusal, State, Time, VersionId, Versioning};
use std::collections::BTreeSet;

/// What an import meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    /// The row that has its id already, wherever that is.
    pub(crate) same: Option<Same>,
    /// The ledger names it.
    pub(crate) purged: bool,
    /// All that is remembered of the name's revisions.
    pub(crate) nodes: &'a [Node],
    /// The name's current version.
    pub(crate) current: Option<&'a VersionFacts>,
    /// Its live ends that are known to have lost.
    pub(crate) others: &'a [VersionFacts],
    /// How many ids of a path are remembered.
    pub(crate) revs_limit: u64,
}

/// A row that has the id of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Same {
    pub(crate) state: State,
    /// In the same contents.
    pub(crate) here: bool,
    /// Under the same name.
    pub(crate) named: bool,
    /// `None`: it was taken out of the tree.
    pub(crate) revision: Option<Revision>,
}

impl Same {
    /// Whether an import is not this row's version again, but has come back where it comes from: a restore gives a version
    /// another revision, behind the delete, or another name. Then it arrives here under an id of its own.
    pub(crate) fn has_gone_on(&self, import: &Import) -> bool {
        let behind = || self.revision.is_some_and(|revision| import.history.contains(&revision));
        self.state != State::Staged && (!self.named || (self.here && behind()))
    }
}

/// What is to be done about an import.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Nothing.
    Stays(ImportState),
    /// All of this.
    Taken(Box<Taken>),
}

/// What an import changes.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) state: ImportState,
    /// What gives way to it, or goes because of it.
    pub(crate) removal: Option<Removal>,
    /// What is hidden by it, and what shows again.
    pub(crate) turns: Vec<Turn>,
    /// The row that it gets; `None`: only its id is remembered.
    pub(crate) landing: Option<Landing>,
    /// Ids to remember, each with the hash of the one before it, and whether it is a tombstone.
    pub(crate) remembered: Vec<(Revision, Option<[u8; 16]>, bool)>,
    /// Versions of which it is from now on true, or not, that they are the other side of a conflict.
    pub(crate) conflicts: Vec<(VersionId, bool)>,
    /// Dead versions of which only the id counts from now on: their path is not the one that goes on.
    pub(crate) demoted: Vec<VersionId>,
}

/// How the row of an import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// It is what readers are given.
    Current(Expiry),
    /// It is live, and another end wins.
    Conflict(Expiry),
    /// It hides the object, or would if it had won.
    Marker { conflict: bool },
    /// It has lost where no versions are kept.
    Removed { purge_after: Time, due_at: Option<Time> },
    /// A tombstone where no versions are kept.
    Purged { forget_after: Time },
}

impl Landing {
    /// Whether something has arrived that stands among the others of its bucket.
    pub(crate) fn takes_position(&self) -> bool {
        !matches!(self, Landing::Purged { .. })
    }

    pub(crate) fn has_bytes(&self) -> bool {
        matches!(self, Landing::Current(_) | Landing::Conflict(_) | Landing::Removed { .. })
    }
}

impl Taken {
    fn nothing(state: ImportState) -> Self {
        Taken {
            state,
            removal: None,
            turns: Vec::new(),
            landing: None,
            remembered: Vec::new(),
            conflicts: Vec::new(),
            demoted: Vec::new(),
        }
    }

    /// What readers find otherwise than before, if they do: `version` is the one that arrives.
    pub(crate) fn happened(&self, version: VersionId) -> Option<(Happening, VersionId)> {
        match (&self.landing, &self.removal) {
            (Some(Landing::Current(_)), _) => Some((Happening::Put, version)),
            (Some(Landing::Marker { conflict: false }), _) => Some((Happening::Marked, version)),
            (_, Some(removal)) => Some((Happening::Deleted, removal.id)),
            _ => None,
        }
    }

    /// Whether a follower must notice.
    pub(crate) fn changes_anything(&self) -> bool {
        self.landing.is_some() || self.removal.is_some() || !self.turns.is_empty()
    }

    /// How much more is stored by it, of `size` bytes.
    pub(crate) fn stored(&self, size: u64) -> Change {
        let mut change = Change::default();
        if let Some(removal) = &self.removal {
            change.live += amount(-1, removal.size);
            change.removed += amount(1, removal.size);
        }
        match &self.landing {
            Some(Landing::Current(_) | Landing::Conflict(_)) => change.live += amount(1, size),
            Some(Landing::Marker { .. }) => change.live += amount(1, 0),
            Some(Landing::Removed { .. }) => change.removed += amount(1, size),
            Some(Landing::Purged { .. }) | None => {}
        }
        change
    }

    /// The version whose place was taken.
    pub(crate) fn replaced(&self) -> Option<VersionId> {
        let covered = || self.turns.iter().find(|turn| !turn.current).map(|turn| turn.id);
        self.removal.as_ref().map(|removal| removal.id).or_else(covered)
    }
}

/// `id`: the version's own, or the one that a tombstone without a version gets here.
pub(crate) fn import(
    cmd: &Import,
    id: VersionId,
    ground: &Ground<'_>,
    bucket: &BucketFacts,
    slot: Slot,
) -> Result<Verdict, Refusal> {
    if let Some(state) = known(cmd, ground)? {
        return Ok(Verdict::Stays(state));
    }
    let hand = Hand { actor: &cmd.actor, grace: cmd.grace, bucket, slot };
    let mut history = cmd.history.clone();
    history.truncate(usize::try_from(ground.revs_limit.saturating_sub(1)).unwrap_or(usize::MAX));
    let coming = Coming { cmd, id, ground, hand: &hand, history: &history };
    let mut taken = if coming.is_inside() {
        coming.inside()
    } else if bucket.versioning_of(Kind::Named) == Versioning::Disabled {
        coming.alone()?
    } else {
        coming.among_versions()?
    };
    taken.remembered.extend(coming.unknown_ancestors());
    Ok(Verdict::Taken(Box::new(taken)))
}

/// What is to stay as it is, and why.
fn known(cmd: &Import, ground: &Ground<'_>) -> Result<Option<ImportState>, Refusal> {
    match ground.same.filter(|same| !same.has_gone_on(cmd)) {
        Some(Same { state: State::Staged, .. }) => return Err(Refusal::Conflict),
        Some(Same { state: State::Live, here: true, .. }) => return Ok(Some(ImportState::Known)),
        Some(Same { state: State::Live, here: false, .. }) => return Ok(Some(ImportState::Elsewhere)),
        // Deleted or purged, and the id is kept so that this can be told: no peer brings it back.
        Some(_) => return Ok(Some(ImportState::Remembered)),
        None => {}
    }
    if ground.nodes.iter().any(|node| node.revision == cmd.revision) {
        return Ok(Some(ImportState::Known));
    }
    Ok(ground.purged.then_some(ImportState::Purged))
}

/// An import that is not known yet.
struct Coming<'a> {
    cmd: &'a Import,
    id: VersionId,
    ground: &'a Ground<'a>,
    hand: &'a Hand<'a>,
    /// As far as it is remembered here.
    history: &'a [Revision],
}

impl Coming<'_> {
    fn descends_from(&self, revision: Option<Revision>) -> bool {
        revision.is_some_and(|revision| self.cmd.history.contains(&revision))
    }

    fn parent(&self) -> Option<[u8; 16]> {
        self.cmd.history.first().map(|parent| parent.hash)
    }

    /// Something that is here descends from it already.
    fn is_inside(&self) -> bool {
        self.ground.nodes.iter().any(|node| node.parent_revision() == Some(self.cmd.revision))
    }

    fn inside(&self) -> Taken {
        let mut taken = Taken::nothing(ImportState::Known);
        taken.remembered.push((self.cmd.revision, self.parent(), self.cmd.deleted));
        taken
    }

    /// The ids of its history that nobody here has heard of, each with the one before it.
    fn unknown_ancestors(&self) -> impl Iterator<Item = (Revision, Option<[u8; 16]>, bool)> {
        let there: BTreeSet<Revision> = self.ground.nodes.iter().map(|node| node.revision).collect();
        let before = self.cmd.history.iter().skip(1).map(|before| Some(before.hash));
        let before = before.chain(std::iter::repeat(None));
        let ids = self.history.iter().copied().zip(before);
        ids.filter(move |(id, _)| !there.contains(id)).map(|(id, before)| (id, before, false))
    }

    /// When it goes by itself from here on.
    fn expiry(&self, current: bool) -> Expiry {
        let (bucket, now) = (self.hand.bucket, self.hand.slot.now);
        let aged = Aged {
            kind: Kind::Named,
            name: &self.cmd.name,
            created_at: self.cmd.created_at,
            superseded_at: (!current).then_some(now),
            guard: self.cmd.guard,
            kept: bucket.versioning_of(Kind::Named) != Versioning::Disabled,
        };
        Expiry::of(&bucket.rules, aged, lifepoint(&self.cmd.headers))
    }

    /// Gives the current version up, for this reason unless its time has come anyway.
    fn give_way(&self, current: &VersionFacts, cause: Cause) -> Result<Removal, Refusal> {
        match current.is_expired(self.hand.slot.now) {
            true => self.hand.expire(current),
            false => self.hand.remove(current, cause),
        }
    }

    /// Where no versions are kept.
    fn alone(&self) -> Result<Taken, Refusal> {
        match (self.ground.current, self.cmd.deleted) {
            (Some(current), false) => self.against(current),
            (Some(current), true) => self.delete(current),
            (None, false) => Ok(self.on_dead_ground()),
            (None, true) => Ok(self.another_tombstone()),
        }
    }

    /// A version against the one that is there.
    fn against(&self, current: &VersionFacts) -> Result<Taken, Refusal> {
        let descends = self.descends_from(current.revision);
        if descends || current.revision < Some(self.cmd.revision) {
            let cause = if descends { Cause::Overwrite } else { Cause::Conflict };
            let mut taken = Taken::nothing(ImportState::Current);
            taken.removal = Some(self.give_way(current, cause)?);
            taken.landing = Some(Landing::Current(self.expiry(true)));
            return Ok(taken);
        }
        let grace = Grace::For(self.hand.bucket.object_grace.unwrap_or(self.cmd.grace));
        let purge_after = grace.purge_after(self.hand.slot.now);
        let mut taken = Taken::nothing(ImportState::Conflict);
        taken.landing = Some(Landing::Removed { purge_after, due_at: self.cmd.guard.due_at(purge_after) });
        Ok(taken)
    }

    /// A tombstone against the version that is there: it must have been made of that, for live wins over deleted.
    fn delete(&self, current: &VersionFacts) -> Result<Taken, Refusal> {
        if !self.descends_from(current.revision) {
            return Ok(self.lost_tombstone());
        }
        let mut taken = self.tombstone();
        taken.removal = Some(self.give_way(current, Cause::Delete)?);
        Ok(taken)
    }

    fn tombstone(&self) -> Taken {
        let mut taken = Taken::nothing(ImportState::Deleted);
        let forget_after = self.hand.slot.now.plus(self.cmd.memory);
        taken.landing = Some(Landing::Purged { forget_after });
        taken
    }

    /// Its id is known from here on, and nothing else comes of it.
    fn lost_tombstone(&self) -> Taken {
        let mut taken = Taken::nothing(ImportState::Conflict);
        taken.remembered.push((self.cmd.revision, self.parent(), true));
        taken
    }

    /// A version where there is none: live wins over deleted. What died here on another path, and stood higher, would be
    /// taken for what died last when this one goes; so from here on only its ids count.
    fn on_dead_ground(&self) -> Taken {
        let mut taken = Taken::nothing(ImportState::Current);
        taken.landing = Some(Landing::Current(self.expiry(true)));
        let tree = Tree::of(self.ground.nodes.iter().copied(), u64::MAX);
        for leaf in tree.leaves().iter().filter(|leaf| !self.descends_from(Some(leaf.revision))) {
            let parent = tree.node(leaf.revision).and_then(|node| node.parent);
            if !self.ground.nodes.iter().any(|node| node.revision == leaf.revision) {
                taken.remembered.push((leaf.revision, parent, true));
            }
        }
        let higher = |node: &&Node| node.revision > self.cmd.revision;
        taken.demoted = self.ground.nodes.iter().filter(higher).filter_map(|node| node.version).collect();
        taken
    }

    /// A tombstone where nothing lives: the better one is the one that the name goes on from.
    fn another_tombstone(&self) -> Taken {
        let tree = Tree::of(self.ground.nodes.iter().copied(), u64::MAX);
        let here = tree.winner().map(|leaf| leaf.revision);
        match here {
            Some(here) if here > self.cmd.revision && !self.descends_from(Some(here)) => {
                self.lost_tombstone()
            }
            Some(_) | None => self.tombstone(),
        }
    }

    /// Where versions are kept.
    fn among_versions(&self) -> Result<Taken, Refusal> {
        let now = self.hand.slot.now;
        let own = Node {
            marker: self.cmd.deleted,
            ..Node::version(self.cmd.revision, self.parent(), State::Live, self.id)
        };
        let path = self.unknown_ancestors().map(|(id, before, marker)| Node::remembered(id, before, marker));
        let nodes = self.ground.nodes.iter().copied().chain(path).chain([own]);
        let tree = Tree::of(nodes, u64::MAX);
        let winner = tree.winner().and_then(|leaf| leaf.version);
        let wins = winner == Some(self.id);
        let mut taken = Taken::nothing(match (wins, self.cmd.deleted) {
            (false, _) => ImportState::Conflict,
            (true, true) => ImportState::Deleted,
            (true, false) => ImportState::Current,
        });
        let mut gone = None;
        if let Some(current) = self.ground.current.filter(|current| winner != Some(current.id)) {
            if self.cmd.deleted && current.guard.is_active(now) {
                return Err(Refusal::guarded(current.guard));
            }
            // A rule lets an object go, and that hides it; a lifepoint lets the version go.
            if current.is_expired(now) && current.expiry_rule.is_none() {
                taken.removal = Some(self.hand.expire(current)?);
                gone = Some(current.id);
            } else {
                taken.turns.push(self.hand.cover(current));
            }
        }
        let shown = self.ground.others.iter().find(|other| Some(other.id) == winner && !other.marker);
        taken.turns.extend(shown.map(|other| self.hand.uncover(other)));
        taken.landing = Some(match (self.cmd.deleted, wins) {
            (true, _) => Landing::Marker { conflict: !wins },
            (false, true) => Landing::Current(self.expiry(true)),
            (false, false) => Landing::Conflict(self.expiry(false)),
        });
        let ends: BTreeSet<VersionId> = tree.leaves().iter().filter_map(|leaf| leaf.version).collect();
        let lost = |id: VersionId| ends.contains(&id) && winner != Some(id);
        let marked: BTreeSet<VersionId> = self.ground.others.iter().map(|other| other.id).collect();
        let live = self.ground.nodes.iter().filter(|node| node.live).filter_map(|node| node.version);
        taken.conflicts = live
            .filter(|id| gone != Some(*id) && lost(*id) != marked.contains(id))
            .map(|id| (id, lost(id)))
            .collect();
        Ok(taken)
    }
}

/// What has to be turned so that the best end of a name is the one that readers are given: after something that may have
/// ended the one that was. `best`: the versions that may be it, of which only live ones that are no markers are shown.
pub(crate) fn settle(
    nodes: &[Node],
    current: Option<&VersionFacts>,
    winner: Option<&VersionFacts>,
    marked: &BTreeSet<VersionId>,
    hand: (&BucketFacts, Slot),
) -> (Vec<Turn>, Vec<(VersionId, bool)>) {
    let (bucket, slot) = hand;
    let hand = Hand { actor: "", grace: std::time::Duration::ZERO, bucket, slot };
    let tree = Tree::of(nodes.iter().copied(), u64::MAX);
    let best = tree.winner().and_then(|leaf| leaf.version);
    let mut turns = Vec::new();
    turns.extend(current.filter(|current| best != Some(current.id)).map(|current| hand.cover(current)));
    let shown =
        winner.filter(|winner| !winner.marker && current.map(|current| current.id) != Some(winner.id));
    turns.extend(shown.map(|winner| hand.uncover(winner)));
    let ends: BTreeSet<VersionId> = tree.leaves().iter().filter_map(|leaf| leaf.version).collect();
    let lost = |id: VersionId| ends.contains(&id) && best != Some(id);
    let live = nodes.iter().filter(|node| node.live).filter_map(|node| node.version);
    let flags = live.filter(|id| lost(*id) != marked.contains(id)).map(|id| (id, lost(id))).collect();
    (turns, flags)
}
