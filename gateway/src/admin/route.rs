//! Which operation a method and a path mean, and which right it takes: one table.

use super::error::Complaint;
use super::js::reply::Call;
use crate::http::decode_path;
use http::Method;
use lifecycle::Right;

/// One way through the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path; a segment in braces stands for any one segment.
    pub path: &'static str,
    /// The right it takes; `None`: open to everybody who reaches the listener.
    pub right: Option<Right>,
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $name:ident = $method:literal $path:literal $right:expr;)*) => {
        /// Everything that can be asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Operation {
            $($(#[doc = $doc])* $name,)*
        }

        impl Operation {
            pub(super) const ALL: &'static [Operation] = &[$(Operation::$name),*];
            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// What it does, in the words of the table.
            pub(super) fn summary(self) -> &'static str {
                match self {
                    $(Operation::$name => concat!($($doc),*).trim(),)*
                }
            }

            pub(super) const fn route(self) -> Route {
                match self {
                    $(Operation::$name => Route { method: $method, path: $path, right: $right },)*
                }
            }
        }
    };
}

// Lists, usage, tasks and keys show what no reader of objects may see, so they take `admin`. So does changing a bucket's
// grace: with a grace of nothing, every delete is a purge.
operations! {
    /// Whether the process is alive.
    Alive = "GET" "/healthz" None;
    /// Whether it can serve.
    Ready = "GET" "/readyz" None;
    /// What is counted.
    Metrics = "GET" "/metrics" None;
    /// All of this, as an OpenAPI document.
    Openapi = "GET" "/v1/openapi.json" None;

    /// Domains.
    ListDomains = "GET" "/v1/domains" Some(Right::Admin);
    /// A new domain.
    CreateDomain = "POST" "/v1/domains" Some(Right::Write);
    /// One domain.
    ShowDomain = "GET" "/v1/domains/{domain}" Some(Right::Admin);
    /// Hides a domain.
    RemoveDomain = "POST" "/v1/domains/{domain}/remove" Some(Right::Remove);
    /// Brings a domain back.
    RestoreDomain = "POST" "/v1/domains/{domain}/restore" Some(Right::Restore);
    /// Ends a domain's grace.
    PurgeDomain = "POST" "/v1/domains/{domain}/purge" Some(Right::Purge);
    /// The unnamed and alias objects of a domain.
    ListUnnamed = "GET" "/v1/domains/{domain}/objects" Some(Right::Admin);
    /// Brings unnamed and alias objects back.
    RestoreUnnamed = "POST" "/v1/domains/{domain}/objects/restore" Some(Right::Restore);

    /// Buckets of a domain.
    ListBuckets = "GET" "/v1/domains/{domain}/buckets" Some(Right::Admin);
    /// A new bucket.
    CreateBucket = "POST" "/v1/domains/{domain}/buckets" Some(Right::Write);
    /// One bucket.
    ShowBucket = "GET" "/v1/domains/{domain}/buckets/{bucket}" Some(Right::Admin);
    /// Hides a bucket.
    RemoveBucket = "POST" "/v1/domains/{domain}/buckets/{bucket}/remove" Some(Right::Remove);
    /// Brings a bucket back.
    RestoreBucket = "POST" "/v1/domains/{domain}/buckets/{bucket}/restore" Some(Right::Restore);
    /// Ends a bucket's grace.
    PurgeBucket = "POST" "/v1/domains/{domain}/buckets/{bucket}/purge" Some(Right::Purge);
    /// Takes a bucket's contents out.
    EmptyBucket = "POST" "/v1/domains/{domain}/buckets/{bucket}/empty" Some(Right::Remove);
    /// Hangs contents that were taken out back in.
    RestoreContents = "POST" "/v1/domains/{domain}/buckets/{bucket}/contents/{contents}/restore" Some(Right::Restore);
    /// The grace of a bucket's objects.
    SetGrace = "PUT" "/v1/domains/{domain}/buckets/{bucket}/grace" Some(Right::Admin);
    /// How a bucket keeps its versions.
    ShowStream = "GET" "/v1/domains/{domain}/buckets/{bucket}/stream" Some(Right::Admin);
    /// Changes how a bucket keeps its versions; what is forbidden in it, for good.
    SetStream = "PUT" "/v1/domains/{domain}/buckets/{bucket}/stream" Some(Right::Admin);
    /// How much a bucket may hold, and does.
    ShowQuota = "GET" "/v1/domains/{domain}/buckets/{bucket}/quota" Some(Right::Admin);
    /// Sets how much a bucket may hold.
    SetQuota = "PUT" "/v1/domains/{domain}/buckets/{bucket}/quota" Some(Right::Admin);
    /// Lifts the quota of a bucket.
    ClearQuota = "DELETE" "/v1/domains/{domain}/buckets/{bucket}/quota" Some(Right::Admin);
    /// The versions in a bucket.
    ListObjects = "GET" "/v1/domains/{domain}/buckets/{bucket}/objects" Some(Right::Admin);
    /// Purges versions of a bucket.
    PurgeVersions = "POST" "/v1/domains/{domain}/buckets/{bucket}/versions/purge" Some(Right::Purge);
    /// Brings objects back.
    RestoreObjects = "POST" "/v1/domains/{domain}/buckets/{bucket}/objects/restore" Some(Right::Restore);
    /// The revisions of a name, or one of them with its bytes.
    ShowRevisions = "GET" "/v1/domains/{domain}/buckets/{bucket}/revisions" Some(Right::Admin);
    /// Takes a version of another installation in.
    ImportRevision = "PUT" "/v1/domains/{domain}/buckets/{bucket}/revisions" Some(Right::Import);
    /// What of another installation's revisions is not here.
    DiffRevisions = "POST" "/v1/domains/{domain}/buckets/{bucket}/revisions/diff" Some(Right::Import);
    /// Purges here what was purged in another installation.
    ApplyPurges = "POST" "/v1/domains/{domain}/buckets/{bucket}/purges" Some(Right::Purge);
    /// What changed in a bucket, in order.
    Changes = "GET" "/v1/domains/{domain}/buckets/{bucket}/changes" Some(Right::Admin);
    /// What was purged from a bucket, in order.
    Purges = "GET" "/v1/domains/{domain}/buckets/{bucket}/purges" Some(Right::Admin);
    /// Who follows a bucket.
    ListFollowers = "GET" "/v1/domains/{domain}/buckets/{bucket}/followers" Some(Right::Admin);
    /// How far a follower has come.
    ShowFollower = "GET" "/v1/domains/{domain}/buckets/{bucket}/followers/{follower}" Some(Right::Admin);
    /// Registers a follower, or moves it on.
    Follow = "PUT" "/v1/domains/{domain}/buckets/{bucket}/followers/{follower}" Some(Right::Admin);
    /// Forgets a follower.
    Deregister = "DELETE" "/v1/domains/{domain}/buckets/{bucket}/followers/{follower}" Some(Right::Admin);

    /// What is stored, by bucket and state.
    Usage = "GET" "/v1/usage" Some(Right::Admin);
    /// What can be restored.
    Trash = "GET" "/v1/trash" Some(Right::Admin);
    /// The record of removals.
    Deletions = "GET" "/v1/deletions" Some(Right::Admin);
    /// One removal.
    ShowDeletion = "GET" "/v1/deletions/{deletion}" Some(Right::Admin);
    /// Stops a purge of versions.
    CancelPurge = "POST" "/v1/deletions/{deletion}/cancel" Some(Right::Purge);
    /// The processes that share the database.
    Members = "GET" "/v1/members" Some(Right::Admin);
    /// Declares a member dead.
    FenceMember = "POST" "/v1/members/{member}/fence" Some(Right::Admin);
    /// Who has not let go of what was removed up to now.
    Barrier = "GET" "/v1/barrier" Some(Right::Admin);
    /// Who has not let go of what was removed up to an epoch.
    BarrierAt = "GET" "/v1/barrier/{epoch}" Some(Right::Admin);
    /// What a name, a bucket or a domain is, why, and when its space comes back.
    Explain = "GET" "/v1/why" Some(Right::Admin);
    /// What became of a version.
    Why = "GET" "/v1/versions/{version}" Some(Right::Admin);
    /// What a UUID or a name was.
    Tombstones = "GET" "/v1/tombstones" Some(Right::Admin);
    /// Background tasks.
    Tasks = "GET" "/v1/tasks" Some(Right::Admin);
    /// Runs one of them.
    RunTask = "POST" "/v1/tasks/{task}/run" Some(Right::Admin);
    /// Whether every rule holds.
    Check = "GET" "/v1/check" Some(Right::Admin);
    /// Lets purging go on.
    Resume = "POST" "/v1/resume" Some(Right::Purge);
    /// Access keys.
    ListKeys = "GET" "/v1/keys" Some(Right::Admin);
    /// A new access key.
    CreateKey = "POST" "/v1/keys" Some(Right::Admin);
    /// Ends an access key.
    RevokeKey = "POST" "/v1/keys/{key}/revoke" Some(Right::Admin);
    /// Refuses an access key until it is enabled.
    DisableKey = "POST" "/v1/keys/{key}/disable" Some(Right::Admin);
    /// Accepts an access key again.
    EnableKey = "POST" "/v1/keys/{key}/enable" Some(Right::Admin);
    /// Says when an access key ends.
    ExpireKey = "POST" "/v1/keys/{key}/expire" Some(Right::Admin);
    /// Puts another access key in the place of one.
    RotateKey = "POST" "/v1/keys/{key}/rotate" Some(Right::Admin);
    /// Accounts, to whom keys and buckets belong.
    ListAccounts = "GET" "/v1/accounts" Some(Right::Admin);
    /// A new account.
    CreateAccount = "POST" "/v1/accounts" Some(Right::Admin);
    /// One account.
    ShowAccount = "GET" "/v1/accounts/{account}" Some(Right::Admin);
    /// Changes an account: its names, its email, and whether its keys are accepted.
    ChangeAccount = "PATCH" "/v1/accounts/{account}" Some(Right::Admin);
    /// Deletes an account that has nothing left.
    DeleteAccount = "DELETE" "/v1/accounts/{account}" Some(Right::Admin);
    /// The access keys of an account.
    ListAccountKeys = "GET" "/v1/accounts/{account}/keys" Some(Right::Admin);
    /// A new access key of an account.
    CreateAccountKey = "POST" "/v1/accounts/{account}/keys" Some(Right::Admin);
    /// How much an account may hold, and does.
    ShowAccountQuota = "GET" "/v1/accounts/{account}/quota" Some(Right::Admin);
    /// Sets how much an account may hold.
    SetAccountQuota = "PUT" "/v1/accounts/{account}/quota" Some(Right::Admin);
    /// Lifts the quota of an account.
    ClearAccountQuota = "DELETE" "/v1/accounts/{account}/quota" Some(Right::Admin);

    /// JetStream: purges messages of a stream, which are versions of a bucket.
    PurgeStream = "POST" "/_js/api/STREAM.PURGE.{stream}" Some(Right::Purge);
    /// JetStream: what a stream holds.
    StreamInfo = "POST" "/_js/api/STREAM.INFO.{stream}" Some(Right::Admin);
    /// JetStream: seals a stream, or denies deletes and purges in it.
    UpdateStream = "POST" "/_js/api/STREAM.UPDATE.{stream}" Some(Right::Admin);
    /// JetStream: deletes the message at a position; erasing it takes the right to purge, too.
    DeleteMessage = "POST" "/_js/api/STREAM.MSG.DELETE.{stream}" Some(Right::DeleteVersion);
    /// JetStream: removes a stream, which is a bucket.
    DeleteStream = "POST" "/_js/api/STREAM.DELETE.{stream}" Some(Right::Remove);
    /// Purges revisions, at once and for good (CouchDB).
    CouchPurge = "POST" "/_couch/{bucket}/_purge" Some(Right::Purge);
    /// Purges of revisions that are remembered (CouchDB).
    CouchPurgedInfos = "GET" "/_couch/{bucket}/_purged_infos" Some(Right::Admin);
    /// How many purges are remembered (CouchDB).
    CouchInfosLimit = "GET" "/_couch/{bucket}/_purged_infos_limit" Some(Right::Admin);
    /// Sets how many purges are remembered (CouchDB).
    CouchSetInfosLimit = "PUT" "/_couch/{bucket}/_purged_infos_limit" Some(Right::Admin);
    /// When deleted documents go by themselves (CouchDB).
    CouchAutoPurge = "GET" "/_couch/{bucket}/_auto_purge" Some(Right::Admin);
    /// Sets when deleted documents go by themselves, with all their revisions (CouchDB).
    CouchSetAutoPurge = "PUT" "/_couch/{bucket}/_auto_purge" Some(Right::Purge);
    /// What changed, in order (CouchDB).
    CouchChanges = "GET" "/_couch/{bucket}/_changes" Some(Right::Admin);
    /// What changed, in order, asked with a body (CouchDB).
    CouchChangesByPost = "POST" "/_couch/{bucket}/_changes" Some(Right::Admin);
    /// Which revisions are missing (CouchDB).
    CouchMissingRevs = "POST" "/_couch/{bucket}/_missing_revs" Some(Right::Read);
    /// Which revisions are missing, and what they may descend from (CouchDB).
    CouchRevsDiff = "POST" "/_couch/{bucket}/_revs_diff" Some(Right::Read);
    /// How long paths of revisions are (CouchDB).
    CouchRevsLimit = "GET" "/_couch/{bucket}/_revs_limit" Some(Right::Admin);
    /// Sets how long paths of revisions are (CouchDB).
    CouchSetRevsLimit = "PUT" "/_couch/{bucket}/_revs_limit" Some(Right::Admin);
}

