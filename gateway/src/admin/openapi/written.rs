//! How what we write as text looks. These types are never made: a field whose own type belongs to a room that knows no
//! JSON schema is described `with` one of them.

use lifecycle as law;
use metadata as db;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::marker::PhantomData;

macro_rules! written {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:tt;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_id() -> Cow<'static, str> {
                concat!(module_path!(), "::", stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("description".to_owned(), concat!($($doc),*).trim().into());
                schema
            }
        }
    )*};
}

written! {
    /// A UUID: 32 hexadecimal digits, written in lower case and read in either.
    Uuid = { "type": "string", "pattern": "^[0-9a-fA-F]{32}$" };
    /// A point in time, RFC 3339 in UTC; one that never comes is "never".
    Moment = { "type": "string", "anyOf": [{ "format": "date-time" }, { "const": "never" }] };
    /// What is true of a version or container.
    State = { "type": "string", "enum": law::State::ALL.map(law::State::as_str) };
    /// Why something was removed.
    Cause = { "type": "string", "enum": law::Cause::ALL.map(law::Cause::as_str) };
    /// The kind of an object.
    Kind = { "type": "string", "enum": KINDS.map(law::Kind::as_str) };
    /// Domain, bucket, or a bucket's contents.
    ContainerKind = { "type": "string", "enum": CONTAINER_KINDS.map(db::ContainerKind::as_str) };
    /// What a dead thing was.
    TombstoneKind = { "type": "string", "enum": TOMBSTONE_KINDS };
    /// What counts to a quota.
    Counting = { "type": "string", "enum": law::Counting::ALL.map(law::Counting::as_str) };
    /// Whether a key is accepted, and if not, why.
    KeyStanding = { "type": "string", "enum": db::KeyStanding::ALL.map(db::KeyStanding::as_str) };
    /// What a member is to the others.
    Standing = { "type": "string", "enum": law::Standing::ALL.map(law::Standing::as_str) };
}

const KINDS: [law::Kind; 3] = [law::Kind::Named, law::Kind::Unnamed, law::Kind::Alias];
const CONTAINER_KINDS: [db::ContainerKind; 3] =
    [db::ContainerKind::Domain, db::ContainerKind::Bucket, db::ContainerKind::Contents];
const TOMBSTONE_KINDS: [db::TombstoneKind; 6] = [
    db::TombstoneKind::Domain,
    db::TombstoneKind::Bucket,
    db::TombstoneKind::Named,
    db::TombstoneKind::Unnamed,
    db::TombstoneKind::Alias,
    db::TombstoneKind::Marker,
];

/// Any text.
pub(super) type Text = String;

/// `null`, or what `T` is; but it must be there.
pub(crate) struct OrNull<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OrNull<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is listed here by hand, and the words that are written.
    #[test]
    fn the_words_are_the_ones_that_are_written() {
        let words = |schema: Schema| schema.get("enum").cloned();
        let generator = &mut SchemaGenerator::default();
        assert_eq!(words(State::json_schema(generator)), Some(json!(law::State::ALL)));
        assert_eq!(words(Standing::json_schema(generator)), Some(json!(law::Standing::ALL)));
        assert_eq!(words(Kind::json_schema(generator)), Some(json!(KINDS)));
        assert_eq!(words(ContainerKind::json_schema(generator)), Some(json!(CONTAINER_KINDS)));
    }
}
