//! A door that is asked many things, some of them at once: connections are kept, answers may be large, and what goes wrong
//! says whether another try may help.

use crate::client::{Client, Requests};
use crate::exit::Failed;
use crate::payload::Payload;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// An answer that does not begin by then will not come. Long polls are asked for half of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of an answer that is read as a whole.
const WHOLE_MAX: usize = 64 * 1024 * 1024;

/// Why an answer is not what was hoped for.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// Nobody answered, or not to the end. Another try may help.
    Away(String),
    /// It cannot do it at this moment. Another try may help.
    Busy(String),
    /// It says no.
    No {
        /// HTTP's word.
        status: u16,
        /// Its own.
        code: String,
        /// For people.
        text: String,
    },
}

impl Trouble {
    /// Whether the same request may be answered another time.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Trouble::Away(_) | Trouble::Busy(_))
    }

    /// The status of a no.
    pub(crate) fn status(&self) -> Option<u16> {
        if let Trouble::No { status, .. } = self { Some(*status) } else { None }
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Away(text) => Failed::Unreachable(text),
            Trouble::Busy(text) => Failed::Refused(text),
            Trouble::No { code, text, .. } => Failed::Refused(format!("{code}: {text}")),
        }
    }
}

/// An admin door.
pub(crate) struct Peer {
    client: Client,
    /// What it is called in messages.
    called: &'static str,
    idle: Mutex<Vec<Requests>>,
}

impl Peer {
    pub(crate) fn new(client: Client, called: &'static str) -> Self {
        Peer { client, called, idle: Mutex::default() }
    }

    /// JSON for JSON.
    pub(crate) async fn json(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, Trouble> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.bytes(method, target, bytes).await
    }

    /// JSON for bytes. Asked again on a fresh connection where a kept one was closed meanwhile: what is asked in this way
    /// may be asked twice.
    pub(crate) async fn bytes(&self, method: Method, target: &str, bytes: Bytes) -> Result<Value, Trouble> {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(sender) = kept
            && let Ok(answer) = self.ask(sender, method.clone(), target, bytes.clone().into()).await
        {
            return self.read(answer).await;
        }
        let answer = self.ask(self.open().await?, method, target, bytes.into()).await?;
        self.read(answer).await
    }

    /// JSON for bytes that pass through, on a connection of their own.
    pub(crate) async fn pass(
        &self,
        method: Method,
        target: &str,
        payload: Payload,
    ) -> Result<Value, Trouble> {
        let answer = self.ask(self.open().await?, method, target, payload).await?;
        self.read(answer).await
    }

    /// An answer whose bytes are still to come.
    pub(crate) async fn fetch(&self, target: &str) -> Result<(HeaderMap, Incoming), Trouble> {
        let answer = self.ask(self.open().await?, Method::GET, target, Bytes::new().into()).await?;
        if !answer.response.status().is_success() {
            return Err(match self.read(answer).await {
                Err(trouble) => trouble,
                Ok(_) => self.away("it contradicts itself"),
            });
        }
        let (parts, body) = answer.response.into_parts();
        Ok((parts.headers, body))
    }

    /// All of such bytes.
    pub(crate) async fn whole(&self, mut body: Incoming) -> Result<Bytes, Trouble> {
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.away(&format!("the answer was cut off: {error}")))?;
            if let Ok(data) = frame.into_data() {
                whole.extend_from_slice(&data);
            }
            if whole.len() > WHOLE_MAX {
                return Err(self.away("the answer is larger than anything that was asked for"));
            }
        }
        Ok(whole.freeze())
    }

    fn away(&self, reason: &str) -> Trouble {
        Trouble::Away(format!("the {} at {} does not answer: {reason}", self.called, self.client.place()))
    }

    async fn open(&self) -> Result<Requests, Trouble> {
        self.client.open().await.map_err(|reason| self.away(&reason))
    }

    async fn ask(
        &self,
        mut sender: Requests,
        method: Method,
        target: &str,
        payload: Payload,
    ) -> Result<Answer, Trouble> {
        let request = self.client.request(method, target).header(CONTENT_TYPE, "application/json");
        let request = request.body(payload).map_err(|error| self.away(&error.to_string()))?;
        sender.ready().await.map_err(|error| self.away(&error.to_string()))?;
        match tokio::time::timeout(PATIENCE, sender.send_request(request)).await {
            Ok(Ok(response)) => Ok(Answer { response, sender }),
            Ok(Err(error)) => Err(self.away(&error.to_string())),
            Err(_) => Err(self.away(&format!("nothing came within {} s", PATIENCE.as_secs()))),
        }
    }

    async fn read(&self, answer: Answer) -> Result<Value, Trouble> {
        let Answer { response, sender } = answer;
        let status = response.status();
        let body = self.whole(response.into_body()).await?;
        if !sender.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        let value: Result<Value, _> = serde_json::from_slice(&body);
        match value {
            Ok(value) if status.is_success() => Ok(value),
            Ok(value) if value["error"].is_object() => {
                let word = |field: &str| value["error"][field].as_str().unwrap_or_default().to_owned();
                let text = format!("{} ({} at {})", word("message"), self.called, self.client.place());
                Err(match status {
                    StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::REQUEST_TIMEOUT
                    | StatusCode::INSUFFICIENT_STORAGE => Trouble::Busy(format!("{}: {text}", word("code"))),
                    _ => Trouble::No { status: status.as_u16(), code: word("code"), text },
                })
            }
            _ => Err(Trouble::No {
                status: status.as_u16(),
                code: "NotBarrow".to_owned(),
                text: format!(
                    "what answers at {} said {status}, and is not Barrow's admin door",
                    self.client.place()
                ),
            }),
        }
    }
}

struct Answer {
    response: Response<Incoming>,
    /// Free for another request when the answer has been read.
    sender: Requests,
}
