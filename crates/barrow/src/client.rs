//! Asking the admin door.

use crate::config::Config;
use crate::credentials::Credentials;
use crate::exit::Failed;
use crate::payload::Payload;
use crate::serve::Addresses;
use crate::trust::Trust;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

const CONNECT: Duration = Duration::from_secs(5);

/// Everything that may mean something in a path or query is encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The admin door, from outside.
pub(crate) struct Client {
    host: String,
    port: u16,
    /// What it must show, if it speaks TLS.
    trust: Option<Trust>,
    /// `Bearer key:secret`.
    authorization: Option<String>,
}

/// `text` as one segment of a path or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl Client {
    /// The door that `admin` names, else the configured one; where the system chose its port, the running server has
    /// left a note of it. `ca` is the file of authorities that its certificate must come from.
    pub(crate) fn new(config: &Config, admin: Option<&str>, ca: Option<&Path>) -> Result<Client, Failed> {
        let (tls, host, port) = match admin {
            Some(url) => parse(url)?,
            None => {
                let mut at = config.listen.admin;
                if at.port() == 0 {
                    at = Addresses::read(&config.cluster.data_dir).map(|found| found.admin).map_err(|reason| {
                        Failed::Unreachable(format!(
                            "listen.admin = \"{at}\" lets the system choose a port, and no running server has left a \
                             note of it: {reason}"
                        ))
                    })?;
                }
                (config.tls.is_some(), reachable(at), at.port())
            }
        };
        let trust = match (tls, ca, &config.tls) {
            (true, Some(ca), _) => Some(Trust::authorities(ca)?),
            (true, None, Some(files)) if admin.is_none() => Some(Trust::same(&files.cert)?),
            (true, None, _) => Some(Trust::system()?),
            (false, None, _) => None,
            // Who names authorities does not mean to send a secret in clear.
            (false, Some(ca), _) => {
                return Err(Failed::Usage(format!(
                    "--ca (or BARROW_CA) is {:?}, and the admin door at {host}:{port} is asked without TLS: set tls.cert \
                     and tls.key or say --admin https://HOST:PORT, or leave --ca out",
                    ca.display().to_string()
                )));
            }
        };
        let credentials = Credentials::find(config)?;
        let authorization = credentials.map(|found| format!("Bearer {}:{}", found.key, found.secret));
        Ok(Client { host, port, trust, authorization })
    }

    pub(crate) async fn get(&self, target: &str) -> Result<Value, Failed> {
        self.ask(Method::GET, target, None).await
    }

    pub(crate) async fn post(&self, target: &str, body: &Value) -> Result<Value, Failed> {
        self.ask(Method::POST, target, Some(body)).await
    }

    pub(crate) async fn put(&self, target: &str, body: &Value) -> Result<Value, Failed> {
        self.ask(Method::PUT, target, Some(body)).await
    }

    pub(crate) async fn patch(&self, target: &str, body: &Value) -> Result<Value, Failed> {
        self.ask(Method::PATCH, target, Some(body)).await
    }

    pub(crate) async fn delete(&self, target: &str) -> Result<Value, Failed> {
        self.ask(Method::DELETE, target, None).await
    }

    /// Every item of a paged list, up to `limit`; and whether there are more.
    pub(crate) async fn list(&self, target: &str, limit: u32) -> Result<(Vec<Value>, bool), Failed> {
        let (mut items, mut after) = (Vec::new(), String::new());
        let limit = limit as usize;
        loop {
            let page = (limit - items.len()).min(1_000);
            let joint = if target.contains('?') { '&' } else { '?' };
            let mut answer =
                self.get(&format!("{target}{joint}limit={page}&after={}", encoded(&after))).await?;
            if let Some(Value::Array(found)) = answer.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            match answer["next"].as_str() {
                Some(_) if items.len() >= limit => return Ok((items, true)),
                Some(next) => after = next.to_owned(),
                None => return Ok((items, false)),
            }
        }
    }

    /// The door at `url`, asked as these.
    pub(crate) fn at(
        url: &str,
        ca: Option<&Path>,
        credentials: Option<&Credentials>,
    ) -> Result<Client, Failed> {
        let (tls, host, port) = parse(url)?;
        let trust = match (tls, ca) {
            (true, Some(ca)) => Some(Trust::authorities(ca)?),
            (true, None) => Some(Trust::system()?),
            (false, _) => None,
        };
        let authorization = credentials.map(|found| format!("Bearer {}:{}", found.key, found.secret));
        Ok(Client { host, port, trust, authorization })
    }

    /// Where it is.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// A request to it, as whom it is asked.
    pub(crate) fn request(&self, method: Method, target: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(target).header(HOST, self.place());
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// A connection of its own to it.
    pub(crate) async fn open(&self) -> Result<Requests, String> {
        match tokio::time::timeout(CONNECT, self.connect(&self.place())).await {
            Ok(connected) => connected,
            Err(_) => Err("no connection within 5 s".to_owned()),
        }
    }

    async fn connect(&self, at: &str) -> Result<Requests, String> {
        let stream = TcpStream::connect(at).await.map_err(|error| error.to_string())?;
        match &self.trust {
            None => speak(stream).await,
            Some(trust) => speak(trust.shaken(&self.host, stream).await?).await,
        }
    }

    async fn ask(&self, method: Method, target: &str, body: Option<&Value>) -> Result<Value, Failed> {
        self.answer(method, target, body).await?.map_err(|complaint| complaint.failed())
    }

    /// One request, for whoever acts on what the server complains of.
    pub(crate) async fn answer(
        &self,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Result<Value, Complaint>, Failed> {
        let at = format!("{}:{}", self.host, self.port);
        let unreachable = |error: &dyn std::fmt::Display| {
            Failed::Unreachable(format!(
                "the admin door at {at} does not answer: {error}; is `barrow serve` running, and is this its address?"
            ))
        };
        let mut sender = self.open().await.map_err(|reason| unreachable(&reason))?;
        let mut request = self.request(method, target);
        let body = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Payload::from(body)).map_err(|error| Failed::Usage(error.to_string()))?;
        let answer = sender.send_request(request).await.map_err(|error| match &self.trust {
            None if error.is_parse() => unreachable(&format!(
                "{error}, which is not HTTP in clear (a door with TLS is written --admin https://HOST:PORT)"
            )),
            _ => unreachable(&error),
        })?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body =
            body.map_err(|error| Failed::Refused(format!("the answer was cut off: {error}")))?.to_bytes();
        if status.is_success() && body.is_empty() {
            return Ok(Ok(Value::Null));
        }
        let value: Result<Value, _> = serde_json::from_slice(&body);
        match value {
            Ok(value) if status.is_success() => Ok(Ok(value)),
            Ok(mut value) if value["error"].is_object() => {
                Ok(Err(Complaint { status: status.as_u16(), error: value["error"].take() }))
            }
            _ => Err(Failed::Refused(format!(
                "the server at {at} answered {status}, which is not Barrow's admin door"
            ))),
        }
    }
}

