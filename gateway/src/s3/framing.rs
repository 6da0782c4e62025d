//! The frame of a body that is sent in chunks of AWS's own (`aws-chunked`), looked at on its way to `s3s`.
//!
//! `s3s` verifies what each chunk says of itself. That the chunks are all there it takes for granted: a body that ends before
//! its last chunk, and one that is longer or shorter than `x-amz-decoded-content-length` says, would be stored as whole.
//! What stands in the frame is left to `s3s`; here it is only counted.

use super::trailers::{self, TRAILER_MAX};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;

/// A line that begins a chunk: the length in hexadecimal digits, and a signature.
const LINE_MAX: usize = 256;

/// The longest chunk that is signed: `s3s` holds it until its signature is verified. Clients send a few hundred KiB at most.
const SIGNED_MAX: u64 = 4 << 20;

/// Where in the frame the body is.
#[derive(Debug)]
enum At {
    /// In the line that begins a chunk.
    Line(Vec<u8>),
    /// In a chunk, with so many of its bytes to come, and then so many of the end of its line.
    Chunk { data: u64, end: u8 },
    /// Behind the line of the last chunk.
    Last,
}

/// The frame of one body.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// What the chunks still owe.
    owed: u64,
    chunks: Chunks,
    /// What came behind the last chunk, where nobody else reads it.
    behind: Vec<u8>,
}

/// What becomes of the chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Each has a signature of its own, which `s3s` verifies: they go on as they came.
    Signed,
    /// They are cut anew for `s3s`.
    Open,
    /// `s3s` does not know of them: what is in them goes on alone.
    Bare,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFrame {
    /// A line begins no chunk.
    #[error("a chunk of the body begins with no length")]
    Malformed,
    /// A chunk that nobody holds.
    #[error("a signed chunk of the body is longer than {SIGNED_MAX} bytes")]
    Large,
    /// The chunks are longer together than was said.
    #[error("the body is longer than x-amz-decoded-content-length says")]
    Long,
    /// The chunks are shorter together than was said, or the last one is missing.
    #[error(
        "the body ends before its last chunk, or before the length that x-amz-decoded-content-length says"
    )]
    Short,
}

impl Framing {
    /// Of chunks that are `length` bytes together.
    pub(super) fn new(length: u64, chunks: Chunks) -> Self {
        Framing { at: At::Line(Vec::new()), owed: length, chunks, behind: Vec::new() }
    }

    /// Whether what is in the chunks goes on alone.
    pub(super) fn is_bare(&self) -> bool {
        self.chunks == Chunks::Bare
    }

    /// What stands behind the last chunk; `None`: it is cut, or no trailer.
    pub(super) fn trailer(&self) -> Option<HeaderMap> {
        trailers::read(&self.behind)
    }

    /// Takes the bytes that came, and gives back those that go on: the same, but for chunks that are not signed. Of these `s3s`
    /// would hold each whole, and some clients send a body in one: so each piece that comes goes on as a chunk.
    ///
    /// # Errors
    /// [`BadFrame`].
    pub(super) fn pass(&mut self, bytes: Bytes) -> Result<Bytes, BadFrame> {
        if self.chunks == Chunks::Signed {
            return self.cut(&bytes, None).map(|()| bytes);
        }
        let mut cut = BytesMut::with_capacity(bytes.len() + 64);
        self.cut(&bytes, Some(&mut cut))?;
        Ok(cut.freeze())
    }

