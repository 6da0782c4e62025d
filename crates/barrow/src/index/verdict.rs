//! What a purge means for a row of the index. Pure.
//!
//! A row is what its name was when some page of changes was read. An entry of the ledger says what was asked for, and not
//! in each case what became of it. So there are three answers, and only the first two are final:
//!
//! - *keep*: the entry cannot mean what the row stands for.
//! - *drop*: it does mean that. If the name has another winner now, that is a change behind the cursor and will come.
//! - *ask*: it may mean that. The row is hidden at once, and comes back only when the server says that this very version is
//!   still current. So a wrong *ask* costs a question; a wrong *keep* would show what was purged, and a wrong *drop* would
//!   lose what is there.
//!
//! Why is not everything that bears a purged revision dropped? A page's `purge_seq` is read before the page. What is purged
//! between the two, and then written or restored again, is in the page as it is *after* the purge; and the entry comes with
//! the next page. Revisions repeat after a purge (the same bytes under a forgotten name), so they alone do not tell the two
//! apart. A row therefore remembers up to which entry it *may* be newer ([`Held::unsure_upto`]): those beyond are younger
//! than the row, and are taken at their word.

use super::ledger::Purge;
use lifecycle::Filter;
use serde_json::{Map, Value};

/// What a row has to do. The greater one wins where several entries meet one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It stays.
    Keep,
    /// It is hidden until the server has been asked.
    Ask,
    /// It goes.
    Drop,
}

/// What the index knows of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held<'a> {
    pub(crate) name: &'a str,
    /// The version's position in the bucket.
    pub(crate) position: i64,
    pub(crate) rev: &'a str,
    /// Purges up to this number may be older than the row.
    pub(crate) unsure_upto: i64,
}

/// What `purge` means for `row`.
pub(crate) fn verdict(purge: &Purge, row: &Held<'_>) -> Verdict {
    // Positions of another installation say nothing about ours.
    let ours = purge.origin.is_none();
    if let Some(upto) = purge.upto_seq
        && ours
        && row.position > upto
    {
        return Verdict::Keep;
    }
    match (&purge.name, &purge.selector) {
        (Some(name), _) if name != row.name => Verdict::Keep,
        (Some(_), _) => named(purge, row, ours),
        (None, Some(Value::Object(selector))) if ours => selected(selector, row),
        (None, Some(Value::Object(selector))) if !may_mean(selector, row.name) => Verdict::Keep,
        // An entry that is not understood may mean anything.
        (None, _) => Verdict::Ask,
    }
}

/// Revisions of the row's own name were purged.
fn named(purge: &Purge, row: &Held<'_>, ours: bool) -> Verdict {
    let among =
        |revs: &Option<Vec<String>>| revs.as_ref().is_none_or(|revs| revs.iter().any(|rev| rev == row.rev));
    let nothing = purge.purged.as_ref().is_some_and(Vec::is_empty);
    match (among(&purge.purged), among(&purge.revs)) {
        (true, _) if ours && purge.purge_seq > row.unsure_upto => Verdict::Drop,
        (true, _) => Verdict::Ask,
        // Nothing of it was there, and of this revision nothing was even asked.
        (false, false) if nothing => Verdict::Keep,
        // What was purged took its own ancestors with it, and the row may be one of them.
        (false, _) => Verdict::Ask,
    }
}

/// What a selector met was purged, up to a position, and unless something guarded it.
fn selected(selector: &Map<String, Value>, row: &Held<'_>) -> Verdict {
    if !may_mean(selector, row.name) {
        return Verdict::Keep;
    }
    match selector.get("before_seq") {
        Some(Value::Number(before)) if before.as_i64().is_some_and(|before| row.position >= before) => {
            Verdict::Keep
        }
        // How many were kept, how old they were and what guarded them is not known here.
        _ => Verdict::Ask,
    }
}

