//! Where requests go, and the requests: bytes made beforehand, with a number filled in.

use super::error::Failed;
use super::http::{Connection, Kept};
use super::ids::Made;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;

/// A server's address and what every request to it carries.
#[derive(Clone, Debug)]
pub struct Door {
    /// The address.
    pub at: SocketAddr,
    common: String,
}

/// How many digits a number in a name has: names list in the order of their numbers.
const DIGITS: usize = 9;

impl Door {
    /// A door whose requests carry this Host and these credentials by HTTP Basic.
    pub fn new(at: SocketAddr, host: &str, credentials: Option<(&str, &str)>) -> Self {
        let mut common = format!("Host: {host}\r\n");
        if let Some((key, secret)) = credentials {
            let basic = BASE64_STANDARD.encode(format!("{key}:{secret}"));
            common.push_str(&format!("Authorization: Basic {basic}\r\n"));
        }
        Door { at, common }
    }

    /// The same request every time. `target` is a path with its query, percent-encoded already.
    pub fn same(&self, method: &str, target: &str) -> Requests {
        self.requests(format!("{method} {target}"), String::new(), method)
    }

    /// Requests for `prefix` followed by a number of nine digits.
    pub fn numbered(&self, method: &str, prefix: &str) -> Requests {
        let mut requests = self.requests(format!("{method} {prefix}"), String::new(), method);
        requests.pick = Pick::Each;
        requests
    }

    /// Requests for `/UUID`, one of what was made after the other, and again from the first. Something must have been.
    pub fn by_uuid(&self, method: &str, made: Arc<[Made]>) -> Requests {
        let mut requests = self.requests(format!("{method} /"), String::new(), method);
        requests.pick = Pick::Uuid(made);
        requests
    }

    /// Requests for `prefix` followed by the nine digits with which each was made and its version, and again from the
    /// first. Something must have been made.
    pub fn by_version(&self, method: &str, prefix: &str, made: Arc<[Made]>) -> Requests {
        let mut requests = self.requests(format!("{method} {prefix}"), String::new(), method);
        requests.pick = Pick::Version(made);
        requests
    }

    fn requests(&self, line: String, fields: String, method: &str) -> Requests {
        Requests {
            before: line.into_bytes(),
            after: String::new(),
            naming: None,
            common: self.common.clone(),
            fields,
            body: Bytes::new(),
            pick: Pick::Same,
            bodiless: method == "HEAD",
            may_have_body: !matches!(method, "GET" | "HEAD"),
        }
    }

    /// Sends one request on a connection of its own and returns the whole answer.
    ///
    /// # Errors
    /// [`Failed::Io`], or [`Failed::Answer`] unless the status is 2xx.
    pub async fn ask(&self, requests: &Requests) -> Result<Kept, Failed> {
        let doing = String::from_utf8_lossy(&requests.before).into_owned();
        let answer = self.ask_anyway(requests).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let body = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
        Err(Failed::Answer { doing, status: answer.status, body })
    }

    /// As [`Door::ask`], whatever the status.
    ///
    /// # Errors
    /// [`Failed::Io`].
    pub async fn ask_anyway(&self, requests: &Requests) -> Result<Kept, Failed> {
        let doing = String::from_utf8_lossy(&requests.before).into_owned();
        let mut head = Vec::new();
        requests.head(0, &requests.tail(), &mut head);
        let asked = async {
            let mut connection = Connection::open(self.at).await?;
            connection.exchange_kept(&head, &requests.body, requests.bodiless).await
        };
        asked.await.map_err(Failed::io(doing))
    }
}

/// Which number or identity a request carries, given how many came before it.
#[derive(Clone, Debug)]
enum Pick {
    /// None.
    Same,
    /// That many.
    Each,
    /// That many, beginning again after so many.
    Cycle(u64),
    /// The next that is not a multiple of this.
    Sparing(u64),
    /// No number, but the UUID of these in turn.
    Uuid(Arc<[Made]>),
    /// The number and version of these in turn.
    Version(Arc<[Made]>),
}

fn in_turn(made: &[Made], earlier: u64) -> Option<Made> {
    let at = earlier.checked_rem(made.len() as u64)?;
    made.get(usize::try_from(at).ok()?).copied()
}

/// Requests that differ only in a number or an identity.
#[derive(Clone, Debug)]
pub struct Requests {
    before: Vec<u8>,
    after: String,
    naming: Option<&'static str>,
    common: String,
    fields: String,
    body: Bytes,
    pick: Pick,
    bodiless: bool,
    may_have_body: bool,
}

impl Requests {
    /// Adds a header.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Gives every request this body.
    #[must_use]
    pub fn body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    /// Uses only the first `count` numbers, over and over.
    #[must_use]
    pub fn cycling(mut self, count: u64) -> Self {
        self.pick = Pick::Cycle(count.max(1));
        self
    }

    /// Leaves out every multiple of `every` (at least 2).
    #[must_use]
    pub fn sparing(mut self, every: u64) -> Self {
        self.pick = Pick::Sparing(every.max(2));
        self
    }

    /// Puts this behind the number, before the end of the target.
    #[must_use]
    pub fn ending(mut self, after: &str) -> Self {
        self.after = after.to_owned();
        self
    }

