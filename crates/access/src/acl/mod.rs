//! Access lists: what a bucket's or an object's owner grants to others.

mod canned;
mod header;

pub use canned::Canned;
pub use header::{BadGrant, Unresolved};

use crate::action::Action;
use crate::principal::Caller;
use serde::{Deserialize, Serialize};

/// The most grants of a list.
pub const GRANTS_MAX: usize = 100;

/// What a grant allows; the order has no meaning but that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Permission {
    /// Of a bucket: to list it. Of an object: to read it.
    Read,
    /// Of a bucket: to write, overwrite and delete in it. Of an object: nothing.
    Write,
    /// To read the access list.
    ReadAcp,
    /// To write the access list.
    WriteAcp,
    /// All of these.
    FullControl,
}

/// Groups that AWS knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Whoever there is.
    AllUsers,
    /// Whoever shows credentials.
    AuthenticatedUsers,
    /// AWS's log writers: nobody here.
    LogDelivery,
}

/// To whom something is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grantee {
    /// An account, by its canonical id.
    Id(String),
    /// A group.
    Group(Group),
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// To whom.
    pub to: Grantee,
    /// What.
    pub may: Permission,
}

/// An access list. Its owner is kept beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acl {
    /// The grants, in their order.
    pub grants: Vec<Grant>,
}

impl Permission {
    const ALL: [Permission; 5] = [
        Permission::Read,
        Permission::Write,
        Permission::ReadAcp,
        Permission::WriteAcp,
        Permission::FullControl,
    ];

    /// AWS's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Permission::Read => "READ",
            Permission::Write => "WRITE",
            Permission::ReadAcp => "READ_ACP",
            Permission::WriteAcp => "WRITE_ACP",
            Permission::FullControl => "FULL_CONTROL",
        }
    }

    /// The permission of this word.
    pub fn named(word: &str) -> Option<Self> {
        Permission::ALL.into_iter().find(|permission| permission.as_str() == word)
    }

    /// Whether it holds what `needed` is.
    fn holds(self, needed: Permission) -> bool {
        self == needed || self == Permission::FullControl
    }
}

impl Group {
    const ALL: [Group; 3] = [Group::AllUsers, Group::AuthenticatedUsers, Group::LogDelivery];

    /// AWS's URI.
    pub const fn uri(self) -> &'static str {
        match self {
            Group::AllUsers => "http://acs.amazonaws.com/groups/global/AllUsers",
            Group::AuthenticatedUsers => "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
            Group::LogDelivery => "http://acs.amazonaws.com/groups/s3/LogDelivery",
        }
    }

    /// The group of this URI.
    pub fn of_uri(uri: &str) -> Option<Self> {
        Group::ALL.into_iter().find(|group| group.uri() == uri)
    }

    /// Whether people that nobody could count are of it.
    pub const fn is_public(self) -> bool {
        matches!(self, Group::AllUsers | Group::AuthenticatedUsers)
    }
}

impl Grantee {
    fn is(&self, caller: &Caller<'_>) -> bool {
        match self {
            Grantee::Id(id) => caller.account == Some(id),
            Grantee::Group(Group::AllUsers) => true,
            Grantee::Group(Group::AuthenticatedUsers) => !caller.is_anonymous(),
            Grantee::Group(Group::LogDelivery) => false,
        }
    }

    fn is_public(&self) -> bool {
        matches!(self, Grantee::Group(group) if group.is_public())
    }
}

impl Acl {
    /// The list of what is private to `owner`.
    pub fn private(owner: Option<&str>) -> Self {
        let grant = |owner: &str| Grant { to: Grantee::Id(owner.to_owned()), may: Permission::FullControl };
        Acl { grants: owner.map(grant).into_iter().collect() }
    }

    /// Reads what [`Acl::encode`] wrote.
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The list as it is stored.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "[]".to_owned())
    }

    /// Whether it grants something to people that nobody could count.
    pub fn is_public(&self) -> bool {
        self.grants.iter().any(|grant| grant.to.is_public())
    }

    /// Whether it grants anything to anybody but these.
    pub fn opens_beyond(&self, known: &[Option<&str>]) -> bool {
        self.grants.iter().any(|grant| match &grant.to {
            Grantee::Id(id) => !known.contains(&Some(id.as_str())),
            Grantee::Group(_) => true,
        })
    }

    /// Whether `caller` is granted `needed`. `public`: grants to everybody count.
    pub(crate) fn grants(&self, needed: Permission, caller: &Caller<'_>, public: bool) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.may.holds(needed) && grant.to.is(caller) && (public || !grant.to.is_public()))
    }
}

/// What of a bucket's list allows an action, if anything does.
pub(crate) fn of_bucket(action: Action) -> Option<Permission> {
    match action {
        Action::ListBucket | Action::ListBucketVersions | Action::ListBucketMultipartUploads => {
            Some(Permission::Read)
        }
        Action::PutObject
        | Action::PutObjectAcl
        | Action::PutObjectTagging
        | Action::DeleteObject
        | Action::AbortMultipartUpload
        | Action::ListMultipartUploadParts => Some(Permission::Write),
        Action::GetBucketAcl => Some(Permission::ReadAcp),
        Action::PutBucketAcl => Some(Permission::WriteAcp),
        _ => None,
    }
}

/// As [`of_bucket`], of an object's list.
pub(crate) fn of_object(action: Action) -> Option<Permission> {
    match action {
        Action::GetObject | Action::GetObjectVersion => Some(Permission::Read),
        Action::GetObjectAcl | Action::GetObjectVersionAcl => Some(Permission::ReadAcp),
        Action::PutObjectAcl | Action::PutObjectVersionAcl => Some(Permission::WriteAcp),
        _ => None,
    }
}
