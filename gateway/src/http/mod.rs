//! HTTP/1.1 on a socket, and the parts of HTTP that every door needs. No protocol is known here: what a path, a header
//! or an error *means* is the doors' business.
//!
//! | file | promise |
//! | --- | --- |
//! | [`server`] | accepts, admits, serves and stops; a handler's panic is one 500, never the process |
//! | [`limits`] | every limit, its default, its reason |
//! | `admission` | who may connect: in all, and per peer |
//! | [`tls`] | the certificate, replaced while listening, and the handshake |
//! | `connection` | one connection from its first byte to its last |
//! | `wire`, `heads` | what the HTTP library does not look at: stalled readers, ambiguous request heads |
//! | [`body`] | answers; a body that fails is cut, never ended as if it were whole |
//! | [`at_end`] | telling whoever made an answer how its body went |
//! | [`hang_up`] | ending a connection whose client takes nothing of what must not flow on |
//! | [`reader`] | request bodies: idle time, pace, size, trailers |
//! | [`range`] | `Range` and `multipart/byteranges` |
//! | [`conditional`], [`headers`] | `If-*`: pure decisions, and reading them from a request |
//! | [`target`] | percent-decoding, exactly once, and query arguments |
//! | [`credentials`] | `Authorization: Basic` and `Bearer` |
//! | [`digest`] | `Authorization: Digest`: reading it, and what proves a secret |

mod admission;
pub mod at_end;
pub mod body;
pub mod conditional;
pub(crate) mod connection;
pub mod credentials;
pub mod digest;
pub mod hang_up;
pub mod headers;
mod heads;
pub mod limits;
pub mod range;
pub mod reader;
pub mod server;
pub mod target;
pub mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use at_end::{AtEnd, Sent};
pub use body::{Body, BodyError};
pub use conditional::{BadCondition, Class, Current, Outcome, ReadConditions, Tag, Tags, WriteConditions};
pub use credentials::{BadCredentials, Credentials, Secret};
pub use digest::DigestCredentials;
pub use hang_up::Connection;
pub use heads::BadHead;
pub use limits::Limits;
pub use range::Ranges;
pub use reader::{BodyReader, ReadError};
pub use server::{Entrance, Failure, Peer, Service, Transport, serve};
pub use target::{BadTarget, Query, decode_path};
pub use tls::{BadIdentity, Tls};
