//! Listings, compared with an ordered map over names that trip others up.

use crate::world::*;
use lifecycle::{ObjectName, State};
use std::collections::BTreeMap;

/// In no order, and none of them a path.
const NAMES: [&str; 26] = [
    "a",
    "a/",
    "a//b",
    "a/b",
    "a/b/",
    "/",
    "//",
    "/a",
    "..",
    "../a",
    "a/../b",
    ".",
    "A",
    "b",
    "a b",
    "ä",
    "a\u{301}",
    "😀",
    "😀/x",
    "\u{1}",
    "a\tb",
    "a\n",
    "\u{7f}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{10ffff}x",
];

const PREFIXES: [&str; 14] =
    ["", "a", "a/", "a//", "/", "..", "b", "z", "😀", "ä", "\u{1}", "\u{10ffff}", "\u{ffff}", "a\u{301}"];

async fn fill(world: &World) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (n, name) in NAMES.iter().enumerate() {
        ObjectName::parse(name).expect("a name that a door lets in");
        let body = n.to_string();
        world.put(name).body(&body).await.unwrap();
        map.insert((*name).to_owned(), body);
    }
    map
}

fn expected<'m>(map: &'m BTreeMap<String, String>, prefix: &str, marker: &str, limit: usize) -> Vec<&'m str> {
    let listed = map.keys().filter(|name| name.starts_with(prefix) && name.as_str() > marker);
    listed.take(limit).map(String::as_str).collect()
}

on_both_engines! {
    async fn every_name_is_read_by_itself(world: World) {
        for (name, body) in fill(world).await {
            assert_eq!(world.reads(&name).await, Some(body), "{name:?}");
        }
    }

    async fn prefix_marker_and_limit_do_what_an_ordered_map_does(world: World) {
        let map = fill(world).await;
        let contents = world.contents().await;
        let markers = [&NAMES[..], &["", "a/a", "zz"]].concat();
        for prefix in PREFIXES {
            for marker in &markers {
                for limit in [1, 3, 1_000] {
                    let page = world.m.list_objects(contents, prefix, marker, limit).await.unwrap();
                    let listed: Vec<&str> = page.iter().map(|v| v.name.as_str()).collect();
                    let wanted = expected(&map, prefix, marker, limit as usize);
                    assert_eq!(listed, wanted, "prefix {prefix:?} marker {marker:?} limit {limit}");
                }
            }
        }
    }

    /// Went wrong elsewhere: the dead fill no page.
    async fn the_dead_are_not_listed_and_fill_no_page(world: World) {
        let mut map = fill(world).await;
        for name in NAMES.iter().step_by(2) {
            world.delete(name).await.unwrap();
            map.remove(*name);
        }
        let page = world.m.list_objects(world.contents().await, "", "", 5).await.unwrap();
        let listed: Vec<&str> = page.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(listed, expected(&map, "", "", 5));
    }

    async fn operators_list_the_dead_by_state_page_by_page(world: World) {
        fill(world).await;
        for name in NAMES {
            world.put(name).body("again").await.unwrap();
        }
        let contents = world.contents().await;
        for prefix in PREFIXES {
            let mut wanted: Vec<&str> = NAMES.into_iter().filter(|name| name.starts_with(prefix)).collect();
            wanted.sort_unstable();
            for state in [State::Removed, State::Live] {
                let (mut listed, mut after) = (Vec::new(), None);
                loop {
                    let page =
                        world.m.list_versions(contents, state, prefix, after.as_deref(), 4).await.unwrap();
                    assert!(page.items.iter().all(|version| version.state == state));
                    listed.extend(page.items.into_iter().map(|version| version.name));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(listed, wanted, "{state} under {prefix:?}");
            }
        }
    }

    async fn several_versions_of_one_name_are_paged_without_loss_or_repetition(world: World) {
        for _ in 0..7 {
            world.put("x").await.unwrap();
        }
        world.delete("x").await.unwrap();
        let contents = world.contents().await;
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = world.m.list_versions(contents, State::Removed, "", after.as_deref(), 2).await.unwrap();
            found.extend(page.items.iter().map(|version| version.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), 7);
        found.dedup();
        assert_eq!(found.len(), 7);
    }

    async fn every_state_can_be_listed(world: World) {
        world.stage("staged").await;
        for name in ["live", "removed", "purging", "purged"] {
            world.put(name).await.unwrap();
        }
        world.delete("purged").at_once().await.unwrap();
        world.reclaim().await;
        world.delete("purging").at_once().await.unwrap();
        let claims = world.claim_due().await;
        assert_eq!(claims.len(), 1);
        world.delete("removed").await.unwrap();
        for state in [State::Staged, State::Live, State::Removed, State::Purging, State::Purged] {
            let page = world.m.list_versions(world.contents().await, state, "", None, 10).await.unwrap();
            assert_eq!(page.items.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), [state.as_str()]);
            assert_eq!(page.next, None);
        }
    }

    async fn removed_names_come_once_in_order(world: World) {
        for name in ["b", "a/2", "a/1", "a/1", "c"] {
            world.put(name).await.unwrap();
            world.delete(name).await.unwrap();
        }
        world.restore("c").await.unwrap();
        let contents = world.contents().await;
        let names = async |prefix: &str, marker: &str, limit| {
            world.m.removed_names(contents, prefix, marker, limit).await.unwrap()
        };
        assert_eq!(names("", "", 10).await, ["a/1", "a/2", "b"]);
        assert_eq!(names("a/", "a/1", 10).await, ["a/2"]);
        assert_eq!(names("", "", 1).await, ["a/1"]);
    }
}
