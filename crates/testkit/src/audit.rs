//! An audit trail that a test reads.

use lifecycle::AuditSink;
use lifecycle::audit::Record;
use std::sync::{Mutex, MutexGuard};

/// Keeps every record, in the order in which they came.
#[derive(Debug, Default)]
pub struct RecordedAudit(Mutex<Vec<Record>>);

impl RecordedAudit {
    /// Every record so far.
    pub fn all(&self) -> Vec<Record> {
        self.lock().clone()
    }

    /// Every record so far of this operation.
    pub fn of(&self, operation: &str) -> Vec<Record> {
        self.lock().iter().filter(|record| record.operation == operation).cloned().collect()
    }

    /// Forgets what has come so far, and gives it.
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.0.lock().expect("no test panics while it holds the records")
    }
}

impl AuditSink for RecordedAudit {
    fn record(&self, record: &Record) {
        self.lock().push(record.clone());
    }
}
