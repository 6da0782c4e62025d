//! The S3 door. Signatures, routing, XML and chunked bodies are the work of the crate `s3s`; what stands here is what S3's
//! calls mean to the one lifecycle, and the few places where `s3s` falls short of the AWS reference.
//!
//! | file | promise |
//! | --- | --- |
//! | `door` | one request from its head to its answer, and its line in the audit trail |
//! | `arguments` | what stands behind the path |
//! | `target` | which bucket and which key a request names: read once, for everybody |
//! | `presented` | what a signature must cover, and how long: what `s3s` does not ask |
//! | `keys`, `access` | secrets for `s3s` to verify with; the principal, before anything else is looked at |
//! | `actions`, `allowed`, `facts` | what a call is called in policies; whether it is allowed; what it says to their conditions |
//! | `lists` | access lists, as requests bring them |
//! | `documents` | the XML of requests, strictly |
//! | `meant`, `subresources` | what a request asks for that `s3s` would pass over |
//! | `wire`, `framing`, `trailers`, `body` | the body on its way in: pace, size, and what its digest says; behind `s3s`, what was wrong with it |
//! | `answer`, `details`, `error` | errors as AWS words them; what they tell of the request; what each refusal means here |
//! | `exchange` | what an operation is given |
//! | `route`, `reading`, `writing`, `deleting` | GET, HEAD and PUT of objects, and lists of keys to delete, past the typed requests and answers of `s3s` |
//! | `cors` | what pages of other sites may ask browsers for |
//! | `notifications` | who is told what happens in a bucket |
//! | `form` | forms that browsers post, as they come |
//! | `service` | the table from calls to `ops` |
//! | `headers`, `tags`, `locks`, `checksums`, `etag`, `moment`, `owners`, `paging` | S3's values and ours |

mod access;
mod actions;
mod allowed;
mod answer;
mod arguments;
mod body;
mod checksums;
mod cors;
mod deleting;
mod details;
mod documents;
mod door;
mod error;
mod etag;
mod exchange;
mod facts;
mod form;
mod framing;
#[cfg(test)]
mod fuzz;
mod headers;
mod keys;
mod lists;
mod locks;
mod meant;
mod moment;
mod notifications;
mod op;
mod ops;
mod owners;
mod paging;
mod presented;
mod reading;
mod route;
mod service;
mod subresources;
mod tags;
mod target;
mod trail;
mod trailers;
mod wire;
mod writing;

pub use door::Door;
pub(crate) use op::operations;
pub(crate) use ops::lifecycle::read as read_lifecycle;
