//! The requests of a load: bytes made beforehand, with a number filled in.

use super::ids::Made;
use super::keys::Keys;
use super::payload::Payload;
use super::sign::Signer;
use super::writer::Prepared;
use bytes::Bytes;
use std::sync::Arc;

/// How many digits a number in a name has: names list in the order of their numbers.
const DIGITS: usize = 9;

/// Which number or identity a request carries, given how many came before it.
#[derive(Clone, Debug)]
pub(super) enum Pick {
    /// None.
    Same,
    /// That many, counted from this one.
    From(u64),
    /// That many, beginning again after so many.
    Cycle(u64),
    /// The next that is not a multiple of this.
    Sparing(u64),
    /// No number, but the UUID of these in turn.
    Uuid(Arc<[Made]>),
    /// The number and version of these in turn.
    Version(Arc<[Made]>),
}

impl Pick {
    /// The number that follows `earlier` others.
    pub(super) fn number(&self, earlier: u64) -> Option<u64> {
        match self {
            Pick::Same | Pick::Uuid(_) => None,
            Pick::From(first) => Some(first + earlier),
            Pick::Cycle(count) => Some(earlier % count),
            Pick::Sparing(every) => Some(earlier + earlier / (every - 1) + 1),
            Pick::Version(made) => in_turn(made, earlier).map(|made| u64::from(made.number)),
        }
    }
}

fn in_turn(made: &[Made], earlier: u64) -> Option<Made> {
    let at = earlier.checked_rem(made.len() as u64)?;
    made.get(usize::try_from(at).ok()?).copied()
}

/// Writes a number with nine digits.
pub(super) fn write_number(mut number: u64, into: &mut Vec<u8>) {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a remainder of ten is one digit");
        number /= 10;
    }
    into.extend_from_slice(&digits);
}

/// Requests that differ only in a number, an identity or a list of keys.
#[derive(Clone, Debug)]
pub struct Requests {
    before: Vec<u8>,
    after: String,
    naming: Option<&'static str>,
    common: String,
    fields: String,
    payload: Payload,
    keys: Option<Keys>,
    pick: Pick,
    signer: Option<Arc<Signer>>,
    signed_payload: bool,
    bodiless: bool,
    may_have_body: bool,
}

impl Requests {
    pub(super) fn new(
        method: &str,
        target: &str,
        pick: Pick,
        common: &str,
        signer: Option<Arc<Signer>>,
    ) -> Self {
        Requests {
            before: format!("{method} {target}").into_bytes(),
            after: String::new(),
            naming: None,
            common: common.to_owned(),
            fields: String::new(),
            payload: Payload::default(),
            keys: None,
            pick,
            signer,
            signed_payload: true,
            bodiless: method == "HEAD",
            may_have_body: !matches!(method, "GET" | "HEAD"),
        }
    }

    pub(super) fn of_keys(mut self, prefix: &str, each: u64) -> Self {
        self.keys = Some(Keys::new(prefix, each));
        self
    }

    /// Adds a header. On a signed door it may not be one of `x-amz-*`: those would have to be signed too.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// Gives every request this body.
    #[must_use]
    pub fn body(mut self, body: Bytes) -> Self {
        self.payload = Payload::from(body);
        self
    }

    /// Gives every request this block so many times over as one body, which is nowhere in memory as a whole.
    #[must_use]
    pub fn repeated(mut self, block: Bytes, times: u64) -> Self {
        self.payload = Payload::repeated(block, times);
        self
    }

    /// Leaves the body out of the signature (`UNSIGNED-PAYLOAD`). On a door that signs nothing it changes nothing.
    #[must_use]
    pub fn unsigned_payload(mut self) -> Self {
        self.signed_payload = false;
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

    /// Counts from `first`.
    #[must_use]
    pub fn counting_from(mut self, first: u64) -> Self {
        self.pick = Pick::From(first);
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

    /// What can be made before the first request is sent.
    pub(super) fn prepared(&self) -> Prepared {
        Prepared::new(self.clone())
    }

    /// Method and target without the number, to tell what failed.
    pub(super) fn doing(&self) -> String {
        String::from_utf8_lossy(&self.before).into_owned()
    }

    /// Writes method and target of the request that follows `earlier` others.
    pub(super) fn target(&self, earlier: u64, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.before);
        // The numbers of a list of keys stand in the body.
        if let (None, Some(number)) = (&self.keys, self.number(earlier)) {
            write_number(number, into);
        }
        if let Pick::Version(_) = self.pick {
            into.extend_from_slice(b"?version=");
        }
        if let Pick::Uuid(made) | Pick::Version(made) = &self.pick
            && let Some(made) = in_turn(made, earlier)
        {
            made.id.write(into);
        }
        into.extend_from_slice(self.after.as_bytes());
    }

    /// What all heads have behind their target; without a length where each body has its own.
    pub(super) fn tail(&self) -> Vec<u8> {
        let length = self.payload.length();
        let length = if self.keys.is_none() && (self.may_have_body || length > 0) {
            format!("Content-Length: {length}\r\n")
        } else {
            String::new()
        };
        format!(" HTTP/1.1\r\n{}{}{length}", self.common, self.fields).into_bytes()
    }

    /// The number in the name of the request that follows `earlier` others.
    pub(super) fn number(&self, earlier: u64) -> Option<u64> {
        self.pick.number(earlier)
    }

    /// The header that names what was made, if it is to be kept.
    pub(super) fn wanted(&self) -> Option<&'static str> {
        self.naming
    }

    pub(super) fn payload(&self) -> &Payload {
        &self.payload
    }

    pub(super) fn keys(&self) -> Option<(&Keys, &Pick)> {
        self.keys.as_ref().map(|keys| (keys, &self.pick))
    }

    pub(super) fn signer(&self) -> Option<&Signer> {
        self.signer.as_deref()
    }

    pub(super) fn signs_payload(&self) -> bool {
        self.signed_payload
    }

    pub(super) fn bodiless(&self) -> bool {
        self.bodiless
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Door, Id};

    fn lines(requests: &Requests, earlier: u64) -> Vec<String> {
        let prepared = requests.prepared();
        let mut writer = prepared.writer();
        let head = writer.write(earlier).0.to_vec();
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
        let twice = door.same("PUT", "/b/k").repeated(Bytes::from_static(b"abc"), 2);
        assert_eq!(lines(&twice, 0)[3], "Content-Length: 6");
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
    fn numbers_cycle_spare_or_begin_elsewhere() {
        let door = Door::new("127.0.0.1:1".parse().unwrap(), "h", None);
        let numbers = |requests: &Requests| -> Vec<u64> {
            let number = |i| lines(requests, i)[0].split(' ').nth(1).unwrap()[1..].parse().unwrap();
            (0..6).map(number).collect()
        };
        assert_eq!(numbers(&door.numbered("GET", "/").cycling(4)), [0, 1, 2, 3, 0, 1]);
        assert_eq!(numbers(&door.numbered("GET", "/").sparing(3)), [1, 2, 4, 5, 7, 8]);
        assert_eq!(numbers(&door.numbered("PUT", "/").counting_from(1)), [1, 2, 3, 4, 5, 6]);
    }
}
