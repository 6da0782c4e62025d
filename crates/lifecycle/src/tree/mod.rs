//! The revisions of one name as the tree that they are: which of them are its ends, which end wins, what of a peer's list
//! is not known here, and what goes when ends are purged.
//!
//! A node is a revision that is remembered: a version in whatever state, or an id of which no version is left. Where a
//! bucket keeps no versions, a delete leaves no marker behind; the tree puts in the *implied tombstone*, the revision that
//! the marker would have had, so that ids go on growing behind a delete and two installations agree on them.
//!
//! What a path of ancestors shows, and what counts as known, are at most `revs_limit` ids from its end. What is *there* is
//! not bounded by that: an end takes all its exclusive ancestors with it.

mod asked;
#[cfg(test)]
mod fuzz;
mod purge;
#[cfg(test)]
mod tests;

pub use asked::{Asked, BadRevision};
pub use purge::TreePurge;

use crate::{Revision, State, VersionId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One remembered revision of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub revision: Revision,
    /// The hash of the one before it, whose generation is one less; `None`: it is the first, or nobody knows.
    pub parent: Option<[u8; 16]>,
    /// Its version is live, and was not given up when its bucket ceased to keep older ones.
    pub live: bool,
    /// It says that there is no object.
    pub marker: bool,
    /// It is what readers are given.
    pub current: bool,
    /// A later version of the same path stands before it, even if nobody knows any more which: it is no end of anything.
    pub covered: bool,
    /// It was purged in bulk: what went with it is told by the ledger, not by a tombstone.
    pub by_purge: bool,
    /// It lost a conflict where its bucket keeps one version of a name, and was deleted by that: a tombstone of its own stands
    /// behind it, and travels, or whoever does not know the winner would keep it when that is deleted.
    pub lost: bool,
    /// Its version; `None` where only the id is left.
    pub version: Option<VersionId>,
}

impl Node {
    /// An id of which no version is left.
    pub fn remembered(revision: Revision, parent: Option<[u8; 16]>, marker: bool) -> Self {
        Node {
            revision,
            parent,
            live: false,
            marker,
            current: false,
            covered: false,
            by_purge: false,
            lost: false,
            version: None,
        }
    }

    /// A version in this state that is nothing special.
    pub fn version(revision: Revision, parent: Option<[u8; 16]>, state: State, version: VersionId) -> Self {
        let live = state == State::Live;
        Node { live, version: Some(version), ..Node::remembered(revision, parent, false) }
    }

    /// The id of the one before it.
    pub fn parent_revision(&self) -> Option<Revision> {
        let hash = self.parent?;
        let generation = self.revision.generation.checked_sub(1).filter(|generation| *generation > 0)?;
        Some(Revision { generation, hash })
    }

    /// Of two nodes with one id, which happens where the same bytes came again after a purge in bulk, the better stands.
    fn rank(&self) -> (bool, bool, bool, bool) {
        (self.current, self.live, self.version.is_some(), !self.by_purge)
    }
}

/// One end of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its id.
    pub revision: Revision,
    /// It says that there is no object.
    pub deleted: bool,
    /// Its version; `None`: an implied tombstone.
    pub version: Option<VersionId>,
    /// It is what readers are given.
    pub current: bool,
}

impl Leaf {
    /// The larger wins: live before deleted, then the longer path, then the larger hash.
    fn rank(&self) -> (bool, Revision) {
        (!self.deleted, self.revision)
    }
}

/// The revisions of one name.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: BTreeMap<Revision, Node>,
    leaves: Vec<Leaf>,
    lost: Vec<Leaf>,
    known: BTreeSet<Revision>,
    revs_limit: usize,
}

impl Tree {
    /// The tree of `nodes`, of which paths are shown and known `revs_limit` ids long (at least one).
    pub fn of(nodes: impl IntoIterator<Item = Node>, revs_limit: u64) -> Self {
        let mut found: BTreeMap<Revision, Node> = BTreeMap::new();
        for node in nodes {
            let there = found.entry(node.revision).or_insert(node);
            if node.rank() > there.rank() {
                *there = node;
            }
        }
        let revs_limit = usize::try_from(revs_limit.max(1)).unwrap_or(usize::MAX);
        let (leaves, lost) = Default::default();
        let mut tree = Tree { nodes: found, leaves, lost, known: BTreeSet::new(), revs_limit };
        tree.join_over_tombstones();
        tree.lost = tree.find_lost();
        tree.leaves = tree.find_leaves();
        tree.known = tree.find_known();
        tree
    }

    /// A path that went on behind a delete names a tombstone that no row stands for.
    fn join_over_tombstones(&mut self) {
        let mut missing: BTreeSet<Revision> = BTreeSet::new();
        for node in self.nodes.values() {
            missing.extend(node.parent_revision().filter(|parent| !self.nodes.contains_key(parent)));
        }
        for tombstone in missing {
            let Some(below) = tombstone.generation.checked_sub(1) else { continue };
            let from = Revision { generation: below, hash: [0; 16] };
            let upto = Revision { generation: below, hash: [0xff; 16] };
            let mut under = self.nodes.range(from..=upto).map(|(revision, _)| *revision);
            if let Some(last) = under.find(|last| Revision::deleted(Some(*last)) == tombstone) {
                self.nodes.insert(tombstone, Node::remembered(tombstone, Some(last.hash), true));
            }
        }
    }

