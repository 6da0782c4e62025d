//! Accounts, and the keys that belong to them.

use crate::world::*;
use lifecycle::{BucketName, Refusal, Right, Rights};
use metadata::{
    AccessKey, Account, AccountChange, KeyAccount, KeyChange, KeyStanding, NewAccount, NewContainer, OldKey,
    Secret,
};
use std::sync::Arc;

fn new(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        display_name: format!("The {name}"),
        email: Some(format!("{name}@a.example")),
    }
}

fn key(id: &str, account: Option<&Account>) -> AccessKey {
    AccessKey {
        id: id.to_owned(),
        secret: Secret::new("secret"),
        rights: Rights::of(&[Right::Read, Right::Write]),
        domain: None,
        bucket: None,
        account: account.map(|account| KeyAccount::Known(Arc::new(account.clone()))),
        label: String::new(),
        created_at: lifecycle::Time::from_micros(0),
        expires_at: None,
        disabled_at: None,
        revoked_at: None,
    }
}

async fn standing(world: &World, id: &str) -> KeyStanding {
    world.m.key(id).await.unwrap().unwrap().standing(world.now())
}

on_both_engines! {
    async fn an_account_is_found_by_id_name_and_email(world: World) {
        let ann = world.m.create_account(new("ann")).await.unwrap();
        assert!(lifecycle::ids::is_account_id(&ann.id));
        assert_eq!((ann.created_at, ann.disabled_at), (world.now(), None));
        let bob = world.m.create_account(NewAccount { email: None, ..new("bob") }).await.unwrap();
        let carl = world.m.create_account(NewAccount { email: None, ..new("carl") }).await.unwrap();
        assert_eq!(world.m.account(&ann.id).await.unwrap(), Some(ann.clone()));
        assert_eq!(world.m.account_by_name("ann").await.unwrap(), Some(ann.clone()));
        assert_eq!(world.m.account_by_email("ann@a.example").await.unwrap(), Some(ann.clone()));
        assert_eq!(world.m.account("ann").await.unwrap(), None);
        let names = async |prefix, after, limit| {
            let page = world.m.accounts(prefix, after, limit).await.unwrap();
            page.into_iter().map(|account| account.name).collect::<Vec<_>>()
        };
        assert_eq!(names("", "", 10).await, ["ann", "bob", "carl"]);
        assert_eq!(names("", "ann", 1).await, ["bob"]);
        assert_eq!(names("b", "", 10).await, ["bob"]);
        let of = world.m.accounts_of(&[&carl.id, "nobody", &bob.id]).await.unwrap();
        assert_eq!(of.len(), 2);
        assert!(world.m.accounts_of(&[]).await.unwrap().is_empty());
    }

    async fn names_and_emails_belong_to_one_account(world: World) {
        let ann = world.m.create_account(new("ann")).await.unwrap();
        let bob = world.m.create_account(new("bob")).await.unwrap();
        assert_eq!(answer(world.m.create_account(new("ann")).await), Err(Refusal::NameInUse));
        let with = NewAccount { email: Some("bob@a.example".to_owned()), ..new("carl") };
        assert_eq!(answer(world.m.create_account(with).await), Err(Refusal::NameInUse));
        let renamed = AccountChange { name: Some("bob".to_owned()), ..AccountChange::default() };
        assert_eq!(answer(world.m.change_account(&ann.id, renamed).await), Err(Refusal::NameInUse));
        let change = AccountChange { name: Some("anne".to_owned()), email: Some(None), ..AccountChange::default() };
        let anne = world.m.change_account(&ann.id, change).await.unwrap();
        assert_eq!((anne.id.as_str(), anne.name.as_str(), anne.email.as_deref()), (ann.id.as_str(), "anne", None));
        assert_eq!(anne.display_name, "The ann", "what is not said stays");
        assert_eq!(world.m.account(&ann.id).await.unwrap(), Some(anne));
        let taken = AccountChange { email: Some(Some("ann@a.example".to_owned())), ..AccountChange::default() };
        world.m.change_account(&bob.id, taken).await.expect("it is free by now");
        assert_eq!(answer(world.m.change_account("nobody", AccountChange::default()).await), Err(Refusal::NoSuchAccount));
    }

    async fn a_disabled_account_takes_all_of_its_keys_along(world: World) {
        let ann = world.m.create_account(new("ann")).await.unwrap();
        world.m.create_key(key("A1", Some(&ann))).await.unwrap();
        world.m.create_key(key("A2", Some(&ann))).await.unwrap();
        world.m.create_key(key("K", None)).await.unwrap();
        let found = world.m.key("A1").await.unwrap().unwrap();
        assert_eq!(found.account, Some(KeyAccount::Known(Arc::new(ann.clone()))));
        let off = |disabled| AccountChange { disabled: Some(disabled), ..AccountChange::default() };
        let at = world.now();
        world.m.change_account(&ann.id, off(true)).await.unwrap();
        world.later(SECOND);
        let again = world.m.change_account(&ann.id, off(true)).await.unwrap();
        assert_eq!(again.disabled_at, Some(at), "the first time stands");
        assert_eq!(standing(world, "A1").await, KeyStanding::AccountDisabled);
        assert_eq!(standing(world, "A2").await, KeyStanding::AccountDisabled);
        assert_eq!(standing(world, "K").await, KeyStanding::Valid);
        world.m.change_account(&ann.id, off(false)).await.unwrap();
        assert_eq!(standing(world, "A1").await, KeyStanding::Valid);
        let of: Vec<String> = world.m.keys_of(&ann.id).await.unwrap().into_iter().map(|key| key.id).collect();
        assert_eq!(of, ["A1", "A2"]);
    }

    async fn a_key_is_disabled_enabled_and_ended(world: World) {
        world.m.create_key(key("K", None)).await.unwrap();
        let change = async |disabled, expires_at| world.m.change_key("K", KeyChange { disabled, expires_at }).await.unwrap();
        change(Some(true), None).await;
        assert_eq!(standing(world, "K").await, KeyStanding::Disabled);
        change(None, Some(world.now().plus(HOUR))).await;
        assert_eq!(standing(world, "K").await, KeyStanding::Disabled, "what is not said stays");
        change(Some(false), None).await;
        assert_eq!(standing(world, "K").await, KeyStanding::Valid);
        world.later(HOUR);
        assert_eq!(standing(world, "K").await, KeyStanding::Expired);
        world.m.revoke_key("K").await.unwrap();
        change(Some(false), Some(world.now().plus(HOUR))).await;
        assert_eq!(standing(world, "K").await, KeyStanding::Revoked, "for good");
        assert_eq!(answer(world.m.change_key("L", KeyChange::default()).await), Err(Refusal::Unknown));
    }

    async fn a_rotated_key_ends_in_the_commit_that_makes_the_other(world: World) {
        world.m.create_key(key("K1", None)).await.unwrap();
        let soon = world.now().plus(HOUR);
        world.m.rotate_key("K1", OldKey::Expires(soon), key("K2", None)).await.unwrap();
        world.m.rotate_key("K1", OldKey::Expires(soon.plus(HOUR)), key("K3", None)).await.unwrap();
        assert_eq!(world.m.key("K1").await.unwrap().unwrap().expires_at, Some(soon), "never later than it was");
        world.m.rotate_key("K2", OldKey::Disabled, key("K4", None)).await.unwrap();
        assert_eq!(standing(world, "K2").await, KeyStanding::Disabled);
        assert_eq!(answer(world.m.rotate_key("gone", OldKey::Disabled, key("K5", None)).await), Err(Refusal::Unknown));
        assert!(world.m.key("K5").await.unwrap().is_none(), "both, or neither");
        assert_eq!(answer(world.m.rotate_key("K4", OldKey::Disabled, key("K1", None)).await), Err(Refusal::NameInUse));
        assert_eq!(standing(world, "K4").await, KeyStanding::Valid);
    }

    async fn an_account_goes_after_its_keys_and_its_buckets(world: World) {
        let ann = world.m.create_account(new("ann")).await.unwrap();
        world.m.create_key(key("A", Some(&ann))).await.unwrap();
        let name = BucketName::parse("anns").unwrap();
        let own = NewContainer { owner: Some(ann.id.clone()), ..NewContainer::default() };
        world.m.create_bucket(world.domain, &name, own).await.unwrap();
        let refused = |keys, buckets| Err(Refusal::AccountInUse { keys, buckets });
        assert_eq!(answer(world.m.delete_account(&ann.id).await), refused(1, 1));
        world.m.revoke_key("A").await.unwrap();
        assert_eq!(answer(world.m.delete_account(&ann.id).await), refused(0, 1));
        let carl = world.m.create_account(new("carl")).await.unwrap();
        world.m.create_key(key("C", Some(&carl))).await.unwrap();
        world.m.revoke_key("C").await.unwrap();
        world.m.delete_account(&carl.id).await.unwrap();
        assert_eq!(world.m.account(&carl.id).await.unwrap(), None);
        assert_eq!(standing(world, "C").await, KeyStanding::Revoked);
        assert_eq!(answer(world.m.create_key(key("D", Some(&carl))).await), Err(Refusal::NoSuchAccount));
        assert!(world.m.key("D").await.unwrap().is_none());
        assert_eq!(answer(world.m.delete_account(&carl.id).await), Err(Refusal::NoSuchAccount));
    }
}