impl Operation {
    /// The right it takes; `None`: it is open.
    pub(super) const fn right(self) -> Option<Right> {
        self.route().right
    }

    /// What it is called in the table.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or_default()
    }

    /// Whether something is to go.
    pub(super) const fn deletes(self) -> bool {
        matches!(
            self,
            Operation::RemoveDomain
                | Operation::PurgeDomain
                | Operation::RemoveBucket
                | Operation::PurgeBucket
                | Operation::EmptyBucket
                | Operation::PurgeVersions
                | Operation::PurgeStream
                | Operation::DeleteMessage
                | Operation::DeleteStream
                | Operation::CouchPurge
        )
    }

    /// The call of a message stream that it is.
    pub(super) const fn call(self) -> Option<Call> {
        match self {
            Operation::PurgeStream => Some(Call::Purge),
            Operation::StreamInfo => Some(Call::Info),
            Operation::UpdateStream => Some(Call::Update),
            Operation::DeleteMessage => Some(Call::DeleteMessage),
            Operation::DeleteStream => Some(Call::DeleteStream),
            _ => None,
        }
    }

    /// Whether something is to come back.
    pub(super) const fn restores(self) -> bool {
        matches!(
            self,
            Operation::RestoreDomain
                | Operation::RestoreUnnamed
                | Operation::RestoreBucket
                | Operation::RestoreContents
                | Operation::RestoreObjects
        )
    }
}