    /// Keeps the identity in this header of each 2xx answer, for [`super::Measured::take_made`]: 20 bytes each, so such
    /// a load wants a bound.
    #[must_use]
    pub fn naming(mut self, header: &'static str) -> Self {
        self.naming = Some(header);
        self
    }

    /// What all heads end with: made once, sent often.
    pub(super) fn tail(&self) -> Vec<u8> {
        let length = if self.may_have_body || !self.body.is_empty() {
            format!("Content-Length: {}\r\n", self.body.len())
        } else {
            String::new()
        };
        format!("{} HTTP/1.1\r\n{}{}{length}\r\n", self.after, self.common, self.fields).into_bytes()
    }

    /// Writes the head of the request that follows `earlier` others.
    pub(super) fn head(&self, earlier: u64, tail: &[u8], into: &mut Vec<u8>) {
        into.clear();
        into.extend_from_slice(&self.before);
        if let Some(mut number) = self.number(earlier) {
            let mut digits = [b'0'; DIGITS];
            for digit in digits.iter_mut().rev() {
                *digit = b'0' + u8::try_from(number % 10).expect("a remainder of ten is one digit");
                number /= 10;
            }
            into.extend_from_slice(&digits);
        }
        if let Pick::Version(_) = self.pick {
            into.extend_from_slice(b"?version=");
        }
        if let Pick::Uuid(made) | Pick::Version(made) = &self.pick
            && let Some(made) = in_turn(made, earlier)
        {
            made.id.write(into);
        }
        into.extend_from_slice(tail);
    }

    /// The number in the name of the request that follows `earlier` others.
    pub(super) fn number(&self, earlier: u64) -> Option<u64> {
        match &self.pick {
            Pick::Same | Pick::Uuid(_) => None,
            Pick::Each => Some(earlier),
            Pick::Cycle(count) => Some(earlier % count),
            Pick::Sparing(every) => Some(earlier + earlier / (every - 1) + 1),
            Pick::Version(made) => in_turn(made, earlier).map(|made| u64::from(made.number)),
        }
    }

    /// The header that names what was made, if it is to be kept.
    pub(super) fn wanted(&self) -> Option<&'static str> {
        self.naming
    }

    pub(super) fn content(&self) -> &Bytes {
        &self.body
    }

    pub(super) fn bodiless(&self) -> bool {
        self.bodiless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Id;

    fn lines(requests: &Requests, earlier: u64) -> Vec<String> {
        let mut head = Vec::new();
        requests.head(earlier, &requests.tail(), &mut head);
        String::from_utf8(head).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_request_carries_its_number_host_credentials_and_length() {
        let door = Door::new("127.0.0.1:1".parse().unwrap(), "barrow.local", Some(("key", "secret")));
        let put = door
            .numbered("POST", "/b/k")
            .field("Content-Type", "text/plain")
            .body(Bytes::from_static(b"abc"));
        assert_eq!(
            lines(&put, 42),
            [
                "POST /b/k000000042 HTTP/1.1",
                "Host: barrow.local",
                "Authorization: Basic a2V5OnNlY3JldA==",
                "Content-Type: text/plain",
                "Content-Length: 3",
                ""
            ]
        );
        let get = door.same("GET", "/b?format=json");
        assert_eq!(lines(&get, 7)[0], "GET /b?format=json HTTP/1.1");
        assert!(!lines(&get, 7).iter().any(|line| line.starts_with("Content-Length")));
        assert_eq!(lines(&door.same("POST", "/b"), 0)[3], "Content-Length: 0");
    }

    #[test]
    fn what_was_made_is_asked_for_in_turn() {
        let door = Door::new("127.0.0.1:1".parse().unwrap(), "h", None);
        let made = |number, digit: &str| Made { number, id: Id::read(digit.repeat(32).as_bytes()).unwrap() };
        let both: Arc<[Made]> = Arc::new([made(3, "a"), made(8, "7")]);
        let first = |requests: &Requests, i| lines(requests, i).swap_remove(0);
        let get = door.by_uuid("GET", both.clone());
        assert_eq!(first(&get, 0), format!("GET /{} HTTP/1.1", "a".repeat(32)));
        assert_eq!(first(&get, 1), format!("GET /{} HTTP/1.1", "7".repeat(32)));
        assert_eq!(first(&get, 2), first(&get, 0));
        let old = door.by_version("GET", "/b/k", both);
        assert_eq!(first(&old, 3), format!("GET /b/k000000008?version={} HTTP/1.1", "7".repeat(32)));
        let within = door.numbered("POST", "/b/d").ending("/x");
        assert_eq!(first(&within, 5), "POST /b/d000000005/x HTTP/1.1");
    }

    #[test]
    fn numbers_cycle_or_spare() {
        let door = Door::new("127.0.0.1:1".parse().unwrap(), "h", None);
        let numbers = |requests: &Requests| -> Vec<u64> {
            let number = |i| lines(requests, i)[0].split(' ').nth(1).unwrap()[1..].parse().unwrap();
            (0..6).map(number).collect()
        };
        assert_eq!(numbers(&door.numbered("GET", "/").cycling(4)), [0, 1, 2, 3, 0, 1]);
        assert_eq!(numbers(&door.numbered("GET", "/").sparing(3)), [1, 2, 4, 5, 7, 8]);
    }
}
