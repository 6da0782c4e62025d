//! One thread from put to forget, on both engines.
use ::lifecycle::{
    BlobName, BucketName, Cause, Clock, Condition, Grace, Guard, Kind, MemberId, State, VersionId,
};
use bytes::Bytes;
use metadata::*;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Database, ManualClock};

#[tokio::test]
async fn thread() {
    for db in Database::both().await {
        let clock = Arc::new(ManualClock::default());
        let m = db.open(clock.clone()).await;
        let domain = m.default_domain().expect("there");
        let b = m
            .create_bucket(domain, &BucketName::parse("photos").unwrap(), NewContainer::default())
            .await
            .unwrap();
        let put = |name: &str| {
            ObjectCommand::Publish(Box::new(Publish {
                domain,
                bucket: b.id,
                version: VersionId::ordered(clock.now()),
                kind: Kind::Named,
                name: name.into(),
                size: 4,
                md5: [1; 16],
                headers: "[]".into(),
                guard: Guard::NONE,
                expires_at: None,
                owner: None,
                actor: "a".into(),
                existence: Existence::Any,
                condition: Condition::NONE,
                grace: Duration::from_secs(60),
                body: Body::Inline {
                    blob: BlobName::random(),
                    format: 0,
                    bytes: Bytes::from_static(b"abcd"),
                },
            }))
        };
        m.object(put("x")).await.unwrap();
        m.object(put("x")).await.unwrap();
        let f = m.find_named(None, "barrow.local", "photos", "x", true).await.unwrap().unwrap();
        assert_eq!(f.inline.unwrap(), "abcd");
        let del = ObjectCommand::Delete(Delete {
            domain,
            bucket: b.id,
            name: "x".into(),
            version: None,
            condition: Condition::NONE,
            cause: Cause::Delete,
            actor: "a".into(),
            grace: Duration::from_secs(60),
        });
        m.object(del.clone()).await.unwrap();
        assert!(m.object(del.clone()).await.is_err());
        let r = ObjectCommand::Restore(Restore {
            domain,
            bucket: b.id,
            what: RestoreWhat::Latest("x".into()),
            as_name: None,
            replace: false,
            actor: "a".into(),
            grace: Duration::from_secs(60),
        });
        m.object(r).await.unwrap();
        m.object(del).await.unwrap();
        clock.advance(Duration::from_secs(61));
        let order = ClaimOrder {
            holder: MemberId::random(),
            limit: 100,
            lease: Duration::from_secs(60),
            drain: Duration::ZERO,
        };
        let w = m.contents_with(State::Removed).await.unwrap();
        let claims = m.claim_due(w[0], order).await.unwrap();
        assert_eq!(claims.len(), 2);
        m.finish(claims, Duration::from_secs(100)).await.unwrap();
        assert_eq!(m.check_whole().await.unwrap(), vec![]);
        clock.advance(Duration::from_secs(161));
        assert_eq!(m.forget(w[0].contents, 10).await.unwrap(), 2);
        let order = RemoveOrder {
            grace: Grace::For(Duration::from_secs(60)),
            early: false,
            reserves_name: false,
            only_empty: false,
            cause: Cause::Recursive,
            door: "scsp",
            actor: "a".into(),
            reason: None,
        };
        m.object(put("y")).await.unwrap();
        m.remove(ContainerKind::Bucket, b.id, order.clone()).await.unwrap();
        assert!(m.object(put("y")).await.is_err());
        m.restore(ContainerKind::Bucket, b.id, RestoreOrder::default()).await.unwrap();
        assert!(m.find_named(None, "barrow.local", "photos", "y", true).await.unwrap().is_some());
        m.remove(ContainerKind::Bucket, b.id, order).await.unwrap();
        clock.advance(Duration::from_secs(61));
        println!("{:?}", m.purge_containers(10, Duration::from_secs(100)).await.unwrap());
        let w = m.contents_with(State::Live).await.unwrap();
        let order = ClaimOrder {
            holder: MemberId::random(),
            limit: 100,
            lease: Duration::from_secs(60),
            drain: Duration::ZERO,
        };
        let claims = m.claim_cascade(w[0].contents, order).await.unwrap();
        assert_eq!(claims.len(), 1);
        m.finish(claims, Duration::from_secs(100)).await.unwrap();
        println!("{:?}", m.purge_containers(10, Duration::from_secs(100)).await.unwrap());
        assert_eq!(m.container(ContainerKind::Bucket, b.id).await.unwrap().unwrap().state, State::Purged);
        assert_eq!(m.check_whole().await.unwrap(), vec![]);
        println!("{:?} {:?}", m.usage().await.unwrap(), m.next_due().await.unwrap());
        m.list_objects(w[0].contents, "a", "", 10).await.unwrap();
        m.compact(256).await.unwrap();
        m.heartbeat(MemberId::random(), "n", "gateway", "b", Duration::from_secs(1)).await.unwrap();
        m.heartbeat(MemberId::random(), "n", "gateway", "b", Duration::from_secs(2)).await.unwrap();
    }
}