/// What each operation is called in the metrics, in the order of their numbers; behind them, what none is.
pub(crate) fn operations() -> Vec<String> {
    let mut words: Vec<String> = Operation::NAMES.iter().map(|name| upper_snake(name)).collect();
    words.push("UNKNOWN".to_owned());
    words
}

/// The number of `operation` in [`operations`]; `None` is a request that means no operation.
pub(super) fn number(operation: Option<Operation>) -> usize {
    operation.map_or(Operation::ALL.len(), |operation| operation as usize)
}

/// `RestoreBucket` as `RESTORE_BUCKET`, like the words of the other doors.
fn upper_snake(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_uppercase());
    }
    word
}

/// Every route, for documentation and tests.
pub fn routes() -> impl Iterator<Item = Route> {
    Operation::ALL.iter().map(|operation| operation.route())
}

/// What stood in the braces, percent-decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The segment that `name` stood for; empty if the path has none, which no name or id is.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// Finds the operation. HEAD counts as GET.
///
/// # Errors
/// 404 for an unknown path, 405 with `Allow` for a known one, 400 for one that cannot be decoded.
pub(super) fn find(method: &Method, path: &str) -> Result<(Operation, Params), Complaint> {
    let asked = if method == Method::HEAD { "GET" } else { method.as_str() };
    let mut allowed = Vec::new();
    for operation in Operation::ALL {
        let route = operation.route();
        let Some(raw) = matched(route.path, path) else { continue };
        if route.method != asked {
            allowed.push(route.method);
            continue;
        }
        let mut params = Params::default();
        for (name, segment) in raw {
            let decoded = decode_path(segment).map_err(|error| Complaint::bad_request(error.to_string()))?;
            params.0.push((name, decoded.into_owned()));
        }
        return Ok((*operation, params));
    }
    Err(if let Some(call) = path.strip_prefix("/_js/").filter(|_| allowed.is_empty()) {
        Complaint::no_such_call(call)
    } else if allowed.is_empty() {
        Complaint::no_such_path(path)
    } else {
        Complaint::wrong_method(method, &allowed)
    })
}

