//! What is counted, in the text form that Prometheus reads.

use lifecycle::Refusal;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Every status that a door answers with, ascending; another one is counted as `other`.
const STATUSES: [u16; 27] = [
    200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 405, 408, 409, 410, 411, 412, 413, 416, 417,
    500, 501, 503, 504, 505, 507,
];
const COLUMNS: usize = STATUSES.len() + 1;

/// How a restore may end.
const RESULTS: [&str; 3] = ["restored", "refused", "failed"];

/// The rules, and what stands for one that is not known any more where its breach is counted.
const RULES: [&str; 13] =
    ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", UNKNOWN_RULE];
const UNKNOWN_RULE: &str = "unknown";
/// The rule that nothing deleted is visible again.
const RESURRECTION: &str = "R12";

/// Counters of one process.
#[derive(Debug)]
pub struct Metrics {
    /// By door.
    requests: [Requests; 3],
    refused: Mutex<BTreeMap<&'static str, u64>>,
    deletes_refused: Mutex<BTreeMap<&'static str, u64>>,
    /// By the rule that was broken.
    violations: Mutex<BTreeMap<&'static str, u64>>,
    /// By [`RESULTS`].
    restores: [AtomicU64; RESULTS.len()],
}

/// A door that is counted.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// SCSP.
    Scsp,
    /// The operator's.
    Admin,
    /// S3.
    S3,
}

/// The answered requests of one door: a table of its operations and of statuses. Counting is one addition.
#[derive(Debug)]
struct Requests {
    proto: &'static str,
    operations: Vec<String>,
    counts: Vec<AtomicU64>,
}

impl Requests {
    fn new(proto: &'static str, operations: Vec<String>) -> Self {
        let counts = (0..operations.len() * COLUMNS).map(|_| AtomicU64::new(0)).collect();
        Requests { proto, operations, counts }
    }

    fn count(&self, operation: usize, status: u16) {
        let column = STATUSES.binary_search(&status).unwrap_or(STATUSES.len());
        if let Some(count) = self.counts.get(operation * COLUMNS + column) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn render(&self, text: &mut String) {
        for (operation, row) in self.operations.iter().zip(self.counts.chunks(COLUMNS)) {
            for (column, count) in row.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let status = STATUSES.get(column).map_or("other".to_owned(), u16::to_string);
                    let proto = self.proto;
                    put(
                        text,
                        format_args!(
                            "barrow_requests_total{{proto=\"{proto}\",op=\"{operation}\",status=\"{status}\"}} {count}"
                        ),
                    );
                }
            }
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            requests: [
                Requests::new("scsp", crate::scsp::operations()),
                Requests::new("admin", crate::admin::operations()),
                Requests::new("s3", crate::s3::operations()),
            ],
            refused: Mutex::default(),
            deletes_refused: Mutex::default(),
            violations: Mutex::default(),
            restores: Default::default(),
        }
    }
}

impl Metrics {
    /// One answered request; `operation` is its number in the door's own list.
    pub(crate) fn request(&self, door: Door, operation: usize, status: u16) {
        self.requests[door as usize].count(operation, status);
    }

    /// One delete, restore or write that was refused by the lifecycle, a guard or a condition.
    pub fn refused(&self, refusal: &Refusal) {
        count(&self.refused, refusal.token());
    }

    /// One request to delete something that was answered with an error of the client's, by that error's word.
    pub(crate) fn delete_refused(&self, token: &'static str) {
        count(&self.deletes_refused, token);
    }

    /// One broken invariant, of which only that is known.
    pub fn violation(&self) {
        self.violation_of(UNKNOWN_RULE);
    }

    /// One breach of this rule.
    pub fn violation_of(&self, rule: &'static str) {
        count(&self.violations, rule);
    }

    /// Objects and containers that were restored.
    pub fn restored(&self, count: u64) {
        self.restores[0].fetch_add(count, Ordering::Relaxed);
    }

    /// Objects and containers that were to be restored and were not: refused, or with a status from 500 on because
    /// something failed.
    pub(crate) fn not_restored(&self, status: u16, count: u64) {
        let result = if status < 500 { 1 } else { 2 };
        self.restores[result].fetch_add(count, Ordering::Relaxed);
    }

    /// All of it as text.
    pub fn render(&self) -> String {
        self.render_with(&BTreeMap::new())
    }

