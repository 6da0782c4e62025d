//! The open uploads of a bucket: by name, then as they began, page by page.

use crate::listing::{NAMES, PREFIXES, plan_of};
use crate::world::*;
use lifecycle::{ContainerId, UploadId};
use metadata::testing::statements_of;
use metadata::{Delimiter, PageOfUploads, UploadsOrder};

/// A row: an upload's name and id, or a group.
type Row = (String, Option<UploadId>);

/// The page's rows in order.
fn rows(page: &PageOfUploads) -> Vec<Row> {
    let uploads = page.uploads.iter().map(|upload| (upload.name.clone(), Some(upload.id)));
    let mut rows: Vec<Row> =
        uploads.chain(page.prefixes.iter().map(|prefix| (prefix.clone(), None))).collect();
    rows.sort();
    rows
}

/// All rows, page by page.
async fn every_row(world: &World, contents: ContainerId, order: UploadsOrder<'_>) -> Vec<Row> {
    let (mut all, mut marker): (Vec<Row>, Row) = (Vec::new(), (String::new(), None));
    loop {
        let order = UploadsOrder { key_marker: &marker.0, upload_marker: marker.1, ..order };
        let page = world.m.list_uploads(contents, &order).await.unwrap();
        let rows = rows(&page);
        assert!(rows.len() == order.limit as usize || page.next.is_none(), "{rows:?}");
        assert!(rows.is_sorted() && all.last().is_none_or(|last| *last < rows[0]));
        all.extend(rows);
        match page.next {
            Some(next) => marker = next,
            None => return all,
        }
    }
}

/// The rows, made by looking at every upload.
fn expected(uploads: &[Row], prefix: &str, delimiter: Option<&str>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (name, id) in uploads.iter().filter(|(name, _)| name.starts_with(prefix)) {
        let at = delimiter.and_then(|text| name[prefix.len()..].find(text).map(|at| at + text.len()));
        let row = match at {
            Some(at) => (name[..prefix.len() + at].to_owned(), None),
            None => (name.clone(), *id),
        };
        if rows.last() != Some(&row) {
            rows.push(row);
        }
    }
    rows
}

async fn fill(world: &World) -> Vec<Row> {
    let mut uploads = Vec::new();
    for (n, name) in NAMES.iter().enumerate() {
        for _ in 0..=(n % 3) {
            world.later(SECOND);
            uploads.push(((*name).to_owned(), Some(world.upload(name).await)));
        }
    }
    uploads.sort();
    uploads
}

on_both_engines! {
    async fn prefix_delimiter_markers_and_limit_do_what_an_ordered_list_does(world: World) {
        let uploads = fill(world).await;
        let contents = world.contents().await;
        for delimiter in ["", "/", "a", "//", "\u{301}"] {
            let delimiter = Delimiter::new(delimiter).ok();
            for prefix in PREFIXES {
                let wanted = expected(&uploads, prefix, delimiter.as_ref().map(Delimiter::as_str));
                for limit in [1, 2, 5, 1_000] {
                    let order = UploadsOrder { prefix, delimiter: delimiter.as_ref(), limit, ..UploadsOrder::default() };
                    let listed = every_row(world, contents, order).await;
                    assert_eq!(listed, wanted, "{prefix:?} by {limit} at {delimiter:?}");
                }
            }
        }
    }

    async fn a_key_marker_alone_is_passed_with_all_of_its_uploads(world: World) {
        let uploads = fill(world).await;
        let contents = world.contents().await;
        for key_marker in NAMES {
            for prefix in ["", "a", "a/"] {
                let order = UploadsOrder { prefix, key_marker, limit: 1_000, ..UploadsOrder::default() };
                let page = world.m.list_uploads(contents, &order).await.unwrap();
                let of_prefix = expected(&uploads, prefix, None);
                let behind: Vec<Row> = of_prefix.into_iter().filter(|(name, _)| name.as_str() > key_marker).collect();
                assert_eq!(rows(&page), behind, "{key_marker:?}");
            }
        }
        let order = UploadsOrder { upload_marker: Some(UploadId::random()), limit: 1_000, ..UploadsOrder::default() };
        let page = world.m.list_uploads(contents, &order).await.unwrap();
        assert_eq!(page.uploads.len(), uploads.len(), "of no meaning without a name");
        let nothing = world.m.list_uploads(contents, &UploadsOrder { limit: 0, ..order }).await.unwrap();
        assert_eq!(nothing, PageOfUploads::default());
    }

    async fn uploads_of_a_name_come_as_they_began_and_a_marker_may_end_meanwhile(world: World) {
        let mut begun = Vec::new();
        for _ in 0..5 {
            begun.push(world.upload("x").await);
            world.later(std::time::Duration::from_micros(1));
        }
        let contents = world.contents().await;
        let page = async |upload_marker: Option<UploadId>, limit| {
            let key_marker = if upload_marker.is_some() { "x" } else { "" };
            let order = UploadsOrder { key_marker, upload_marker, limit, ..UploadsOrder::default() };
            let page = world.m.list_uploads(contents, &order).await.unwrap();
            let next = page.next.map(|(name, id)| (name, id.expect("behind an upload")));
            (page.uploads.into_iter().map(|upload| upload.id).collect::<Vec<_>>(), next)
        };
        let next = |at: usize| Some(("x".to_owned(), begun[at]));
        assert_eq!(page(None, 2).await, (begun[..2].to_vec(), next(1)));
        // As `cleanup` does it: a page is listed, all of it given up, and the next one asked for.
        world.m.abort_upload(begun[0]).await.unwrap();
        world.m.abort_upload(begun[1]).await.unwrap();
        assert_eq!(page(Some(begun[1]), 2).await, (begun[2..4].to_vec(), next(3)));
        let part = world.part(begun[3], 1, b"one").await;
        world.put("x").assembled(begun[3], vec![(1, part)]).await.unwrap();
        assert_eq!(page(Some(begun[3]), 2).await, (begun[4..].to_vec(), None));
        assert_eq!(page(None, 10).await.0, [begun[2], begun[4]], "what has become an object is none");
        world.later(7 * DAY);
        assert_eq!(page(None, 10).await, (vec![], None), "nor what has ended by itself");
    }
}

#[tokio::test]
async fn sqlite_walks_the_open_uploads_alone() {
    let world = World::sqlite().await;
    let contents = world.contents().await;
    let slash = Delimiter::new("/").unwrap();
    for delimiter in [None, Some(&slash)] {
        for prefix in ["", "a"] {
            let order = UploadsOrder { prefix, delimiter, limit: 10, ..UploadsOrder::default() };
            let list = async { drop(world.m.list_uploads(contents, &order).await.unwrap()) };
            let statements = statements_of(list).await;
            let [statement] = &statements[..] else { panic!("one statement, not {}", statements.len()) };
            let plan = plan_of(&world, statement).await;
            let looks: Vec<&String> = plan.iter().filter(|line| line.contains(" u ")).collect();
            assert!(looks.len() >= 2, "{plan:#?}");
            for look in looks {
                assert!(
                    look.contains("SEARCH u USING INDEX uploads_open (contents_id=? AND name"),
                    "{plan:#?}"
                );
            }
            assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "sorts by itself: {plan:#?}");
        }
    }
    world.finish().await;
}