/// The segments in braces, or what is in braces of a segment, not decoded yet: an encoded slash is part of its segment.
fn matched<'p>(shape: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for wanted in shape.split('/') {
        let segment = segments.next()?;
        match wanted.strip_suffix('}').and_then(|wanted| wanted.split_once('{')) {
            Some((before, name)) => {
                let text = segment.strip_prefix(before).filter(|text| !text.is_empty())?;
                found.push((name, text));
            }
            None if wanted == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_leads_to_its_own_operation() {
        for &operation in Operation::ALL {
            let route = operation.route();
            let method: Method = route.method.parse().unwrap();
            assert_eq!(find(&method, route.path).unwrap().0, operation, "{route:?}");
        }
    }

    #[test]
    fn segments_are_decoded_once_and_apart() {
        let (operation, params) = find(&Method::GET, "/v1/domains/a.b/buckets/x%2Fy%2520/objects").unwrap();
        assert_eq!(operation, Operation::ListObjects);
        assert_eq!((params.get("domain"), params.get("bucket"), params.get("key")), ("a.b", "x/y%20", ""));
        assert_eq!(find(&Method::HEAD, "/healthz").unwrap().0, Operation::Alive);
    }

    #[test]
    fn unknown_paths_and_methods_are_told_apart() {
        for path in ["/", "/v1", "/v1/domains/", "/v1/domains//buckets", "/v1/usage/x", "/V1/usage", ""] {
            let complaint = find(&Method::GET, path).unwrap_err();
            assert_eq!(complaint.status.as_u16(), 404, "{path}");
        }
        let complaint = find(&Method::DELETE, "/v1/domains").unwrap_err();
        assert_eq!((complaint.status.as_u16(), complaint.allowed()), (405, Some("GET, POST")));
        assert_eq!(find(&Method::GET, "/v1/domains/%zz").unwrap_err().status.as_u16(), 400);
    }

    #[test]
    fn nothing_below_v1_is_open_but_its_description() {
        for route in routes() {
            let below = route.path.starts_with("/v1") || route.path.starts_with("/_");
            let closed = below && route.path != "/v1/openapi.json";
            assert_eq!(closed, route.right.is_some(), "{route:?}");
        }
    }
}
