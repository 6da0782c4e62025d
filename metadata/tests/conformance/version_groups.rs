//! All versions, with names grouped at a delimiter; and the null version as a marker.

use crate::listing::{NAMES, PREFIXES, bury, every_version, numbers, plan_of, statement_with};
use crate::world::*;
use lifecycle::{ContainerId, Refusal};
use metadata::testing::statements_of;
use metadata::{Delimiter, ListedVersion, ObjectCommand, PageOfVersions, VersionMarker, VersionsOrder};
use std::cmp::Reverse;

/// A version, or a group.
#[derive(Clone, Debug, PartialEq)]
enum Row {
    Version(Box<ListedVersion>),
    Group(String),
}

impl Row {
    fn place(&self) -> (&str, Reverse<i64>) {
        match self {
            Row::Version(version) => (&version.name, Reverse(version.seq)),
            Row::Group(group) => (group, Reverse(0)),
        }
    }
}

fn rows(page: PageOfVersions) -> Vec<Row> {
    assert!(page.prefixes.is_sorted());
    let versions = page.items.into_iter().map(|version| Row::Version(Box::new(version)));
    let mut rows: Vec<Row> = versions.chain(page.prefixes.into_iter().map(Row::Group)).collect();
    rows.sort_by(|a, b| a.place().cmp(&b.place()));
    rows
}

async fn every_row(world: &World, contents: ContainerId, order: VersionsOrder<'_>) -> Vec<Row> {
    let (mut all, mut marker) = (Vec::new(), (String::new(), None));
    loop {
        let version_marker = marker.1.map(VersionMarker::Version);
        let order = VersionsOrder { key_marker: &marker.0, version_marker, ..order };
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        let next = page.next.clone();
        let rows = rows(page);
        assert!(rows.len() == order.limit as usize || next.is_none());
        all.extend(rows);
        match next {
            Some(next) => marker = next,
            None => return all,
        }
    }
}

