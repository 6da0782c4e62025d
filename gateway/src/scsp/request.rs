//! What a request asks for: pure, from method, target, Host and arguments (SCSP sections 1.3 and 1.4).

use super::error::Trouble;
use crate::http::{Query, decode_path};
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, Method, Version};
use lifecycle::{BucketName, DomainName, ObjectName, names};

/// The methods that this door knows, as it tells those who ask for others.
pub(super) const ALLOW: &str = "GET, HEAD, POST, PUT, COPY, APPEND, DELETE";

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/`: the domain, or a new unnamed object in it, or the node.
    Root,
    /// `/<32 hexadecimal digits>`: an unnamed or alias object. In lower case.
    Uuid(String),
    /// `/bucket`.
    Bucket(BucketName),
    /// `/bucket/any/name`.
    Object(BucketName, ObjectName),
    /// `/name?cid=<uuid>`: a child of the context with this UUID, for operators.
    Child(String),
}

/// Where a request looks for its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DomainArg {
    /// The domain that was named, if it is one: by argument, or else by Host.
    pub(super) name: Option<DomainName>,
    /// Whether the argument named it. Then it is that domain or none: a mistyped one must never lead into another.
    pub(super) explicit: bool,
}

/// A request as far as it can be understood without looking anything up.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) target: Target,
    pub(super) domain: DomainArg,
    pub(super) query: Query,
    /// `Content-Type: application/castorcontext`: the request is about a context and not about an object.
    pub(super) context_type: bool,
}

/// Which of the door's operations a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Node,
    ReadObject,
    WriteObject,
    UpdateObject,
    CopyObject,
    AppendObject,
    DeleteObject,
    InitiateUpload,
    UploadPart,
    CompleteUpload,
    AbortUpload,
    ReadContext,
    ListContext,
    WriteContext,
    UpdateContext,
    CopyContext,
    AppendContext,
    DeleteContext,
    RestoreContext,
}

/// Reads a request's head.
///
/// # Errors
/// What SCSP refuses before looking anything up.
pub(super) fn decode(parts: &Parts) -> Result<(Operation, Asked), Trouble> {
    if parts.version != Version::HTTP_11 {
        return Err(Trouble::new(505, "HttpVersion", "Only HTTP/1.1 is spoken here."));
    }
    let sent = host(&parts.headers)?;
    // A target in absolute form names the host itself, and Host is passed over then (RFC 9112 section 3.2.2).
    let host = parts.uri.authority().map_or(sent, |authority| authority.as_str());
    let query = Query::parse(parts.uri.query()).map_err(|bad| Trouble::bad_request("BadArgument", &bad))?;
    let path = decode_path(parts.uri.path()).map_err(|bad| Trouble::bad_request("BadName", &bad))?;
    let target = target(&path, &query)?;
    let domain = domain_arg(&query, host)?;
    let context_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/castorcontext"));
    let asked = Asked { target, domain, query, context_type };
    let operation = operation(&parts.method, &asked)?;
    Ok((operation, asked))
}

/// The one Host. Of two, a proxy may have checked the other one.
fn host(headers: &HeaderMap) -> Result<&str, Trouble> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => Err(Trouble::new(400, "HostRequired", "Host header is required.")),
        (Some(host), None) => Ok(host.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => Err(Trouble::new(400, "BadRequest", "More than one Host header was sent.")),
    }
}

fn target(whole: &str, query: &Query) -> Result<Target, Trouble> {
    // Leading slashes in front of a name are dropped (section 1.3).
    let path = whole.trim_start_matches('/');
    if query.contains("cid") {
        // A child's name may begin with a slash: only the path's own goes.
        return Ok(Target::Child(whole.strip_prefix('/').unwrap_or(whole).to_owned()));
    }
    if path.is_empty() {
        // In front of nothing they are not: `DELETE /$BUCKET/?recursive` must not mean the domain when a script's
        // variable is empty.
        return if whole.len() <= 1 { Ok(Target::Root) } else { Err(Trouble::not_found()) };
    }
    if names::is_uuid(path) {
        return Ok(Target::Uuid(path.to_ascii_lowercase()));
    }
    let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
    let bucket = BucketName::parse(bucket).map_err(|bad| Trouble::bad_request("BadName", &bad))?;
    // A trailing slash behind a bucket is dropped.
    if name.is_empty() {
        return Ok(Target::Bucket(bucket));
    }
    let name = ObjectName::parse(name).map_err(|bad| Trouble::bad_request("BadName", &bad))?;
    Ok(Target::Object(bucket, name))
}

fn domain_arg(query: &Query, host: &str) -> Result<DomainArg, Trouble> {
    match query.get("domain") {
        // An empty one is a bad name too: it must not lead to wherever Host does.
        Some(name) => {
            let name = DomainName::parse(name).map_err(|bad| Trouble::bad_request("BadName", &bad))?;
            Ok(DomainArg { name: Some(name), explicit: true })
        }
        // An address, or a name that no domain can have, leads to the default domain.
        None => Ok(DomainArg { name: DomainName::parse(without_port(host)).ok(), explicit: false }),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn operation(method: &Method, asked: &Asked) -> Result<Operation, Trouble> {
    let context = match &asked.target {
        Target::Bucket(_) => true,
        Target::Root => asked.context_type || asked.domain.explicit || asked.query.contains("recursive"),
        Target::Object(..) | Target::Uuid(_) | Target::Child(_) => false,
    };
    let listing = asked.query.contains("format");
    let operation = match (method.as_str(), context) {
        ("GET" | "HEAD", _) if listing && matches!(asked.target, Target::Root | Target::Bucket(_)) => {
            Operation::ListContext
        }
        ("GET" | "HEAD", true) => Operation::ReadContext,
        ("GET" | "HEAD", false) if asked.target == Target::Root => Operation::Node,
        ("GET" | "HEAD", false) => Operation::ReadObject,
        ("POST" | "PUT" | "APPEND" | "DELETE", _) if asked.speaks_of_upload() => upload(method, asked)?,
        ("POST", _) if asked.query.contains("recreatecid") => Operation::RestoreContext,
        ("POST", true) if asked.target == Target::Root && !asked.context_type => Operation::WriteObject,
        ("POST", true) => Operation::WriteContext,
        ("POST", false) => Operation::WriteObject,
        ("PUT", true) => Operation::UpdateContext,
        ("PUT", false) => Operation::UpdateObject,
        ("COPY", true) => Operation::CopyContext,
        ("COPY", false) => Operation::CopyObject,
        ("APPEND", true) => Operation::AppendContext,
        ("APPEND", false) => Operation::AppendObject,
        ("DELETE", true) => Operation::DeleteContext,
        ("DELETE", false) => Operation::DeleteObject,
        _ => {
            let text = format!("The method {} is not implemented.", method.as_str());
            return Err(Trouble::new(501, "NotImplemented", text).with("allow", ALLOW));
        }
    };
    match (operation, &asked.target) {
        (
            Operation::DeleteObject
            | Operation::UpdateObject
            | Operation::CopyObject
            | Operation::AppendObject,
            Target::Root,
        ) => Err(Trouble::new(
            400,
            "NameRequired",
            "The request names no object; name a domain by the domain argument to mean that.",
        )),
        (
            Operation::WriteObject
            | Operation::UpdateObject
            | Operation::CopyObject
            | Operation::AppendObject
            | Operation::DeleteObject,
            Target::Child(_),
        ) => Err(Trouble::new(501, "NotImplemented", "The argument cid is implemented for GET and HEAD.")),
        (Operation::WriteObject, Target::Uuid(_)) => Err(Trouble::new(
            400,
            "BadName",
            "32 hexadecimal digits address an unnamed object; POST makes their UUID itself.",
        )),
        _ => Ok(operation),
    }
}

/// Which step of a multipart upload a request is (section 2.10).
fn upload(method: &Method, asked: &Asked) -> Result<Operation, Trouble> {
    let bad = |text: &str| Err(Trouble::new(400, "BadArgument", text));
    if !matches!(asked.target, Target::Object(..) | Target::Uuid(_)) {
        return bad("A multipart upload makes a named object, or changes an alias object.");
    }
    let (starts, id) = (asked.query.contains("uploads"), asked.query.contains("uploadid"));
    let part = asked.query.contains("partnumber");
    match (method.as_str(), starts, id, part) {
        ("POST" | "PUT" | "APPEND", true, false, false) => Ok(Operation::InitiateUpload),
        ("POST" | "PUT", false, true, true) => Ok(Operation::UploadPart),
        ("POST" | "PUT" | "APPEND", false, true, false) => Ok(Operation::CompleteUpload),
        ("DELETE", false, true, false) => Ok(Operation::AbortUpload),
        _ => bad(
            "An upload begins with uploads, its parts come with uploadid and partnumber, and it ends with uploadid \
             alone.",
        ),
    }
}

impl Asked {
    /// Refuses arguments that mean something in SCSP which is not built, instead of passing over them.
    ///
    /// # Errors
    /// 501, naming the argument.
    pub(super) fn refuse_unbuilt(&self, arguments: &[&str]) -> Result<(), Trouble> {
        match arguments.iter().find(|name| self.query.contains(name)) {
            Some(name) => {
                Err(Trouble::new(501, "NotImplemented", format!("The argument {name} is not implemented.")))
            }
            None => Ok(()),
        }
    }

    /// Refuses arguments that mean something in SCSP, and nothing to this method.
    ///
    /// # Errors
    /// 400, naming the argument.
    pub(super) fn refuse_elsewhere(&self, arguments: &[&str], method: &str) -> Result<(), Trouble> {
        match arguments.iter().find(|name| self.query.contains(name)) {
            Some(name) => Err(Trouble::new(
                400,
                "BadArgument",
                format!("The argument {name} is not for {method} of an object."),
            )),
            None => Ok(()),
        }
    }

    /// Whether the request belongs to a multipart upload.
    fn speaks_of_upload(&self) -> bool {
        ["uploads", "uploadid", "partnumber"].iter().any(|name| self.query.contains(name))
    }

    /// The name that an object is to have from now on.
    ///
    /// # Errors
    /// 400 for one that no object can have.
    pub(super) fn newname(&self) -> Result<Option<String>, Trouble> {
        let Some(text) = self.query.get("newname") else { return Ok(None) };
        let name = ObjectName::parse(text).map_err(|bad| Trouble::bad_request("BadName", &bad))?;
        Ok(Some(name.as_str().to_owned()))
    }

    /// Whether an argument is switched on.
    ///
    /// # Errors
    /// 400 for a value that is neither yes nor no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Trouble> {
        self.query.flag(name).map_err(|bad| Trouble::bad_request("BadArgument", &bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn decoded(method: &str, uri: &str, content_type: &str) -> Result<(Operation, Asked), Trouble> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "d.example:8080")
            .header("content-type", content_type)
            .body(())
            .expect("a request of these tests");
        decode(&request.into_parts().0)
    }

    fn operation_of(method: &str, uri: &str) -> Operation {
        decoded(method, uri, "text/plain").expect("a request that is understood").0
    }

    #[test]
    fn paths_name_what_section_1_3_says() {
        let target = |uri: &str| decoded("GET", uri, "x/y").expect("understood").1.target;
        let bucket = |name| BucketName::parse(name).expect("valid");
        let object = |name| ObjectName::parse(name).expect("valid");
        assert_eq!(target("/"), Target::Root);
        assert_eq!(
            target("/0123456789ABCDEF0123456789abcdef"),
            Target::Uuid("0123456789abcdef0123456789abcdef".into())
        );
        assert_eq!(target("/b/"), Target::Bucket(bucket("b")));
        assert_eq!(target("//b"), Target::Bucket(bucket("b")));
        assert_eq!(target("/b/x/y"), Target::Object(bucket("b"), object("x/y")));
        assert_eq!(target("/b//x"), Target::Object(bucket("b"), object("/x")));
        assert_eq!(target("/b/x%2Fy%20z"), Target::Object(bucket("b"), object("x/y z")));
        assert_eq!(target("/b/.."), Target::Object(bucket("b"), object("..")));
        for nothing in ["//", "/%2F", "///"] {
            assert!(decoded("GET", nothing, "x/y").is_err(), "{nothing}");
        }
    }

    #[test]
    fn the_argument_names_the_domain_before_the_host_does() {
        let domain = |uri: &str| decoded("GET", uri, "x/y").expect("understood").1.domain;
        assert_eq!(domain("/b").name.expect("the host's").as_str(), "d.example");
        assert!(!domain("/b").explicit);
        assert_eq!(domain("/b?Domain=E.example").name.expect("the argument's").as_str(), "e.example");
        for bad in ["/b?domain=-", "/b?domain=", "/b?domain"] {
            assert!(decoded("GET", bad, "x/y").is_err(), "{bad}");
        }
    }

    #[test]
    fn methods_and_targets_make_operations() {
        assert_eq!(operation_of("GET", "/"), Operation::Node);
        assert_eq!(operation_of("GET", "/?domain=d.example"), Operation::ReadContext);
        assert_eq!(operation_of("GET", "/b?format=json"), Operation::ListContext);
        assert_eq!(operation_of("POST", "/"), Operation::WriteObject);
        assert_eq!(operation_of("POST", "/?domain=d.example"), Operation::WriteObject);
        assert_eq!(operation_of("POST", "/b"), Operation::WriteContext);
        assert_eq!(operation_of("POST", "/b?recreatecid=x"), Operation::RestoreContext);
        assert_eq!(operation_of("DELETE", "/b?recursive"), Operation::DeleteContext);
        assert_eq!(operation_of("DELETE", "/b/o"), Operation::DeleteObject);
        assert_eq!(operation_of("COPY", "/b/o"), Operation::CopyObject);
        assert_eq!(operation_of("COPY", "/b"), Operation::CopyContext);
        assert_eq!(operation_of("APPEND", "/b/o"), Operation::AppendObject);
        assert_eq!(operation_of("APPEND", "/?domain=d.example"), Operation::AppendContext);
        assert_eq!(operation_of("POST", "/b/o?uploads"), Operation::InitiateUpload);
        assert_eq!(operation_of("POST", "/b/o?uploadid=x&partnumber=1"), Operation::UploadPart);
        assert_eq!(operation_of("APPEND", "/b/o?uploadid=x"), Operation::CompleteUpload);
        assert_eq!(operation_of("DELETE", "/b/o?uploadid=x"), Operation::AbortUpload);
        for mixed in ["/b?uploads", "/?uploads", "/b/o?uploads&uploadid=x", "/b/o?partnumber=1"] {
            assert_eq!(decoded("POST", mixed, "x/y").expect_err("refused").status.as_u16(), 400, "{mixed}");
        }
        assert_eq!(
            decoded("POST", "/?domain=d.example", "application/castorcontext").expect("understood").0,
            Operation::WriteContext
        );
        for method in ["BREW", "SEND", "GEN", "HOLD", "RELEASE", "OPTIONS", "TRACE"] {
            assert_eq!(decoded(method, "/b/o", "x/y").expect_err("refused").status.as_u16(), 501, "{method}");
        }
        assert_eq!(decoded("DELETE", "/", "x/y").expect_err("refused").status.as_u16(), 400);
    }
}