    fn cut(&mut self, mut bytes: &[u8], mut to: Option<&mut BytesMut>) -> Result<(), BadFrame> {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Last if self.chunks == Chunks::Bare => {
                    if self.behind.len() + bytes.len() > TRAILER_MAX {
                        return Err(BadFrame::Malformed);
                    }
                    self.behind.extend_from_slice(bytes);
                    return Ok(());
                }
                At::Last => {
                    if let Some(to) = &mut to {
                        to.extend_from_slice(bytes);
                    }
                    return Ok(());
                }
                At::Chunk { data, .. } if *data > 0 => {
                    let taken = usize::try_from(*data).unwrap_or(usize::MAX).min(bytes.len());
                    *data -= taken as u64;
                    let (piece, rest) = bytes.split_at(taken);
                    match (&mut to, self.chunks) {
                        (Some(to), Chunks::Bare) => to.extend_from_slice(piece),
                        (Some(to), Chunks::Open | Chunks::Signed) => {
                            to.extend_from_slice(format!("{taken:x}\r\n").as_bytes());
                            to.extend_from_slice(piece);
                            to.extend_from_slice(b"\r\n");
                        }
                        (None, _) => {}
                    }
                    bytes = rest;
                }
                At::Chunk { end, .. } => {
                    let wanted = if *end == 2 { b'\r' } else { b'\n' };
                    if bytes[0] != wanted {
                        return Err(BadFrame::Malformed);
                    }
                    *end -= 1;
                    bytes = &bytes[1..];
                    if *end == 0 {
                        self.at = At::Line(Vec::new());
                    }
                }
                At::Line(line) => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let taken = end.map_or(bytes.len(), |end| end + 1);
                    line.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    if line.len() > LINE_MAX {
                        return Err(BadFrame::Malformed);
                    }
                    if end.is_some() {
                        let line = std::mem::take(line);
                        self.begin(&line)?;
                        if let (Some(to), At::Last, Chunks::Open) = (&mut to, &self.at, self.chunks) {
                            to.extend_from_slice(&line);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A chunk begins.
    fn begin(&mut self, line: &[u8]) -> Result<(), BadFrame> {
        let length = length(line).ok_or(BadFrame::Malformed)?;
        self.owed = self.owed.checked_sub(length).ok_or(BadFrame::Long)?;
        if self.chunks == Chunks::Signed && length > SIGNED_MAX {
            return Err(BadFrame::Large);
        }
        self.at = if length == 0 { At::Last } else { At::Chunk { data: length, end: 2 } };
        // Whoever reads may stop at the last one, and not ask for the end.
        if length == 0 { self.end() } else { Ok(()) }
    }

    /// The body is over.
    pub(super) fn end(&self) -> Result<(), BadFrame> {
        match self.at {
            At::Last if self.owed == 0 => Ok(()),
            _ => Err(BadFrame::Short),
        }
    }
}

/// The length that a line begins with.
fn length(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = line.split_at(digits);
    if !matches!(rest.first(), Some(b';' | b'\r')) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &[u8] =
        b"5;chunk-signature=ab\r\nhello\r\n3;chunk-signature=ef\r\nyou\r\n0;chunk-signature=cd\r\nx-amz-checksum-crc32:a\r\n\r\n";
    const OPEN: &[u8] = b"5\r\nhello\r\n3\r\nyou\r\n0\r\nx-amz-checksum-crc32:a\r\n\r\n";

    fn look(body: &[u8], length: u64, piece: usize, signed: bool) -> Result<Vec<u8>, BadFrame> {
        let chunks = if signed { Chunks::Signed } else { Chunks::Open };
        let mut framing = Framing::new(length, chunks);
        let mut passed = Vec::new();
        for bytes in body.chunks(piece) {
            passed.extend_from_slice(&framing.pass(Bytes::copy_from_slice(bytes))?);
        }
        framing.end().map(|()| passed)
    }

    /// What is in the chunks.
    fn content(body: &[u8]) -> Vec<u8> {
        let (mut rest, mut content) = (body, Vec::new());
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let length = usize::try_from(length(&rest[..end]).unwrap()).unwrap();
            if length == 0 {
                return content;
            }
            content.extend_from_slice(&rest[end..end + length]);
            assert_eq!(&rest[end + length..end + length + 2], b"\r\n");
            rest = &rest[end + length + 2..];
        }
    }

    #[test]
    fn a_whole_body_is_whole_however_it_comes() {
        for piece in 1..SIGNED.len() {
            assert_eq!(look(SIGNED, 8, piece, true).as_deref(), Ok(SIGNED), "{piece}");
        }
        for piece in 1..OPEN.len() {
            let passed = look(OPEN, 8, piece, false).unwrap();
            assert_eq!(content(&passed), b"helloyou", "{piece}");
            assert!(passed.ends_with(b"0\r\nx-amz-checksum-crc32:a\r\n\r\n"), "{piece}");
        }
        assert!(look(b"0\r\n\r\n", 0, 3, false).is_ok());
    }

    #[test]
    fn where_nobody_else_knows_of_chunks_what_is_in_them_goes_on() {
        for piece in 1..OPEN.len() {
            let (mut framing, mut passed) = (Framing::new(8, Chunks::Bare), Vec::new());
            for bytes in OPEN.chunks(piece) {
                passed.extend_from_slice(&framing.pass(Bytes::copy_from_slice(bytes)).unwrap());
            }
            assert_eq!((framing.end(), passed.as_slice()), (Ok(()), &b"helloyou"[..]), "{piece}");
            assert_eq!(framing.trailer().unwrap()["x-amz-checksum-crc32"], "a");
        }
        let mut long = Framing::new(0, Chunks::Bare);
        let trailer = [b"0\r\na:".as_slice(), &[b'b'; TRAILER_MAX]].concat();
        assert_eq!(long.pass(trailer.into()), Err(BadFrame::Malformed));
    }

    #[test]
    fn what_is_missing_or_too_much_is_found() {
        for (body, signed) in [(SIGNED, true), (OPEN, false)] {
            assert_eq!(look(body, 9, 7, signed), Err(BadFrame::Short));
            assert_eq!(look(body, 7, 7, signed), Err(BadFrame::Long));
            let last = body.windows(2).position(|at| at == b"\n0").unwrap() + 1;
            for cut in 0..=last {
                assert_eq!(look(&body[..cut], 8, 7, signed), Err(BadFrame::Short), "{cut}");
            }
            assert_eq!(look(b"", 0, 1, signed), Err(BadFrame::Short));
            assert_eq!(look(b"xyz\r\n", 1, 2, signed), Err(BadFrame::Malformed));
            assert_eq!(look(b";x\r\n", 0, 2, signed), Err(BadFrame::Malformed));
            assert_eq!(look(b"1\r\nab\r\n", 9, 2, signed), Err(BadFrame::Malformed));
            assert_eq!(look(&[b'1'; 300], 1, 50, signed), Err(BadFrame::Malformed));
            assert_eq!(look(b"ffffffffffffffffff\r\n", u64::MAX, 50, signed), Err(BadFrame::Malformed));
        }
        assert_eq!(look(b"400001;s\r\n", u64::MAX, 50, true), Err(BadFrame::Large));
        assert_eq!(look(b"400001\r\n", u64::MAX, 50, false), Err(BadFrame::Short), "it goes on in pieces");
    }
}
