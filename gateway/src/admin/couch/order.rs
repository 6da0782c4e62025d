//! Bodies as they are read: strict JSON with its own media type, names in their order and each once, and no more of them
//! than memory is for.

use crate::admin::error::Complaint;
use crate::admin::request::Asked;
use crate::http::BodyReader;
use crate::objects::Error;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use lifecycle::Asked as Revision;
use lifecycle::names::ObjectName;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// Bytes of a body that lists names and revisions.
const REVISIONS_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a body that is one number.
const NUMBER_MAX: usize = 1024;

/// Names, each with something, in the order in which they stand in the JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Named(pairs))
            }
        }
        deserializer.deserialize_map(Pairs(std::marker::PhantomData))
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

/// Names, each with revisions of it: a number, a hyphen and a hash.
pub(super) type RevisionsOrder = Named<Vec<String>>;

/// Reads names and their revisions, each revision once.
///
/// # Errors
/// 415 without JSON's media type; 413 for what is too large; 400 for anything that is not meant: no object, a name twice or
/// one that no object has, something that is no revision.
pub(super) async fn revisions(
    asked: &Asked<'_>,
    body: &mut BodyReader,
) -> Result<Vec<(String, Vec<Revision>)>, Complaint> {
    must_be_json(asked)?;
    let Named(pairs): RevisionsOrder = read(body, REVISIONS_MAX).await?;
    let mut names: HashSet<&str> = HashSet::new();
    for (name, _) in &pairs {
        if !names.insert(name) {
            return Err(Complaint::bad_request(format!("{name:?} is named twice")));
        }
        ObjectName::parse(name).map_err(|error| Complaint::bad_request(error.to_string()))?;
    }
    let mut found = Vec::with_capacity(pairs.len());
    for (name, texts) in pairs {
        let mut revisions = Vec::with_capacity(texts.len());
        let mut told: HashSet<Revision> = HashSet::new();
        for text in texts {
            let revision = Revision::parse(&text).map_err(|error| {
                let text: String = text.chars().take(100).collect();
                Complaint::bad_request(format!("invalid revision {text:?} of {name:?}: {error}"))
            })?;
            if told.insert(revision.clone()) {
                revisions.push(revision);
            }
        }
        found.push((name, revisions));
    }
    Ok(found)
}

/// The largest number that JSON keeps exactly everywhere.
const EXACT_MAX: u64 = (1 << 53) - 1;

/// Reads a small object.
///
/// # Errors
/// 400 for anything else.
pub(super) async fn small<T: DeserializeOwned>(body: &mut BodyReader) -> Result<T, Complaint> {
    read(body, NUMBER_MAX).await
}

/// Reads one positive whole number.
///
/// # Errors
/// 400 for anything else.
pub(super) async fn limit(body: &mut BodyReader) -> Result<u64, Complaint> {
    let number: serde_json::Value = read(body, NUMBER_MAX).await?;
    let positive = number.as_u64().filter(|limit| (1..=EXACT_MAX).contains(limit));
    positive.ok_or_else(|| Complaint::bad_request("a limit is a whole number from 1 on"))
}

fn must_be_json(asked: &Asked<'_>) -> Result<(), Complaint> {
    let media = asked.headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let reason = "Content-Type must be application/json";
    Err(Complaint::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "BadContentType", reason))
}

async fn read<T: DeserializeOwned>(body: &mut BodyReader, max: usize) -> Result<T, Complaint> {
    let bytes = body.collect(max).await.map_err(Error::from)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Complaint::bad_request(format!("the body is not what is expected: {error}")))
}
