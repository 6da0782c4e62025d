//! The rules of sections 4.1 to 4.3, one by one.

use super::*;
use std::time::Duration;

const EARLY: &str = "Thu, 03 Sep 2026 09:00:00 GMT";
const LATE: &str = "Wed, 03 Mar 2027 09:00:00 GMT";

fn date(text: &str) -> Time {
    Time::parse_http_date(text).expect("a date of these tests")
}

fn just_before(at: Time) -> Time {
    at.minus(Duration::from_micros(1))
}

fn parse(headers: &[&str]) -> Result<Lifepoints, BadLifepoint> {
    Lifepoints::parse(headers.iter().copied())
}

fn valid(headers: &[&str]) -> Lifepoints {
    let points = parse(headers).unwrap_or_else(|bad| panic!("{bad}"));
    let lenient = Lifepoints::parse_leniently(headers.iter().copied());
    assert_eq!(lenient, (points.clone(), vec![]), "lenient reads alike what strict accepts");
    points
}

/// From when until when.
type Bound = (Option<Time>, Time);

/// What lenient mode makes of headers that strict mode refuses: the guard's dates, the expiry, the first complaint.
fn lenient(headers: &[&str]) -> (Option<Bound>, Option<Time>, &'static str) {
    let (points, wrong) = Lifepoints::parse_leniently(headers.iter().copied());
    let first = wrong.first().expect("something is wrong with it");
    assert_eq!(parse(headers), Err(first.clone()), "strict refuses for the first thing that lenient tells");
    let guard = points.guard();
    (guard.until.map(|until| (guard.from, until)), points.expires_at(), first.reason)
}

/// `EARLY` and `LATE` stand for their dates.
fn dated(header: &str) -> String {
    header.replace("EARLY", EARLY).replace("LATE", LATE)
}

fn bound(until: Time) -> Guard {
    Guard { from: None, until: Some(until), hold: false }
}

#[test]
fn the_example_of_the_specification_guards_then_expires() {
    let points =
        valid(&[&dated("[EARLY] reps=3, deletable=no"), &dated("[LATE] reps=1, deletable=yes"), "[] delete"]);
    assert_eq!(points.guard(), bound(date(EARLY)));
    assert_eq!(points.expires_at(), Some(date(LATE)));
}

#[test]
fn the_grammar_takes_lists_any_case_spaces_and_all_three_forms_of_dates() {
    let expected = valid(&[&dated("[EARLY] reps=3, deletable=no"), "[] delete"]);
    for headers in [
        vec!["[EARLY] reps=3, deletable=no, [] delete"],
        vec!["[EARLY] reps=3, deletable=no,[]delete"],
        vec!["[] delete", "[EARLY] DELETABLE=No"],
        vec!["  [ EARLY ]deletable = FALSE ,", "[ ]\tDelete"],
        vec!["[Thursday, 03-Sep-26 09:00:00 GMT] deletable=no", "[] delete"],
        vec!["[Thu Sep  3 09:00:00 2026] deletable=no", "[] delete"],
    ] {
        let headers: Vec<String> = headers.into_iter().map(dated).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        assert_eq!(valid(&headers), expected, "{headers:?}");
    }
}

#[test]
fn erasure_coding_and_constraints_of_ones_own_are_accepted() {
    for header in [
        "[] reps=5:2, colour=green",
        "[] colour",
        "[] a-b;c=d=e",
        "[] reps=1, state=deleted",
        "[] delegate=x",
    ] {
        assert_eq!(valid(&[header]).guard(), Guard::NONE, "{header}");
    }
}

#[test]
fn rule_1_the_order_of_writing_does_not_matter() {
    let sorted = valid(&[&dated("[EARLY] deletable=no"), &dated("[LATE] reps=1"), "[] delete"]);
    assert_eq!(valid(&["[] delete", &dated("[LATE] reps=1"), &dated("[EARLY] deletable=no")]), sorted);
}

#[test]
fn rule_2_at_the_end_instant_itself_the_next_one_is_in_force() {
    let points = valid(&[&dated("[EARLY] deletable=no"), &dated("[LATE] reps=1"), "[] delete"]);
    assert!(points.guard().is_active(just_before(date(EARLY))));
    assert!(!points.guard().is_active(date(EARLY)));
    assert_eq!(points.expires_at(), Some(date(LATE)));
    let then = valid(&[&dated("[EARLY] deletable=yes"), &dated("[LATE] deletable=no")]);
    assert!(!then.guard().is_active(just_before(date(EARLY))));
    assert!(then.guard().is_active(date(EARLY)));
    assert!(!then.guard().is_active(date(LATE)));
}

