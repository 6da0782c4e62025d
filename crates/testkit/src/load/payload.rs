//! What a request sends behind its head.

use super::ids::write_hex;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A block of bytes, so many times over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    block: Bytes,
    times: u64,
}

impl Default for Payload {
    fn default() -> Self {
        Payload::from(Bytes::new())
    }
}

impl From<Bytes> for Payload {
    fn from(block: Bytes) -> Self {
        Payload { block, times: 1 }
    }
}

impl Payload {
    /// `block`, `times` times over.
    pub fn repeated(block: Bytes, times: u64) -> Self {
        Payload { block, times }
    }

    /// The block.
    pub fn block(&self) -> &[u8] {
        &self.block
    }

    /// How often it is sent.
    pub fn times(&self) -> u64 {
        self.times
    }

    /// Bytes in all.
    pub fn length(&self) -> u64 {
        self.block.len() as u64 * self.times
    }

    /// SHA-256 of all of it in lower-case hexadecimal digits, as `x-amz-content-sha256` has it.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for _ in 0..self.times {
            hash.update(&self.block);
        }
        let mut digits = Vec::with_capacity(64);
        write_hex(&hash.finalize(), &mut digits);
        String::from_utf8_lossy(&digits).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_has_the_length_and_digest_of_the_whole() {
        let twice = Payload::repeated(Bytes::from_static(b"abc"), 2);
        assert_eq!(twice.length(), 6);
        assert_eq!(twice.sha256(), Payload::from(Bytes::from_static(b"abcabc")).sha256());
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Payload::default().sha256(), empty);
    }
}
