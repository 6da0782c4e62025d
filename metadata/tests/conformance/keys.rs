//! Access keys: sealed with a file that lies outside the database.

use crate::world::*;
use lifecycle::{Refusal, Right, Rights, Time};
use metadata::{AccessKey, Failure, Metadata, Secret};
use std::os::unix::fs::PermissionsExt;
use testkit::Database;

fn key(id: &str) -> AccessKey {
    AccessKey {
        id: id.to_owned(),
        secret: Secret::new(format!("secret of {id}")),
        rights: Rights::of(&[Right::Read, Right::Purge]),
        domain: None,
        bucket: None,
        account: None,
        label: "for tests".to_owned(),
        created_at: Time::from_micros(0),
        expires_at: None,
        disabled_at: None,
        revoked_at: None,
    }
}

/// The text of a refused start.
async fn refused_start(db: &Database, world: &World) -> String {
    match Metadata::open(&db.settings(), world.clock.clone()).await {
        Err(Failure::Start(text)) => text,
        other => panic!("should not start: {other:?}"),
    }
}

on_both_engines! {
    async fn a_key_comes_back_as_it_was_made(world: World) {
        let made = AccessKey { bucket: Some(world.bucket), expires_at: Some(world.now().plus(HOUR)), ..key("K1") };
        world.m.create_key(made.clone()).await.unwrap();
        world.m.create_key(key("K0")).await.unwrap();
        let found = world.m.key("K1").await.unwrap().unwrap();
        assert_eq!((found.secret.expose(), found.rights), (made.secret.expose(), made.rights));
        assert_eq!((found.bucket, found.domain, found.created_at), (Some(world.bucket), None, world.now()));
        assert!(found.is_valid(world.now()) && !found.is_valid(world.now().plus(HOUR)));
        let all = world.m.keys().await.unwrap();
        assert_eq!(all.iter().map(|k| k.id.as_str()).collect::<Vec<_>>(), ["K0", "K1"]);
        assert!(world.m.key("K2").await.unwrap().is_none());
        assert_eq!(answer(world.m.create_key(key("K1")).await), Err(Refusal::NameInUse));
        assert_eq!(format!("{:?}", found.secret), "Secret(…)");
    }

    async fn a_revoked_key_is_invalid_from_that_commit_on(world: World) {
        world.m.create_key(key("K")).await.unwrap();
        world.later(SECOND);
        let revoked_at = world.now();
        world.m.revoke_key("K").await.unwrap();
        world.later(SECOND);
        world.m.revoke_key("K").await.unwrap();
        let found = world.m.key("K").await.unwrap().unwrap();
        assert_eq!(found.revoked_at, Some(revoked_at), "the first revocation stands");
        assert!(!found.is_valid(revoked_at));
        assert_eq!(answer(world.m.revoke_key("unknown").await), Err(Refusal::Unknown));
    }

    async fn a_sealed_secret_opens_for_its_own_key_only(world: World) {
        world.m.create_key(key("A")).await.unwrap();
        world.m.create_key(key("B")).await.unwrap();
        world.put_wrong("UPDATE keys SET secret = (SELECT secret FROM keys WHERE id = 'A') WHERE id = 'B'").await;
        assert!(world.m.key("A").await.is_ok());
        let error = world.m.key("B").await.unwrap_err().to_string();
        assert!(error.contains("key B") && !error.contains("secret of A"), "{error}");
    }

    async fn the_secret_does_not_lie_in_the_database(world: World) {
        world.m.create_key(key("K")).await.unwrap();
        let length = if world.is_sqlite() { "length(secret)" } else { "octet_length(secret)" };
        let sealed = "secret of K".len() + 12 + 16;
        let touched = format!("UPDATE keys SET label = label WHERE {length} = {sealed}");
        assert_eq!(world.put_wrong(&touched).await, 1, "nonce, text and seal");
    }

    async fn the_key_file_is_private_and_stays_so(world: World) {
        let path = world.db.settings().seal_key;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(std::fs::read_dir(world.db.dir()).unwrap().filter(|f| {
            f.as_ref().unwrap().file_name().to_string_lossy().starts_with("seal.key")
        }).count(), 1, "and nothing is left of making it");
    }
}

/// Both engines, with a second installation whose key file the case may spoil.
async fn worlds_with_a_key() -> Vec<(World, Database)> {
    let mut made = Vec::new();
    for world in [World::sqlite().await, World::postgres().await] {
        let db = if world.is_sqlite() { Database::sqlite() } else { Database::postgres().await };
        let m = db.open(world.clock.clone()).await;
        m.create_key(key("K")).await.unwrap();
        m.close().await;
        drop(m);
        made.push((world, db));
    }
    made
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused() {
    for (world, db) in worlds_with_a_key().await {
        let path = db.settings().seal_key;
        for mode in [0o644, 0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let text = refused_start(&db, &world).await;
            assert!(text.contains("seal.key") && text.contains("chmod 600"), "{text}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
        db.open(world.clock.clone()).await;
        world.finish().await;
    }
}

#[tokio::test]
async fn a_missing_or_damaged_key_file_is_refused_and_never_made_anew() {
    for (world, db) in worlds_with_a_key().await {
        let path = db.settings().seal_key;
        std::fs::write(&path, [1; 31]).unwrap();
        assert!(refused_start(&db, &world).await.contains("32 bytes, not 31"));
        std::fs::remove_file(&path).unwrap();
        assert!(refused_start(&db, &world).await.contains("backup"));
        assert!(!path.exists());
        world.finish().await;
    }
}

#[tokio::test]
async fn another_installations_key_file_opens_no_secret() {
    for (world, db) in worlds_with_a_key().await {
        std::fs::copy(world.db.settings().seal_key, db.settings().seal_key).unwrap();
        let m = db.open(world.clock.clone()).await;
        let error = m.key("K").await.unwrap_err().to_string();
        assert!(error.contains("does not open with this installation's key file"), "{error}");
        world.finish().await;
    }
}
