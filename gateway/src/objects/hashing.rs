//! Hashing bytes on their way past, off the threads that serve sockets.

use super::Error;
use super::crc;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt;
use std::mem;
use tokio::task::JoinHandle;

/// Collected before it is hashed on a thread of its own: less is not worth the way there, and about a tenth of a
/// millisecond where it stands.
const AT_ONCE: usize = 64 << 10;

/// A function that makes digests of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashType {
    /// MD5: 16 bytes.
    Md5,
    /// SHA-1: 20 bytes.
    Sha1,
    /// SHA-256: 32 bytes.
    Sha256,
    /// SHA-384: 48 bytes.
    Sha384,
    /// SHA-512: 64 bytes.
    Sha512,
    /// CRC-32/ISO-HDLC, that of zip and Ethernet: 4 bytes.
    Crc32,
    /// CRC-32/ISCSI, Castagnoli's: 4 bytes.
    Crc32c,
    /// CRC-64/NVME: 8 bytes.
    Crc64Nvme,
}

impl HashType {
    /// Those that contents can be sealed with, the shortest first: the cryptographic ones.
    pub const SEALS: [HashType; 5] =
        [HashType::Md5, HashType::Sha1, HashType::Sha256, HashType::Sha384, HashType::Sha512];

    /// Those that only tell accidents: anybody can make another content with the same digest.
    pub const CRCS: [HashType; 3] = [HashType::Crc32, HashType::Crc32c, HashType::Crc64Nvme];

    /// Its name, as requests and answers have it.
    pub fn name(self) -> &'static str {
        match self {
            HashType::Md5 => "md5",
            HashType::Sha1 => "sha1",
            HashType::Sha256 => "sha256",
            HashType::Sha384 => "sha384",
            HashType::Sha512 => "sha512",
            HashType::Crc32 => "crc32",
            HashType::Crc32c => "crc32c",
            HashType::Crc64Nvme => "crc64nvme",
        }
    }

    /// The length of its digests in bytes.
    pub fn length(self) -> usize {
        match self {
            HashType::Crc32 | HashType::Crc32c => 4,
            HashType::Crc64Nvme => 8,
            HashType::Md5 => 16,
            HashType::Sha1 => 20,
            HashType::Sha256 => 32,
            HashType::Sha384 => 48,
            HashType::Sha512 => 64,
        }
    }
}

impl fmt::Display for HashType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a hash function makes of a content. Shown as hexadecimal digits in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest {
    of: HashType,
    bytes: Vec<u8>,
}

impl Digest {
    /// A digest that somebody names; `None` if digests of this function do not have this length.
    pub fn new(of: HashType, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == of.length()).then_some(Digest { of, bytes })
    }

    /// An MD5.
    pub fn md5(bytes: [u8; 16]) -> Self {
        Digest { of: HashType::Md5, bytes: bytes.to_vec() }
    }

    /// Which function made it.
    pub fn of(&self) -> HashType {
        self.of
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Passes if `self`, which was computed, is what somebody `said`.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub fn compare(&self, said: &Digest) -> Result<(), Mismatch> {
        if self == said { Ok(()) } else { Err(Mismatch { is: self.clone(), said: said.clone() }) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.of)
    }
}

/// A content is not what its digest says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content's {} is {is}, not {said}", said.of)]
pub struct Mismatch {
    /// What was computed.
    pub is: Digest,
    /// What it should have been.
    pub said: Digest,
}

/// The digests of one content, one for each function that was asked for.
#[derive(Debug)]
pub struct Digests(Vec<Digest>);

impl Digests {
    /// The digest made by `of`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it was not asked for: what was not computed is never passed as equal.
    pub fn get(&self, of: HashType) -> Result<&Digest, Error> {
        let found = self.0.iter().find(|digest| digest.of == of);
        found.ok_or_else(|| Error::Unavailable(format!("the {of} of a content was not computed")))
    }
}