#[test]
fn rule_3_each_is_complete_by_itself_and_what_it_does_not_say_is_the_default() {
    let points = valid(&[&dated("[EARLY] deletable=no"), &dated("[LATE] reps=1")]);
    assert_eq!(points.guard(), bound(date(EARLY)), "the second inherits nothing");
    let resumed = valid(&[&dated("[EARLY] deletable=no"), &dated("[LATE] reps=1"), "[] deletable=no"]);
    assert_eq!(resumed.guard(), bound(Time::NEVER), "one interval covers two stretches: doubt means keep");
}

#[test]
fn rule_4_without_lifepoints_and_behind_the_last_of_them_defaults_hold_for_ever() {
    let none = valid(&[]);
    assert!(none.is_empty());
    assert_eq!((none.guard(), none.expires_at()), (Guard::NONE, None));
    let past = valid(&[&dated("[EARLY] deletable=no"), &dated("[LATE] deletable=no")]);
    assert!(!past.is_empty());
    assert!(!past.guard().is_active(date(LATE)));
    assert_eq!(past.expires_at(), None);
}

#[test]
fn rule_5_delete_in_force_is_gone_from_that_second() {
    assert_eq!(valid(&[&dated("[EARLY] reps=1"), "[] delete"]).expires_at(), Some(date(EARLY)));
    assert_eq!(valid(&[&dated("[EARLY] reps=1"), "[] reps=1"]).expires_at(), None);
}

#[test]
fn rule_6_undeletable_binds_until_the_end_date_and_open_without_end() {
    assert_eq!(valid(&[&dated("[EARLY] deletable=no")]).guard(), bound(date(EARLY)));
    assert_eq!(valid(&["[] deletable=no"]).guard(), bound(Time::NEVER));
    let later = valid(&[&dated("[EARLY] deletable"), "[] deletable=false"]);
    assert_eq!(later.guard(), Guard { from: Some(date(EARLY)), until: Some(Time::NEVER), hold: false });
}

#[test]
fn rule_7_a_number_of_replicas_that_no_cluster_has_is_ignored_and_what_is_no_number_refused() {
    for reps in ["0", "17", "99999", "123456789012345678901234567890", "5:0", "0:99999"] {
        let header = dated(&format!("[EARLY] reps={reps}, deletable=no"));
        assert_eq!(valid(&[&header]).guard(), bound(date(EARLY)), "{reps}");
    }
    for reps in ["", "x", "-1", "1.5", "1:", ":1", "1:2:3", "1, reps=2"] {
        let header = dated(&format!("[EARLY] reps={reps}, deletable=yes"));
        let (guard, expires, reason) = lenient(&[&header, "[] delete"]);
        assert_eq!((guard, expires), (None, Some(date(EARLY))), "{reps}: the rest of it stands");
        assert!(reason.starts_with("'reps' "), "{reason}");
    }
}

#[test]
fn rule_10_delete_takes_neither_a_value_nor_an_end_date_and_does_not_stand_alone() {
    for (headers, guard, expires, reason) in [
        (vec!["[EARLY] delete"], None, None, "'delete' belongs into the open lifepoint []"),
        (vec!["[EARLY] deletable=no", "[LATE] delete"], Some(EARLY), None, "'delete' belongs into the open"),
        (vec!["[] delete"], None, None, "the object would be gone at once"),
        (vec!["[EARLY] reps=1", "[] delete=yes"], None, None, "'delete' takes no value"),
        (vec!["[EARLY] reps=1", "[] delete=no"], None, None, "'delete' takes no value"),
        // The last lifepoint is good; its own date is not the first one's.
        (vec!["[EARLY] delete", "[] delete"], None, Some(EARLY), "'delete' belongs into the open"),
    ] {
        let headers: Vec<String> = headers.into_iter().map(dated).collect();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let (guarded, expired, told) = lenient(&headers);
        assert_eq!(guarded, guard.map(|until| (None, date(until))), "{headers:?}");
        assert_eq!(expired, expires.map(date), "{headers:?}");
        assert!(told.starts_with(reason), "{headers:?}: {told}");
    }
}

