//! What goes when ends of a tree are purged.

use super::Tree;
use crate::Revision;
use std::collections::BTreeSet;

/// What a purge of some ends takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreePurge {
    /// Those that were asked for and are ends, in the order in which they were asked for, each once.
    pub matched: Vec<Revision>,
    /// Everything that goes: they, what led to them alone, and what hung on that. Where no end remains, the whole name.
    pub goes: BTreeSet<Revision>,
    /// Whether an end remains.
    pub remains: bool,
}

impl Tree {
    /// Purges those of `asked` that are ends. An end takes with it what leads to it, up to the first node that leads to an end
    /// that remains. What is asked for and is no end at this moment, or nothing at all, is passed over.
    pub fn purge(&self, asked: &[Revision]) -> TreePurge {
        let mut matched: Vec<Revision> = Vec::new();
        for revision in asked {
            let is_end = self.leaves.iter().any(|leaf| leaf.revision == *revision);
            if is_end && !matched.contains(revision) {
                matched.push(*revision);
            }
        }
        if matched.is_empty() {
            return TreePurge { remains: !self.leaves.is_empty(), ..TreePurge::default() };
        }
        let ends = self.leaves.iter().map(|leaf| leaf.revision);
        let remaining: Vec<Revision> = ends.filter(|end| !matched.contains(end)).collect();
        if remaining.is_empty() {
            let goes = self.nodes.keys().copied().collect();
            return TreePurge { matched, goes, remains: false };
        }
        let mut shared: BTreeSet<Revision> = BTreeSet::new();
        for end in remaining {
            shared.extend(self.above(end).map(|node| node.revision));
        }
        let mut goes: BTreeSet<Revision> = BTreeSet::new();
        for end in &matched {
            let path = self.above(*end).map(|node| node.revision);
            goes.extend(path.take_while(|revision| !shared.contains(revision)));
        }
        // In the order of generations, so a node is met after what it hangs on. Nothing that leads to an end that remains
        // hangs on what goes.
        for node in self.nodes.values() {
            if node.parent_revision().is_some_and(|parent| goes.contains(&parent)) {
                goes.insert(node.revision);
            }
        }
        TreePurge { matched, goes, remains: true }
    }
}
