//! What each request is called in the audit trail and in the metrics: the documented words where there are some (`DELETE`,
//! `DELETE_BUCKET`, `LIST_…`, `MULTIPART_ABORT`), and words made like them.

use super::request::{Asked, Operation, Target};
use http::Method;

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// One kind of request. Objects are named, unnamed or alias alike; a context is a domain or a bucket, and which of
        /// them matters to whoever reads of its end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Op {
            $($(#[$doc])* $name,)*
        }

        impl Op {
            const ALL: &'static [Op] = &[$(Op::$name),*];

            /// The word.
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Op::$name => $word,)*
                }
            }
        }
    };
}

ops! {
    /// The node's own page.
    Node = "GET_NODE";

    /// READ of an object.
    Get = "GET";
    /// INFO of an object.
    Head = "HEAD";
    /// WRITE of an object.
    Post = "POST";
    /// UPDATE of an object.
    Put = "PUT";
    /// COPY of an object: its headers, or its name.
    Copy = "COPY";
    /// APPEND to an object.
    Append = "APPEND";
    /// DELETE of an object or of one of its versions.
    Delete = "DELETE";

    /// A multipart upload begins.
    MultipartInitiate = "MULTIPART_INITIATE";
    /// One of its parts.
    MultipartUpload = "MULTIPART_UPLOAD";
    /// It becomes an object.
    MultipartComplete = "MULTIPART_COMPLETE";
    /// It is given up.
    MultipartAbort = "MULTIPART_ABORT";

    /// READ of a bucket.
    GetBucket = "GET_BUCKET";
    /// INFO of a bucket.
    HeadBucket = "HEAD_BUCKET";
    /// The objects of a bucket.
    ListObjects = "LIST_OBJECTS";
    /// A new bucket.
    CreateBucket = "CREATE_BUCKET";
    /// UPDATE of a bucket's headers.
    UpdateBucket = "UPDATE_BUCKET";
    /// COPY of a bucket: its headers, or its name.
    CopyBucket = "COPY_BUCKET";
    /// APPEND to a bucket's headers.
    AppendBucket = "APPEND_BUCKET";
    /// DELETE of a bucket.
    DeleteBucket = "DELETE_BUCKET";
    /// A removed bucket is made again under its UUID.
    RestoreBucket = "RESTORE_BUCKET";

    /// READ of a domain.
    GetDomain = "GET_DOMAIN";
    /// INFO of a domain.
    HeadDomain = "HEAD_DOMAIN";
    /// The buckets of a domain.
    ListBuckets = "LIST_BUCKETS";
    /// A new domain.
    CreateDomain = "CREATE_DOMAIN";
    /// UPDATE of a domain's headers.
    UpdateDomain = "UPDATE_DOMAIN";
    /// COPY of a domain: its headers, or its name.
    CopyDomain = "COPY_DOMAIN";
    /// APPEND to a domain's headers.
    AppendDomain = "APPEND_DOMAIN";
    /// DELETE of a domain.
    DeleteDomain = "DELETE_DOMAIN";
    /// A removed domain is made again under its UUID.
    RestoreDomain = "RESTORE_DOMAIN";

    /// What could not be understood far enough to be called something.
    Unknown = "UNKNOWN";
}

/// The words in the order of the metrics' table, in which an [`Op`]'s row is its number.
pub(crate) fn words() -> Vec<String> {
    Op::ALL.iter().map(|op| op.as_str().to_owned()).collect()
}

impl Op {
    /// What an understood request is called. Exhaustive: a new operation does not compile until it has its word.
    pub(super) fn of(operation: Operation, method: &Method, asked: &Asked) -> Op {
        let head = method == Method::HEAD;
        let either = |of_bucket, of_domain| match asked.target {
            Target::Bucket(_) => of_bucket,
            Target::Root | Target::Uuid(_) | Target::Object(..) | Target::Child(_) => of_domain,
        };
        match operation {
            Operation::Node => Op::Node,
            Operation::ReadObject if head => Op::Head,
            Operation::ReadObject => Op::Get,
            Operation::WriteObject => Op::Post,
            Operation::UpdateObject => Op::Put,
            Operation::CopyObject => Op::Copy,
            Operation::AppendObject => Op::Append,
            Operation::DeleteObject => Op::Delete,
            Operation::InitiateUpload => Op::MultipartInitiate,
            Operation::UploadPart => Op::MultipartUpload,
            Operation::CompleteUpload => Op::MultipartComplete,
            Operation::AbortUpload => Op::MultipartAbort,
            Operation::ReadContext if head => either(Op::HeadBucket, Op::HeadDomain),
            Operation::ReadContext => either(Op::GetBucket, Op::GetDomain),
            Operation::ListContext => either(Op::ListObjects, Op::ListBuckets),
            Operation::WriteContext => either(Op::CreateBucket, Op::CreateDomain),
            Operation::UpdateContext => either(Op::UpdateBucket, Op::UpdateDomain),
            Operation::CopyContext => either(Op::CopyBucket, Op::CopyDomain),
            Operation::AppendContext => either(Op::AppendBucket, Op::AppendDomain),
            Operation::DeleteContext => either(Op::DeleteBucket, Op::DeleteDomain),
            Operation::RestoreContext => either(Op::RestoreBucket, Op::RestoreDomain),
        }
    }

