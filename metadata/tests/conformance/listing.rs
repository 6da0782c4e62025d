//! Listings, compared with an ordered map over names that trip others up.

use crate::world::*;
use lifecycle::{Cause, ContainerId, Kind, ObjectName, Refusal, State, VersionId};
use metadata::testing::{explain, statements_of};
use metadata::{
    Container, ContainerKind, Delimiter, Entry, Failure, Held, ListOrder, ListedVersion, ObjectCommand, Page,
    VersionMarker, VersionsOrder,
};
use std::collections::{BTreeMap, BTreeSet};

/// In no order, and none of them a path.
pub(crate) const NAMES: [&str; 26] = [
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

pub(crate) const PREFIXES: [&str; 14] =
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

    async fn downwards_a_listing_is_the_same_the_other_way_round(world: World) {
        let map = fill(world).await;
        let contents = world.contents().await;
        for prefix in PREFIXES {
            for marker in [&NAMES[..], &["", "a/a", "zz"]].concat() {
                let order = ListOrder { prefix, marker, limit: 3, descending: true, ..ListOrder::default() };
                let page = world.m.list_page(contents, &order).await.unwrap();
                let before = |name: &&str| marker.is_empty() || *name < marker;
                let named = map.keys().map(String::as_str).filter(|name| name.starts_with(prefix));
                let wanted: Vec<&str> = named.filter(before).rev().take(3).collect();
                assert_eq!(rows(&page), wanted, "prefix {prefix:?} marker {marker:?}");
            }
        }
    }

    async fn names_are_grouped_at_a_delimiter_as_one_would_by_hand(world: World) {
        let map = fill(world).await;
        let contents = world.contents().await;
        let markers = [&NAMES[..], &["", "a/a", "a/b/c", "zz"]].concat();
        for delimiter in ["/", "//", "a", "\u{1}", "😀/"] {
            let delimiter = Delimiter::new(delimiter).unwrap();
            for prefix in ["", "a", "a/", "a//", "/", "z", "\u{10ffff}"] {
                for descending in [false, true] {
                    let wanted = grouped(&map, prefix, delimiter.as_str(), descending);
                    for marker in &markers {
                        for limit in [2, 1_000] {
                            let order = ListOrder {
                                prefix, marker, delimiter: Some(&delimiter), limit, descending, kind: None,
                                splits_groups: false,
                            };
                            let page = world.m.list_page(contents, &order).await.unwrap();
                            let ahead = |row: &&String| {
                                marker.is_empty() || if descending { row.as_str() < *marker } else { row.as_str() > *marker }
                            };
                            let ahead: Vec<&String> = wanted.iter().filter(ahead).collect();
                            let fits = ahead.len().min(limit as usize);
                            assert_eq!(rows(&page), ahead[..fits], "{order:?}");
                            let next = (ahead.len() > fits).then(|| ahead[fits - 1]);
                            assert_eq!(page.next.as_ref(), next, "{order:?}");
                        }
                        if !descending && !marker.is_empty() {
                            // Of a group that it splits, what is behind the marker makes the row.
                            let order = ListOrder {
                                prefix, marker, delimiter: Some(&delimiter), limit: 1_000, splits_groups: true,
                                ..ListOrder::default()
                            };
                            let page = world.m.list_page(contents, &order).await.unwrap();
                            let behind = map.iter().filter(|(name, _)| name.as_str() > *marker);
                            let behind = behind.map(|(name, row)| (name.clone(), row.clone())).collect();
                            // One that is a group's own name has seen its row.
                            let wanted = grouped(&behind, prefix, delimiter.as_str(), false);
                            let wanted: Vec<&String> = wanted.iter().filter(|row| row.as_str() != *marker).collect();
                            assert_eq!(rows(&page), wanted, "{order:?}");
                        }
                    }
                }
            }
        }
    }

    async fn a_group_says_that_it_is_one_and_an_object_brings_its_row(world: World) {
        for name in ["a/1", "a/2", "b"] {
            world.put(name).headers(r#"[["x-a-meta","v"]]"#).body("four").await.unwrap();
        }
        let slash = Delimiter::new("/").unwrap();
        let order = ListOrder { delimiter: Some(&slash), limit: 10, ..ListOrder::default() };
        let page = world.m.list_page(world.contents().await, &order).await.unwrap();
        let [Entry::Prefix(prefix), Entry::Item(object)] = &page.entries[..] else { panic!("{page:?}") };
        assert_eq!((prefix.as_str(), object.name.as_str()), ("a/", "b"));
        assert_eq!((object.size, object.md5, object.parts), (4, Some([7; 16]), None));
        assert_eq!(object.headers, r#"[["x-a-meta","v"]]"#);
        assert_eq!(page.next, None);
        let nothing = ListOrder { limit: 0, ..order };
        let page = world.m.list_page(world.contents().await, &nothing).await.unwrap();
        assert_eq!((page.entries.len(), page.next), (0, None));
    }

    async fn a_group_in_which_everything_is_gone_is_no_row(world: World) {
        for name in ["a/1", "a/2", "b/1"] {
            world.put(name).await.unwrap();
        }
        world.put("c/1").expires_in(HOUR).await.unwrap();
        world.put("d").await.unwrap();
        world.delete("a/1").await.unwrap();
        world.delete("a/2").await.unwrap();
        world.later(HOUR);
        let slash = Delimiter::new("/").unwrap();
        for descending in [false, true] {
            let order = ListOrder { delimiter: Some(&slash), limit: 10, descending, ..ListOrder::default() };
            let page = world.m.list_page(world.contents().await, &order).await.unwrap();
            assert_eq!(rows(&page), if descending { ["d", "b/"] } else { ["b/", "d"] });
        }
    }

    async fn one_kind_of_object_can_be_listed_alone(world: World) {
        let hidden = world.m.locate(None, "barrow.local", None).await.unwrap().unwrap().hidden;
        let row = Container { id: hidden.0, ..world.bucket_row().await };
        let inside = world.in_bucket(&row);
        for (kind, count) in [(Kind::Unnamed, 3), (Kind::Alias, 2)] {
            for _ in 0..count {
                let id = VersionId::random();
                inside.put(&id.to_string()).version(id).kind(kind).await.unwrap();
            }
        }
        for (kind, count) in [(None, 5), (Some(Kind::Unnamed), 3), (Some(Kind::Alias), 2), (Some(Kind::Named), 0)] {
            let order = ListOrder { limit: 10, kind, ..ListOrder::default() };
            let page = world.m.list_page(hidden.1, &order).await.unwrap();
            assert_eq!(page.entries.len(), count, "{kind:?}");
        }
    }

    async fn versions_come_by_name_and_the_newest_first(world: World) {
        world.versioning("enabled").await;
        let first = world.put("a").body("1").await.unwrap().version;
        let second = world.put("a").body("22").await.unwrap().version;
        let b = world.put("b").await.unwrap().version;
        let gone = world.put("a/x").await.unwrap().version;
        let marker = world.delete("a/x").await.unwrap().marker.expect("a marker");
        let contents = world.contents().await;
        let all = every_version(world, contents, "", 1_000).await;
        assert_eq!(
            described(&all),
            [
                ("a", second, true, false),
                ("a", first, false, false),
                ("a/x", marker, true, true),
                ("a/x", gone, false, false),
                ("b", b, true, false),
            ]
        );
        assert_eq!((all[0].size, all[1].size, all[2].size), (2, 1, 0));
        assert!(all.iter().all(|version| !version.null_version && version.kind == Kind::Named));
        assert_eq!(world.lists().await, ["a", "b"], "a marker is no object");
        world.delete("a/x").version(marker).await.unwrap();
        let all = every_version(world, contents, "a/", 1_000).await;
        assert_eq!(described(&all), [("a/x", gone, true, false)], "uncovered");
    }

    async fn versions_are_paged_without_loss_or_repetition(world: World) {
        world.versioning("enabled").await;
        for (n, name) in NAMES.iter().enumerate() {
            for _ in 0..=(n % 4) {
                world.put(name).await.unwrap();
            }
            if n % 3 == 0 {
                world.delete(name).await.unwrap();
            }
        }
        let contents = world.contents().await;
        let whole = every_version(world, contents, "", 1_000).await;
        assert!(whole.is_sorted_by(|a, b| (&a.name, -a.seq) < (&b.name, -b.seq)));
        assert_eq!(whole.len() as i64, world.counted(State::Live).await.0);
        for prefix in PREFIXES {
            let wanted: Vec<_> = whole.iter().filter(|version| version.name.starts_with(prefix)).cloned().collect();
            for limit in [1, 2, 3, 7, wanted.len() as u32 + 1] {
                assert_eq!(every_version(world, contents, prefix, limit).await, wanted, "{prefix:?} by {limit}");
            }
            for key_marker in NAMES {
                let order = VersionsOrder { prefix, key_marker, limit: 1_000, ..VersionsOrder::default() };
                let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
                let behind: Vec<_> = wanted.iter().filter(|v| v.name.as_str() > key_marker).cloned().collect();
                assert_eq!(page.items, behind, "behind {key_marker:?} under {prefix:?}");
            }
        }
    }

    async fn a_version_marker_need_not_be_live_but_must_have_been_there(world: World) {
        world.versioning("enabled").await;
        let mut versions = Vec::new();
        for _ in 0..4 {
            versions.insert(0, world.put("a").await.unwrap().version);
        }
        world.delete("a").version(versions[1]).await.unwrap();
        let contents = world.contents().await;
        let after = async |key_marker: &str, version| {
            let order = VersionsOrder { key_marker, version_marker: Some(VersionMarker::Version(version)), limit: 10, ..VersionsOrder::default() };
            let page = answer(world.m.list_page_of_versions(contents, &order).await)?;
            Ok(page.items.into_iter().map(|version| version.id).collect::<Vec<_>>())
        };
        assert_eq!(after("a", versions[1]).await, Ok(versions[2..].to_vec()), "removed, and known where it was");
        assert_eq!(after("a", versions[3]).await, Ok(vec![]));
        assert_eq!(after("", versions[1]).await.unwrap().len(), 3, "of no meaning without a name");
        for (name, version) in [("a", VersionId::random()), ("b", versions[1])] {
            assert_eq!(after(name, version).await, Err(Refusal::NoSuchVersion));
        }
        let order = VersionsOrder {
            prefix: "b", key_marker: "a", version_marker: Some(VersionMarker::Version(versions[0])), limit: 10,
            ..VersionsOrder::default()
        };
        world.put("b").await.unwrap();
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert_eq!(page.items.len(), 1, "the rest of a name outside of the prefix does not belong");
    }

    async fn a_version_that_becomes_current_again_is_not_lost_between_pages(world: World) {
        world.versioning("enabled").await;
        let first = world.put("a").await.unwrap().version;
        let second = world.put("a").await.unwrap().version;
        let contents = world.contents().await;
        let order = VersionsOrder { limit: 1, ..VersionsOrder::default() };
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        let (key, version) = page.next.expect("there is more");
        let version = version.expect("behind a version");
        assert_eq!((key.as_str(), version), ("a", second));
        world.delete("a").version(second).await.unwrap();
        let order = VersionsOrder { key_marker: &key, version_marker: Some(VersionMarker::Version(version)), limit: 1, ..order };
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert_eq!(described(&page.items), [("a", first, true, false)]);
        assert_eq!(page.next, None);
    }

    async fn history_shows_only_where_versions_are_kept(world: World) {
        world.versioning("enabled").await;
        world.put("a").await.unwrap();
        let current = world.put("a").await.unwrap().version;
        world.put("b").await.unwrap();
        world.delete("b").await.unwrap();
        let contents = world.contents().await;
        world.versioning("suspended").await;
        assert_eq!(every_version(world, contents, "", 10).await.len(), 4);
        assert!(world.versioning("disabled").await, "history goes");
        let left = every_version(world, contents, "", 1).await;
        assert_eq!(described(&left), [("a", current, true, false)]);
        world.versioning("enabled").await;
        let left = every_version(world, contents, "a", 1).await;
        assert_eq!(described(&left), [("a", current, true, false)], "what went is not shown again");
        let newer = world.put("a").await.unwrap().version;
        let left = every_version(world, contents, "a", 1).await;
        assert_eq!(described(&left), [("a", newer, true, false), ("a", current, false, false)]);
    }

    async fn an_expired_version_is_none(world: World) {
        world.versioning("enabled").await;
        let old = world.put("a").await.unwrap().version;
        world.put("a").expires_in(HOUR).await.unwrap();
        world.put("b").expires_in(HOUR).await.unwrap();
        world.put("b").await.unwrap();
        world.later(HOUR);
        let all = every_version(world, world.contents().await, "", 10).await;
        let names: Vec<&str> = all.iter().map(|version| version.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!((all[0].id, all[0].is_latest), (old, false), "a reader of the name meets nothing");
    }

    /// Writers at work: what is there throughout is listed once, and nothing twice.
    async fn pages_hold_together_while_others_write(world: World) {
        world.versioning("enabled").await;
        let stay: BTreeSet<VersionId> = {
            let mut stay = BTreeSet::new();
            for n in 0..30 {
                for _ in 0..3 {
                    stay.insert(world.put(&format!("d{}/n{n:02}", n % 5)).await.unwrap().version);
                }
            }
            stay
        };
        let contents = world.contents().await;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let writers: Vec<_> = world.callers(3).await.into_iter().enumerate().map(|(who, caller)| {
            let stopped = stopped.clone();
            tokio::spawn(async move {
                let mut n = 0;
                while !*stopped.borrow() {
                    let name = format!("d{}/n{:02}{}", n % 5, n % 30, ["", "x"][n % 2]);
                    caller.put(&name).await.unwrap();
                    if n % 3 == who {
                        drop(caller.delete(&name).await);
                    }
                    n += 1;
                }
            })
        }).collect();
        for _ in 0..5 {
            let listed = every_version(world, contents, "", 4).await;
            let ids: BTreeSet<VersionId> = listed.iter().map(|version| version.id).collect();
            assert_eq!(ids.len(), listed.len(), "nothing twice");
            assert!(stay.is_subset(&ids), "nothing skipped");
            let (slash, mut groups, mut marker) = (Delimiter::new("/").unwrap(), Vec::new(), String::new());
            loop {
                let order = ListOrder { marker: &marker, delimiter: Some(&slash), limit: 2, ..ListOrder::default() };
                let page = world.m.list_page(contents, &order).await.unwrap();
                groups.extend(rows(&page).into_iter().map(str::to_owned));
                match page.next {
                    Some(next) => marker = next,
                    None => break,
                }
            }
            assert!(groups.is_sorted_by(|a, b| a < b), "{groups:?}");
        }
        stop.send_replace(true);
        for writer in writers {
            writer.await.unwrap();
        }
    }

    async fn live_containers_are_listed_as_objects_are(world: World) {
        for name in ["a-1", "a-2", "b", "c-1", "dead"] {
            world.create_bucket(name).await.unwrap();
        }
        let dead = world.m.bucket_named(world.domain, "dead").await.unwrap().unwrap();
        world.in_bucket(&dead).remove_bucket().reserving_the_name().await.unwrap();
        let dash = Delimiter::new("-").unwrap();
        let listed = async |order: ListOrder<'_>| {
            let page = world.m.list_live(Some(world.domain), &order).await.unwrap();
            (rows(&page).into_iter().map(str::to_owned).collect::<Vec<_>>(), page.next)
        };
        let all = ListOrder { limit: 10, ..ListOrder::default() };
        assert_eq!(listed(all).await.0, ["a-1", "a-2", "b", "c-1", "photos"]);
        assert_eq!(listed(ListOrder { descending: true, limit: 2, ..all }).await.0, ["photos", "c-1"]);
        assert_eq!(listed(ListOrder { prefix: "a", marker: "a-1", ..all }).await, (vec!["a-2".to_owned()], None));
        let grouped = ListOrder { delimiter: Some(&dash), ..all };
        assert_eq!(listed(grouped).await.0, ["a-", "b", "c-", "photos"]);
        assert_eq!(listed(ListOrder { descending: true, ..grouped }).await.0, ["photos", "c-", "b", "a-"]);
        let first = listed(ListOrder { limit: 1, ..grouped }).await;
        assert_eq!(first, (vec!["a-".to_owned()], Some("a-".to_owned())));
        assert_eq!(listed(ListOrder { limit: 2, marker: "a-", ..grouped }).await.0, ["b", "c-"]);
        world.create_domain("acme.example").await.unwrap();
        let domains = world.m.list_live(None, &all).await.unwrap();
        assert_eq!(rows(&domains), ["acme.example", "barrow.local"]);
    }

    async fn what_a_context_holds_is_told_by_effective_state(world: World) {
        let held = async |state| {
            let sums = world.m.held_in(ContainerKind::Bucket, world.bucket).await.unwrap();
            sums.get(&state).copied().unwrap_or_default()
        };
        for name in ["a", "b", "c"] {
            world.put(name).body("four").await.unwrap();
        }
        world.delete("c").await.unwrap();
        let live = Held { objects: 2, bytes: 8 };
        assert_eq!(held(State::Live).await, live);
        assert_eq!(held(State::Removed).await, Held { objects: 1, bytes: 4 });
        assert_eq!(world.m.live_in(ContainerKind::Bucket, world.bucket).await.unwrap(), live);
        assert_eq!(world.m.live_in(ContainerKind::Domain, world.domain).await.unwrap(), live);
        world.remove_bucket().await.unwrap();
        assert_eq!(held(State::Live).await, Held::default());
        assert_eq!(held(State::Removed).await, Held { objects: 3, bytes: 12 });
        let domain = world.m.held_in(ContainerKind::Domain, world.domain).await.unwrap();
        assert_eq!(domain[&State::Removed], Held { objects: 3, bytes: 12 });
        assert_eq!(world.m.live_in(ContainerKind::Domain, world.domain).await.unwrap(), Held::default());
    }

    async fn deleted_contexts_come_with_their_promise_the_last_first(world: World) {
        let mut removed = Vec::new();
        for name in ["a", "a", "b"] {
            let bucket = world.create_bucket(name).await.unwrap();
            let inside = world.in_bucket(&bucket);
            inside.put("x").body("four").await.unwrap();
            inside.remove_bucket().await.unwrap();
            removed.insert(0, bucket.id);
            world.later(SECOND);
        }
        let acme = world.create_domain("acme.example").await.unwrap();
        let bucket = world.in_domain(&acme).create_bucket("with-it").await.unwrap();
        world.in_bucket(&bucket).remove_bucket().await.unwrap();
        world.later(SECOND);
        world.in_domain(&acme).remove_domain().await.unwrap();
        let ids = async |domain, prefix: &str, after, limit| {
            let found = world.m.deleted_contexts(domain, prefix, after, limit).await;
            answer(found).map(|found| found.into_iter().map(|context| context.id).collect::<Vec<_>>())
        };
        let all = [vec![acme.id, bucket.id], removed.clone()].concat();
        assert_eq!(ids(None, "", None, 10).await, Ok(all.clone()));
        assert_eq!(ids(None, "", Some(all[1]), 2).await, Ok(all[2..4].to_vec()));
        assert_eq!(ids(None, "a", None, 10).await, Ok(vec![acme.id, removed[1], removed[2]]));
        assert_eq!(ids(Some(world.domain), "", None, 10).await, Ok(removed.clone()));
        assert_eq!(ids(None, "", Some(world.bucket), 10).await, Err(Refusal::Unknown));
        let found = world.m.deleted_contexts(None, "b", None, 1).await.unwrap();
        assert_eq!((found[0].kind, found[0].parent, found[0].state), (ContainerKind::Bucket, Some(world.domain), State::Removed));
        assert_eq!((found[0].objects, found[0].bytes, found[0].actor.as_str()), (1, 4, "bob"));
        world.purge_early(ContainerKind::Bucket, removed[0]).await.unwrap();
        let found = world.m.deleted_contexts(None, "b", None, 1).await.unwrap();
        assert!(found[0].purge_after <= world.now(), "as it is promised now");
        world.restore_container(ContainerKind::Bucket, removed[1], Some("back")).await.unwrap();
        assert_eq!(ids(None, "", Some(removed[1]), 10).await, Ok(vec![removed[2]]), "a marker need not be deleted still");
    }
}

fn rows<T: Named>(page: &Page<T>) -> Vec<&str> {
    let rows = page.entries.iter().map(|entry| match entry {
        Entry::Item(item) => Named::name(item),
        Entry::Prefix(prefix) => prefix.as_str(),
    });
    rows.collect()
}

trait Named {
    fn name(&self) -> &str;
}

impl Named for metadata::Listed {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for Container {
    fn name(&self) -> &str {
        &self.name
    }
}

/// The rows of a listing with a delimiter, made by looking at every name.
fn grouped(map: &BTreeMap<String, String>, prefix: &str, delimiter: &str, descending: bool) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for name in map.keys().filter(|name| name.starts_with(prefix)) {
        let row = match name[prefix.len()..].find(delimiter) {
            Some(at) => &name[..prefix.len() + at + delimiter.len()],
            None => name,
        };
        if rows.last().is_none_or(|last| last != row) {
            rows.push(row.to_owned());
        }
    }
    if descending {
        rows.reverse();
    }
    rows
}

/// All versions, page by page.
pub(crate) async fn every_version(
    world: &World,
    contents: ContainerId,
    prefix: &str,
    limit: u32,
) -> Vec<ListedVersion> {
    let (mut all, mut marker) = (Vec::new(), None::<(String, Option<VersionId>)>);
    loop {
        let key_marker = marker.as_ref().map_or("", |(name, _)| name);
        let version_marker = marker.as_ref().and_then(|(_, version)| version.map(VersionMarker::Version));
        let order = VersionsOrder { prefix, key_marker, version_marker, limit, ..VersionsOrder::default() };
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        all.extend(page.items);
        match page.next {
            Some(next) => marker = Some(next),
            None => return all,
        }
    }
}

fn described(versions: &[ListedVersion]) -> Vec<(&str, VersionId, bool, bool)> {
    versions.iter().map(|v| (v.name.as_str(), v.id, v.is_latest, v.marker)).collect()
}

/// Puts and deletes `count` names between those of the living: in a bucket with versions each leaves a delete marker and
/// what it hides, in one without a removed version.
pub(crate) async fn bury(world: &World, count: usize) {
    let named = |n: usize| format!("m{:02}/{n:05}", n % 50);
    let puts: Vec<ObjectCommand> = (0..count).map(|n| world.put(&named(n)).command()).collect();
    let deletes: Vec<ObjectCommand> =
        (0..count).map(|n| world.delete(&named(n)).cause(Cause::Delete).command()).collect();
    for commands in [puts, deletes] {
        let answers: Vec<Result<_, Failure>> = world.m.objects(commands, false).await;
        assert!(answers.iter().all(Result::is_ok));
    }
}

/// The one statement about versions that `doing` runs, with these values in it.
pub(crate) async fn statement_with(values: &[&str], doing: impl Future<Output = ()>) -> String {
    let statements = statements_of(doing).await;
    let mut about = statements.into_iter().filter(|statement| statement.contains("versions v"));
    let mut statement = about.next().expect("a statement about versions");
    assert!(about.next().is_none(), "one statement, not several");
    for (n, value) in values.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", n + 1), value);
    }
    statement
}

pub(crate) async fn plan_of(world: &World, statement: &str) -> Vec<String> {
    explain(&world.db.settings().url, statement).await.unwrap()
}

/// How SQLite carries them out: every look at versions goes through the index of what is current, or of what is live and
/// not current; a group costs one more step of the walk.
#[tokio::test]
async fn sqlite_walks_the_indexes_of_the_living_alone() {
    let world = World::sqlite().await;
    let contents = world.contents().await;
    let slash = Delimiter::new("/").unwrap();
    for prefix in ["", "a"] {
        for descending in [false, true] {
            for delimiter in [None, Some(&slash)] {
                let order = ListOrder { prefix, delimiter, descending, limit: 10, ..ListOrder::default() };
                let list = async { drop(world.m.list_page(contents, &order).await.unwrap()) };
                let plan = plan_of(&world, &statement_with(&[], list).await).await;
                let looks: Vec<&String> = plan.iter().filter(|line| line.contains(" v ")).collect();
                assert!(!looks.is_empty(), "{plan:#?}");
                for look in looks {
                    assert!(
                        look.contains("SEARCH v USING INDEX versions_current (contents_id=? AND name"),
                        "{plan:#?}"
                    );
                }
                assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "sorts by itself: {plan:#?}");
            }
        }
        let order = VersionsOrder { prefix, limit: 10, ..VersionsOrder::default() };
        let list = async { drop(world.m.list_page_of_versions(contents, &order).await.unwrap()) };
        let plan = plan_of(&world, &statement_with(&[], list).await).await;
        let looks: Vec<&String> = plan.iter().filter(|line| line.contains(" v ")).collect();
        assert_eq!(looks.len(), 4, "{plan:#?}");
        for look in looks {
            let index = look.contains("SEARCH v USING INDEX versions_current (contents_id=? AND name")
                || look.contains("SEARCH v USING INDEX versions_history (contents_id=? AND name");
            assert!(index, "{plan:#?}");
        }
    }
    world.finish().await;
}