    /// The ends, the winner first. Where nothing is live, the tombstone of what died last.
    fn find_leaves(&mut self) -> Vec<Leaf> {
        let mut covered: BTreeSet<Revision> = BTreeSet::new();
        for node in self.nodes.values().filter(|node| node.live) {
            covered.extend(self.above(node.revision).skip(1).map(|above| above.revision));
        }
        let ends = self.nodes.values().filter(|node| node.live && !node.covered);
        let ends = ends.filter(|node| !covered.contains(&node.revision));
        let mut leaves: Vec<Leaf> = ends
            .map(|node| Leaf {
                revision: node.revision,
                deleted: node.marker,
                version: node.version,
                current: node.current,
            })
            .collect();
        leaves.sort_unstable_by_key(|leaf| Reverse(leaf.rank()));
        if leaves.is_empty() && !self.nodes.values().any(|node| node.live) {
            leaves.extend(self.tombstone());
        }
        leaves
    }

    /// The tombstones behind what lost a conflict, where nothing else follows it; the larger first.
    fn find_lost(&mut self) -> Vec<Leaf> {
        let followed: BTreeSet<Revision> = self
            .nodes
            .values()
            .filter_map(|node| Some((node, node.parent_revision()?)))
            .filter(|(node, parent)| node.revision != Revision::deleted(Some(*parent)))
            .map(|(_, parent)| parent)
            .collect();
        let lost = self.nodes.values().filter(|node| node.lost && !node.live);
        let ends: Vec<Revision> =
            lost.map(|node| node.revision).filter(|revision| !followed.contains(revision)).collect();
        let mut leaves = Vec::with_capacity(ends.len());
        for end in ends {
            let revision = Revision::deleted(Some(end));
            let implied = Node::remembered(revision, Some(end.hash), true);
            let version = self.nodes.entry(revision).or_insert(implied).version;
            leaves.push(Leaf { revision, deleted: true, version, current: false });
        }
        leaves.sort_unstable_by_key(|leaf| Reverse(leaf.rank()));
        leaves
    }

    /// What stands for a name of which nothing is live: the best of what its dead ends left behind, as everybody has it who
    /// has heard of all of them.
    fn tombstone(&mut self) -> Option<Leaf> {
        let last = self.last_tombstone();
        last.into_iter().chain(self.lost.first().copied()).max_by_key(Leaf::rank)
    }

    fn last_tombstone(&mut self) -> Option<Leaf> {
        let last = *self.nodes.values().rev().find(|node| node.version.is_some())?;
        if last.by_purge {
            return None;
        }
        let (revision, version) = match last.marker {
            true => (last.revision, last.version),
            false => (Revision::deleted(Some(last.revision)), None),
        };
        let implied = Node::remembered(revision, Some(last.revision.hash), true);
        self.nodes.entry(revision).or_insert(implied);
        Some(Leaf { revision, deleted: true, version, current: false })
    }

    /// The ids that count as known: so many from each end of a path, be that end dead or alive.
    fn find_known(&self) -> BTreeSet<Revision> {
        let inner: BTreeSet<Revision> = self.nodes.values().filter_map(Node::parent_revision).collect();
        let ends = self.nodes.keys().filter(|revision| !inner.contains(revision));
        let ends = ends.copied().chain(self.leaves.iter().map(|leaf| leaf.revision));
        let mut known = BTreeSet::new();
        for end in ends {
            known.extend(self.above(end).take(self.revs_limit).map(|node| node.revision));
        }
        known
    }

    /// A node and all its ancestors that are remembered, the nearest first.
    fn above(&self, revision: Revision) -> impl Iterator<Item = &Node> {
        // Each generation is smaller than the last, so this ends.
        std::iter::successors(self.nodes.get(&revision), |node| self.nodes.get(&node.parent_revision()?))
    }

    /// The ends, the winner first. Empty: there is no such name, or all of it was purged.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// The same, and behind them the tombstones of what lost a conflict where one version of a name is kept: all that a peer
    /// has to hear of.
    pub fn ends(&self) -> Vec<Leaf> {
        let mut ends = self.leaves.clone();
        let more =
            self.lost.iter().filter(|lost| !self.leaves.iter().any(|leaf| leaf.revision == lost.revision));
        ends.extend(more);
        ends
    }

    /// The end that readers are given, or that says that there is nothing to give.
    pub fn winner(&self) -> Option<&Leaf> {
        self.leaves.first()
    }

    /// What is remembered of this id.
    pub fn node(&self, revision: Revision) -> Option<&Node> {
        self.nodes.get(&revision)
    }

    /// Whether this id counts as present: dead or alive, but not further than `revs_limit` from the end of its path.
    pub fn knows(&self, revision: Revision) -> bool {
        self.known.contains(&revision)
    }

    /// Those of `asked` that are not known, in their order, each once.
    pub fn missing<'a>(&self, asked: &'a [Asked]) -> Vec<&'a Asked> {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let unknown = asked.iter().filter(|asked| !asked.revision().is_some_and(|id| self.knows(id)));
        unknown.filter(|asked| told.insert(asked.as_str())).collect()
    }

    /// The ends from which something of the missing may descend: all of a generation smaller than the largest missing one,
    /// the winner first, at most `most` of them; and whether there are more.
    pub fn possible_ancestors(&self, missing: &[&Asked], most: usize) -> (Vec<Revision>, bool) {
        let largest = missing.iter().map(|asked| asked.generation()).max().unwrap_or_default();
        let older = self.leaves.iter().filter(|leaf| u64::from(leaf.revision.generation) < largest);
        let mut older: Vec<Revision> = older.map(|leaf| leaf.revision).collect();
        let more = older.len() > most;
        older.truncate(most);
        (older, more)
    }

    /// `leaf` and its ancestors, the nearest first, at most `limit` and at most `revs_limit` of them.
    pub fn ancestry(&self, leaf: Revision, limit: usize) -> Vec<Revision> {
        self.above(leaf).take(limit.min(self.revs_limit)).map(|node| node.revision).collect()
    }
}
