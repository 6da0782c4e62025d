//! What is counted, in the text form that Prometheus reads.

use lifecycle::Refusal;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counters of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By door, method and class of status.
    requests: [[[AtomicU64; 5]; 6]; 2],
    refused: Mutex<BTreeMap<&'static str, u64>>,
    violations: AtomicU64,
    restores: AtomicU64,
}

/// A door that is counted.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// SCSP.
    Scsp,
    /// The operator's.
    Admin,
}

impl Metrics {
    /// One answered request.
    pub fn request(&self, door: Door, method: &str, status: u16) {
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.requests[door as usize][method][class].fetch_add(1, Ordering::Relaxed);
    }

    /// One delete, restore or write that was refused.
    pub fn refused(&self, refusal: &Refusal) {
        let mut refused = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *refused.entry(refusal.token()).or_default() += 1;
    }

    /// One broken invariant.
    pub fn violation(&self) {
        self.violations.fetch_add(1, Ordering::Relaxed);
    }

    /// One object or container that was restored.
    pub fn restored(&self, count: u64) {
        self.restores.fetch_add(count, Ordering::Relaxed);
    }

    /// All of it as text.
    pub fn render(&self) -> String {
        let mut text = String::from(
            "# HELP barrow_requests_total Answered requests.\n# TYPE barrow_requests_total counter\n",
        );
        for (door, by_method) in ["scsp", "admin"].iter().zip(&self.requests) {
            for (method, by_class) in METHODS.iter().zip(by_method) {
                for (class, count) in CLASSES.iter().zip(by_class) {
                    let count = count.load(Ordering::Relaxed);
                    if count > 0 {
                        let _ = writeln!(
                            text,
                            "barrow_requests_total{{door=\"{door}\",method=\"{method}\",status=\"{class}\"}} {count}"
                        );
                    }
                }
            }
        }
        text.push_str("# HELP barrow_refused_total Requests refused by the lifecycle, a guard or a condition.\n# TYPE barrow_refused_total counter\n");
        for (token, count) in &*self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            let _ = writeln!(text, "barrow_refused_total{{refusal=\"{token}\"}} {count}");
        }
        let violations = self.violations.load(Ordering::Relaxed);
        let _ = writeln!(
            text,
            "# HELP barrow_violations_total Broken invariants found; must stay 0.\n# TYPE barrow_violations_total counter\nbarrow_violations_total {violations}"
        );
        let restores = self.restores.load(Ordering::Relaxed);
        let _ = writeln!(
            text,
            "# HELP barrow_restores_total Objects and containers restored.\n# TYPE barrow_restores_total counter\nbarrow_restores_total {restores}"
        );
        text
    }
}
