//! What conditions ask about: keys, and what a request says to each of them.

use crate::action::{Action, ActionSet};
use std::borrow::Cow;

/// What a request says to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Nothing,
    /// One value.
    One(Cow<'a, str>),
    /// Any number of values, of a key that has many.
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Value<'a> {
    /// One value, if there is one.
    pub fn of(value: Option<&'a str>) -> Self {
        value.map_or(Value::Nothing, |value| Value::One(Cow::Borrowed(value)))
    }
}

/// A request, as far as conditions ask about it. Asked for what a policy names, and for nothing else.
pub trait Facts {
    /// What the request says to `key`.
    fn value(&self, key: &Key) -> Value<'_>;
}

/// A request that says nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn value(&self, _: &Key) -> Value<'_> {
        Value::Nothing
    }
}

/// A key that a condition or a variable names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// One of those that say one thing.
    Plain(Plain),
    /// A tag of the object that is there, by its key.
    ExistingObjectTag(String),
    /// A tag that the request brings, by its key.
    RequestObjectTag(String),
    /// Something that no request here can say anything to: there is no such thing here. By its name.
    Absent(String),
}

macro_rules! plain {
    ($($variant:ident $name:literal,)+) => {
        /// A key that says one thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "AWS's names say what they are")]
        pub enum Plain { $($variant,)+ }

        const PLAIN: &[(Plain, &str)] = &[$((Plain::$variant, $name),)+];
    };
}

plain! {
    Prefix "s3:prefix",
    Delimiter "s3:delimiter",
    MaxKeys "s3:max-keys",
    Acl "s3:x-amz-acl",
    GrantRead "s3:x-amz-grant-read",
    GrantWrite "s3:x-amz-grant-write",
    GrantReadAcp "s3:x-amz-grant-read-acp",
    GrantWriteAcp "s3:x-amz-grant-write-acp",
    GrantFullControl "s3:x-amz-grant-full-control",
    CopySource "s3:x-amz-copy-source",
    MetadataDirective "s3:x-amz-metadata-directive",
    Encryption "s3:x-amz-server-side-encryption",
    EncryptionKey "s3:x-amz-server-side-encryption-aws-kms-key-id",
    CustomerAlgorithm "s3:x-amz-server-side-encryption-customer-algorithm",
    StorageClass "s3:x-amz-storage-class",
    RedirectLocation "s3:x-amz-website-redirect-location",
    ContentSha256 "s3:x-amz-content-sha256",
    ObjectOwnership "s3:x-amz-object-ownership",
    RequestObjectTagKeys "s3:RequestObjectTagKeys",
    IfMatch "s3:if-match",
    IfNoneMatch "s3:if-none-match",
    VersionId "s3:VersionId",
    LocationConstraint "s3:LocationConstraint",
    LockMode "s3:object-lock-mode",
    LockUntil "s3:object-lock-retain-until-date",
    LockDays "s3:object-lock-remaining-retention-days",
    LegalHold "s3:object-lock-legal-hold",
    AuthType "s3:authType",
    SignatureVersion "s3:signatureversion",
    ResourceAccount "s3:ResourceAccount",
    SourceIp "aws:SourceIp",
    SecureTransport "aws:SecureTransport",
    CurrentTime "aws:CurrentTime",
    EpochTime "aws:EpochTime",
    Referer "aws:Referer",
    UserAgent "aws:UserAgent",
    Username "aws:username",
    UserId "aws:userid",
    PrincipalAccount "aws:PrincipalAccount",
    PrincipalArn "aws:PrincipalArn",
    PrincipalType "aws:PrincipalType",
}

/// What AWS knows and is never so here: no request comes through a virtual private cloud, from one of AWS's own services, or with
/// the credentials of a role.
const ABSENT: [&str; 19] = [
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOwner",
    "aws:SourceOrgID",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalIsAWSService",
    "aws:ViaAWSService",
    "aws:CalledVia",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:TokenIssueTime",
    "aws:FederatedProvider",
    "s3:DataAccessPointArn",
    "s3:DataAccessPointAccount",
];

/// What AWS knows and nobody looks at here.
const UNBUILT: [&str; 6] = [
    "s3:TlsVersion",
    "s3:signatureAge",
    "s3:ObjectCreationOperation",
    "s3:InventoryAccessibleOptionalFields",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
];

/// Why a key is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    /// There is none of this name.
    Unknown,
    /// There is, and it is not evaluated here.
    Unbuilt(String),
}

