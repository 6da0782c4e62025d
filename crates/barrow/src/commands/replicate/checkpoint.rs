//! How far a replication has come. It is written down on both sides, as a follower, with a history of sessions: when either
//! side is set back to an older backup, the two do not agree any more, and what both know of is where it goes on.

use super::{Link, Side};
use crate::peer::Trouble;
use http::Method;
use lifecycle::VersionId;
use serde_json::{Value, json};

/// So many sessions are remembered.
const SESSIONS_MAX: usize = 50;
/// Names that the target refuses for the time being, and their bytes together. Beyond, everything is compared anew next time.
const HELD_MAX: usize = 1_000;
const HELD_BYTES: usize = 24 * 1024;

/// One run, and how far it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    id: String,
    changes: i64,
    purges: i64,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    follower: String,
    /// This run.
    id: String,
    /// The last change of the source that the target has.
    pub(super) changes: i64,
    /// The last purge of the source that has been dealt with.
    pub(super) purges: i64,
    /// The runs before, the newest first.
    before: Vec<Run>,
    /// Names of which something was refused that may be taken another time.
    held: Vec<String>,
    /// There were more of these than are remembered.
    overflow: bool,
    /// Why it begins where it does.
    because: &'static str,
    /// The cursor that the source knows, if that is further.
    ahead: bool,
}

impl Checkpoint {
    /// The last point of which both sides know. `anew`: the beginning, whatever they know.
    pub(super) async fn find(link: &Link, anew: bool) -> Result<Self, Trouble> {
        let short = |id: &str| id.get(..16).unwrap_or(id).to_owned();
        let follower = format!("replica-{}-{}", short(&link.source.bucket), short(&link.target.bucket));
        let (here, there) = (read(link, &follower, true).await?, read(link, &follower, false).await?);
        let (ours, theirs) = (runs(&here), runs(&there));
        let common = if anew { None } else { common(&ours, &theirs) };
        let begun = !ours.is_empty() || !theirs.is_empty();
        let overflow = here["memo"]["overflow"] == true;
        let (changes, purges, before, because) = match common {
            Some(_) if overflow => {
                (0, 0, Vec::new(), "more was refused last time than is remembered, so from the beginning")
            }
            Some((at, changes, purges)) => {
                let before = ours.get(at..).unwrap_or_default().to_vec();
                (changes, purges, before, "on from where the last run came to")
            }
            None if anew => (0, 0, Vec::new(), "from the beginning, as asked"),
            None if begun => (
                0,
                0,
                Vec::new(),
                "the sides remember no run in common, so one was set back: from the beginning",
            ),
            None => (0, 0, Vec::new(), "for the first time"),
        };
        let held = here["memo"]["held"].as_array().into_iter().flatten();
        let held = held.chain(there["memo"]["held"].as_array().into_iter().flatten());
        let mut held: Vec<String> = held.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        held.sort();
        held.dedup();
        Ok(Checkpoint {
            ahead: here["change_seq"].as_i64().is_some_and(|cursor| cursor > changes)
                || here["purge_seq"].as_i64().is_some_and(|cursor| cursor > purges),
            follower,
            id: VersionId::random().to_string(),
            changes,
            purges,
            before,
            held,
            overflow: false,
            because,
        })
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        format!("{} (change {})", self.because, self.changes)
    }

    /// Nothing of what was done is relied upon.
    pub(super) fn start_over(&mut self) {
        (self.changes, self.purges, self.ahead) = (0, 0, true);
        self.before.clear();
    }

    pub(super) fn take_held(&mut self) -> Vec<String> {
        std::mem::take(&mut self.held)
    }

    /// Remembers names to be offered again.
    pub(super) fn hold(&mut self, names: Vec<String>) {
        self.held.extend(names);
        self.held.sort();
        self.held.dedup();
        while self.held.len() > HELD_MAX || self.held.iter().map(String::len).sum::<usize>() > HELD_BYTES {
            self.held.pop();
            self.overflow = true;
        }
    }

    /// Registers on both sides before anything is relied upon. A cursor only grows; where this begins behind it, the follower
    /// registers anew.
    pub(super) async fn register(&mut self, link: &Link) -> Result<(), Trouble> {
        self.write(link).await
    }

