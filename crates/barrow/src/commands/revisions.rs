//! `barrow revisions`: the tree of an object's revisions.

use super::Session;
use super::container::Address;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{field, printable};
use serde_json::Value;
use std::collections::BTreeSet;

/// Ancestors that are drawn of each end.
const DRAWN: usize = 20;

pub(super) async fn run(session: &Session<'_>, bucket: &str, name: &str) -> Result<Exit, Failed> {
    let address = Address::bucket(session, bucket);
    let answer = session.client.get(&format!("{}/revisions?name={}", address.path, encoded(name))).await?;
    session.tell(&answer, |answer| drawn(&address, answer));
    Ok(Exit::Done)
}

/// Every end with its path, down to what another end has shown already.
fn drawn(address: &Address, answer: &Value) -> String {
    let mut lines = vec![format!("{}/{}", address.shown, printable(&field(answer, "name")))];
    let mut shown: BTreeSet<String> = BTreeSet::new();
    let live = |rev: &str| {
        let versions = answer["versions"].as_array().into_iter().flatten();
        versions.filter(|version| version["rev"] == rev).map(|version| field(version, "version")).next()
    };
    for (at, leaf) in answer["leaves"].as_array().into_iter().flatten().enumerate() {
        let rev = field(leaf, "rev");
        let what = match (at, leaf["deleted"] == true) {
            (0, false) => "current",
            (0, true) => "deleted",
            (_, false) => "conflict",
            // Where one version of a name is kept, what lost is deleted by that.
            (_, true) if leaf["version"].is_null() => "deleted, as it lost",
            (_, true) => "deleted, in conflict",
        };
        let version = leaf["version"].as_str().map_or(String::new(), |id| format!("  version {id}"));
        let size = leaf["size"].as_u64().filter(|_| leaf["deleted"] != true);
        let size = size.map_or(String::new(), |size| format!("  {size} bytes"));
        lines.push(format!("* {rev}  {what}{size}{version}"));
        shown.insert(rev.clone());
        let path = answer["ancestry"][&rev].as_array().into_iter().flatten().filter_map(Value::as_str);
        for (depth, before) in path.skip(1).enumerate() {
            if depth >= DRAWN {
                lines.push("|   ...".to_owned());
                break;
            }
            if !shown.insert(before.to_owned()) {
                lines.push(format!("+-- {before}"));
                break;
            }
            let version = live(before).map_or(String::new(), |id| format!("  version {id}"));
            lines.push(format!("|   {before}{version}"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_drawn_end_by_end() {
        let address =
            Address { path: String::new(), word: "bucket", shown: "d/b".to_owned(), name: "b".to_owned() };
        let answer = json!({
            "name": "x",
            "leaves": [
                { "rev": "3-c", "deleted": false, "version": "v3", "size": 5 },
                { "rev": "2-z", "deleted": true, "version": "vz", "size": 0 },
                { "rev": "2-y", "deleted": true, "version": null, "size": null },
            ],
            "versions": [{ "rev": "2-b", "version": "v2" }],
            "ancestry": { "3-c": ["3-c", "2-b", "1-a"], "2-z": ["2-z", "1-a"], "2-y": ["2-y"] },
        });
        let wanted = "d/b/x\n* 3-c  current  5 bytes  version v3\n|   2-b  version v2\n|   1-a\n\
             * 2-z  deleted, in conflict  version vz\n+-- 1-a\n* 2-y  deleted, as it lost";
        assert_eq!(drawn(&address, &answer), wanted);
    }
}
