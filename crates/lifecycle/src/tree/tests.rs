use super::*;

fn revision(generation: u32, letter: u8) -> Revision {
    Revision { generation, hash: [letter; 16] }
}

/// A live version with this hash behind the one with that, or behind nothing.
fn live(generation: u32, letter: u8, parent: Option<u8>) -> Node {
    let id = VersionId::from_bytes([letter; 16]);
    Node::version(revision(generation, letter), parent.map(|letter| [letter; 16]), State::Live, id)
}

fn dead(generation: u32, letter: u8, parent: Option<u8>) -> Node {
    Node { live: false, ..live(generation, letter, parent) }
}

fn marker(generation: u32, letter: u8, parent: Option<u8>) -> Node {
    Node { marker: true, ..live(generation, letter, parent) }
}

fn ends(tree: &Tree) -> Vec<Revision> {
    tree.leaves().iter().map(|leaf| leaf.revision).collect()
}

fn asked(texts: &[&str]) -> Vec<Asked> {
    texts.iter().map(|text| Asked::parse(text).expect("well-formed")).collect()
}

/// 1-a, and on it 2-b and 2-c.
fn fork() -> Tree {
    Tree::of([live(1, b'a', None), live(2, b'b', Some(b'a')), live(2, b'c', Some(b'a'))], 1_000)
}

#[test]
fn an_end_takes_its_own_path_and_nothing_that_others_need() {
    let line = Tree::of([dead(1, b'a', None), dead(2, b'b', Some(b'a')), live(3, b'c', Some(b'b'))], 1_000);
    let all = [revision(1, b'a'), revision(2, b'b'), revision(3, b'c')];
    let purge = line.purge(&[revision(3, b'c')]);
    assert_eq!(purge.matched, [revision(3, b'c')]);
    assert_eq!(purge.goes.into_iter().collect::<Vec<_>>(), all, "what was before it does not come back");
    assert!(!purge.remains);
    // CP-10: what lies inside a path is passed over, and what nobody knows.
    let nothing = line.purge(&[revision(1, b'a'), revision(9, b'z')]);
    assert_eq!((nothing.matched, nothing.goes.len(), nothing.remains), (vec![], 0, true));

    let fork = fork();
    assert_eq!(ends(&fork), [revision(2, b'c'), revision(2, b'b')], "the larger hash wins");
    for (one, other) in [(b'b', b'c'), (b'c', b'b')] {
        let purge = fork.purge(&[revision(2, one)]);
        assert_eq!(purge.goes.into_iter().collect::<Vec<_>>(), [revision(2, one)], "{other} keeps 1-a");
        assert!(purge.remains);
    }
    let both = fork.purge(&[revision(2, b'b'), revision(2, b'c'), revision(2, b'b')]);
    assert_eq!(both.matched, [revision(2, b'b'), revision(2, b'c')], "in the order asked, each once");
    assert_eq!((both.goes.len(), both.remains), (3, false));
}

