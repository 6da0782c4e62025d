//! Random trees against plain sets: what leads to what is written down pair by pair, and every answer is read off that.

use super::*;
use crate::fuzzing::A_MOMENT;
use crate::revision::Described;
use bolero::check;

/// Three bytes a node: what it hangs on, what has become of it, and whether its place in the tree is remembered.
fn grow(bytes: &[u8]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (at, bytes) in (0..24_u8).zip(bytes.chunks_exact(3)) {
        let [on, fate, link] = [bytes[0], bytes[1], bytes[2]];
        let parent = nodes.get(usize::from(on) % (nodes.len() + 1)).map(|node| node.revision);
        // Behind a delete that left no marker, the path goes on from its tombstone.
        let parent =
            parent.map(|parent| if fate & 64 != 0 { Revision::deleted(Some(parent)) } else { parent });
        let generation = parent.map_or(0, |parent| parent.generation) + 1;
        let hash = Revision::of(&Described {
            parent,
            content_md5: Some([at; 16]),
            size: 0,
            headers: "",
            marker: false,
        });
        let live = fate & 1 != 0;
        nodes.push(Node {
            revision: Revision { generation, hash: hash.hash },
            parent: parent.map(|parent| parent.hash).filter(|_| link % 8 != 0),
            live,
            marker: fate & 6 == 6,
            current: false,
            covered: false,
            by_purge: !live && fate & 24 == 24,
            lost: false,
            version: (live || fate & 32 == 0).then(|| VersionId::from_bytes([at; 16])),
        });
    }
    nodes
}

/// All pairs (a node, one that it descends from).
fn pairs(tree: &Tree) -> BTreeSet<(Revision, Revision)> {
    let mut pairs: BTreeSet<(Revision, Revision)> = BTreeSet::new();
    for node in tree.nodes.values() {
        let parent = node.parent_revision().filter(|parent| tree.nodes.contains_key(parent));
        pairs.extend(parent.map(|parent| (node.revision, parent)));
    }
    loop {
        let further: Vec<(Revision, Revision)> = pairs
            .iter()
            .flat_map(|(low, mid)| {
                pairs.iter().filter(move |(from, _)| from == mid).map(move |(_, high)| (*low, *high))
            })
            .filter(|pair| !pairs.contains(pair))
            .collect();
        if further.is_empty() {
            return pairs;
        }
        pairs.extend(further);
    }
}

#[test]
fn fuzz_a_tree_answers_as_plain_sets_do() {
    check!().with_test_time(A_MOMENT).with_max_len(80).for_each(|bytes: &[u8]| {
        let Some((first, rest)) = bytes.split_first() else { return };
        let limit = u64::from(first % 12) + 1;
        let nodes = grow(rest);
        let tree = Tree::of(nodes.iter().copied(), limit);
        let pairs = pairs(&tree);
        let leads = |high: &Revision, low: &Revision| high == low || pairs.contains(&(*low, *high));
        let given: BTreeSet<Revision> = nodes.iter().map(|node| node.revision).collect();
        let implied: Vec<&Node> = tree.nodes.values().filter(|n| !given.contains(&n.revision)).collect();
        for node in &implied {
            let under = node.parent_revision().expect("it stands on something");
            assert!(Revision::deleted(Some(under)) == node.revision && given.contains(&under) && node.marker);
        }

        let live: Vec<&Node> = nodes.iter().filter(|node| node.live).collect();
        let ends: BTreeSet<Revision> = live
            .iter()
            .filter(|node| !live.iter().any(|other| pairs.contains(&(other.revision, node.revision))))
            .map(|node| node.revision)
            .collect();
        let found: BTreeSet<Revision> = tree.leaves().iter().map(|leaf| leaf.revision).collect();
        if live.is_empty() {
            let last = nodes.iter().filter(|node| node.version.is_some()).max_by_key(|node| node.revision);
            let tombstone = last.filter(|last| !last.by_purge);
            let wanted = tombstone.map(|last| match last.marker {
                true => last.revision,
                false => Revision::deleted(Some(last.revision)),
            });
            assert_eq!(found, wanted.into_iter().collect());
        } else {
            assert_eq!(found, ends);
        }
        let ranks = tree.leaves().iter().map(|leaf| (!leaf.deleted, leaf.revision));
        assert!(ranks.rev().is_sorted(), "the winner is not first");

        // What is known is what is near enough to some end, and no path that is shown is longer.
        for node in tree.nodes.values() {
            let below = tree.nodes.keys().filter(|low| leads(&node.revision, low));
            let ends = below.filter(|low| found.contains(low) || !pairs.iter().any(|(_, high)| high == *low));
            let near = ends.map(|end| u64::from(end.generation - node.revision.generation)).min();
            assert_eq!(tree.knows(node.revision), near.is_some_and(|near| near < limit));
            let path = tree.ancestry(node.revision, usize::MAX);
            let above = pairs.iter().filter(|(low, _)| *low == node.revision).count() as u64 + 1;
            assert_eq!(path.len() as u64, above.min(limit));
            assert!(
                path.iter().all(|high| leads(high, &node.revision)) && path.first() == Some(&node.revision)
            );
        }

        // Every third node is asked for, in whatever order; only ends count.
        let mut wanted: Vec<Revision> = tree.nodes.keys().copied().step_by(3).collect();
        let turn = usize::from(*first) % wanted.len().max(1);
        wanted.rotate_left(turn);
        let purge = tree.purge(&wanted);
        let matched: Vec<Revision> = wanted.iter().copied().filter(|one| found.contains(one)).collect();
        assert_eq!(purge.matched, matched);
        let remaining: Vec<Revision> = found.iter().copied().filter(|end| !matched.contains(end)).collect();
        assert_eq!(purge.remains, !remaining.is_empty());
        let kept = |one: &Revision| remaining.iter().any(|end| leads(one, end));
        for one in tree.nodes.keys() {
            let own = matched
                .iter()
                .any(|end| tree.nodes.keys().any(|mid| leads(mid, end) && leads(mid, one) && !kept(mid)));
            let goes = !matched.is_empty() && (remaining.is_empty() || own);
            assert_eq!(purge.goes.contains(one), goes, "{one}");
        }
        let rest = tree.nodes.values().filter(|node| given.contains(&node.revision));
        let rest = rest.filter(|node| !purge.goes.contains(&node.revision)).copied();
        let after = Tree::of(rest, limit);
        if !matched.is_empty() {
            let left: BTreeSet<Revision> = after.leaves().iter().map(|leaf| leaf.revision).collect();
            assert_eq!(left, remaining.iter().copied().collect(), "what remains are the same ends");
        }
    });
}
