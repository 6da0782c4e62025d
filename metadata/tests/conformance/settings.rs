//! What buckets are set to: all of a change or nothing, and a number that tells whoever has to look.

use crate::world::*;
use metadata::{SettingChanges, SettingKind};

fn to(kind: SettingKind, content: Option<&str>) -> SettingChanges {
    SettingChanges::from([(kind, content.map(str::to_owned))])
}

on_both_engines! {
    async fn settings_are_kept_as_they_were_written_and_go(world: World) {
        let set = async |kind, content| world.m.set_bucket_settings(world.bucket, to(kind, content), "alice").await.unwrap();
        set(SettingKind::Cors, Some("<a/>")).await;
        set(SettingKind::Cors, Some("<b/>")).await;
        set(SettingKind::Website, Some("site")).await;
        let cors = world.m.bucket_setting(world.bucket, SettingKind::Cors).await.unwrap().unwrap();
        assert_eq!((cors.content.as_str(), cors.actor.as_str(), cors.changed_at), ("<b/>", "alice", world.now()));
        assert_eq!(world.m.bucket_settings(world.bucket).await.unwrap().len(), 2);
        set(SettingKind::Cors, None).await;
        assert_eq!(world.m.bucket_setting(world.bucket, SettingKind::Cors).await.unwrap(), None);
    }

    async fn the_number_moves_with_what_decides_on_access_and_with_nothing_else(world: World) {
        let set = async |kind, content| world.m.set_bucket_settings(world.bucket, to(kind, content), "alice").await.unwrap();
        let number = async || world.bucket_row().await.access;
        assert_eq!(number().await, None);
        set(SettingKind::Cors, Some("x")).await;
        assert_eq!(number().await, None);
        set(SettingKind::Policy, Some("{}")).await;
        let first = number().await.unwrap();
        set(SettingKind::Acl, Some("x")).await;
        let second = number().await.unwrap();
        assert!(second > first);
        set(SettingKind::Cors, None).await;
        assert_eq!(number().await, Some(second));
        set(SettingKind::Policy, None).await;
        assert!(number().await.unwrap() > second, "a list is left");
        set(SettingKind::Acl, None).await;
        assert_eq!(number().await, None);
    }

    async fn of_two_who_change_at_once_one_comes_after_the_other(world: World) {
        let one = async |turn: usize| {
            let (kind, other) = (SettingKind::Policy, SettingKind::Ownership);
            let text = Some(turn.to_string());
            let changes = SettingChanges::from([(kind, text.clone()), (other, text)]);
            world.m.set_bucket_settings(world.bucket, changes, "alice").await.unwrap();
        };
        futures_util::future::join_all((0..8).map(one)).await;
        let all = world.m.bucket_settings(world.bucket).await.unwrap();
        assert_eq!(all[&SettingKind::Policy].content, all[&SettingKind::Ownership].content, "all of a change or nothing");
    }

    async fn a_setting_is_found_by_names(world: World) {
        let bucket = world.bucket_row().await;
        let domain = world.m.container(metadata::ContainerKind::Domain, world.domain).await.unwrap().unwrap();
        let find = async |host, fallback: &str, name: &str| {
            let found = world.m.bucket_setting_named(host, fallback, name, SettingKind::Cors).await.unwrap();
            found.map(|setting| setting.map(|setting| setting.content))
        };
        assert_eq!(find(None, &domain.name, &bucket.name).await, Some(None));
        world.m.set_bucket_settings(world.bucket, to(SettingKind::Cors, Some("x")), "alice").await.unwrap();
        world.m.set_bucket_settings(world.bucket, to(SettingKind::Website, Some("y")), "alice").await.unwrap();
        let here = Some(Some("x".to_owned()));
        assert_eq!(find(None, &domain.name, &bucket.name).await, here);
        assert_eq!(find(Some(&domain.name), "none.example", &bucket.name).await, here);
        assert_eq!(find(Some("none.example"), &domain.name, &bucket.name).await, here);
        assert_eq!(find(None, &domain.name, "none").await, None);
        assert_eq!(find(None, &domain.name, "").await, None, "the hidden bucket has no settings");
        assert_eq!(find(None, "none.example", &bucket.name).await, None);
        world.remove_bucket().await.unwrap();
        assert_eq!(find(None, &domain.name, &bucket.name).await, None);
    }

    async fn what_is_not_live_takes_none(world: World) {
        world.remove_bucket().await.unwrap();
        let set = world.m.set_bucket_settings(world.bucket, to(SettingKind::Policy, Some("{}")), "alice").await;
        assert_eq!(answer(set), Err(lifecycle::Refusal::NoSuchBucket));
    }
}
