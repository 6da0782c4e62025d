//! A page of the feed of changes, as the server writes it.

use crate::exit::Failed;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What became of one name: its present winner, or that it has none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Change {
    /// When, in the order of changes.
    pub(crate) seq: i64,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) deleted: bool,
    /// It was purged: of a large purge, what goes after its beginning.
    #[serde(default)]
    pub(crate) purged: bool,
    pub(crate) rev: String,
    /// The live version; of what is deleted there may be none.
    pub(crate) version: Option<String>,
    pub(crate) position: Option<i64>,
    pub(crate) size: Option<i64>,
    pub(crate) content_type: Option<String>,
    pub(crate) created_at: Option<String>,
    /// From then on no reader meets it, though that is a change only once it is swept.
    #[serde(default)]
    pub(crate) expires_at: Option<String>,
    #[serde(default)]
    pub(crate) headers: Option<Vec<(String, String)>>,
    #[serde(default)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// Changes in their order, and the counters around them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Page {
    pub(crate) changes: Vec<Change>,
    /// The cursor to go on with.
    pub(crate) last_seq: i64,
    /// The newest change of the bucket.
    pub(crate) change_seq: i64,
    /// The newest purge of the bucket, read *before* the changes were.
    pub(crate) purge_seq: i64,
    /// How many changes are left behind this page.
    pub(crate) pending: i64,
}

impl Page {
    /// Reads an answer.
    pub(crate) fn read(answer: Value) -> Result<Page, Failed> {
        serde_json::from_value(answer).map_err(|bad| {
            Failed::Refused(format!(
                "the server's page of changes is not understood: {bad}; is this program as new as the server?"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_read_as_the_server_writes_it() {
        let page = Page::read(json!({
            "changes": [
                { "seq": 7, "name": "a/b", "deleted": false, "rev": "3-00", "version": "0f", "position": 5, "size": 4,
                  "content_type": "text/plain", "created_at": "2026-03-03T09:00:00.000Z",
                  "headers": [["x-amz-meta-color", "red"]], "tags": { "team": "blue" } },
                { "seq": 9, "name": "c", "deleted": true, "rev": "2-00", "version": null, "position": null,
                  "size": 0, "content_type": null, "created_at": null, "headers": [], "tags": {} }
            ],
            "last_seq": 9, "change_seq": 12, "purge_seq": 2, "pending": 2
        }))
        .unwrap();
        assert_eq!((page.last_seq, page.change_seq, page.purge_seq, page.pending), (9, 12, 2, 2));
        assert_eq!(page.changes[0].version.as_deref(), Some("0f"));
        assert!(page.changes[1].deleted);
        assert!(Page::read(json!({ "changes": [] })).is_err(), "without cursors it is no page");
    }
}
