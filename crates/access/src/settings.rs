//! What a bucket is set to, as far as it decides on access: read once, for all requests until it changes.

use crate::acl::Acl;
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// The public access block: what access lists and policies may not open to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// No list that does is taken.
    pub block_public_acls: bool,
    /// What lists open so is not open.
    pub ignore_public_acls: bool,
    /// No policy that does is taken.
    pub block_public_policy: bool,
    /// What a policy that does opens is open to the bucket's own account alone.
    pub restrict_public_buckets: bool,
}

impl Block {
    /// As it is stored.
    pub fn encode(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// Whose the objects are that others write into a bucket, and whether access lists mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// The bucket's owner's; lists mean nothing.
    BucketOwnerEnforced,
    /// The bucket's owner's, if they come with full control for it.
    BucketOwnerPreferred,
    /// Their writers'.
    #[default]
    ObjectWriter,
}

impl Ownership {
    const ALL: [Ownership; 3] =
        [Ownership::BucketOwnerEnforced, Ownership::BucketOwnerPreferred, Ownership::ObjectWriter];

    /// AWS's word, which is also the stored one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ownership::BucketOwnerEnforced => "BucketOwnerEnforced",
            Ownership::BucketOwnerPreferred => "BucketOwnerPreferred",
            Ownership::ObjectWriter => "ObjectWriter",
        }
    }

    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Ownership::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Whether access lists mean something.
    pub fn takes_lists(self) -> bool {
        self != Ownership::BucketOwnerEnforced
    }
}

/// What is stored of a setting that decides on access, and can be read or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Stored<T> {
    /// Nothing is set.
    #[default]
    None,
    /// This is.
    Is(T),
    /// What is stored means nothing to us: it must be taken for one that denies everything.
    Unreadable,
}

impl<T> Stored<T> {
    fn read(text: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Self {
        match text {
            None => Stored::None,
            Some(text) => read(text).map_or(Stored::Unreadable, Stored::Is),
        }
    }
}

/// What a bucket is set to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub(crate) policy: Stored<Policy>,
    /// Whether the policy opens something to everyone.
    pub(crate) policy_is_public: bool,
    pub(crate) acl: Stored<Acl>,
    pub(crate) block: Stored<Block>,
    pub(crate) ownership: Stored<Ownership>,
}

impl Settings {
    /// Reads what is stored of `bucket`: its policy, access list, public access block and ownership.
    pub fn read(
        bucket: &str,
        policy: Option<&str>,
        acl: Option<&str>,
        block: Option<&str>,
        ownership: Option<&str>,
    ) -> Self {
        let policy = Stored::read(policy, |text| Policy::read(text, bucket).ok());
        Settings {
            policy_is_public: matches!(&policy, Stored::Is(policy) if policy.is_public()),
            policy,
            acl: Stored::read(acl, Acl::decode),
            block: Stored::read(block, |text| serde_json::from_str(text).ok()),
            ownership: Stored::read(ownership, Ownership::named),
        }
    }

    /// The public access block. One that cannot be read blocks everything.
    pub fn block(&self) -> Block {
        match &self.block {
            Stored::None => Block::default(),
            Stored::Is(block) => *block,
            Stored::Unreadable => Block {
                block_public_acls: true,
                ignore_public_acls: true,
                block_public_policy: true,
                restrict_public_buckets: true,
            },
        }
    }

    /// Whose objects are. What cannot be read is what opens least.
    pub fn ownership(&self) -> Ownership {
        match &self.ownership {
            Stored::None => Ownership::default(),
            Stored::Is(ownership) => *ownership,
            Stored::Unreadable => Ownership::BucketOwnerEnforced,
        }
    }

    /// The bucket's own access list, if it has one that can be read.
    pub fn acl(&self) -> Option<&Acl> {
        match &self.acl {
            Stored::Is(acl) => Some(acl),
            Stored::None | Stored::Unreadable => None,
        }
    }
}
