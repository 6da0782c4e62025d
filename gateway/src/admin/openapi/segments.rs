//! What the braces of a path stand for.

use super::described::{Shape, shape};
use super::written::{Text, Uuid};
use lifecycle::Epoch;

/// What may stand in place of `{name}`, and what it means; `None` for a name that no path has.
pub(super) fn segment(name: &str) -> Option<(&'static str, Shape)> {
    Some(match name {
        "domain" => (
            "A domain's name, in any case, or its UUID. A name means the live one; to restore and to purge, the one removed last.",
            shape::<Text>,
        ),
        "bucket" => (
            "A bucket's name or its UUID. A name means the live one; to restore and to purge, the one removed last.",
            shape::<Text>,
        ),
        "stream" => (
            "A bucket's name: the live one in the domain that the header `Host` names, or else in the default domain.",
            shape::<Text>,
        ),
        "contents" => {
            ("What was taken out of a bucket, by the UUID that emptying it was answered with.", shape::<Uuid>)
        }
        "deletion" => ("A removal, by the `deletion_id` that it was answered with.", shape::<Uuid>),
        "member" => ("A process, by its UUID.", shape::<Uuid>),
        "epoch" => ("An epoch, as a removal is answered with.", shape::<Epoch>),
        "version" => ("A version of an object, by its UUID.", shape::<Uuid>),
        "task" => ("A background task's name.", shape::<Text>),
        "follower" => ("What a follower calls itself.", shape::<Text>),
        "account" => ("An account's name or its id.", shape::<Text>),
        "key" => ("An access key's id.", shape::<Text>),
        _ => return None,
    })
}

/// The names in the braces of a path, in their order.
pub(super) fn names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| Some(segment.strip_suffix('}')?.split_once('{')?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_is_told_of() {
        for route in crate::admin::routes() {
            for name in names(route.path) {
                assert!(segment(name).is_some(), "{name} of {}", route.path);
            }
        }
    }
}
