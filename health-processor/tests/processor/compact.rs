//! The database file shrinks when what it held is gone.

use crate::world::{GRACE, World, number, run};
use bytes::Bytes;
use lifecycle::{BlobName, State};
use metadata::Body;
use testkit::Database;

#[tokio::test]
async fn the_file_shrinks_when_what_it_held_is_gone() {
    let world = World::on(Database::sqlite()).await;
    let bucket = world.bucket().await;
    for nth in 0..300 {
        world
            .put_with(&bucket, &format!("many-{nth:06}"), |publish| {
                publish.size = 12_000;
                let bytes = Bytes::from(vec![9; 12_000]);
                publish.body = Body::Inline { blob: BlobName::random(), format: 0, bytes };
            })
            .await;
    }
    world.metadata.truncate_wal().await.unwrap();
    let size = || world.metadata.file().unwrap().metadata().unwrap().len();
    let full = size();
    assert!(full > 300 * 12_000);
    world.delete_many(&bucket, 300).await;
    world.clock.advance(GRACE);
    let processor = world.processor();
    assert_eq!(number(&run(&processor, "reclaim").await, "/purged"), 300);
    let report = run(&processor, "compact").await;
    assert_eq!(report["log_cut"], true, "{report}");
    assert!(number(&report, "/returned_pages") > 500, "{report}");
    assert!(world.metadata.free_pages().await.unwrap() < 64);
    assert!(size() < full / 4, "{} of {full} bytes are left", size());
    assert!(processor.run_all_until_idle().await);
    assert_eq!(world.count(State::Purged).await, 300);
    world.check().await;
}