/// Whether a selector may mean an object of this name. What is not understood may.
fn may_mean(selector: &Map<String, Value>, name: &str) -> bool {
    selector.iter().all(|(field, value)| match (field.as_str(), value) {
        ("filter", Value::String(text)) => Filter::parse(text).map_or(true, |filter| filter.matches(name)),
        ("prefix", Value::String(prefix)) => name.starts_with(prefix.as_str()),
        ("names", Value::Object(names)) => names.contains_key(name),
        ("names", Value::Array(names)) => names.iter().any(|item| match item {
            Value::String(item) => item == name,
            Value::Object(item) => item.get("name").and_then(Value::as_str).is_none_or(|item| item == name),
            _ => true,
        }),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn revisions(revs: &[&str], purged: &[&str]) -> Purge {
        let list = |revs: &[&str]| Some(revs.iter().map(|rev| (*rev).to_owned()).collect());
        Purge {
            purge_seq: 5,
            name: Some("kv/a".to_owned()),
            revs: list(revs),
            purged: list(purged),
            selector: None,
            upto_seq: Some(10),
            origin: None,
        }
    }

    fn selector(selector: Value) -> Purge {
        Purge { name: None, revs: None, purged: None, selector: Some(selector), ..revisions(&[], &[]) }
    }

    const ROW: Held<'_> = Held { name: "kv/a", position: 7, rev: "2-b", unsure_upto: 4 };

    #[test]
    fn purges_of_revisions() {
        use Verdict::{Ask, Drop, Keep};
        let other = Held { name: "kv/b", ..ROW };
        let newer = Held { position: 11, ..ROW };
        let unsure = Held { unsure_upto: 5, ..ROW };
        for (what, purge, row, expected) in [
            ("it was there", revisions(&["2-b"], &["2-b"]), ROW, Drop),
            ("another name", revisions(&["2-b"], &["2-b"]), other, Keep),
            ("it arrived later, with the same revision", revisions(&["2-b"], &["2-b"]), newer, Keep),
            ("it may have been restored since", revisions(&["2-b"], &["2-b"]), unsure, Ask),
            ("a leaf went, and the row may be its ancestor", revisions(&["3-c"], &["3-c"]), ROW, Ask),
            ("another branch went", revisions(&["2-x"], &["2-x"]), ROW, Ask),
            ("an interior revision: nothing went", revisions(&["1-a"], &[]), ROW, Keep),
            ("it was asked for, and was not there", revisions(&["2-b"], &[]), ROW, Ask),
            ("some of several", revisions(&["2-b", "2-x"], &["2-b"]), ROW, Drop),
        ] {
            assert_eq!(verdict(&purge, &row), expected, "{what}");
        }
    }

    #[test]
    fn positions_of_another_installation_say_nothing() {
        let newer = Held { position: 11, ..ROW };
        let foreign = |purge: Purge| Purge { origin: Some("ff".to_owned()), ..purge };
        assert_eq!(verdict(&foreign(revisions(&["2-b"], &["2-b"])), &newer), Verdict::Ask);
        assert_eq!(verdict(&foreign(selector(json!({ "filter": "kv/*" }))), &newer), Verdict::Ask);
        assert_eq!(verdict(&foreign(selector(json!({ "filter": "x/*" }))), &newer), Verdict::Keep);
        let bound = selector(json!({ "filter": "kv/*", "before_seq": 3 }));
        assert_eq!(verdict(&bound, &ROW), Verdict::Keep);
        assert_eq!(verdict(&foreign(bound), &ROW), Verdict::Ask);
    }

    #[test]
    fn purges_by_selector() {
        use Verdict::{Ask, Keep};
        let newer = Held { position: 11, ..ROW };
        for (what, of, row, expected) in [
            ("everything", json!({ "filter": ">" }), ROW, Ask),
            ("everything, before it arrived", json!({ "filter": ">" }), newer, Keep),
            ("its filter", json!({ "filter": "kv/*" }), ROW, Ask),
            ("another filter", json!({ "filter": "photos/>" }), ROW, Keep),
            ("its prefix", json!({ "prefix": "kv" }), ROW, Ask),
            ("another prefix", json!({ "prefix": "photos" }), ROW, Keep),
            (
                "prefix and filter, of which one does not meet it",
                json!({ "prefix": "kv", "filter": "x/>" }),
                ROW,
                Keep,
            ),
            ("a list with it", json!({ "names": ["kv/a"] }), ROW, Ask),
            ("a list without it", json!({ "names": ["kv/b"] }), ROW, Keep),
            ("names with revisions", json!({ "names": { "kv/a": ["2-b"] } }), ROW, Ask),
            ("names with revisions, without it", json!({ "names": { "kv/b": ["2-b"] } }), ROW, Keep),
            ("before a position that it stands at", json!({ "filter": ">", "before_seq": 7 }), ROW, Keep),
            ("before a position that it stands before", json!({ "filter": ">", "before_seq": 8 }), ROW, Ask),
            ("no bound", json!({ "filter": ">", "before_seq": null }), ROW, Ask),
            ("all but so many", json!({ "filter": ">", "keep": 10 }), ROW, Ask),
            ("all but so many of each name", json!({ "filter": ">", "keep_per_name": 1 }), ROW, Ask),
            ("what is old", json!({ "filter": ">", "older_than_at": "2026-03-03T09:00:00.000Z" }), ROW, Ask),
            ("a field that is not known", json!({ "moon": "full" }), ROW, Ask),
            ("a filter that is none", json!({ "filter": "a/>/b" }), ROW, Ask),
            ("no object", json!("everything"), ROW, Ask),
        ] {
            assert_eq!(verdict(&selector(of), &row), expected, "{what}");
        }
        let nothing = Purge { selector: None, ..selector(json!({})) };
        assert_eq!(verdict(&nothing, &ROW), Ask, "an entry that says nothing");
    }
}
