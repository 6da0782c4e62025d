//! Fuzz targets: whatever a `Lifepoint` header holds, what it protects stays protected.

use super::*;
use crate::fuzzing::{A_MOMENT, text};
use bolero::check;
use std::time::Duration;

const FRAGMENTS: &[&str] = &[
    "[",
    "]",
    "[]",
    ",",
    ", ",
    " ",
    "=",
    "=no",
    "=yes",
    "no",
    "deletable",
    "deletable=no",
    "deletable=yes",
    "delete",
    "undeletable",
    "delet",
    "reps",
    "reps=",
    "reps=1",
    "5:2",
    "colour=green",
    "[Thu, 03 Sep 2026 09:00:00 GMT]",
    "[Thursday, 03-Sep-26 09:00:00 GMT]",
    "[Wed, 03 Mar 2027 09:00:00 GMT]",
    "[Wed, 03 Mar +2027 09:00:00 GMT]",
    "[not a date]",
    "[] delete",
    "[] deletable=no",
    "\u{e9}",
    "\u{130}",
];

#[test]
fn fuzz_lifepoint_any_header() {
    check!().with_test_time(A_MOMENT).with_max_len(24).for_each(|bytes: &[u8]| {
        let text = text(bytes, FRAGMENTS);
        let headers: Vec<&str> = text.split('\n').collect();
        let (points, wrong) = Lifepoints::parse_leniently(headers.iter().copied());
        match Lifepoints::parse(headers.iter().copied()) {
            Ok(strict) => assert_eq!((&strict, wrong.len()), (&points, 0), "strict and lenient differ"),
            Err(bad) => assert_eq!(Some(&bad), wrong.first()),
        }
        let (guard, expires) = (points.guard(), points.expires_at());
        if let (Some(expires), Some(until)) = (expires, guard.until) {
            assert!(until <= expires, "it goes at {expires} and is guarded until {until}");
        }
        // Where two have the same end date the first counts, by decree.
        let decreed = wrong.iter().any(|bad| bad.reason.contains("same end date"));
        let plain: String = text.to_lowercase().split([' ', '\t']).collect();
        if plain.contains("deletable=no") && !decreed {
            assert!(guard.until.is_some(), "it says deletable=no and is not guarded at all");
        }
        if headers.iter().any(|header| header.trim() == "[] deletable=no") && !decreed {
            assert_eq!((guard.until, expires), (Some(Time::NEVER), None));
        }
    });
}

/// Lifepoints that mean something, in any order, then perhaps one typing error in a word `deletable`: at every moment
/// at which what was meant says `deletable=no`, the guard binds and nothing has expired.
#[test]
fn fuzz_lifepoint_one_typing_error() {
    type Written = (Vec<(u8, u8)>, bool, u8, u8, u8);
    check!().with_type::<Written>().with_test_time(A_MOMENT).for_each(
        |(written, open_delete, at, how, with)| {
            let mut meant: Vec<(Time, bool)> = Vec::new();
            let mut headers = Vec::new();
            for (day, what) in written.iter().take(6) {
                let end = Time::from_secs(i64::from(*day) * 86_400 + 1_700_000_000);
                if meant.iter().any(|(known, _)| *known == end) {
                    continue;
                }
                let (constraints, deletable) = match what % 5 {
                    0 => ("deletable=no", false),
                    1 => ("reps=2, deletable=no", false),
                    2 => ("reps=1", true),
                    3 => ("deletable=yes", true),
                    _ => ("colour=green, deletable", true),
                };
                meant.push((end, deletable));
                headers.push(format!("[{}] {constraints}", end.to_http_date()));
            }
            if *open_delete && !meant.is_empty() {
                headers.insert(usize::from(*at) % headers.len(), "[] delete".to_owned());
            }
            meant.sort();

            let says_no = |now: Time| meant.iter().find(|(end, _)| now < *end).is_some_and(|(_, yes)| !yes);
            let holds = |points: &Lifepoints| {
                for now in meant.iter().map(|(end, _)| end.minus(Duration::from_secs(1))) {
                    if says_no(now) {
                        assert!(points.guard().is_active(now), "deletable at {now}");
                        assert!(points.expires_at().is_none_or(|at| now < at), "expired at {now}");
                    }
                }
            };
            let strict = Lifepoints::parse(headers.iter().map(String::as_str)).expect("it was written well");
            assert!(meant.is_empty() || strict.expires_at().is_some() == *open_delete);
            holds(&strict);

            // The error: a letter of one `deletable` left out, doubled, swapped with the next or replaced.
            if headers.is_empty() {
                return;
            }
            let which = usize::from(*with) % headers.len();
            let Some(word) = headers[which].find("deletable") else { return };
            let letter = word + usize::from(*at) % "deletable".len();
            let mut broken = headers[which].clone().into_bytes();
            match how % 4 {
                0 => drop(broken.remove(letter)),
                1 => broken.insert(letter, broken[letter]),
                2 if letter + 1 < word + "deletable".len() => broken.swap(letter, letter + 1),
                _ => broken[letter] = b'a' + with % 26,
            }
            headers[which] = String::from_utf8(broken).expect("ASCII");
            let (lenient, _) = Lifepoints::parse_leniently(headers.iter().map(String::as_str));
            holds(&lenient);
            // Strict either refuses it or did not lose anything.
            if let Ok(strict) = Lifepoints::parse(headers.iter().map(String::as_str)) {
                holds(&strict);
            }
        },
    );
}
