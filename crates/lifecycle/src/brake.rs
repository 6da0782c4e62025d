//! How much may go that nobody asked for: the brake's measure, for whoever is about to destroy it, and for whoever is about to
//! accept rules that would.

use crate::Time;
use serde::Serialize;
use std::ops::AddAssign;

/// So many versions with so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Versions.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        self.objects = self.objects.saturating_add(other.objects);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// How much may go at once that no request explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// In percent of all bytes stored.
    pub share: u8,
    /// In objects.
    pub objects: u64,
    /// Fewer objects than this ...
    pub min_objects: u64,
    /// ... with fewer bytes than this always pass.
    pub min_bytes: u64,
}

impl Default for Brake {
    fn default() -> Self {
        Brake { share: 5, objects: 1_000_000, min_objects: 10_000, min_bytes: 10 << 30 }
    }
}

/// Which limit is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// More objects than this.
    Objects(u64),
    /// More than this, in percent of all bytes stored.
    Share(u8),
}

impl Brake {
    /// Whether so little passes without further questions.
    pub fn ignores(&self, unexplained: Amount) -> bool {
        unexplained.objects < self.min_objects && unexplained.bytes < self.min_bytes
    }

    /// Which limit is passed if so much goes unexplained. `released_until`: until when an operator has let go of the brake.
    pub fn judge(
        &self,
        unexplained: Amount,
        stored_bytes: u64,
        released_until: Option<Time>,
        now: Time,
    ) -> Option<Limit> {
        let released = released_until.is_some_and(|until| until > now);
        if released || unexplained.objects == 0 || self.ignores(unexplained) {
            return None;
        }
        if unexplained.objects > self.objects {
            return Some(Limit::Objects(self.objects));
        }
        let allowed = u128::from(stored_bytes) * u128::from(self.share);
        (u128::from(unexplained.bytes) * 100 > allowed).then_some(Limit::Share(self.share))
    }
}
