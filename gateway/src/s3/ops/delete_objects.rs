//! DeleteObjects: up to 1,000 keys in one grouped, set-based transaction. Each key has its own outcome.

use super::delete::{Told, condition, not_deleted, right};
use super::tagging::which;
use crate::objects::{Deletion, Error, delete_all};
use crate::s3::allowed::Asked;
use crate::s3::error::{Trouble, denied, invalid, malformed, refused, trouble, unbuilt};
use crate::s3::exchange::{Exchange, expect_owner};
use crate::s3::locks::bypass;
use crate::s3::moment::time;
use crate::s3::target::KEY_MAX;
use crate::scsp::authorization::Access;
use ::access::Action;
use http::HeaderName;
use lifecycle::condition::Tags;
use lifecycle::{Refusal, Right};
use metadata::{Markers, Which};
use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error as Failed, ObjectIdentifier};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The most keys of one request.
const MOST: usize = 1_000;

/// One key of the list, and what became of it.
struct Item {
    key: String,
    version: Option<String>,
    outcome: Result<DeletedObject, Trouble>,
}

pub(in crate::s3) async fn delete_objects(
    exchange: Exchange<'_>,
    input: DeleteObjectsInput,
) -> Result<DeleteObjectsOutput, Trouble> {
    if input.mfa.is_some() {
        return Err(unbuilt("x-amz-mfa"));
    }
    // A list that is cut short on its way is another list.
    let sealed = |name: &HeaderName| name == "content-md5" || name.as_str().starts_with("x-amz-checksum-");
    if !exchange.headers.keys().any(sealed) {
        return Err(trouble("InvalidRequest", "Missing required header for this request: Content-MD5"));
    }
    let keys = input.delete.objects;
    if keys.is_empty() || keys.len() > MOST || keys.iter().any(|key| key.key.is_empty()) {
        return Err(malformed());
    }
    let owner = input.expected_bucket_owner.as_deref();
    // Whoever may delete nothing here learns nothing of what is here.
    let any = match keys.iter().all(|key| key.version_id.is_some()) {
        true => Right::DeleteVersion,
        false => Right::Delete,
    };
    let place = exchange.located(&input.bucket, any).await?;
    if place.settings.is_none() {
        // Nothing opens anything of it key by key.
        let asked = Asked::of(Action::DeleteObject, any, None);
        if !exchange.verdict(&place, &asked, None).allows() {
            return Err(denied("Access Denied"));
        }
        // Neither does anything open the way past a lock: it is one answer for all keys.
        bypass(&exchange, &place, "")?;
    }
    expect_owner(&place.bucket, owner)?;
    if input.bypass_governance_retention == Some(true) {
        exchange.note.detail("passing by governance retention".to_owned());
    }
    // What is asked twice in one breath is done once and answered twice.
    let again = repeated(&keys);
    let mut items: Vec<Option<Item>> = keys.iter().map(|_| None).collect();
    let (mut deletions, mut asked) = (Vec::new(), Vec::new());
    for (at, key) in keys.into_iter().enumerate() {
        if again.contains_key(&at) {
            continue;
        }
        let (name, version) = (key.key.clone(), key.version_id.clone());
        let wanted = named(&name).and_then(|()| {
            let which = which(version.as_deref()).map_err(|_| refused(&Refusal::NoSuchVersion))?;
            let asked = Asked::of(Action::DeleteObject, right(which), Some(&name));
            if !exchange.verdict(&place, &asked.of_version(version.as_deref()), None).allows() {
                return Err(denied("Access Denied"));
            }
            Ok((which, bypass(&exchange, &place, &name)?))
        });
        match wanted {
            Ok((which, bypass)) => {
                deletions.push(Deletion {
                    domain: place.domain.id,
                    bucket: place.bucket.id,
                    name: key.key.clone(),
                    which,
                    markers: Markers::Stacked,
                    hides_guarded: true,
                    bypass,
                    condition: conditions(key),
                    spec: Some(exchange.spec(Access::Delete, &place)),
                });
                asked.push((at, which, name, version));
            }
            Err(error) => {
                if let Some(item) = items.get_mut(at) {
                    *item = Some(Item { key: name, version, outcome: Err(error) });
                }
            }
        }
    }
    let mut deleted = 0;
    let outcomes = delete_all(exchange.gateway, &exchange.principal, deletions).await;
    for ((at, which, key, version), outcome) in asked.into_iter().zip(outcomes) {
        let outcome = match outcome {
            Ok(done) => {
                deleted += 1;
                exchange.note.promised(done.purge_after);
                let told = Told::of(&done, which, place.versioning());
                let of_version = which != Which::Current;
                Ok(DeletedObject {
                    delete_marker: told.marker.then_some(true),
                    delete_marker_version_id: told.version.clone().filter(|_| told.marker),
                    key: Some(key.clone()),
                    version_id: version.clone().filter(|_| of_version),
                })
            }
            Err(Error::Refused(Refusal::NoSuchObject { .. } | Refusal::NoSuchVersion)) => {
                let (key, version_id) = (Some(key.clone()), version.clone());
                Ok(DeletedObject { key, version_id, ..DeletedObject::default() })
            }
            Err(error) => Err(not_deleted(&exchange, error)),
        };
        if let Some(item) = items.get_mut(at) {
            *item = Some(Item { key, version, outcome });
        }
    }
    for (at, first) in again {
        let outcome = items.get(first).and_then(Option::as_ref).map(|item| match &item.outcome {
            Ok(done) => (item.key.clone(), item.version.clone(), Ok(done.clone())),
            Err(error) => (item.key.clone(), item.version.clone(), Err(same(error))),
        });
        if let (Some(item), Some((key, version, outcome))) = (items.get_mut(at), outcome) {
            *item = Some(Item { key, version, outcome });
        }
    }
    exchange.note.deleted(deleted);
    if deleted > 0 {
        exchange.gateway.wake_background();
    }
    Ok(answer(items, input.delete.quiet == Some(true)))
}