/// A connection to a door.
pub(crate) type Requests = SendRequest<Payload>;

async fn speak(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Requests, String> {
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(|error| error.to_string())?;
    // Ends with the answer; what goes wrong in it is told to whoever waits for that.
    tokio::spawn(connection);
    Ok(sender)
}

/// What the server said no with.
#[derive(Debug)]
pub(crate) struct Complaint {
    pub(crate) status: u16,
    error: Value,
}

impl Complaint {
    /// The one word for it.
    pub(crate) fn code(&self) -> &str {
        self.text("code")
    }

    pub(crate) fn message(&self) -> &str {
        self.text("message")
    }

    fn text(&self, field: &str) -> &str {
        self.error[field].as_str().unwrap_or_default()
    }

    /// As lines for people.
    pub(crate) fn failed(&self) -> Failed {
        let mut lines = format!("{}: {}", self.code(), self.message());
        if !self.text("state").is_empty() {
            lines.push_str(&format!("\n  state: {}", self.text("state")));
        }
        if !self.text("hint").is_empty() {
            lines.push_str(&format!("\n  next:  {}", self.text("hint")));
        }
        Failed::Refused(lines)
    }
}

/// Whether it speaks TLS, its host (an IPv6 address in brackets) and its port.
fn parse(url: &str) -> Result<(bool, String, u16), Failed> {
    let bad = |reason: &str| {
        Failed::Usage(format!("--admin {url:?}: {reason}; write it as http://HOST:PORT or https://HOST:PORT"))
    };
    let parsed = Url::parse(url).map_err(|error| bad(&error.to_string()))?;
    let (tls, port) = match parsed.scheme() {
        "http" => (false, 80),
        "https" => (true, 443),
        _ => return Err(bad("only http and https are spoken")),
    };
    match parsed.host_str() {
        Some(host) if matches!(parsed.path(), "" | "/") => {
            Ok((tls, host.to_owned(), parsed.port().unwrap_or(port)))
        }
        Some(_) => Err(bad("it has a path")),
        None => Err(bad("it names no host")),
    }
}

/// A listener on every address is reached on this machine's own.
fn reachable(at: SocketAddr) -> String {
    match at.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.to_string(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => format!("[{}]", Ipv6Addr::LOCALHOST),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_is_an_http_url() {
        assert_eq!(parse("http://127.0.0.1:9090").unwrap(), (false, "127.0.0.1".into(), 9090));
        assert_eq!(parse("http://[::1]:9090/").unwrap(), (false, "[::1]".into(), 9090));
        assert_eq!(parse("https://barrow.example.org").unwrap(), (true, "barrow.example.org".into(), 443));
        for bad in ["127.0.0.1:9090", "https://x/y", "http://x/y", "ftp://x"] {
            assert!(matches!(parse(bad), Err(Failed::Usage(_))), "{bad}");
        }
    }

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encoded("a b/c?d&e+é"), "a%20b%2Fc%3Fd%26e%2B%C3%A9");
        assert_eq!(encoded("x-1._~"), "x-1._~");
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()), "127.0.0.1");
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]");
    }
}