    /// What a request is called of which only the method is understood. A delete that is refused at once is one all the
    /// same.
    pub(super) fn by_method(method: &Method) -> Op {
        match method.as_str() {
            "GET" => Op::Get,
            "HEAD" => Op::Head,
            "POST" => Op::Post,
            "PUT" => Op::Put,
            "COPY" => Op::Copy,
            "APPEND" => Op::Append,
            "DELETE" => Op::Delete,
            _ => Op::Unknown,
        }
    }

    /// Whether something is to go.
    pub(super) fn deletes(self) -> bool {
        matches!(self, Op::Delete | Op::DeleteBucket | Op::DeleteDomain)
    }

    /// Whether a container goes, with everything in it.
    pub(super) fn deletes_context(self) -> bool {
        matches!(self, Op::DeleteBucket | Op::DeleteDomain)
    }

    /// Whether something is to come back.
    pub(super) fn restores(self) -> bool {
        matches!(self, Op::RestoreBucket | Op::RestoreDomain)
    }

    /// Whether it concerns a domain or bucket itself.
    pub(super) fn of_context(self) -> bool {
        let word = self.as_str();
        word.ends_with("_BUCKET") || word.ends_with("_DOMAIN") || word.starts_with("LIST_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scsp::request::decode;
    use http::Request;
    use std::collections::HashSet;

    #[test]
    fn each_word_is_one_and_stands_at_its_number() {
        let words = words();
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
        for op in Op::ALL {
            assert_eq!(words[*op as usize], op.as_str());
            let form = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
            assert!(op.as_str().bytes().all(form), "{op:?}");
        }
        assert_eq!(words.last().unwrap(), "UNKNOWN");
    }

    #[test]
    fn every_request_has_its_word() {
        let context = "application/castorcontext";
        for (method, uri, kind, word) in [
            ("GET", "/", "", "GET_NODE"),
            ("GET", "/b/o", "", "GET"),
            ("HEAD", "/b/o", "", "HEAD"),
            ("GET", "/0123456789abcdef0123456789abcdef", "", "GET"),
            ("POST", "/b/o", "", "POST"),
            ("POST", "/", "", "POST"),
            ("PUT", "/b/o", "", "PUT"),
            ("COPY", "/b/o", "", "COPY"),
            ("APPEND", "/b/o", "", "APPEND"),
            ("DELETE", "/b/o", "", "DELETE"),
            ("POST", "/b/o?uploads", "", "MULTIPART_INITIATE"),
            ("POST", "/b/o?uploadid=0123456789abcdef0123456789abcdef&partnumber=1", "", "MULTIPART_UPLOAD"),
            ("POST", "/b/o?uploadid=0123456789abcdef0123456789abcdef", "", "MULTIPART_COMPLETE"),
            ("DELETE", "/b/o?uploadid=0123456789abcdef0123456789abcdef", "", "MULTIPART_ABORT"),
            ("GET", "/b", "", "GET_BUCKET"),
            ("HEAD", "/?domain=d.example", "", "HEAD_DOMAIN"),
            ("GET", "/b?format=json", "", "LIST_OBJECTS"),
            ("GET", "/?format=json", "", "LIST_BUCKETS"),
            ("POST", "/b", context, "CREATE_BUCKET"),
            ("POST", "/?domain=d.example", context, "CREATE_DOMAIN"),
            ("PUT", "/b", "", "UPDATE_BUCKET"),
            ("PUT", "/?domain=d.example", "", "UPDATE_DOMAIN"),
            ("COPY", "/b", "", "COPY_BUCKET"),
            ("COPY", "/?domain=d.example", "", "COPY_DOMAIN"),
            ("APPEND", "/b", "", "APPEND_BUCKET"),
            ("APPEND", "/?domain=d.example", "", "APPEND_DOMAIN"),
            ("DELETE", "/b?recursive", "", "DELETE_BUCKET"),
            ("DELETE", "/b/", "", "DELETE_BUCKET"),
            ("DELETE", "/?domain=d.example", "", "DELETE_DOMAIN"),
            ("POST", "/b?recreatecid=x", context, "RESTORE_BUCKET"),
            ("POST", "/?domain=d.example&recreatecid=x", context, "RESTORE_DOMAIN"),
        ] {
            let request = Request::builder().method(method).uri(uri).header("host", "d.example");
            let request = request.header("content-type", kind).body(()).unwrap();
            let (parts, ()) = request.into_parts();
            let (operation, asked) = decode(&parts).unwrap();
            let op = Op::of(operation, &parts.method, &asked);
            assert_eq!(op.as_str(), word, "{method} {uri}");
            assert_eq!(op.deletes(), word.starts_with("DELETE"), "{method} {uri}");
            assert_eq!(op.restores(), uri.contains("recreatecid"), "{method} {uri}");
        }
        assert_eq!(Op::by_method(&Method::DELETE), Op::Delete);
        assert_eq!(Op::by_method(&Method::from_bytes(b"BREW").unwrap()), Op::Unknown);
    }
}