/// Passes if `key` can be the name of an object: there is no other that a request could have put.
fn named(key: &str) -> Result<(), Trouble> {
    match key {
        key if key.len() > KEY_MAX => Err(trouble("KeyTooLongError", "Your key is too long.")),
        key if key.contains('\0') => Err(invalid("A key holds no NUL.")),
        _ => Ok(()),
    }
}

/// The places of keys that stand in the list before with the same version and the same conditions, and where.
fn repeated(keys: &[ObjectIdentifier]) -> HashMap<usize, usize> {
    let (mut seen, mut again) = (HashMap::new(), HashMap::new());
    for (at, key) in keys.iter().enumerate() {
        let etag = key.e_tag.as_ref().map(|etag| etag.value().to_owned());
        let conditions = (etag, key.size, key.last_modified_time.clone().map(time));
        match seen.entry((key.key.as_str(), key.version_id.as_deref(), conditions)) {
            Entry::Occupied(first) => drop(again.insert(at, *first.get())),
            Entry::Vacant(place) => drop(place.insert(at)),
        }
    }
    again
}

fn same(error: &Trouble) -> Trouble {
    let mut same = Trouble::new(error.code().clone());
    if let Some(message) = error.message() {
        same.set_message(message.to_owned());
    }
    same
}

fn conditions(key: ObjectIdentifier) -> lifecycle::Condition {
    let etag = key.e_tag.map(|etag| match etag.value() {
        "*" => Tags::Any,
        value => Tags::List(vec![value.to_owned()]),
    });
    condition(etag, key.size, key.last_modified_time.map(time))
}

fn answer(items: Vec<Option<Item>>, quiet: bool) -> DeleteObjectsOutput {
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for Item { key, version, outcome } in items.into_iter().flatten() {
        match outcome {
            Ok(done) if !quiet => deleted.push(done),
            Ok(_) => {}
            Err(error) => errors.push(Failed {
                code: Some(error.code().as_str().to_owned()),
                key: Some(key),
                message: error.message().map(str::to_owned),
                version_id: version,
            }),
        }
    }
    DeleteObjectsOutput {
        deleted: (!deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..DeleteObjectsOutput::default()
    }
}
