//! What can be done, by AWS's names.

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A bucket.
    Bucket,
    /// An object, or a key where none is yet.
    Object,
}

macro_rules! actions {
    (bucket: $($bucket:ident)+; object: $($object:ident)+;) => {
        /// An action, without the `s3:` in front of its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "AWS's names say what they are")]
        pub enum Action { $($bucket,)+ $($object,)+ }

        /// All of them, in the order of their numbers.
        const ALL: &[(Action, &str, Level)] = &[
            $((Action::$bucket, stringify!($bucket), Level::Bucket),)+
            $((Action::$object, stringify!($object), Level::Object),)+
        ];
    };
}

actions! {
    bucket:
        CreateBucket DeleteBucket DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketWebsite
        GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging
        GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy
        GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging GetBucketVersioning
        GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration
        GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
        ListBucketMultipartUploads ListBucketVersions PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAcl
        PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration
        PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging
        PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration
        PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration PutReplicationConfiguration;
    object:
        AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion
        DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention
        GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes
        GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent ListMultipartUploadParts
        ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging
        PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags RestoreObject;
}

impl Action {
    /// The action of this name, without `s3:`.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().find(|(_, known, _)| *known == name).map(|(action, ..)| *action)
    }

    /// Its name, without `s3:`.
    pub fn as_str(self) -> &'static str {
        ALL.get(self as usize).map_or("", |(_, name, _)| name)
    }

    /// What it is done to.
    pub fn level(self) -> Level {
        ALL.get(self as usize).map_or(Level::Object, |(.., level)| *level)
    }

    /// The same, of a version that is named.
    #[must_use]
    pub fn of_version(self) -> Self {
        match self {
            Action::DeleteObject => Action::DeleteObjectVersion,
            Action::DeleteObjectTagging => Action::DeleteObjectVersionTagging,
            Action::GetObject => Action::GetObjectVersion,
            Action::GetObjectAcl => Action::GetObjectVersionAcl,
            Action::GetObjectAttributes => Action::GetObjectVersionAttributes,
            Action::GetObjectTagging => Action::GetObjectVersionTagging,
            Action::GetObjectTorrent => Action::GetObjectVersionTorrent,
            Action::PutObjectAcl => Action::PutObjectVersionAcl,
            Action::PutObjectTagging => Action::PutObjectVersionTagging,
            other => other,
        }
    }

    /// Whether it is about the bucket's policy itself, which whoever runs the bucket can always get at: a policy that
    /// denies everything would otherwise stand for ever.
    pub fn of_policy(self) -> bool {
        matches!(self, Action::GetBucketPolicy | Action::PutBucketPolicy | Action::DeleteBucketPolicy)
    }

    /// Every action.
    pub fn all() -> impl Iterator<Item = Action> {
        ALL.iter().map(|(action, ..)| *action)
    }
}

/// A set of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ActionSet(u128);

// Each action has a bit.
const _: () = assert!(ALL.len() <= 128);

impl ActionSet {
    pub(crate) fn insert(&mut self, action: Action) {
        self.0 |= 1 << action as u8;
    }

    pub(crate) fn has(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        ActionSet(self.0 | other.0)
    }

    /// Every action that is not in it.
    pub(crate) fn others(self) -> Self {
        Action::all().filter(|action| !self.has(*action)).collect()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Action> {
        Action::all().filter(move |action| self.has(*action))
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        let mut set = ActionSet::default();
        actions.into_iter().for_each(|action| set.insert(action));
        set
    }
}
