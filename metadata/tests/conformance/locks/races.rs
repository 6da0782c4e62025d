//! Locks and deletions that meet.

use super::*;
use lifecycle::{Refusal, State};

racing_on_both_engines! {
    /// Of a hold and a delete that meet, one wins: what is held lives, and what is gone is not held.
    async fn a_hold_and_a_delete_meet(world: World) {
        world.versioning("enabled").await;
        let callers = world.callers(2).await;
        for round in 0..12 {
            let name = format!("x{round}");
            let version = world.put(&name).await.unwrap().version;
            let order = LockOrder {
                domain: world.domain,
                bucket: world.bucket,
                name: name.clone(),
                which: Which::Version(version),
                removed_too: false,
                change: LockChange::Hold(true),
            };
            let (held, deleted) =
                tokio::join!(callers[0].m.set_lock(order), callers[1].delete(&name).version(version));
            let row = world.row(version).await;
            match (answer(held), deleted) {
                (Ok(_), Err(refused)) => {
                    assert_eq!(refused, Refusal::Guarded { until: None, hold: true });
                    assert_eq!((row.state, row.guard.hold), (State::Live, true));
                }
                (Err(refused), Ok(_)) => {
                    assert_eq!(refused, Refusal::NoSuchVersion);
                    assert_eq!((row.state, row.guard.hold), (State::Removed, false));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Of a hold on what is removed and its purge, one wins: what is held has its bytes.
    async fn a_hold_and_a_purge_meet(world: World) {
        let callers = world.callers(2).await;
        for round in 0..12 {
            let name = format!("x{round}");
            let version = world.put(&name).await.unwrap().version;
            world.delete(&name).at_once().await.unwrap();
            let (held, claims) = tokio::join!(
                set(&callers[0], &name, version, LockChange::Hold(true)),
                callers[1].claim_due()
            );
            let row = world.row(version).await;
            match held {
                Ok(_) => assert_eq!((claims.len(), row.state, row.guard.hold), (0, State::Removed, true)),
                Err(refused) => {
                    assert_eq!(refused, Refusal::NoSuchVersion);
                    assert_eq!((claims.len(), row.state), (1, State::Purging));
                }
            }
            callers[1].finish_claims(claims).await;
        }
    }
}
