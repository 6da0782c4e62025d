//! What a bucket's owner has forbidden in it for good: deletes, purges, or any change at all. (JetStream's `deny_delete`,
//! `deny_purge` and `sealed`.)
//!
//! All three go one way: what was forbidden once stays forbidden, for whoever relied on it cannot be asked. They forbid what
//! clients ask for. What falls due by itself, by a lifepoint or a lifecycle rule, was promised before and goes; a guard is what
//! keeps that, too. And a sealed bucket can be removed, for that can be undone until its grace is over; it cannot be purged
//! before.

use crate::Refusal;

/// What is forbidden in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    /// Nothing in it changes: it forbids the other two as well.
    sealed: bool,
    deny_delete: bool,
    deny_purge: bool,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Any change.
    Changes,
    /// Deletes of versions.
    Deletes,
    /// Purges.
    Purges,
    /// Purges by a write, which have to be permitted first.
    RollUps,
}

impl Seal {
    /// A seal; one that forbids changes forbids deletes and purges.
    pub const fn new(sealed: bool, deny_delete: bool, deny_purge: bool) -> Self {
        Seal { sealed, deny_delete: sealed || deny_delete, deny_purge: sealed || deny_purge }
    }

    /// Whether any change is forbidden.
    pub const fn is_sealed(self) -> bool {
        self.sealed
    }

    /// Whether deletes of versions are.
    pub const fn denies_delete(self) -> bool {
        self.deny_delete
    }

    /// Whether purges are.
    pub const fn denies_purge(self) -> bool {
        self.deny_purge
    }

    /// Passes if something may be written, hidden, or brought back.
    ///
    /// # Errors
    /// [`Refusal::Sealed`].
    pub const fn permits_change(self) -> Result<(), Refusal> {
        if self.sealed { Err(Refusal::Sealed(Sealed::Changes)) } else { Ok(()) }
    }

    /// Passes if a client may delete a version.
    ///
    /// # Errors
    /// [`Refusal::Sealed`].
    pub const fn permits_delete(self) -> Result<(), Refusal> {
        match (self.sealed, self.deny_delete) {
            (true, _) => Err(Refusal::Sealed(Sealed::Changes)),
            (false, true) => Err(Refusal::Sealed(Sealed::Deletes)),
            (false, false) => Ok(()),
        }
    }

    /// Passes if anybody may purge, now or before its time.
    ///
    /// # Errors
    /// [`Refusal::Sealed`].
    pub const fn permits_purge(self) -> Result<(), Refusal> {
        match (self.sealed, self.deny_purge) {
            (true, _) => Err(Refusal::Sealed(Sealed::Changes)),
            (false, true) => Err(Refusal::Sealed(Sealed::Purges)),
            (false, false) => Ok(()),
        }
    }

    /// Passes if this may become `new`.
    ///
    /// # Errors
    /// [`Refusal::SealBroken`].
    pub const fn permits_seal(self, new: Seal) -> Result<(), Refusal> {
        let kept = (new.sealed || !self.sealed)
            && (new.deny_delete || !self.deny_delete)
            && (new.deny_purge || !self.deny_purge);
        if kept { Ok(()) } else { Err(Refusal::SealBroken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Seal> {
        (0..8).map(|bits| Seal::new(bits & 1 != 0, bits & 2 != 0, bits & 4 != 0))
    }

    #[test]
    fn each_forbids_its_own_and_a_seal_forbids_all() {
        let permits = |seal: Seal| {
            (seal.permits_change().is_ok(), seal.permits_delete().is_ok(), seal.permits_purge().is_ok())
        };
        assert_eq!(permits(Seal::default()), (true, true, true));
        assert_eq!(permits(Seal::new(false, true, false)), (true, false, true));
        assert_eq!(permits(Seal::new(false, false, true)), (true, true, false));
        assert_eq!(permits(Seal::new(true, false, false)), (false, false, false));
    }

    #[test]
    fn it_goes_one_way() {
        for old in all() {
            for new in all() {
                // Whatever the old one forbids, the new one does.
                let kept = [
                    (old.permits_change(), new.permits_change()),
                    (old.permits_delete(), new.permits_delete()),
                    (old.permits_purge(), new.permits_purge()),
                ];
                let kept = kept.iter().all(|(old, new)| old.is_ok() || new.is_err());
                assert_eq!(old.permits_seal(new).is_ok(), kept, "{old:?} {new:?}");
            }
        }
    }
}
