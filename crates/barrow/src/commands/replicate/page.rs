//! One page of changes: the target says what it lacks, and gets that, names side by side and each name's versions in order.

use super::Link;
use super::carry::{Carried, carry};
use super::told::Told;
use crate::client::encoded;
use crate::peer::Trouble;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Names that are asked about with one request, and the bytes of the question: a name may be long and have many ends, and a
/// request has its limit.
const ASKED_AT_ONCE: usize = 200;
const ASKED_BYTES: usize = 256 * 1024;

/// What one name came to.
struct Named {
    name: String,
    carried: Vec<(String, Carried)>,
}

/// Carries a page of changes over. Gives the names of which something was refused that may be taken another time.
pub(super) async fn carry_over(
    link: &Arc<Link>,
    changes: &Value,
    told: &mut Told,
) -> Result<Vec<String>, Trouble> {
    let mut ends: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for change in changes.as_array().into_iter().flatten() {
        told.seen += 1;
        let Some(name) = change["name"].as_str() else { continue };
        let leaves = change["leaves"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ends.entry(name.to_owned())
            .or_default()
            .extend(leaves.chain(change["rev"].as_str()).map(str::to_owned));
    }
    let ends: Vec<(String, BTreeSet<String>)> = ends.into_iter().collect();
    let mut held = Vec::new();
    for part in portions(&ends) {
        let asked: Map<String, Value> = part.iter().map(|(name, revs)| (name.clone(), json!(revs))).collect();
        let lacking = link.to.post("revisions/diff", &json!({ "names": asked })).await?;
        let mut wanted = Vec::new();
        for (name, revs) in part {
            let missing = texts(&lacking["names"][name]["missing"]);
            told.known += revs.len().saturating_sub(missing.len()) as u64;
            if !missing.is_empty() {
                wanted.push((name.clone(), missing));
            }
        }
        held.extend(send(link, wanted, told).await?);
    }
    Ok(held)
}

/// Cut so that each portion fits into one question.
fn portions(ends: &[(String, BTreeSet<String>)]) -> Vec<&[(String, BTreeSet<String>)]> {
    let (mut portions, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, (name, revs)) in ends.iter().enumerate() {
        // At worst each byte is escaped.
        let own = 6 * name.len() + revs.iter().map(|rev| rev.len() + 4).sum::<usize>() + 8;
        if at > from && (at - from >= ASKED_AT_ONCE || bytes + own > ASKED_BYTES) {
            portions.extend(ends.get(from..at));
            (from, bytes) = (at, 0);
        }
        bytes += own;
    }
    portions.extend(ends.get(from..).filter(|rest| !rest.is_empty()));
    portions
}

/// Carries names over as they are by now.
pub(super) async fn carry_names(
    link: &Arc<Link>,
    names: Vec<String>,
    told: &mut Told,
) -> Result<Vec<String>, Trouble> {
    let mut changes = Vec::new();
    for name in names {
        match link.from.get(&format!("revisions?name={}", encoded(&name))).await {
            Ok(tree) => {
                let leaves: Vec<&Value> =
                    tree["leaves"].as_array().into_iter().flatten().map(|leaf| &leaf["rev"]).collect();
                changes.push(json!({ "name": name, "leaves": leaves }));
            }
            Err(trouble) if trouble.status() == Some(404) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    carry_over(link, &Value::Array(changes), told).await
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Sends what is missing of each name, of so many names at once.
async fn send(
    link: &Arc<Link>,
    wanted: Vec<(String, Vec<String>)>,
    told: &mut Told,
) -> Result<Vec<String>, Trouble> {
    let mut waiting = wanted.into_iter();
    let mut running: JoinSet<Result<Named, Trouble>> = JoinSet::new();
    let (mut held, mut failed) = (Vec::new(), None);
    loop {
        while failed.is_none()
            && running.len() < link.at_once
            && let Some((name, missing)) = waiting.next()
        {
            let link = Arc::clone(link);
            running.spawn(async move { of_name(&link, name, missing).await });
        }
        let Some(ended) = running.join_next().await else { break };
        match ended {
            Ok(Ok(named)) => {
                let mut again = false;
                for (rev, carried) in named.carried {
                    again |= told.count(&named.name, &rev, &carried);
                }
                if again {
                    held.push(named.name);
                }
            }
            Ok(Err(trouble)) => failed = Some(trouble),
            Err(mistake) => failed = Some(Trouble::Busy(format!("a version was not carried: {mistake}"))),
        }
    }
    match failed {
        Some(trouble) => Err(trouble),
        None => Ok(held),
    }
}

/// Sends what is missing of one name, the oldest first. Where both sides keep versions, those before the ends go too.
async fn of_name(link: &Link, name: String, missing: Vec<String>) -> Result<Named, Trouble> {
    let mut revs = missing;
    if link.source.keeps_versions && link.target.keeps_versions {
        revs = with_older(link, &name, revs).await?;
    }
    revs.sort_by_key(|rev| generation(rev));
    let mut carried = Vec::with_capacity(revs.len());
    for rev in revs {
        let outcome = carry(link, &name, &rev).await?;
        // What stands on something that was refused is refused for the same reason, or better comes after it.
        let stop = matches!(outcome, Carried::Guarded(_));
        carried.push((rev, outcome));
        if stop {
            break;
        }
    }
    Ok(Named { name, carried })
}

/// With the versions before the ends that live at the source and are missing at the target.
async fn with_older(link: &Link, name: &str, ends: Vec<String>) -> Result<Vec<String>, Trouble> {
    let tree = match link.from.get(&format!("revisions?name={}", encoded(name))).await {
        Ok(tree) => tree,
        // Purged meanwhile: the ends tell the same.
        Err(trouble) if trouble.status() == Some(404) => return Ok(ends),
        Err(trouble) => return Err(trouble),
    };
    let versions = tree["versions"].as_array().into_iter().flatten();
    let mut all: BTreeSet<String> =
        versions.filter_map(|version| Some(version["rev"].as_str()?.to_owned())).collect();
    all.extend(ends.iter().cloned());
    if all.len() == ends.len() {
        return Ok(ends);
    }
    let lacking = link.to.post("revisions/diff", &json!({ "names": { name: all } })).await?;
    Ok(texts(&lacking["names"][name]["missing"]))
}

fn generation(rev: &str) -> u64 {
    rev.split_once('-').and_then(|(number, _)| number.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_cut_into_portions_that_fit() {
        let named = |name: String| (name, BTreeSet::from(["1-a".to_owned()]));
        let short: Vec<_> = (0..450).map(|at| named(at.to_string())).collect();
        assert_eq!(portions(&short).iter().map(|part| part.len()).collect::<Vec<_>>(), [200, 200, 50]);
        let long: Vec<_> = (0..12).map(|_| named("x".repeat(8_000))).collect();
        assert_eq!(portions(&long).iter().map(|part| part.len()).collect::<Vec<_>>(), [5, 5, 2]);
        assert!(portions(&[]).is_empty());
        assert_eq!(["10-a", "9-b", "x"].map(generation), [10, 9, u64::MAX]);
    }
}
