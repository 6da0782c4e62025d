//! Tables of cases: what a policy says, which policies are none, what is public, what lists open.

mod deciding;
mod listing;
mod policies;
mod refused;

use crate::key::{Facts, Key, Plain, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A request as a few words: keys and what it says to them; of several values, with `|` between.
#[derive(Default)]
pub(crate) struct Said(BTreeMap<String, String>);

impl Said {
    pub(crate) fn of(words: &[(&str, &str)]) -> Self {
        Said(words.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }
}

impl Facts for Said {
    fn value(&self, key: &Key) -> Value<'_> {
        let name = match key {
            Key::Plain(plain) => format!("{plain:?}"),
            Key::ExistingObjectTag(tag) => format!("existing/{tag}"),
            Key::RequestObjectTag(tag) => format!("request/{tag}"),
            Key::Absent(_) => return Value::Nothing,
        };
        match self.0.get(&name) {
            None => Value::Nothing,
            Some(values) if *key == Key::Plain(Plain::RequestObjectTagKeys) => {
                Value::Many(values.split('|').map(Cow::Borrowed).collect())
            }
            Some(value) => Value::One(Cow::Borrowed(value)),
        }
    }
}
