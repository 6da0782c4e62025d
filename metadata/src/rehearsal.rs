//! Finding out what would be done, by doing it and undoing it: a dry run decides by the same statements as the real one, so
//! it cannot say anything else.

use crate::Metadata;

impl Metadata {
    /// The same metadata, in which every change is decided, answered, and undone instead of committed. Nothing that is
    /// asked of what this gives changes anything; reads go where they always go, so each call stands for itself and does
    /// not see what one before it would have done.
    pub fn rehearsal(&self) -> Metadata {
        Metadata { writer: self.writer.rehearsing(), ..self.clone() }
    }
}
