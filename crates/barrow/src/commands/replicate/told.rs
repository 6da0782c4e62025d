//! What a replication has done, counted, and told while it goes on.

use super::carry::Carried;
use crate::output::say_aside;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// So many refusals are told of one by one.
const TOLD_MAX: u64 = 20;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Pages of changes.
    pub(super) pages: u64,
    /// Changes that were looked at.
    pub(super) seen: u64,
    /// Ends that the target had already.
    pub(super) known: u64,
    /// Versions and tombstones that it took, by what became of them.
    taken: BTreeMap<String, u64>,
    bytes: u64,
    gone: u64,
    guarded: u64,
    unreadable: u64,
    /// What it does not take, by the reason.
    refused: BTreeMap<String, u64>,
    /// Revisions that were purged there because they were purged here.
    pub(super) purged: u64,
    /// Purges that cannot be carried.
    pub(super) purges_left: u64,
}

impl Told {
    /// Counts one. Whether it may be taken another time.
    pub(super) fn count(&mut self, name: &str, rev: &str, carried: &Carried) -> bool {
        match carried {
            Carried::Taken(state, bytes) => {
                if state == "known" {
                    self.known += 1;
                } else {
                    *self.taken.entry(state.clone()).or_default() += 1;
                }
                self.bytes += bytes;
            }
            Carried::Gone => self.gone += 1,
            Carried::Unreadable(text) => {
                self.unreadable += 1;
                say_aside(&format!("cannot be read at the source: {name:?} {rev}: {text}"));
                return true;
            }
            Carried::Guarded(text) => {
                self.guarded += 1;
                if self.guarded <= TOLD_MAX {
                    say_aside(&format!("refused for the time being: {name:?} {rev}: {text}"));
                }
                return true;
            }
            Carried::Refused(code, text) => {
                let count = self.refused.entry(code.clone()).or_default();
                *count += 1;
                if *count <= TOLD_MAX {
                    say_aside(&format!("refused: {name:?} {rev}: {text}"));
                }
            }
        }
        false
    }

    /// After a page.
    pub(super) fn progress(&self, page: &Value) {
        let at = &page["last_seq"];
        let pending = page["pending"].as_i64().unwrap_or_default();
        say_aside(&format!("change {at}: {}; {pending} to come", self.words()));
    }

    pub(super) fn words(&self) -> String {
        let sum: u64 = self.taken.values().sum();
        let mut words =
            format!("{} changes, {sum} sent ({} bytes), {} known", self.seen, self.bytes, self.known);
        for (state, count) in &self.taken {
            words.push_str(&format!(", {count} {state}"));
        }
        if self.gone > 0 {
            words.push_str(&format!(", {} gone meanwhile", self.gone));
        }
        if self.guarded > 0 {
            words.push_str(&format!(", {} refused by a guard for the time being", self.guarded));
        }
        if self.unreadable > 0 {
            words.push_str(&format!(", {} unreadable at the source", self.unreadable));
        }
        for (code, count) in &self.refused {
            words.push_str(&format!(", {count} refused ({code})"));
        }
        if self.purged > 0 {
            words.push_str(&format!(", {} purged", self.purged));
        }
        if self.purges_left > 0 {
            words.push_str(&format!(", {} purges by selector not carried", self.purges_left));
        }
        words
    }

    pub(super) fn json(&self, sides: &Value) -> Value {
        json!({
            "from": sides["from"],
            "to": sides["to"],
            "pages": self.pages,
            "changes": self.seen,
            "known": self.known,
            "sent": self.taken,
            "bytes": self.bytes,
            "gone": self.gone,
            "guarded": self.guarded,
            "unreadable": self.unreadable,
            "refused": self.refused,
            "purged": self.purged,
            "purges_not_carried": self.purges_left,
        })
    }
}