    /// Writes it down on both sides. In whatever order they learn of it, the smaller of what they say has been done.
    pub(super) async fn write(&mut self, link: &Link) -> Result<(), Trouble> {
        let path = format!("followers/{}", self.follower);
        let mut runs = vec![json!({ "id": self.id, "changes": self.changes, "purges": self.purges })];
        let before = self.before.iter().filter(|run| run.id != self.id).take(SESSIONS_MAX);
        runs.extend(before.map(|run| json!({ "id": run.id, "changes": run.changes, "purges": run.purges })));
        let memo = json!({
            "from": link.from.shown,
            "to": link.to.shown,
            "runs": runs,
            "held": self.held,
            "overflow": self.overflow,
        });
        // At the target this follows nothing, and holds nothing back.
        let now = link.to.get("changes?since=0&limit=1").await?;
        let (changes, purges) = (&now["change_seq"], &now["purge_seq"]);
        let order = json!({ "kind": "replica", "change_seq": changes, "purge_seq": purges, "memo": memo });
        if let Err(trouble) = link.to.put(&path, &order).await {
            require(&trouble, 400)?;
            deregister(&link.to, &path).await?;
            link.to.put(&path, &order).await?;
        }
        // A cursor only grows. Where this goes on behind it, because the other side was set back, it registers anew.
        if std::mem::take(&mut self.ahead) {
            deregister(&link.from, &path).await?;
        }
        let order = |purges: i64| json!({ "kind": "replica", "change_seq": self.changes, "purge_seq": purges, "memo": memo });
        if let Err(trouble) = link.from.put(&path, &order(self.purges)).await {
            if trouble.status() == Some(410) {
                // Purges of long ago are told no longer.
                let kept = link.from.get("purges?limit=1").await?;
                let first = if link.with_purges { &kept["oldest"] } else { &kept["last"] };
                let before = i64::from(link.with_purges);
                self.purges = first.as_i64().unwrap_or_default() - before;
            } else {
                require(&trouble, 400)?;
                deregister(&link.from, &path).await?;
            }
            link.from.put(&path, &order(self.purges)).await?;
        }
        Ok(())
    }
}

/// Anything else stays what it is.
fn require(trouble: &Trouble, status: u16) -> Result<(), Trouble> {
    if trouble.status() == Some(status) { Ok(()) } else { Err(trouble.clone()) }
}

async fn deregister(side: &Side, path: &str) -> Result<(), Trouble> {
    match side.peer.json(Method::DELETE, &format!("{}/{path}", side.path), None).await {
        Err(trouble) if trouble.status() != Some(404) => Err(trouble),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The follower as a side knows it; null where it does not.
async fn read(link: &Link, follower: &str, source: bool) -> Result<Value, Trouble> {
    let side = if source { &link.from } else { &link.to };
    match side.get(&format!("followers/{follower}")).await {
        Err(trouble) if trouble.status() == Some(404) => Ok(Value::Null),
        read => read,
    }
}

/// The runs that a side remembers, the newest first.
fn runs(follower: &Value) -> Vec<Run> {
    let runs = follower["memo"]["runs"].as_array().into_iter().flatten();
    runs.filter_map(|run| {
        let id = run["id"].as_str()?.to_owned();
        Some(Run { id, changes: run["changes"].as_i64()?, purges: run["purges"].as_i64()? })
    })
    .collect()
}

/// The newest run that both remember: its place among the first's, and the lesser of how far they say it came.
fn common(ours: &[Run], theirs: &[Run]) -> Option<(usize, i64, i64)> {
    ours.iter().enumerate().find_map(|(at, own)| {
        let other = theirs.iter().find(|other| other.id == own.id)?;
        Some((at, own.changes.min(other.changes), own.purges.min(other.purges)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, changes: i64) -> Run {
        Run { id: id.to_owned(), changes, purges: changes / 10 }
    }

    #[test]
    fn it_goes_on_where_both_sides_know_that_they_were() {
        let ours = [run("c", 300), run("b", 200), run("a", 100)];
        assert_eq!(common(&ours, &ours), Some((0, 300, 30)));
        // The target was set back into the middle of a run, and then to before it.
        assert_eq!(common(&ours, &[run("c", 250), run("b", 200)]), Some((0, 250, 25)));
        assert_eq!(common(&ours, &[run("b", 180), run("a", 100)]), Some((1, 180, 18)));
        // The source was set back.
        assert_eq!(common(&[run("a", 90)], &ours), Some((0, 90, 9)));
        assert_eq!(common(&ours, &[run("x", 900)]), None);
        assert_eq!(common(&[], &ours), None);
    }

    #[test]
    fn what_a_side_wrote_is_read_again() {
        let memo = json!({ "memo": { "runs": [{ "id": "a", "changes": 7, "purges": 1 }, { "id": 5 }] } });
        assert_eq!(runs(&memo), [Run { id: "a".to_owned(), changes: 7, purges: 1 }]);
        assert_eq!(runs(&Value::Null), []);
    }
}
