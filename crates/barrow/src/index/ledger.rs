//! The ledger of purges, as the server writes it.

use crate::exit::Failed;
use serde::Deserialize;
use serde_json::Value;

/// One entry: revisions of a name, or a selector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Purge {
    pub(crate) purge_seq: i64,
    pub(crate) name: Option<String>,
    /// What was asked for.
    #[serde(default)]
    pub(crate) revs: Option<Vec<String>>,
    /// What of it was there.
    #[serde(default)]
    pub(crate) purged: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) selector: Option<Value>,
    /// Nothing that arrived behind this position is meant.
    pub(crate) upto_seq: Option<i64>,
    /// The installation whose positions these are; `None`: the one that answers.
    #[serde(default)]
    pub(crate) origin: Option<String>,
}

/// A page of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Ledger {
    /// The newest entry there is, on this page or not.
    pub(crate) last: i64,
    pub(crate) purges: Vec<Purge>,
}

impl Ledger {
    /// Reads an answer.
    pub(crate) fn read(answer: Value) -> Result<Ledger, Failed> {
        serde_json::from_value(answer).map_err(|bad| {
            Failed::Refused(format!(
                "the server's ledger of purges is not understood: {bad}; is this program as new as the server?"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ledger_is_read_as_the_server_writes_it() {
        let ledger = Ledger::read(json!({ "oldest": 1, "last": 2, "purges": [
            { "purge_seq": 1, "purge_id": "aa", "name": "a", "revs": ["1-00"], "purged": [], "selector": null,
              "upto_seq": 9, "origin": null, "door": "couch", "actor": "root", "at": "2026-03-03T09:00:00.000Z" },
            { "purge_seq": 2, "purge_id": "bb", "name": null, "revs": null, "purged": null,
              "selector": { "filter": "kv/*" }, "upto_seq": 9, "door": "admin", "actor": "root",
              "at": "2026-03-03T09:00:00.000Z" }
        ] }))
        .unwrap();
        assert_eq!(ledger.last, 2);
        assert_eq!(ledger.purges[0].revs.as_deref(), Some(&["1-00".to_owned()][..]));
        assert_eq!(ledger.purges[1].selector, Some(json!({ "filter": "kv/*" })));
        assert!(Ledger::read(json!({ "purges": [{}] })).is_err());
    }
}