/// The rows, made by looking at every version.
fn expected(versions: &[ListedVersion], prefix: &str, delimiter: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for version in versions.iter().filter(|version| version.name.starts_with(prefix)) {
        let row = match version.name[prefix.len()..].find(delimiter) {
            Some(at) => Row::Group(version.name[..prefix.len() + at + delimiter.len()].to_owned()),
            None => Row::Version(Box::new(version.clone())),
        };
        if rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    rows
}

on_both_engines! {
    async fn groups_make_one_row_and_versions_one_each(world: World) {
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
        for delimiter in ["/", "a", "//", "\u{301}"] {
            let text = Delimiter::new(delimiter).unwrap();
            for prefix in PREFIXES {
                let wanted = expected(&whole, prefix, delimiter);
                for limit in [1, 2, 3, 7, 1_000] {
                    let order = VersionsOrder { prefix, delimiter: Some(&text), limit, ..VersionsOrder::default() };
                    let listed = every_row(world, contents, order).await;
                    assert_eq!(listed, wanted, "{prefix:?} by {limit} at {delimiter:?}");
                }
            }
        }
    }

    async fn a_marker_inside_a_group_is_behind_the_group(world: World) {
        world.versioning("enabled").await;
        let inside = world.put("a/1").await.unwrap().version;
        for name in ["a/1", "a/2", "b"] {
            world.put(name).await.unwrap();
        }
        let (contents, slash) = (world.contents().await, Delimiter::new("/").unwrap());
        for (key_marker, version_marker) in [("a/", None), ("a/1", None), ("a/1", Some(VersionMarker::Version(inside)))] {
            let order = VersionsOrder { delimiter: Some(&slash), key_marker, version_marker, limit: 10, ..VersionsOrder::default() };
            let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
            assert_eq!((page.items.len(), page.items[0].name.as_str(), page.prefixes.len()), (1, "b", 0));
        }
    }

    async fn what_is_gone_makes_no_group(world: World) {
        for name in ["old/1", "short/1", "there/1"] {
            world.put(name).await.unwrap();
        }
        world.delete("old/1").await.unwrap();
        world.put("short/1").expires_in(HOUR).await.unwrap();
        world.later(HOUR);
        let (contents, slash) = (world.contents().await, Delimiter::new("/").unwrap());
        let order = VersionsOrder { delimiter: Some(&slash), limit: 10, ..VersionsOrder::default() };
        for policy in ["disabled", "enabled"] {
            world.versioning(policy).await;
            let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
            assert_eq!((page.items.len(), page.prefixes, page.next), (0, vec!["there/".to_owned()], None));
        }
        world.delete("there/1").stacking().await.unwrap();
        let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert_eq!(page.prefixes, ["there/"], "a marker is a version");
        let nothing = world.m.list_page_of_versions(contents, &VersionsOrder { limit: 0, ..order }).await.unwrap();
        assert_eq!(nothing, PageOfVersions::default());
    }

    async fn the_null_version_is_a_marker(world: World) {
        let null = world.put("x").await.unwrap().version;
        world.versioning("enabled").await;
        world.put("x").await.unwrap();
        world.versioning("suspended").await;
        let contents = world.contents().await;
        let behind_null = async |key_marker: &str| {
            let version_marker = Some(VersionMarker::Null);
            let order = VersionsOrder { key_marker, version_marker, limit: 10, ..VersionsOrder::default() };
            let page = answer(world.m.list_page_of_versions(contents, &order).await)?;
            Ok(page.items.into_iter().map(|version| version.id).collect::<Vec<_>>())
        };
        let y = world.put("y").await.unwrap().version;
        assert_eq!(behind_null("x").await, Ok(vec![y]), "the null version is the oldest");
        let newest = world.put("x").await.unwrap().version;
        assert_ne!(newest, null);
        let middle = world.row(null).await;
        assert_eq!(middle.state, lifecycle::State::Removed);
        let rest = behind_null("x").await.unwrap();
        assert_eq!((rest.len(), rest[1]), (2, y), "now it is the newest");
        // A page is listed, all of it deleted, and the next one asked for.
        world.delete("x").null().at_once().await.unwrap();
        assert_eq!(behind_null("x").await, Ok(rest.clone()), "where it was last is known");
        world.reclaim().await;
        assert_eq!(behind_null("x").await, Ok(rest));
        assert_eq!(behind_null("z").await, Err(Refusal::NoSuchVersion));
        assert_eq!(behind_null("").await.unwrap().len(), 2, "of no meaning without a name");
    }
}

/// How SQLite carries it out: every look goes through the index of what is current, or of what is live and not current.
#[tokio::test]
async fn sqlite_walks_two_indexes() {
    let world = World::sqlite().await;
    let contents = world.contents().await;
    let slash = Delimiter::new("/").unwrap();
    for prefix in ["", "a"] {
        let order = VersionsOrder { prefix, delimiter: Some(&slash), limit: 10, ..VersionsOrder::default() };
        let list = async { drop(world.m.list_page_of_versions(contents, &order).await.unwrap()) };
        let plan = plan_of(&world, &statement_with(&[], list).await).await;
        let of = |table: &str| plan.iter().filter(|line| line.contains(table)).collect::<Vec<_>>();
        let looks = [of(" v "), of(" g "), of(" h ")].concat();
        assert!(looks.len() >= 8, "{plan:#?}");
        for look in looks {
            let index = [
                "versions_current (contents_id=? AND name",
                "versions_history (contents_id=? AND name",
                "sqlite_autoindex_versions_1 (id=?)",
            ];
            assert!(
                index
                    .iter()
                    .any(|index| look.contains(&format!("SEARCH {} USING INDEX {index}", &look[7..8]))),
                "{look} in {plan:#?}"
            );
        }
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "sorts by itself: {plan:#?}");
    }
    let order = VersionsOrder {
        key_marker: "x",
        version_marker: Some(VersionMarker::Null),
        limit: 1,
        ..VersionsOrder::default()
    };
    let list = async { assert!(world.m.list_page_of_versions(contents, &order).await.is_err()) };
    for statement in statements_of(list).await {
        let plan = plan_of(&world, &statement).await;
        let looks: Vec<&String> = plan.iter().filter(|line| line.contains(" v ")).collect();
        assert!(
            looks.iter().all(|look| look.contains("(contents_id=? AND name=?")) && looks.len() == 4,
            "{plan:#?}"
        );
    }
    world.finish().await;
}

/// As many versions are looked at as are shown, whatever lies behind and however long one name's history is.
#[tokio::test]
async fn postgres_looks_at_little_more_than_a_page() {
    let world = World::postgres().await;
    world.versioning("enabled").await;
    let again: Vec<ObjectCommand> = (0..1_000).map(|_| world.put("a").command()).collect();
    assert!(world.m.objects(again, false).await.iter().all(Result::is_ok));
    bury(&world, 2_000).await;
    let contents = world.contents().await;
    let (id, now) = (world.literal(contents), world.now().micros().to_string());
    let slash = Delimiter::new("/").unwrap();
    for (from, rows) in [("''", 9), ("'b'", 9)] {
        let order = VersionsOrder {
            delimiter: Some(&slash),
            key_marker: from.trim_matches('\''),
            limit: 9,
            ..VersionsOrder::default()
        };
        let list = async {
            let page = world.m.list_page_of_versions(contents, &order).await.unwrap();
            assert_eq!(page.items.len() + page.prefixes.len(), rows);
        };
        let values = [&id, from, "''", &now, "10", "''", "'/'", "'0'", "''", "0"];
        let statement = statement_with(&values, list).await;
        let plan = plan_of(&world, &format!("(ANALYZE, TIMING OFF, SUMMARY OFF) {statement}")).await;
        assert!(!plan.iter().any(|line| line.contains("Seq Scan on versions")), "{plan:#?}");
        let most = numbers(&plan, "actual rows=").into_iter().fold(0.0, f64::max);
        assert!(most <= 20.0, "{plan:#?}");
        assert!(numbers(&plan, " loops=").into_iter().fold(0.0, f64::max) <= 20.0, "{plan:#?}");
    }
    drop(world);
}
