//! A second look at request heads.
//!
//! The HTTP library is lenient where a store that deletes must not be, and leaves no trace that a service could see:
//!
//! - `Content-Length` beside `Transfer-Encoding`: it follows the latter and drops the former. Two parties that disagree
//!   about where a request ends can be made to disagree about whose request the rest is.
//! - a `#` in the target: it drops everything after it, so `DELETE /b/report#2` would delete `/b/report`.
//! - lines that end in a bare LF: proxies differ on them, which is another way to smuggle.
//!
//! So the bytes of a head are kept as they come from the socket, and looked at when the library has parsed the head.
//! Which bytes those are is known as long as we can count: a body with a `Content-Length` is skipped over, even when the
//! next request is already behind it. After a chunked body we cannot count and look away until the answer is finished;
//! only a request pipelined behind a chunked one passes unseen, and the library's own rules still hold for that.

use http::Method;
use std::io::BufRead;

/// Bytes that most heads fit in.
const ORDINARY: usize = 2048;

/// Why a request head is refused although the HTTP library would take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHead {
    /// It gives the body's length in two ways.
    #[error("Content-Length and Transfer-Encoding are both present, or the latter twice: send one of them")]
    TwoLengths,
    /// The target holds a raw `#`, which would be cut off there.
    #[error("the request target contains '#': a '#' in a name is sent as %23")]
    Fragment,
    /// A line ends in LF without CR.
    #[error("a line of the request head ends in LF alone: lines end in CR LF")]
    BareLf,
}

/// How the library frames the body behind a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes, possibly none.
    Length(u64),
    Chunked,
}

/// The bytes read from one connection that belong to heads not yet looked at.
#[derive(Debug)]
pub(super) struct Heads {
    kept: Vec<u8>,
    /// Bytes behind `kept` that were not kept because no head is this long.
    beyond: u64,
    /// Bytes of the current body still to come.
    skip: u64,
    /// The next head cannot be told from a body.
    blind: bool,
    longest: usize,
}

impl Heads {
    /// For heads of at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Heads { kept: Vec::new(), beyond: 0, skip: 0, blind: false, longest }
    }

    /// Bytes came from the socket.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        if self.blind {
            return;
        }
        let of_body = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= of_body as u64;
        let rest = &bytes[of_body..];
        let (keep, leave) = rest.split_at(rest.len().min(self.longest.saturating_sub(self.kept.len())));
        self.kept.extend_from_slice(keep);
        self.beyond += leave.len() as u64;
    }

    /// The library parsed the next head: `method`, and a body framed by `framing`.
    pub(super) fn next(&mut self, method: &Method, framing: Framing) -> Result<(), BadHead> {
        if self.blind {
            return Ok(());
        }
        let start = self.kept.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (verdict, head) = look(&self.kept[start..]);
        let Some(head) = head.filter(|_| self.kept[start..].starts_with(method.as_str().as_bytes())) else {
            self.look_away();
            return Ok(());
        };
        let end = start + head;
        let behind = (self.kept.len() - end) as u64 + self.beyond;
        match framing {
            Framing::Chunked => self.look_away(),
            Framing::Length(length) if length >= behind => {
                self.forget();
                self.beyond = 0;
                self.skip = length - behind;
            }
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if self.beyond == 0 => drop(self.kept.drain(..end + length)),
                _ => self.look_away(),
            },
        }
        verdict
    }

    /// The answer is finished: what comes now starts with a head.
    pub(super) fn exchange_over(&mut self) {
        if self.blind {
            *self = Heads { kept: std::mem::take(&mut self.kept), ..Heads::new(self.longest) };
        }
    }

    fn look_away(&mut self) {
        self.blind = true;
        self.forget();
    }

    /// Keeps the room for an ordinary head, not what a body in the same read took.
    fn forget(&mut self) {
        self.kept.clear();
        self.kept.shrink_to(ORDINARY);
    }
}

/// Judges the head at the start of `bytes`, and says how long it is; `None` if it does not end there.
fn look(bytes: &[u8]) -> (Result<(), BadHead>, Option<usize>) {
    let (mut verdict, mut length, mut coding) = (Ok(()), false, false);
    let mut at = 0;
    loop {
        let mut rest = &bytes[at..];
        // reading from a slice cannot fail; this is the standard library's fast search for one byte
        let line = rest.skip_until(b'\n').unwrap_or(0);
        let line = &bytes[at..at + line];
        let Some(text) = line.strip_suffix(b"\n") else { return (verdict, None) };
        let text = text.strip_suffix(b"\r").unwrap_or_else(|| {
            verdict = Err(BadHead::BareLf);
            text
        });
        if at == 0 && text.contains(&b'#') {
            verdict = Err(BadHead::Fragment);
        }
        at += line.len();
        if text.is_empty() {
            break;
        }
        match text[0] {
            b'c' | b'C' => length |= names(text, b"content-length:"),
            b't' | b'T' if names(text, b"transfer-encoding:") => {
                // Of two codings, each party may follow another one.
                if coding {
                    verdict = Err(BadHead::TwoLengths);
                }
                coding = true;
            }
            _ => {}
        }
    }
    if length && coding {
        verdict = Err(BadHead::TwoLengths);
    }
    (verdict, Some(at))
}

