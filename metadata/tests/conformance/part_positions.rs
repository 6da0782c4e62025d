//! The parts of a finished object, one by one.

use crate::world::*;
use lifecycle::{BlobName, State};
use metadata::{Found, NewPart};

async fn assembled(world: &World) -> Found {
    let upload = world.upload("x").await;
    let mut parts = Vec::new();
    for (number, bytes, checksum) in
        [(2, b"two".as_slice(), Some("crc-2")), (5, b"five", None), (7, b"", Some("crc-7"))]
    {
        let checksum = checksum.map(str::to_owned);
        let part = NewPart { checksum, ..world.new_part(upload, number, bytes) };
        parts.push((number, part.version));
        world.m.finish_part(part).await.unwrap();
    }
    let waiting = world.m.parts(upload, 0, 10).await.unwrap();
    let told: Vec<_> = waiting.iter().map(|part| (part.number, part.checksum.as_deref())).collect();
    assert_eq!(told, [(2, Some("crc-2")), (5, None), (7, Some("crc-7"))]);
    world.put("x").assembled(upload, parts).checksum("whole-3").await.unwrap();
    world.found("x", false).await
}

on_both_engines! {
    async fn they_are_counted_from_one_without_gaps(world: World) {
        let found = assembled(world).await;
        assert_eq!(found.version.checksum.as_deref(), Some("whole-3"));
        let one = found.part.expect("it is made of parts");
        let parts = world.m.parts_of_version(one, 0, 10).await.unwrap();
        let told: Vec<_> = parts
            .iter()
            .map(|part| (part.position, part.blob.part_no, part.blob.start, part.blob.size, part.checksum.as_deref()))
            .collect();
        assert_eq!(told, [(1, 2, 0, 3, Some("crc-2")), (2, 5, 3, 4, None), (3, 7, 7, 0, Some("crc-7"))]);
        assert_eq!(world.m.parts_of_version(one, 1, 1).await.unwrap(), parts[1..2]);
        assert_eq!(world.m.parts_of_version(one, 2, 10).await.unwrap(), parts[2..]);
        assert_eq!(world.m.parts_of_version(one, 3, 10).await.unwrap(), []);
        for part in &parts {
            assert_eq!(world.m.part_of_version(one, part.position).await.unwrap().as_ref(), Some(part));
        }
        for missing in [0, 4, 5, u32::MAX] {
            assert_eq!(world.m.part_of_version(one, missing).await.unwrap(), None, "{missing}");
        }
        assert_eq!(world.m.part_of_version(BlobName::random(), 1).await.unwrap(), None);
    }

    async fn they_are_found_whoever_has_them_now(world: World) {
        let found = assembled(world).await;
        let one = found.part.expect("it is made of parts");
        let before = world.m.parts_of_version(one, 0, 10).await.unwrap();
        let taken = world.put("x").taking_over(found.version.id).checksum("whole-3").await.unwrap().version;
        assert_eq!(world.state(found.version.id).await, State::Purged);
        assert_eq!(world.m.parts_of_version(one, 0, 10).await.unwrap(), before, "in the middle of a read");
        assert_eq!(world.row(taken).await.checksum.as_deref(), Some("whole-3"));
        world.delete("x").await.unwrap();
        world.restore("x").await.unwrap();
        assert_eq!(world.m.parts_of_version(one, 0, 10).await.unwrap(), before);
        world.delete("x").at_once().await.unwrap();
        world.reclaim().await;
        assert_eq!(world.m.parts_of_version(one, 0, 10).await.unwrap(), []);
    }

    async fn a_part_in_the_store_keeps_its_checksum_too(world: World) {
        let upload = world.upload("x").await;
        let version = lifecycle::VersionId::random();
        let stage = metadata::Stage {
            contents: world.contents().await,
            version,
            kind: lifecycle::Kind::Unnamed,
            name: version.to_string(),
            blob: BlobName::random(),
            actor: "alice".to_owned(),
            part_of: Some((upload, 1)),
        };
        world.m.object(metadata::ObjectCommand::Stage(stage)).await.unwrap();
        let part = NewPart {
            version,
            checksum: Some("crc".to_owned()),
            body: metadata::PartBody::Staged { format: 0 },
            ..world.new_part(upload, 1, b"one")
        };
        world.m.finish_part(part).await.unwrap();
        assert_eq!(world.row(version).await.checksum.as_deref(), Some("crc"));
        world.put("x").assembled(upload, vec![(1, version)]).await.unwrap();
        let one = world.found("x", false).await.part.expect("it is made of parts");
        let part = world.m.part_of_version(one, 1).await.unwrap().expect("the first");
        assert_eq!((part.checksum.as_deref(), part.blob.size), (Some("crc"), 3));
    }
}