/// The numbers behind `key` in a plan that was carried out.
pub(crate) fn numbers(plan: &[String], key: &str) -> Vec<f64> {
    let behind = |line: &String| {
        let text = line.split(key).nth(1)?;
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    plan.iter().filter_map(behind).collect()
}

/// How Postgres carries them out, with thousands of dead names between a few living ones: as many rows are looked at as
/// are shown.
#[tokio::test]
async fn postgres_touches_no_dead_row() {
    for (versioning, dead) in [("disabled", 10_000), ("enabled", 2_000)] {
        let world = World::postgres().await;
        world.versioning(versioning).await;
        bury(&world, dead).await;
        for n in 0..20 {
            world.put(&format!("m{n:02}/living/{n}")).await.unwrap();
            world.put(&format!("z{n:02}")).await.unwrap();
        }
        let contents = world.contents().await;
        let id = world.literal(contents);
        let now = world.now().micros().to_string();
        let slash = Delimiter::new("/").unwrap();
        for delimiter in [None, Some(&slash)] {
            let order = ListOrder { delimiter, limit: 9, ..ListOrder::default() };
            let list = async {
                let page = world.m.list_page(contents, &order).await.unwrap();
                assert_eq!(page.entries.len(), 9);
            };
            let values = match delimiter {
                None => [id.as_str(), "''", "''", &now, "''", "10"].to_vec(),
                Some(_) => [id.as_str(), "''", "''", &now, "10", "''", "'/'", "'0'"].to_vec(),
            };
            let statement = statement_with(&values, list).await;
            let plan = plan_of(&world, &format!("(ANALYZE, TIMING OFF, SUMMARY OFF) {statement}")).await;
            assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:#?}");
            assert_eq!(numbers(&plan, "Rows Removed by Filter: ").iter().sum::<f64>(), 0.0, "{plan:#?}");
            let most = numbers(&plan, "actual rows=").into_iter().fold(0.0, f64::max);
            assert!(most <= 10.0, "{plan:#?}");
            assert!(numbers(&plan, " loops=").into_iter().fold(0.0, f64::max) <= 10.0, "{plan:#?}");
        }
        // Nothing was done here that the other cases do not check, row by row.
        drop(world);
    }
}

/// As many versions are looked at as are shown, whatever history lies behind them and however long one name's is.
#[tokio::test]
async fn postgres_puts_no_history_in_order() {
    let world = World::postgres().await;
    world.versioning("enabled").await;
    let again: Vec<ObjectCommand> = (0..1_000).map(|_| world.put("a").command()).collect();
    assert!(world.m.objects(again, false).await.iter().all(Result::is_ok));
    bury(&world, 2_000).await;
    let contents = world.contents().await;
    let (id, now) = (world.literal(contents), world.now().micros().to_string());
    let order = VersionsOrder { limit: 9, ..VersionsOrder::default() };
    let list = async {
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert_eq!(page.items.len(), 9);
    };
    let statement = statement_with(&[&id, "''", "''", "''", "0", &now, "10"], list).await;
    let plan = plan_of(&world, &format!("(ANALYZE, TIMING OFF, SUMMARY OFF) {statement}")).await;
    assert!(!plan.iter().any(|line| line.contains("Seq Scan on versions")), "{plan:#?}");
    let most = numbers(&plan, "actual rows=").into_iter().fold(0.0, f64::max);
    assert!(most <= 20.0, "{plan:#?}");
    world.finish().await;
}

/// On either engine a page costs the same before and after the dead are there, and a group of a thousand as much as one of
/// one.
#[tokio::test]
async fn neither_the_dead_nor_the_size_of_a_group_slow_a_page_down() {
    for world in [World::sqlite().await, World::postgres().await] {
        world.versioning("enabled").await;
        let contents = world.contents().await;
        for n in 0..100 {
            world.put(&format!("l{n:03}/x")).await.unwrap();
            world.put(&format!("l{n:03}")).await.unwrap();
        }
        let slash = Delimiter::new("/").unwrap();
        let page = async |delimiter| {
            let order = ListOrder { delimiter, limit: 200, ..ListOrder::default() };
            let mut best = std::time::Duration::MAX;
            for _ in 0..20 {
                let clock = lifecycle::SystemClock;
                let began = lifecycle::Clock::boot(&clock);
                assert_eq!(world.m.list_page(contents, &order).await.unwrap().entries.len(), 200);
                best = best.min(lifecycle::Clock::boot(&clock).saturating_sub(began));
            }
            best
        };
        let before = (page(None).await, page(Some(&slash)).await);
        bury(&world, 2_000).await;
        let big: Vec<ObjectCommand> =
            (0..1_000).map(|n| world.put(&format!("l000/{n:05}")).command()).collect();
        assert!(world.m.objects(big, false).await.iter().all(Result::is_ok));
        let after = (page(None).await, page(Some(&slash)).await);
        // Far apart on purpose: walking the dead would cost twenty times as much.
        assert!(after.0 < before.0 * 8 && after.1 < before.1 * 8, "{before:?} {after:?}");
        drop(world);
    }
}