fn names(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_BODY: Framing = Framing::Length(0);

    fn heads(bytes: &[u8]) -> Heads {
        let mut heads = Heads::new(1024);
        heads.saw(bytes);
        heads
    }

    #[test]
    fn an_ordinary_head_is_fine_however_it_arrives() {
        let mut heads = heads(b"");
        for byte in b"\r\nGET /b/o?x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" {
            heads.saw(&[*byte]);
        }
        assert_eq!(heads.next(&Method::GET, NO_BODY), Ok(()));
        assert!(heads.kept.is_empty() && !heads.blind);
    }

    #[test]
    fn two_lengths_a_fragment_and_a_bare_lf_are_refused() {
        for (head, framing, bad) in [
            (
                "POST /b HTTP/1.1\r\ncontent-length: 4\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Chunked,
                BadHead::TwoLengths,
            ),
            (
                "POST /b HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\nCONTENT-LENGTH: 4\r\n\r\n",
                Framing::Chunked,
                BadHead::TwoLengths,
            ),
            (
                "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Chunked,
                BadHead::TwoLengths,
            ),
            ("POST /report#2 HTTP/1.1\r\nHost: h\r\n\r\n", NO_BODY, BadHead::Fragment),
            ("POST /b HTTP/1.1\nHost: h\r\n\r\n", NO_BODY, BadHead::BareLf),
            ("POST /b HTTP/1.1\r\nHost: h\n\r\n", NO_BODY, BadHead::BareLf),
            ("POST /b HTTP/1.1\r\nHost: h\r\n\n", NO_BODY, BadHead::BareLf),
        ] {
            assert_eq!(heads(head.as_bytes()).next(&Method::POST, framing), Err(bad), "{head}");
        }
    }

    #[test]
    fn a_hash_in_a_header_and_a_length_named_in_a_body_are_nobodys_business() {
        let bytes =
            b"POST /b HTTP/1.1\r\nX: #1\r\nContent-Length: 30\r\n\r\nTransfer-Encoding: chunked\r\n#\n";
        assert_eq!(heads(bytes).next(&Method::POST, Framing::Length(30)), Ok(()));
    }

    #[test]
    fn the_head_behind_a_counted_body_is_seen() {
        let mut heads = heads(b"PUT /a HTTP/1.1\r\nContent-Length: 6\r\n\r\n##");
        assert_eq!(heads.next(&Method::PUT, Framing::Length(6)), Ok(()));
        heads.saw(b"####DELETE /a#1 HTTP/1.1\r\n\r\n");
        heads.exchange_over();
        assert_eq!(heads.next(&Method::DELETE, NO_BODY), Err(BadHead::Fragment));
    }

    #[test]
    fn heads_in_one_packet_are_seen_one_by_one() {
        let mut heads = heads(b"GET /a HTTP/1.1\r\n\r\nGET /b#1 HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
        assert_eq!(heads.next(&Method::GET, NO_BODY), Ok(()));
        assert_eq!(heads.next(&Method::GET, NO_BODY), Err(BadHead::Fragment));
        assert_eq!(heads.next(&Method::GET, NO_BODY), Ok(()));
        assert!(!heads.blind);
    }

    #[test]
    fn after_a_chunked_body_it_looks_again_once_the_answer_is_finished() {
        let mut heads = heads(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        assert_eq!(heads.next(&Method::POST, Framing::Chunked), Ok(()));
        heads.saw(b"0\r\n\r\n");
        heads.exchange_over();
        heads.saw(b"GET /a#b HTTP/1.1\r\n\r\n");
        assert_eq!(heads.next(&Method::GET, NO_BODY), Err(BadHead::Fragment));
    }

    #[test]
    fn a_large_body_in_one_read_costs_no_copy_beyond_the_longest_head() {
        let mut bytes = b"PUT /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n".to_vec();
        bytes.resize(bytes.len() + 90_000, b'x');
        let mut heads = heads(&bytes);
        assert_eq!(heads.kept.len(), 1024);
        assert_eq!(heads.next(&Method::PUT, Framing::Length(100_000)), Ok(()));
        assert_eq!(heads.skip, 10_000);
    }
}
