//! The frame of a body that is sent in chunks of AWS's own (`aws-chunked`), looked at on its way to `s3s`.
//!
//! `s3s` verifies what each chunk says of itself. That the chunks are all there it takes for granted: a body that ends before
//! its last chunk, and one that is longer or shorter than `x-amz-decoded-content-length` says, would be stored as whole.
//! What stands in the frame is left to `s3s`; here it is only counted.

/// A line that begins a chunk: the length in hexadecimal digits, and a signature.
const LINE_MAX: usize = 256;

/// Where in the frame the body is.
#[derive(Debug)]
enum At {
    /// In the line that begins a chunk.
    Line(Vec<u8>),
    /// In a chunk, with so many bytes to come: its own, and the end of its line.
    Chunk(u64),
    /// Behind the line of the last chunk.
    Last,
}

/// The frame of one body.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// What the chunks still owe.
    owed: u64,
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFrame {
    /// A line begins no chunk.
    #[error("a chunk of the body begins with no length")]
    Malformed,
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
    pub(super) fn new(length: u64) -> Self {
        Framing { at: At::Line(Vec::new()), owed: length }
    }

    /// These bytes came.
    pub(super) fn saw(&mut self, mut bytes: &[u8]) -> Result<(), BadFrame> {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Last => return Ok(()),
                At::Chunk(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
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
                        let length = length(line).ok_or(BadFrame::Malformed)?;
                        self.owed = self.owed.checked_sub(length).ok_or(BadFrame::Long)?;
                        // Behind the bytes of a chunk stands the end of a line.
                        self.at = if length == 0 { At::Last } else { At::Chunk(length.saturating_add(2)) };
                        // Whoever reads may stop here, and not ask for the end.
                        if length == 0 {
                            self.end()?;
                        }
                    }
                }
            }
        }
        Ok(())
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

    const BODY: &[u8] = b"5;chunk-signature=ab\r\nhello\r\n3\r\nyou\r\n0;chunk-signature=cd\r\nx-amz-checksum-crc32:a\r\n\r\n";

    fn look(body: &[u8], length: u64, piece: usize) -> Result<(), BadFrame> {
        let mut frame = Framing::new(length);
        body.chunks(piece).try_for_each(|bytes| frame.saw(bytes))?;
        frame.end()
    }

    #[test]
    fn a_whole_body_is_whole_however_it_comes() {
        for piece in 1..BODY.len() {
            assert_eq!(look(BODY, 8, piece), Ok(()), "{piece}");
        }
        assert_eq!(look(b"0\r\n\r\n", 0, 3), Ok(()));
    }

    #[test]
    fn what_is_missing_or_too_much_is_found() {
        assert_eq!(look(BODY, 9, 7), Err(BadFrame::Short));
        assert_eq!(look(BODY, 7, 7), Err(BadFrame::Long));
        for cut in 0..BODY.len() - 40 {
            assert_eq!(look(&BODY[..cut], 8, 7), Err(BadFrame::Short), "{cut}");
        }
        assert_eq!(look(b"", 0, 1), Err(BadFrame::Short));
        assert_eq!(look(b"xyz\r\n", 1, 2), Err(BadFrame::Malformed));
        assert_eq!(look(b";x\r\n", 0, 2), Err(BadFrame::Malformed));
        assert_eq!(look(&[b'1'; 300], 1, 50), Err(BadFrame::Malformed));
        assert_eq!(look(b"ffffffffffffffffff\r\n", u64::MAX, 50), Err(BadFrame::Malformed));
    }
}
