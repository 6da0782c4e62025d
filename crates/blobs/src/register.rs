//! The names that this process is writing at the moment.
//!
//! A store enforces create-once only for bodies sent in one piece; a multipart upload overwrites silently when it is
//! completed. And a write that nobody waits for any more (its client hung up) still runs to its end, so that a blob
//! destroyed meanwhile would rise again. Both are answered here: one writer per name, and no destruction of a name
//! while something may still be writing it. Names are random and used once, so that nobody ever waits.

use lifecycle::BlobName;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All names being written.
#[derive(Debug, Default)]
pub(crate) struct Register(Mutex<HashSet<BlobName>>);

impl Register {
    /// Enters a name, until the last clone of the answer is dropped; `None` if somebody is writing it.
    pub(crate) fn enter(self: &Arc<Self>, name: BlobName) -> Option<Arc<Writing>> {
        self.names().insert(name).then(|| Arc::new(Writing { register: Arc::clone(self), name }))
    }

    /// Whether somebody is writing it.
    pub(crate) fn contains(&self, name: BlobName) -> bool {
        self.names().contains(&name)
    }

    fn names(&self) -> MutexGuard<'_, HashSet<BlobName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One name's entry. Every task that may still touch the name holds a clone.
#[derive(Debug)]
pub(crate) struct Writing {
    register: Arc<Register>,
    name: BlobName,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.register.names().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_writer_at_a_time() {
        let register = Arc::new(Register::default());
        let name = BlobName::random();
        let first = register.enter(name).unwrap();
        assert!(register.enter(name).is_none());
        let task = Arc::clone(&first);
        drop(first);
        assert!(register.contains(name), "a task still holds it");
        drop(task);
        assert!(!register.contains(name));
    }
}