#[test]
fn two_of_one_end_date_are_refused_and_leniently_the_first_counts() {
    let (guard, _, reason) = lenient(&["[] reps=1", "[] deletable=no"]);
    assert_eq!((guard, reason), (None, "two lifepoints have the same end date"));
    assert_eq!(lenient(&["[] deletable=no", "[] reps=1"]).0, Some((None, Time::NEVER)));
    assert_eq!(lenient(&[&dated("[EARLY] deletable=no, [EARLY] reps=1")]).0, Some((None, date(EARLY))));
    // Nobody knows whether it was to go or to stay, so it stays.
    assert_eq!(lenient(&[&dated("[EARLY] reps=1"), "[] delete", "[] reps=1"]).1, None);
    // One that only looks like a guard was not written off as the second: it was not understood.
    assert_eq!(lenient(&["[] reps=1", "[] deletable=maybe"]).0, Some((None, Time::NEVER)));
}

#[test]
fn what_resembles_a_guard_and_is_none_is_refused_and_leniently_a_guard_until_its_date() {
    for constraints in [
        "deletable=maybe",
        "deletable=",
        "deletable=no=",
        "deletable no",
        "deleteable=no",
        "deletabel=no",
        "deltable=no",
        "dletable=no",
        "delatable=no",
        "DELETEBLE=no",
        "undeletable",
        "undeleteable=yes",
        "x-deletable=no",
        "dele-table=no",
        "delet=no",
        "not deletable",
        "reps=1 deletable=no",
        "reps=1;deletable=no",
        "reps=1, reps=deletable=no",
        "colour=green deletable=no",
        "colour=green;deletable=no",
        "colour=green delet=no",
        "deletable=yes, deletable=no",
        "delete, deletable=no",
        "deletable=no, 5",
        "deletable=no,, reps=1",
        "=deletable",
    ] {
        let header = dated(&format!("[EARLY] {constraints}"));
        let (guard, expires, _) = lenient(&[&header, &dated("[LATE] reps=1"), "[] delete"]);
        assert_eq!(guard, Some((None, date(EARLY))), "{constraints}");
        assert_eq!(expires, Some(date(LATE)), "{constraints}: the others are good");
    }
}

#[test]
fn an_illegible_end_date_means_that_nothing_expires_and_a_guard_behind_it_has_no_end() {
    for (broken, guarded) in [
        ("[not a date] deletable=no", true),
        ("[not a date] deletable=maybe", true),
        ("[not a date] delet=no", true),
        ("[Fri, 03 Sep 2026 09:00:00 GMT] deletable=no", true),
        ("[2026-09-03] deletable=no", true),
        ("[Thu, 03 Sep 2026 09:00:00 GMT deletable=no", true),
        ("deletable=no", true),
        ("deletable=no, [EARLY] reps=1", true),
        ("[deletable=no] reps=1", true),
        ("[not a date] reps=1", false),
        ("[not a date] delete", false),
        ("[", false),
        ("", false),
        ("reps=1", false),
    ] {
        let broken = dated(broken);
        let (guard, expires, _) = lenient(&[&broken, &dated("[LATE] reps=1"), "[] delete"]);
        assert_eq!(guard, guarded.then_some((None, Time::NEVER)), "{broken}");
        assert_eq!(expires, None, "{broken}");
    }
}

#[test]
fn what_else_is_broken_is_left_out_and_its_end_date_stays() {
    for constraints in ["", "5", "=5", "colour green", "col\u{f6}ur", "delte", "reps=1,,colour"] {
        let header = dated(&format!("[EARLY] {constraints}"));
        let (guard, expires, _) = lenient(&[&header, "[] delete"]);
        assert_eq!((guard, expires), (None, Some(date(EARLY))), "{constraints}");
    }
}

#[test]
fn every_mistake_is_told_with_its_text() {
    let headers = ["[not a date] reps=1", "[] deletable=maybe, delete, deletable=no"];
    let (_, wrong) = Lifepoints::parse_leniently(headers);
    let told: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "bad lifepoint \"[not a date] reps=1\": the end date is not an HTTP date",
            "bad lifepoint \"[] deletable=maybe, delete, deletable=no\": 'deletable' is yes or no",
            "bad lifepoint \"[] deletable=maybe, delete, deletable=no\": 'delete' and 'deletable' stand at most once, \
             and not together",
        ]
    );
    let long = format!("[] {}", "é".repeat(500));
    assert_eq!(parse(&[&long]).expect_err("not ASCII").text.chars().count(), 200);
}
