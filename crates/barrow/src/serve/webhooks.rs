//! Webhooks over HTTP: a POST for each message, on a connection of its own.
//!
//! A message is signed, so that whoever receives it knows that it comes from here and is fresh: the header
//! `Barrow-Signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256, by the target's secret, over `SECONDS.BODY`. Redirections are
//! not followed: a message goes where the operator said, or nowhere.

use crate::config::{EventTarget, Events};
use crate::exit::Failed;
use crate::payload::Payload;
use crate::trust::Trust;
use async_trait::async_trait;
use bytes::Bytes;
use health_processor::{Untaken, Webhook};
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request, StatusCode};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use lifecycle::SharedClock;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// The shortest secret, in bytes.
const SECRET_MIN: usize = 16;

/// The targets of a configuration, ready to be told.
///
/// # Errors
/// A file cannot be used.
pub(super) fn open(events: &Events, clock: &SharedClock) -> Result<health_processor::Events, Failed> {
    let mut targets: BTreeMap<String, Arc<dyn Webhook>> = BTreeMap::new();
    for target in &events.targets {
        targets.insert(target.name.clone(), Arc::new(Hook::open(target, Arc::clone(clock))?));
    }
    Ok(health_processor::Events { targets, timeout: events.timeout, give_up: events.give_up })
}

struct Hook {
    /// Host and port, the former in brackets if it is an IPv6 address.
    host: String,
    port: u16,
    /// Path and arguments.
    target: String,
    trust: Option<Trust>,
    secret: Option<Vec<u8>>,
    clock: SharedClock,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hook({}:{})", self.host, self.port)
    }
}

impl Hook {
    fn open(target: &EventTarget, clock: SharedClock) -> Result<Self, Failed> {
        let name = &target.name;
        let failed =
            |key: &str, why: &dyn fmt::Display| Failed::Server(format!("events.targets.{name}.{key}: {why}"));
        let secret = match &target.secret_file {
            None => None,
            Some(file) => {
                let bytes = std::fs::read(file).map_err(|error| failed("secret_file", &error))?;
                let secret = bytes.trim_ascii().to_vec();
                if secret.len() < SECRET_MIN {
                    return Err(failed("secret_file", &format!("a secret has at least {SECRET_MIN} bytes")));
                }
                Some(secret)
            }
        };
        let trust = match (target.url.scheme(), &target.ca) {
            ("https", Some(ca)) => Some(Trust::authorities(ca).map_err(|error| failed("ca", &error))?),
            ("https", None) => Some(Trust::system().map_err(|error| failed("url", &error))?),
            _ => None,
        };
        let url = &target.url;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Hook {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            target: format!("{}{query}", url.path()),
            trust,
            secret,
            clock,
        })
    }

    /// What says that a message comes from here.
    fn signature(&self, message: &str) -> Option<String> {
        let at = self.clock.now().micros() / 1_000_000;
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_deref()?).ok()?;
        mac.update(format!("{at}.{message}").as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("t={at},v1={hex}"))
    }

    async fn post(&self, id: &str, message: &str) -> Result<StatusCode, String> {
        let place = format!("{}:{}", self.host, self.port);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&self.target)
            .header(HOST, &place)
            .header(USER_AGENT, concat!("Barrow/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header("barrow-event-id", id);
        if let Some(signature) = self.signature(message) {
            request = request.header("barrow-signature", signature);
        }
        let body = Payload::from(Bytes::copy_from_slice(message.as_bytes()));
        let request = request.body(body).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(&place).await.map_err(|error| error.to_string())?;
        match &self.trust {
            None => answer(stream, request).await,
            Some(trust) => answer(trust.shaken(&self.host, stream).await?, request).await,
        }
    }
}

/// What is answered. Of the answer only its status is looked at.
async fn answer(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Payload>,
) -> Result<StatusCode, String> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(io)).await.map_err(|error| error.to_string())?;
    let mut asked = pin!(sender.send_request(request));
    // The connection is driven here, so that it ends with this, however this ends. Once it has ended, what there is to know
    // of the answer is known: a receiver may close behind it at once.
    let answered = tokio::select! {
        biased;
        answered = &mut asked => answered,
        _ended = connection => asked.await,
    };
    answered.map(|answer| answer.status()).map_err(|error| error.to_string())
}

#[async_trait]
impl Webhook for Hook {
    async fn tell(&self, id: &str, message: &str) -> Result<(), Untaken> {
        match self.post(id, message).await {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(Untaken {
                why: match status.is_redirection() {
                    true => format!("it answered {status}, and redirections are not followed"),
                    false => format!("it answered {status}"),
                },
                away: matches!(
                    status,
                    StatusCode::TOO_MANY_REQUESTS
                        | StatusCode::BAD_GATEWAY
                        | StatusCode::SERVICE_UNAVAILABLE
                        | StatusCode::GATEWAY_TIMEOUT
                ),
            }),
            Err(why) => Err(Untaken { why, away: true }),
        }
    }
}