/// The digest of bytes that are all there, made where it stands: for few.
pub fn digest(of: HashType, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(of);
    hasher.update(bytes);
    hasher.finish()
}

/// Hashes in the making. Bytes are hashed in the order fed, at most one load of them in the background; CRCs are so fast
/// that they are made where the bytes are fed.
#[derive(Debug)]
pub(super) struct Hashing {
    /// CRCs.
    quick: Vec<Hasher>,
    state: State,
    waiting: Vec<Bytes>,
    waiting_len: usize,
}

#[derive(Debug)]
enum State {
    Ready(Vec<Hasher>),
    Running(JoinHandle<Vec<Hasher>>),
    /// A load was lost, and with it the hashes.
    Lost,
}

#[derive(Debug)]
enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Crc(HashType, crc_fast::Digest),
}

impl Hashing {
    /// Begins to make the digests of these functions; one named twice is made once.
    pub(super) fn new(types: &[HashType]) -> Self {
        let begun = |known: &[HashType]| {
            known.iter().filter(|known| types.contains(known)).map(|known| Hasher::new(*known)).collect()
        };
        Hashing {
            quick: begun(&HashType::CRCS),
            state: State::Ready(begun(&HashType::SEALS)),
            waiting: Vec::new(),
            waiting_len: 0,
        }
    }

    /// Takes the next bytes. Waits for the load before this one if that is still being hashed; not for these bytes.
    pub(super) async fn feed(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.quick.iter_mut().for_each(|hasher| hasher.update(&bytes));
        if matches!(&self.state, State::Ready(hashers) if hashers.is_empty()) {
            return Ok(());
        }
        self.waiting_len += bytes.len();
        self.waiting.push(bytes);
        if self.waiting_len > AT_ONCE {
            let hashers = self.settle().await?;
            let load = self.load();
            self.state = State::Running(tokio::task::spawn_blocking(move || hashed(hashers, &load)));
        }
        Ok(())
    }

    /// The digests of everything fed.
    pub(super) async fn finish(mut self) -> Result<Digests, Error> {
        let hashers = self.settle().await?;
        let hashers = hashed(hashers, &self.load());
        Ok(Digests(hashers.into_iter().chain(self.quick).map(Hasher::finish).collect()))
    }

    fn load(&mut self) -> Vec<Bytes> {
        self.waiting_len = 0;
        mem::take(&mut self.waiting)
    }

    async fn settle(&mut self) -> Result<Vec<Hasher>, Error> {
        if let State::Running(running) = &mut self.state {
            let done = running.await;
            self.state = done.map_or_else(|_| State::Lost, State::Ready);
        }
        match mem::replace(&mut self.state, State::Lost) {
            State::Ready(hashers) => Ok(hashers),
            State::Running(_) | State::Lost => {
                Err(Error::Unavailable("the digest of a content was lost on the way".to_owned()))
            }
        }
    }
}

fn hashed(mut hashers: Vec<Hasher>, load: &[Bytes]) -> Vec<Hasher> {
    for hasher in &mut hashers {
        load.iter().for_each(|bytes| hasher.update(bytes));
    }
    hashers
}