impl Key {
    /// The key of this name. The letters of names have no case; those of a tag's key do.
    pub(crate) fn read(name: &str) -> Result<Self, BadKey> {
        if let Some((plain, _)) = PLAIN.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)) {
            return Ok(Key::Plain(*plain));
        }
        if let Some((family, tag)) = name.split_once('/') {
            if tag.is_empty() {
                return Err(BadKey::Unknown);
            }
            return match family.to_ascii_lowercase().as_str() {
                "s3:existingobjecttag" => Ok(Key::ExistingObjectTag(tag.to_owned())),
                "s3:requestobjecttag" => Ok(Key::RequestObjectTag(tag.to_owned())),
                // Neither callers nor buckets have such tags here.
                "aws:principaltag" => Ok(Key::Absent(name.to_owned())),
                "aws:resourcetag" | "s3:buckettag" | "aws:requesttag" => {
                    Err(BadKey::Unbuilt(name.to_owned()))
                }
                _ => Err(BadKey::Unknown),
            };
        }
        let is = |known: &&&str| known.eq_ignore_ascii_case(name);
        match (ABSENT.iter().find(is), UNBUILT.iter().find(is)) {
            (Some(absent), _) => Ok(Key::Absent((*absent).to_owned())),
            (None, Some(unbuilt)) => Err(BadKey::Unbuilt((*unbuilt).to_owned())),
            (None, None) => Err(BadKey::Unknown),
        }
    }

    /// Whether requests for any of `actions` can say something to it.
    pub(crate) fn concerns(&self, actions: ActionSet) -> bool {
        const LISTS: &[Action] =
            &[Action::ListBucket, Action::ListBucketVersions, Action::ListBucketMultipartUploads];
        const TAGGED: &[Action] = &[
            Action::DeleteObjectTagging,
            Action::DeleteObjectVersionTagging,
            Action::GetObject,
            Action::GetObjectAcl,
            Action::GetObjectAttributes,
            Action::GetObjectTagging,
            Action::GetObjectVersion,
            Action::GetObjectVersionAcl,
            Action::GetObjectVersionAttributes,
            Action::GetObjectVersionTagging,
            Action::PutObjectAcl,
            Action::PutObjectTagging,
            Action::PutObjectVersionAcl,
            Action::PutObjectVersionTagging,
        ];
        const TAGS: &[Action] = &[
            Action::PutObject,
            Action::PutObjectTagging,
            Action::PutObjectVersionTagging,
            Action::PutBucketTagging,
        ];
        const ACLS: &[Action] = &[
            Action::CreateBucket,
            Action::PutBucketAcl,
            Action::PutObject,
            Action::PutObjectAcl,
            Action::PutObjectVersionAcl,
        ];
        let of = match self {
            Key::ExistingObjectTag(_) => TAGGED,
            Key::RequestObjectTag(_) | Key::Plain(Plain::RequestObjectTagKeys) => TAGS,
            Key::Plain(Plain::Prefix | Plain::Delimiter | Plain::MaxKeys) => LISTS,
            Key::Plain(
                Plain::Acl
                | Plain::GrantRead
                | Plain::GrantWrite
                | Plain::GrantReadAcp
                | Plain::GrantWriteAcp
                | Plain::GrantFullControl,
            ) => ACLS,
            Key::Plain(
                Plain::CopySource | Plain::MetadataDirective | Plain::Encryption | Plain::StorageClass,
            ) => &[Action::PutObject],
            Key::Plain(Plain::IfMatch | Plain::IfNoneMatch) => &[Action::PutObject, Action::DeleteObject],
            Key::Plain(_) | Key::Absent(_) => return true,
        };
        of.iter().any(|action| actions.has(*action))
    }

    /// Whether a fixed value of it makes an Allow one that is not for everyone (AWS's meaning of "public").
    pub(crate) fn narrows(&self) -> bool {
        const NARROW: [&str; 8] = [
            "aws:SourceVpc",
            "aws:SourceVpce",
            "aws:SourceArn",
            "aws:SourceAccount",
            "aws:SourceOwner",
            "aws:PrincipalOrgID",
            "s3:DataAccessPointArn",
            "s3:DataAccessPointAccount",
        ];
        match self {
            Key::Plain(plain) => matches!(
                plain,
                Plain::SourceIp
                    | Plain::UserId
                    | Plain::Username
                    | Plain::PrincipalAccount
                    | Plain::PrincipalArn
            ),
            Key::Absent(name) => NARROW.contains(&name.as_str()),
            Key::ExistingObjectTag(_) | Key::RequestObjectTag(_) => false,
        }
    }
}
