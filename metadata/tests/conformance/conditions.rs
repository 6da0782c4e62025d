//! If-Match, If-None-Match and dates, decided on the row that is current inside the transaction.

use crate::world::*;
use lifecycle::{Refusal, VersionId};

fn failed(current: Option<VersionId>) -> Refusal {
    Refusal::ConditionFailed { current }
}

on_both_engines! {
    async fn if_none_match_any_creates_and_never_overwrites(world: World) {
        let put = world.put("x").if_none_match("*").await.unwrap();
        assert_eq!(world.put("x").if_none_match("*").await, Err(failed(Some(put.version))));
        world.delete("x").await.unwrap();
        world.put("x").if_none_match("*").await.expect("a removed object is not there");
    }

    async fn if_match_overwrites_only_what_the_writer_has_seen(world: World) {
        let first = world.put("x").await.unwrap().version;
        assert_eq!(world.put("y").if_match("*").await, Err(failed(None)));
        let second = world.put("x").if_match(&format!("\"{first}\"")).await.unwrap().version;
        assert_eq!(world.put("x").if_match(&format!("\"{first}\"")).await, Err(failed(Some(second))));
        world.put("x").if_match("*").await.unwrap();
    }

    async fn if_none_match_of_a_tag_lets_everything_else_through(world: World) {
        let first = world.put("x").await.unwrap().version;
        assert_eq!(world.put("x").if_none_match(&format!("\"{first}\"")).await, Err(failed(Some(first))));
        world.put("x").if_none_match("\"00\"").await.unwrap();
        world.put("new").if_none_match(&format!("\"{first}\"")).await.unwrap();
    }

    async fn a_date_refuses_what_is_younger(world: World) {
        let put = world.put("x").await.unwrap();
        assert_eq!(
            world.put("x").if_unmodified_since(put.at.minus(SECOND)).await,
            Err(failed(Some(put.version)))
        );
        world.later(SECOND);
        let again = world.put("x").if_unmodified_since(put.at).await.unwrap();
        assert_eq!(world.delete("x").if_unmodified_since(put.at).await, Err(failed(Some(again.version))));
        world.delete("x").if_unmodified_since(again.at).await.unwrap();
        world.put("x").if_unmodified_since(put.at).await.expect("nothing is there that could be younger");
    }

    async fn a_delete_with_if_match_removes_what_the_caller_has_seen(world: World) {
        let first = world.put("x").await.unwrap().version;
        let second = world.put("x").await.unwrap().version;
        assert_eq!(world.delete("x").if_match(&first.to_string()).await, Err(failed(Some(second))));
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
        world.delete("x").if_match(&second.to_string()).await.unwrap();
    }

    async fn an_update_wants_the_object_to_be_there(world: World) {
        let missing = Refusal::NoSuchObject { marker: None };
        assert_eq!(world.put("x").only_if_there().await, Err(missing.clone()));
        world.put("x").await.unwrap();
        world.put("x").only_if_there().await.unwrap();
        world.delete("x").await.unwrap();
        assert_eq!(world.put("x").only_if_there().await, Err(missing));
    }

    async fn a_refused_condition_changes_nothing(world: World) {
        let put = world.put("x").body("before").await.unwrap();
        let row = format!("{:?}", world.row(put.version).await);
        assert!(world.put("x").body("after").if_none_match("*").await.is_err());
        assert!(world.delete("x").if_match("\"no\"").await.is_err());
        assert_eq!(format!("{:?}", world.row(put.version).await), row);
        assert_eq!(world.reads("x").await.as_deref(), Some("before"));
    }
}