    /// All of it as text, with breaches of rules that were found elsewhere in this process.
    pub(crate) fn render_with(&self, elsewhere: &BTreeMap<&'static str, u64>) -> String {
        let mut text = String::new();
        head(&mut text, "barrow_requests_total", "Answered requests.");
        self.requests.iter().for_each(|requests| requests.render(&mut text));
        head(&mut text, "barrow_refused_total", "What was refused by the lifecycle, a guard or a condition.");
        for (token, count) in &*lock(&self.refused) {
            put(&mut text, format_args!("barrow_refused_total{{refusal=\"{token}\"}} {count}"));
        }
        head(
            &mut text,
            "barrow_delete_refused_total",
            "Requests to delete that were refused, by the reason.",
        );
        for (token, count) in &*lock(&self.deletes_refused) {
            put(&mut text, format_args!("barrow_delete_refused_total{{token=\"{token}\"}} {count}"));
        }
        let mut violations: BTreeMap<&'static str, u64> = RULES.iter().map(|rule| (*rule, 0)).collect();
        for (rule, count) in lock(&self.violations).iter().chain(elsewhere) {
            *violations.entry(rule).or_default() += count;
        }
        head(&mut text, "barrow_violations_total", "Broken invariants found; must stay 0.");
        put(&mut text, format_args!("barrow_violations_total {}", violations.values().sum::<u64>()));
        head(&mut text, "barrow_violations_by_rule_total", "The same by the rule that was broken.");
        for (rule, count) in &violations {
            put(&mut text, format_args!("barrow_violations_by_rule_total{{rule=\"{rule}\"}} {count}"));
        }
        let resurrections = violations.get(RESURRECTION).copied().unwrap_or(0);
        head(
            &mut text,
            "barrow_resurrections_total",
            "Deleted objects found visible again (rule R12); must stay 0.",
        );
        put(&mut text, format_args!("barrow_resurrections_total {resurrections}"));
        head(&mut text, "barrow_restores_total", "Objects and containers that were to be restored.");
        for (result, count) in RESULTS.iter().zip(&self.restores) {
            let count = count.load(Ordering::Relaxed);
            put(&mut text, format_args!("barrow_restores_total{{result=\"{result}\"}} {count}"));
        }
        text
    }
}

fn count(by_token: &Mutex<BTreeMap<&'static str, u64>>, token: &'static str) {
    *lock(by_token).entry(token).or_default() += 1;
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn head(text: &mut String, name: &str, help: &str) {
    put(text, format_args!("# HELP {name} {help}\n# TYPE {name} counter"));
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_searched_in_order() {
        assert!(STATUSES.is_sorted());
    }

    #[test]
    fn requests_are_counted_by_door_operation_and_status() {
        let metrics = Metrics::default();
        let delete = crate::scsp::operations().iter().position(|word| word == "DELETE").unwrap();
        for status in [200, 200, 404, 299] {
            metrics.request(Door::Scsp, delete, status);
        }
        let usage = crate::admin::operations().iter().position(|word| word == "USAGE").unwrap();
        metrics.request(Door::Admin, usage, 200);
        metrics.request(Door::Admin, 10_000, 200);
        let text = metrics.render();
        let requests: Vec<&str> =
            text.lines().filter(|line| line.starts_with("barrow_requests_total")).collect();
        assert_eq!(
            requests,
            [
                "barrow_requests_total{proto=\"scsp\",op=\"DELETE\",status=\"200\"} 2",
                "barrow_requests_total{proto=\"scsp\",op=\"DELETE\",status=\"404\"} 1",
                "barrow_requests_total{proto=\"scsp\",op=\"DELETE\",status=\"other\"} 1",
                "barrow_requests_total{proto=\"admin\",op=\"USAGE\",status=\"200\"} 1",
            ]
        );
    }

    #[test]
    fn violations_are_counted_by_their_rule_wherever_they_were_found() {
        let metrics = Metrics::default();
        metrics.violation();
        metrics.violation_of("R1");
        metrics.violation_of("R12");
        let text = metrics.render_with(&BTreeMap::from([("R1", 2), ("R12", 1)]));
        for line in [
            "barrow_violations_total 6",
            "barrow_violations_by_rule_total{rule=\"R1\"} 3",
            "barrow_violations_by_rule_total{rule=\"R2\"} 0",
            "barrow_violations_by_rule_total{rule=\"R12\"} 2",
            "barrow_violations_by_rule_total{rule=\"unknown\"} 1",
            "barrow_resurrections_total 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn what_is_refused_is_counted_by_its_word_and_a_restore_by_its_result() {
        let metrics = Metrics::default();
        metrics.delete_refused("NotDeletable");
        metrics.restored(3);
        metrics.not_restored(409, 2);
        metrics.not_restored(503, 1);
        metrics.violation();
        let text = metrics.render_with(&BTreeMap::from([("R1", 2)]));
        for line in [
            "barrow_delete_refused_total{token=\"NotDeletable\"} 1",
            "barrow_restores_total{result=\"restored\"} 3",
            "barrow_restores_total{result=\"refused\"} 2",
            "barrow_restores_total{result=\"failed\"} 1",
            "barrow_violations_total 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
