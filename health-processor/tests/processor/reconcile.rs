//! Rows against bytes and bytes against rows: found, reported, and left alone.

use crate::world::{DAY, World, number, run};
use bytes::Bytes;
use lifecycle::{BlobName, Clock, Place, State, SystemClock};
use object_store::ObjectStoreExt;
use object_store::path::Path;

#[tokio::test]
async fn bytes_without_a_row_and_rows_without_bytes_are_reported_and_nothing_changes() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put(&bucket, "small").await;
        world.put_stored(&bucket, "whole").await;
        world.put_stored(&bucket, "lost").await;
        let page = world.metadata.check_page(None).await.unwrap();
        let lost = page
            .iter()
            .flat_map(|checked| &checked.blobs)
            .rfind(|blob| blob.place == Place::Store)
            .map(|blob| blob.name.to_string())
            .unwrap();
        let path = Path::from(format!("{}/{}/{lost}", &lost[..2], &lost[2..4]));
        #[allow(clippy::disallowed_methods, reason = "a disk that loses a file asks nobody")]
        world.inner.delete(&path).await.unwrap();
        let orphan = BlobName::random();
        let mut upload = world.blobs.create(orphan, None).await.unwrap();
        upload.write(Bytes::from_static(b"nobody's")).await.unwrap();
        upload.finish().await.unwrap();

        // The store tells the time of the day; what is younger than one may be an upload.
        let processor = world.processor();
        world.clock.set_wall(SystemClock.now());
        let report = run(&processor, "reconcile").await;
        assert_eq!((number(&report, "/without_row/count"), number(&report, "/blobs")), (0, 2), "{report}");
        assert_eq!(report["missing"]["count"], 1);

        world.clock.set_wall(SystemClock.now().plus(2 * DAY));
        let report = run(&processor, "reconcile").await;
        assert_eq!(report["without_row"]["first"][0], orphan.to_string(), "{report}");
        assert_eq!(number(&report, "/without_row/bytes"), 8);
        assert!(report["missing"]["first"][0].as_str().unwrap().ends_with(&lost));
        assert_eq!((number(&report, "/looked_for"), number(&report, "/violations/count")), (2, 1));
        assert_eq!(report["complete"], true);
        assert_eq!((world.count(State::Live).await, world.stored().await), (3, 2));
        assert_eq!(world.metadata.check_whole().await.unwrap(), []);
    }
}