#[test]
fn what_hangs_on_a_path_that_goes_goes_with_it() {
    let tree = Tree::of(
        [
            live(1, b'a', None),
            live(2, b'b', Some(b'a')),
            live(3, b'c', Some(b'b')),
            dead(3, b'd', Some(b'b')),
            dead(4, b'e', Some(b'd')),
            live(2, b'f', Some(b'a')),
        ],
        1_000,
    );
    let goes = tree.purge(&[revision(3, b'c')]).goes;
    let wanted = [revision(2, b'b'), revision(3, b'c'), revision(3, b'd'), revision(4, b'e')];
    assert_eq!(goes.into_iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn live_wins_over_deleted_whatever_their_lengths() {
    let tree = Tree::of(
        [live(1, b'a', None), marker(2, b'b', Some(b'a')), dead(1, b'y', None), live(1, b'z', None)],
        1_000,
    );
    assert_eq!(ends(&tree), [revision(1, b'z'), revision(2, b'b')]);
    assert_eq!(tree.leaves().iter().map(|leaf| leaf.deleted).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_delete_that_left_no_marker_is_a_tombstone_and_the_path_goes_on_behind_it() {
    let gone = Tree::of([dead(1, b'a', None), dead(2, b'b', Some(b'a'))], 1_000);
    let tombstone = Revision::deleted(Some(revision(2, b'b')));
    assert_eq!(ends(&gone), [tombstone]);
    let leaf = gone.winner().expect("it counts as deleted");
    assert!(leaf.deleted && leaf.version.is_none() && tombstone.generation == 3);
    assert!(gone.knows(tombstone) && gone.knows(revision(1, b'a')));
    let purge = gone.purge(&[tombstone]);
    assert_eq!((purge.matched, purge.goes.len(), purge.remains), (vec![tombstone], 3, false));

    let again = Node { parent: Some(tombstone.hash), ..live(4, b'd', None) };
    let tree = Tree::of([dead(1, b'a', None), dead(2, b'b', Some(b'a')), again], 1_000);
    assert_eq!(
        tree.ancestry(revision(4, b'd'), 100),
        [revision(4, b'd'), tombstone, revision(2, b'b'), revision(1, b'a')]
    );
    assert!(tree.node(tombstone).is_some_and(|node| node.marker));

    // One that came from a peer has a row, and needs none to be implied.
    let came = Tree::of([Node { live: false, ..marker(2, b'm', None) }, dead(1, b'a', None)], 1_000);
    assert_eq!(ends(&came), [revision(2, b'm')]);
    // What was purged in bulk left nothing that says so; it stays known.
    let purged = Tree::of([Node { by_purge: true, ..dead(2, b'b', Some(b'a')) }, dead(1, b'a', None)], 1_000);
    assert!(purged.leaves().is_empty() && purged.knows(revision(2, b'b')));
    assert!(Tree::of([], 1_000).leaves().is_empty());
    assert!(Tree::of([Node::remembered(revision(1, b'a'), None, false)], 9).leaves().is_empty());
}

#[test]
fn what_is_covered_is_no_end_even_where_nobody_knows_by_what() {
    let covered = Node { covered: true, ..live(1, b'a', None) };
    let tree = Tree::of([covered, live(5, b'e', Some(b'd'))], 1_000);
    assert_eq!(ends(&tree), [revision(5, b'e')]);
}

#[test]
fn the_better_of_two_nodes_with_one_id_stands() {
    let purged = Node { by_purge: true, ..dead(1, b'a', None) };
    let current = Node { current: true, ..live(1, b'a', None) };
    for nodes in [[purged, current], [current, purged]] {
        assert_eq!(Tree::of(nodes, 1_000).winner().map(|leaf| leaf.current), Some(true));
    }
}

#[test]
fn what_is_missing_is_told_with_what_it_may_descend_from() {
    let hash = |letter: u8| revision(1, letter).to_string().split_off(2);
    let tree = fork();
    let (b, c) = (format!("2-{}", hash(b'b')), format!("2-{}", hash(b'c')));
    // CP-39 and CP-40
    assert!(tree.missing(&asked(&[&b, &c])).is_empty());
    let list = asked(&[&b, "1-xyz", "2-def", "3-klm", "1-xyz"]);
    let missing = tree.missing(&list);
    assert_eq!(missing.iter().map(|asked| asked.as_str()).collect::<Vec<_>>(), ["1-xyz", "2-def", "3-klm"]);
    let ancestors = (vec![revision(2, b'c'), revision(2, b'b')], false);
    assert_eq!(tree.possible_ancestors(&missing, 100), ancestors);
    assert_eq!(tree.possible_ancestors(&missing, 1), (vec![revision(2, b'c')], true));
    // CP-41: what is not longer cannot descend from it.
    let list = asked(&["1-pqr"]);
    let one = Tree::of([live(1, b'd', None)], 1_000);
    assert_eq!(one.possible_ancestors(&one.missing(&list), 100), (vec![], false));
    // CP-43: a deleted end counts.
    let list = asked(&["3-q"]);
    let gone = Tree::of([dead(1, b'a', None), marker(2, b'z', Some(b'a'))], 1_000);
    assert_eq!(gone.possible_ancestors(&gone.missing(&list), 100).0, [revision(2, b'z')]);
}

#[test]
fn a_path_is_known_as_far_as_the_limit_goes() {
    let line = |limit| {
        let first = std::iter::once(dead(1, 1, None));
        Tree::of(
            first.chain((2..10_u8).map(|n| dead(u32::from(n), n, Some(n - 1)))).chain([live(
                10,
                10,
                Some(9),
            )]),
            limit,
        )
    };
    let tree = line(4);
    assert_eq!(tree.ancestry(revision(10, 10), 100).len(), 4);
    assert_eq!(tree.ancestry(revision(10, 10), 2).len(), 2);
    assert!(tree.knows(revision(7, 7)) && !tree.knows(revision(6, 6)));
    assert_eq!(tree.purge(&[revision(10, 10)]).goes.len(), 10, "what is not shown goes, too");
    assert_eq!(line(0).ancestry(revision(10, 10), 100).len(), 1);
}

#[test]
fn a_revision_is_a_number_and_something_behind_it() {
    for good in ["1-rev", "0-0", "1-xyz", "3-0123456789ABCDEF0123456789abcdef"] {
        assert!(Asked::parse(good).is_ok(), "{good}");
    }
    let upper = Asked::parse("3-0123456789ABCDEF0123456789abcdef").expect("well-formed");
    assert_eq!(upper.as_str(), "3-0123456789abcdef0123456789abcdef");
    assert_eq!(upper.revision().map(|revision| revision.generation), Some(3));
    let long = format!("1-{}", "x".repeat(300));
    for bad in ["", "abc", "1", "1-", "-1", "x-1", "+1-x", "99999999999999999999-a", &long] {
        assert_eq!(Asked::parse(bad), Err(BadRevision), "{bad}");
    }
}

#[test]
fn what_lost_a_conflict_where_one_version_is_kept_is_deleted_and_peers_hear_of_it() {
    let lost = Node { lost: true, ..dead(2, b'c', Some(b'a')) };
    let stone = Revision::deleted(Some(lost.revision));
    let winner = Node { current: true, live: true, ..dead(2, b'd', Some(b'a')) };
    let tree = Tree::of([dead(1, b'a', None), lost, winner], 1_000);
    assert_eq!(tree.leaves().len(), 1, "one version of the name is kept");
    assert_eq!(tree.ends().iter().map(|end| end.revision).collect::<Vec<_>>(), [winner.revision, stone]);
    assert!(tree.knows(stone), "the peer's own tombstone is no news");
    // When the winner is deleted, whoever has heard of both has the same tombstone.
    let gone = Node { current: false, live: false, ..winner };
    let tree = Tree::of([dead(1, b'a', None), lost, gone], 1_000);
    let best = stone.max(Revision::deleted(Some(gone.revision)));
    assert_eq!(tree.winner().map(|leaf| (leaf.revision, leaf.deleted)), Some((best, true)));
    assert_eq!(tree.ends().len(), 1 + usize::from(best != stone));
    // What went on from it has not lost.
    let on = Node { current: true, live: true, ..dead(3, b'e', Some(b'c')) };
    assert_eq!(Tree::of([lost, on], 1_000).ends().len(), 1);
}