impl Hasher {
    fn new(of: HashType) -> Self {
        match of {
            HashType::Md5 => Hasher::Md5(Md5::new()),
            HashType::Sha1 => Hasher::Sha1(Sha1::new()),
            HashType::Sha256 => Hasher::Sha256(Sha256::new()),
            HashType::Sha384 => Hasher::Sha384(Sha384::new()),
            HashType::Sha512 => Hasher::Sha512(Sha512::new()),
            HashType::Crc32 => Hasher::Crc(of, crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc)),
            HashType::Crc32c => Hasher::Crc(of, crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi)),
            HashType::Crc64Nvme => Hasher::Crc(of, crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Md5(hash) => hash.update(bytes),
            Hasher::Sha1(hash) => hash.update(bytes),
            Hasher::Sha256(hash) => hash.update(bytes),
            Hasher::Sha384(hash) => hash.update(bytes),
            Hasher::Sha512(hash) => hash.update(bytes),
            Hasher::Crc(_, hash) => hash.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        let (of, bytes) = match self {
            Hasher::Md5(hash) => (HashType::Md5, hash.finalize().to_vec()),
            Hasher::Sha1(hash) => (HashType::Sha1, hash.finalize().to_vec()),
            Hasher::Sha256(hash) => (HashType::Sha256, hash.finalize().to_vec()),
            Hasher::Sha384(hash) => (HashType::Sha384, hash.finalize().to_vec()),
            Hasher::Sha512(hash) => (HashType::Sha512, hash.finalize().to_vec()),
            Hasher::Crc(of, hash) => (of, crc::bytes(hash.finalize(), of.length())),
        };
        Digest { of, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn digests(pieces: &[Vec<u8>], types: &[HashType]) -> Digests {
        let mut hashing = Hashing::new(types);
        for piece in pieces {
            hashing.feed(Bytes::from(piece.clone())).await.unwrap();
        }
        hashing.finish().await.unwrap()
    }

    #[tokio::test]
    async fn each_function_makes_the_digest_that_is_published_for_it() {
        let all = [&HashType::SEALS[..], &HashType::CRCS].concat();
        let abc = digests(&[b"a".to_vec(), Vec::new(), b"bc".to_vec()], &all).await;
        for (of, wanted) in [
            (HashType::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (HashType::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (HashType::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                HashType::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
                 8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                HashType::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
            (HashType::Crc32, "352441c2"),
            (HashType::Crc32c, "364b3fb7"),
            (HashType::Crc64Nvme, "05e5cabb3fc1faeb"),
        ] {
            let digest = abc.get(of).unwrap();
            assert_eq!(digest.to_string(), wanted);
            assert_eq!((digest.of(), digest.bytes().len()), (of, of.length()));
        }
    }

    #[tokio::test]
    async fn pieces_small_and_large_hash_in_order() {
        let pieces =
            [vec![1_u8; 10], vec![2; 300_000], vec![3; 5], vec![4; 70_000], vec![5; 65_536], vec![6; 1]];
        let types = [HashType::Sha256, HashType::Crc64Nvme, HashType::Md5, HashType::Sha256];
        let together = digests(&[pieces.concat()], &types).await;
        let apart = digests(&pieces, &types).await;
        assert_eq!(apart.0, together.0);
        assert_eq!(apart.0.len(), 3, "one named twice is made once");
        for alone in [HashType::Crc64Nvme, HashType::Sha256] {
            assert_eq!(digests(&pieces, &[alone]).await.get(alone).unwrap(), together.get(alone).unwrap());
            assert_eq!(digest(alone, &pieces.concat()), *together.get(alone).unwrap());
        }
        assert_eq!(apart.get(HashType::Md5).unwrap().bytes(), Md5::digest(pieces.concat()).as_slice());
    }

    #[tokio::test]
    async fn what_was_not_computed_is_never_taken_for_equal() {
        let nothing = digests(&[], &[HashType::Md5]).await;
        assert_eq!(nothing.get(HashType::Md5).unwrap().to_string(), "d41d8cd98f00b204e9800998ecf8427e");
        assert!(nothing.get(HashType::Sha1).is_err());
    }

    #[test]
    fn a_digest_has_the_length_of_its_function_and_tells_how_it_differs() {
        assert_eq!(Digest::new(HashType::Sha1, vec![0; 16]), None);
        let (is, said) = (Digest::md5([1; 16]), Digest::md5([2; 16]));
        assert_eq!(is.compare(&is), Ok(()));
        assert_eq!(
            is.compare(&said).unwrap_err().to_string(),
            "the content's md5 is 01010101010101010101010101010101, not 02020202020202020202020202020202"
        );
    }
}
