//! Where requests go.

use super::error::Failed;
use super::http::{Connection, Kept};
use super::ids::Made;
use super::requests::{Pick, Requests};
use super::sign::Signer;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::net::SocketAddr;
use std::sync::Arc;

/// A server's address and what every request to it carries.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address.
    pub at: SocketAddr,
    common: String,
    signer: Option<Arc<Signer>>,
}

impl Door {
    /// A door whose requests carry this Host and these credentials by HTTP Basic.
    pub fn new(at: SocketAddr, host: &str, credentials: Option<(&str, &str)>) -> Self {
        let mut common = format!("Host: {host}\r\n");
        if let Some((key, secret)) = credentials {
            let basic = BASE64_STANDARD.encode(format!("{key}:{secret}"));
            common.push_str(&format!("Authorization: Basic {basic}\r\n"));
        }
        Door { at, common, signer: None }
    }

    /// A door of S3 in path style, whose requests are signed with this key and secret (see [`super::sign`]).
    pub fn signed(at: SocketAddr, (key, secret): (&str, &str)) -> Self {
        let host = at.to_string();
        let signer = Some(Arc::new(Signer::new(&host, key, secret)));
        Door { signer, ..Door::new(at, &host, None) }
    }

    /// The same request every time. `target` is a path with its query, percent-encoded already.
    pub fn same(&self, method: &str, target: &str) -> Requests {
        self.requests(method, target, Pick::Same)
    }

    /// Requests for `prefix` followed by a number of nine digits.
    pub fn numbered(&self, method: &str, prefix: &str) -> Requests {
        self.requests(method, prefix, Pick::From(0))
    }

    /// Requests for `/UUID`, one of what was made after the other, and again from the first. Something must have been.
    pub fn by_uuid(&self, method: &str, made: Arc<[Made]>) -> Requests {
        self.requests(method, "/", Pick::Uuid(made))
    }

    /// Requests for `prefix` followed by the nine digits with which each was made and its version, and again from the
    /// first. Something must have been made.
    pub fn by_version(&self, method: &str, prefix: &str, made: Arc<[Made]>) -> Requests {
        self.requests(method, prefix, Pick::Version(made))
    }

    /// DeleteObjects of S3 in `bucket`, so many keys each: `prefix` followed by nine digits, as
    /// [`Door::numbered`] makes them.
    pub fn deleting(&self, bucket: &str, prefix: &str, each: u64) -> Requests {
        self.requests("POST", &format!("/{bucket}?delete"), Pick::From(0)).of_keys(prefix, each)
    }

    fn requests(&self, method: &str, target: &str, pick: Pick) -> Requests {
        Requests::new(method, target, pick, &self.common, self.signer.clone())
    }

    /// Sends one request on a connection of its own and returns the whole answer.
    ///
    /// # Errors
    /// [`Failed::Io`], or [`Failed::Answer`] unless the status is 2xx.
    pub async fn ask(&self, requests: &Requests) -> Result<Kept, Failed> {
        let answer = self.ask_anyway(requests).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
        Err(Failed::Answer { doing: requests.doing(), status: answer.status, body })
    }

    /// As [`Door::ask`], whatever the status.
    ///
    /// # Errors
    /// [`Failed::Io`].
    pub async fn ask_anyway(&self, requests: &Requests) -> Result<Kept, Failed> {
        let prepared = requests.prepared();
        let mut writer = prepared.writer();
        let (head, payload) = writer.write(0);
        let asked = async {
            let mut connection = Connection::open(self.at).await?;
            connection.exchange_kept(head, payload, requests.bodiless()).await
        };
        asked.await.map_err(Failed::io(requests.doing()))
    }
}
