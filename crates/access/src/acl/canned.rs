//! Lists that have a name.

use super::{Acl, Grant, Grantee, Group, Permission};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "AWS's names say what they are")]
pub enum Canned {
    Private,
    PublicRead,
    PublicReadWrite,
    AuthenticatedRead,
    AwsExecRead,
    BucketOwnerRead,
    BucketOwnerFullControl,
    LogDeliveryWrite,
}

const NAMES: [(Canned, &str); 8] = [
    (Canned::Private, "private"),
    (Canned::PublicRead, "public-read"),
    (Canned::PublicReadWrite, "public-read-write"),
    (Canned::AuthenticatedRead, "authenticated-read"),
    (Canned::AwsExecRead, "aws-exec-read"),
    (Canned::BucketOwnerRead, "bucket-owner-read"),
    (Canned::BucketOwnerFullControl, "bucket-owner-full-control"),
    (Canned::LogDeliveryWrite, "log-delivery-write"),
];

impl Canned {
    /// The list of this name. What concerns objects alone says nothing of a bucket, and the other way round.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(canned, _)| *canned)
    }

    /// The list of a bucket of `owner`.
    pub fn of_bucket(self, owner: Option<&str>) -> Acl {
        let mut acl = Acl::private(owner);
        acl.grants.extend(self.groups());
        if self == Canned::LogDeliveryWrite {
            for may in [Permission::Write, Permission::ReadAcp] {
                acl.grants.push(Grant { to: Grantee::Group(Group::LogDelivery), may });
            }
        }
        acl
    }

    /// The list of an object of `owner` in a bucket of `bucket_owner`.
    pub fn of_object(self, owner: Option<&str>, bucket_owner: Option<&str>) -> Acl {
        let mut acl = Acl::private(owner);
        acl.grants.extend(self.groups());
        let may = match self {
            Canned::BucketOwnerRead => Some(Permission::Read),
            Canned::BucketOwnerFullControl => Some(Permission::FullControl),
            _ => None,
        };
        if let (Some(may), Some(bucket_owner)) = (may, bucket_owner)
            && owner != Some(bucket_owner)
        {
            acl.grants.push(Grant { to: Grantee::Id(bucket_owner.to_owned()), may });
        }
        acl
    }

    fn groups(self) -> Vec<Grant> {
        let grant = |group, may| Grant { to: Grantee::Group(group), may };
        match self {
            Canned::PublicRead => vec![grant(Group::AllUsers, Permission::Read)],
            Canned::PublicReadWrite => {
                vec![grant(Group::AllUsers, Permission::Read), grant(Group::AllUsers, Permission::Write)]
            }
            Canned::AuthenticatedRead => vec![grant(Group::AuthenticatedUsers, Permission::Read)],
            // EC2 is nobody here.
            Canned::Private
            | Canned::AwsExecRead
            | Canned::BucketOwnerRead
            | Canned::BucketOwnerFullControl
            | Canned::LogDeliveryWrite => Vec::new(),
        }
    }
}
