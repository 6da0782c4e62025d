//! Accounts with keys, for tests of who may do what.

use crate::client::{Ask, Key};
use crate::house::House;
use lifecycle::Right;
use metadata::{KeyAccount, NewAccount};
use std::sync::Arc;

/// An account with a key of it.
pub(crate) struct User {
    /// Its canonical id.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) key: Key,
}

/// What a client's key usually holds.
pub(crate) const USUAL: [Right; 5] =
    [Right::Read, Right::Write, Right::Delete, Right::DeleteVersion, Right::Remove];

/// An account of this name, with a key that holds `rights`.
pub(crate) async fn user_with(house: &House, name: &str, rights: &[Right]) -> User {
    let new = NewAccount {
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        email: Some(format!("{name}@example.com")),
    };
    let account = house.metadata().create_account(new).await.expect("an account is made");
    let id = account.id.clone();
    let of = KeyAccount::Known(Arc::new(account));
    let key = house.made_key(rights, |key| key.account = Some(of)).await;
    User { id, name: name.to_owned(), key }
}

/// As [`user_with`], with the usual rights.
pub(crate) async fn user(house: &House, name: &str) -> User {
    user_with(house, name, &USUAL).await
}

impl User {
    pub(crate) fn ask(&self, house: &House, method: &str, target: &str) -> Ask {
        house.ask(method, target).key(&self.key)
    }

    pub(crate) fn get(&self, house: &House, target: &str) -> Ask {
        self.ask(house, "GET", target)
    }

    pub(crate) fn put(&self, house: &House, target: &str) -> Ask {
        self.ask(house, "PUT", target)
    }

    pub(crate) fn delete(&self, house: &House, target: &str) -> Ask {
        self.ask(house, "DELETE", target)
    }

    /// The bucket `name` of this user, with the policy of these statements.
    pub(crate) async fn has(&self, house: &House, name: &str, statements: &str) {
        self.put(house, &format!("/{name}")).await.is(200);
        self.says(house, name, statements).await;
    }

    /// Gives a bucket the policy of these statements, in which `'` stands for `"`.
    pub(crate) async fn says(&self, house: &House, bucket: &str, statements: &str) {
        let policy = policy(statements);
        self.put(house, &format!("/{bucket}?policy")).body(policy.clone()).await.is(204);
        assert_eq!(self.get(house, &format!("/{bucket}?policy")).await.is(200).text(), policy);
    }
}

/// A policy of these statements, in which `'` stands for `"`.
pub(crate) fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#).replace('\'', "\"")
}

/// A statement.
pub(crate) fn statement(effect: &str, principal: &str, actions: &str, resources: &str, more: &str) -> String {
    format!("{{'Effect':'{effect}','Principal':{principal},'Action':{actions},'Resource':{resources}{more}}}")
}

/// The target, asked for without credentials.
pub(crate) fn nobody(house: &House, method: &str, target: &str) -> Ask {
    house.ask(method, target).nobody()
}

/// With what is to be copied.
pub(crate) fn copy(ask: Ask, source: &str) -> Ask {
    ask.header("x-amz-copy-source", source)
}
