//! Purges of the source, applied to the target: to those versions alone whose origin and position they name, so that the same
//! bytes written again stay.

use super::checkpoint::Checkpoint;
use super::told::Told;
use super::{Link, Side};
use crate::output::say_aside;
use crate::peer::Trouble;
use serde_json::{Value, json};

/// Entries that are read and applied with one request.
const AT_ONCE: u32 = 100;

/// Applies the source's ledger up to `upto`. Purges by a selector are not carried: what they met is told by the source alone.
pub(super) async fn apply(
    link: &Link,
    checkpoint: &mut Checkpoint,
    upto: i64,
    told: &mut Told,
) -> Result<(), Trouble> {
    while checkpoint.purges < upto {
        let Some(page) = read(&link.from, checkpoint).await? else { return Ok(()) };
        let entries = page["purges"].as_array().cloned().unwrap_or_default();
        let Some(last) = entries.last().and_then(|last| last["purge_seq"].as_i64()) else { return Ok(()) };
        let mut named = Vec::new();
        for entry in &entries {
            match entry["name"].as_str() {
                Some(name) => named.push(json!({
                    "purge_id": entry["purge_id"],
                    "name": name,
                    "revs": entry["revs"],
                    "upto_seq": entry["upto_seq"],
                    "origin": entry["origin"].as_str().unwrap_or(&link.source.installation),
                })),
                None => {
                    told.purges_left += 1;
                    say_aside(&format!(
                        "purge {} of the source is by a selector ({}) and is not carried",
                        entry["purge_seq"], entry["selector"]
                    ));
                }
            }
        }
        if !named.is_empty() {
            let answer = link.to.post("purges", &json!({ "purges": named })).await?;
            for pair in answer["purges"].as_array().into_iter().flatten() {
                told.purged += pair["purged"].as_array().map_or(0, Vec::len) as u64;
                if let Some(refused) = pair["refused"].as_str() {
                    say_aside(&format!("not purged: {}: {refused}", pair["name"]));
                }
            }
        }
        checkpoint.purges = last;
        checkpoint.write(link).await?;
    }
    Ok(())
}

/// The next entries; `None` where the ledger does not go back so far, so that there is nothing to be learned of it.
async fn read(from: &Side, checkpoint: &Checkpoint) -> Result<Option<Value>, Trouble> {
    match from.get(&format!("purges?since={}&limit={AT_ONCE}", checkpoint.purges)).await {
        Err(trouble) if trouble.status() == Some(410) => {
            say_aside(
                "the source's ledger does not go back to the last checkpoint: older purges are not carried",
            );
            from.get(&format!("purges?limit={AT_ONCE}")).await.map(Some)
        }
        read => read.map(Some),
    }
}
