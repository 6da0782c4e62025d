//! Which bucket and which key a request names. The target is read here, once; `s3s` reads it again for its routing, and a
//! request on which the two disagree is refused before anything is done (see `access`).

use super::arguments::Arguments;
use super::error::{Trouble, trouble};
use crate::http::decode_path;
use http::request::Parts;
use http::{HeaderMap, Method};
use std::net::{IpAddr, SocketAddr};

/// The longest key, in bytes.
pub(super) const KEY_MAX: usize = 1024;

/// What a request names, before anything was looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The domain that Host may name; `None`: the default one.
    pub(super) domain: Option<String>,
    /// The bucket.
    pub(super) bucket: Option<String>,
    /// The object, decoded.
    pub(super) key: Option<String>,
    /// The path as it was sent, for `Resource`.
    pub(super) path: String,
}

/// What Host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// An address, or the installation's own name: nothing.
    Ours,
    /// The bucket, in virtual-hosted style.
    Bucket(&'a str),
    /// Another name, which may be a domain's.
    Other(&'a str),
}

/// Reads Host. `own` is the name under which buckets are virtual hosts.
pub(super) fn host<'a>(host: &'a str, own: Option<&str>) -> Host<'a> {
    if host.parse::<SocketAddr>().is_ok() || host.parse::<IpAddr>().is_ok() {
        return Host::Ours;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // A dot at the end says that the name is whole, and is no part of it.
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.parse::<IpAddr>().is_ok() || name.starts_with('[') || !name.contains('.') {
        return Host::Ours;
    }
    let Some(own) = own else { return Host::Other(name) };
    if name.eq_ignore_ascii_case(own) {
        return Host::Ours;
    }
    let at = name.len().checked_sub(own.len() + 1);
    match at.map(|at| (name.get(..at), name.get(at..))) {
        Some((Some(bucket), Some(rest)))
            if !bucket.is_empty() && rest.starts_with('.') && rest[1..].eq_ignore_ascii_case(own) =>
        {
            Host::Bucket(bucket)
        }
        _ => Host::Other(name),
    }
}

impl Named {
    /// Reads the target and Host of a request.
    ///
    /// # Errors
    /// `InvalidURI` for a path that is no text once decoded, `KeyTooLongError`.
    pub(super) fn read(parts: &Parts, own: Option<&str>) -> Result<Self, Trouble> {
        let path = parts.uri.path();
        let bad = || trouble("InvalidURI", "Couldn't parse the specified URI.");
        let decoded = decode_path(path).map_err(|_| bad())?;
        let rest = decoded.strip_prefix('/').ok_or_else(bad)?;
        let from_host = parts.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let mut named = Named { path: path.to_owned(), ..Named::default() };
        let key = match from_host.map_or(Host::Ours, |name| host(name, own)) {
            Host::Bucket(bucket) => {
                named.bucket = Some(bucket.to_ascii_lowercase());
                rest
            }
            from => {
                if let Host::Other(domain) = from {
                    named.domain = Some(domain.to_ascii_lowercase());
                }
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                named.bucket = (!bucket.is_empty()).then(|| bucket.to_owned());
                key
            }
        };
        if key.len() > KEY_MAX {
            return Err(trouble("KeyTooLongError", "Your key is too long."));
        }
        named.key = (!key.is_empty()).then(|| key.to_owned());
        Ok(named)
    }
}

/// A request for an object's content and nothing else of it, or for the deletion of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// GET or HEAD.
    Read,
    /// PUT of a body.
    Write,
    /// A list of keys to delete, of a bucket.
    Delete,
}

impl Plain {
    /// Which of them a request is, if it is one.
    pub(super) fn of(
        method: &Method,
        named: &Named,
        arguments: &Arguments,
        headers: &HeaderMap,
    ) -> Option<Self> {
        const OTHER: [&str; 8] =
            ["attributes", "acl", "legal-hold", "retention", "tagging", "torrent", "uploadId", "uploads"];
        if named.key.is_none() {
            let deletes = *method == Method::POST && named.bucket.is_some() && arguments.has("delete");
            return deletes.then_some(Plain::Delete);
        }
        let other = OTHER.into_iter().any(|name| arguments.has(name));
        match *method {
            Method::HEAD => Some(Plain::Read),
            Method::GET if !other => Some(Plain::Read),
            Method::PUT if !other && !headers.contains_key("x-amz-copy-source") => Some(Plain::Write),
            _ => None,
        }
    }
}
