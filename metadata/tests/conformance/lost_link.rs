//! The database goes away and comes back, and nobody restarts anything.

use lifecycle::BucketName;
use metadata::{Failure, Metadata, NewContainer};
use std::sync::Arc;
use testkit::{Database, ManualClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A wire between Barrow and Postgres that a test can cut.
struct Wire {
    port: u16,
    whole: watch::Sender<bool>,
}

impl Wire {
    async fn to(server: String) -> Wire {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.clone());
                tokio::spawn(async move {
                    if !*state.borrow() {
                        return;
                    }
                    let Ok(mut far) = TcpStream::connect(&server).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Wire { port, whole }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_breaks_refuses_clearly_and_heals_by_itself() {
    let db = Database::postgres().await;
    let mut settings = db.settings();
    let (before, rest) = settings.url.split_once('@').unwrap();
    let (server, behind) = rest.split_once('/').unwrap();
    let wire = Wire::to(server.to_owned()).await;
    settings.url = format!("{before}@127.0.0.1:{}/{behind}", wire.port);

    let clock = Arc::new(ManualClock::default());
    let m = Metadata::open(&settings, clock).await.unwrap();
    let domain = m.default_domain().unwrap();
    let bucket = |name| BucketName::parse(name).unwrap();
    m.create_bucket(domain, &bucket("before"), NewContainer::default()).await.unwrap();

    wire.whole.send(false).unwrap();
    for attempt in 0..3 {
        let failed = m.create_bucket(domain, &bucket("meanwhile"), NewContainer::default()).await;
        assert!(
            matches!(failed, Err(Failure::Unavailable { .. } | Failure::Unknown(_))),
            "attempt {attempt}: {failed:?}"
        );
    }

    wire.whole.send(true).unwrap();
    m.create_bucket(domain, &bucket("after"), NewContainer::default()).await.unwrap();
    let mut found = Vec::new();
    for name in ["before", "meanwhile", "after"] {
        // A reader's connection may still be the broken one, once.
        let mut looked = m.bucket_named(domain, name).await;
        for _ in 0..16 {
            if looked.is_ok() {
                break;
            }
            looked = m.bucket_named(domain, name).await;
        }
        found.push(looked.unwrap().is_some());
    }
    assert_eq!(found, [true, false, true]);
    assert_eq!(m.check_whole().await.unwrap(), []);
}
