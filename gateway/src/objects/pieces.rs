//! The MD5 over the MD5s of pieces, made of bytes that come without regard to where these end.

use super::Error;
use super::segments;
use crate::Gateway;
use futures_util::TryStreamExt;
use md5::{Digest, Md5};
use metadata::Found;
use std::collections::VecDeque;

/// More runs of pieces of one size than this are not told of: somebody cut an object into pieces of many sizes.
const RUNS_MAX: usize = 1_000;

/// Pieces that are being hashed.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    /// Of the pieces that are to come: how many of which size.
    sizes: VecDeque<(u32, u64)>,
    /// What the present one still wants; `None` before the first and behind the last.
    wants: Option<u64>,
    piece: Md5,
    all: Md5,
}

impl Pieces {
    /// So many pieces of so many bytes, and again; `None` where there are none.
    pub(super) fn of(sizes: &[(u32, u64)]) -> Option<Self> {
        let sizes: VecDeque<(u32, u64)> = sizes.iter().copied().filter(|(count, _)| *count > 0).collect();
        if sizes.is_empty() {
            return None;
        }
        let mut pieces = Pieces { sizes, wants: None, piece: Md5::new(), all: Md5::new() };
        pieces.next();
        Some(pieces)
    }

    /// Goes on to the next piece, and ends those without bytes at once.
    fn next(&mut self) {
        loop {
            let Some((count, size)) = self.sizes.front_mut() else {
                self.wants = None;
                return;
            };
            let size = *size;
            *count -= 1;
            if *count == 0 {
                self.sizes.pop_front();
            }
            self.wants = Some(size);
            if size > 0 {
                return;
            }
            self.end();
        }
    }

    fn end(&mut self) {
        let piece = std::mem::replace(&mut self.piece, Md5::new());
        self.all.update(piece.finalize());
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // Bytes behind the last piece: the size tells that something is wrong.
            let Some(wants) = self.wants else { return };
            let most = usize::try_from(wants).unwrap_or(usize::MAX).min(bytes.len());
            let (own, rest) = bytes.split_at(most);
            self.piece.update(own);
            bytes = rest;
            let left = wants - own.len() as u64;
            self.wants = Some(left);
            if left == 0 {
                self.end();
                self.next();
            }
        }
    }

    /// The MD5 over the MD5s of the pieces that have come to their end.
    pub(super) fn digest(&self) -> [u8; 16] {
        self.all.clone().finalize().into()
    }
}

/// What proves the bytes of a version to somebody who gets them in one piece: MD5 of all of them, where that is known, or how
/// they were cut. Of an object that was assembled of pieces of very many sizes nothing is known.
///
/// # Errors
/// As reading it.
pub async fn proof(gateway: &Gateway, found: &Found) -> Result<super::Proof, Error> {
    let version = &found.version;
    if version.parts.is_none() {
        return Ok(super::Proof { whole: version.md5, pieces: Vec::new() });
    }
    let blobs: Vec<_> = segments::all(gateway, found).try_concat().await?;
    if let [only] = &blobs[..] {
        return Ok(super::Proof { whole: only.md5, pieces: Vec::new() });
    }
    let mut over = Md5::new();
    let mut pieces: Vec<(u32, u64)> = Vec::new();
    for blob in &blobs {
        over.update(blob.md5.unwrap_or_default());
        match pieces.last_mut() {
            Some((count, size)) if *size == blob.size => *count += 1,
            Some(_) | None => pieces.push((1, blob.size)),
        }
    }
    // Pieces without bytes have no blob to be met here, and then it does not come out.
    let told = version.md5 == Some(over.finalize().into()) && pieces.len() <= RUNS_MAX;
    Ok(super::Proof { whole: None, pieces: if told { pieces } else { Vec::new() } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart_however_their_bytes_come() {
        let text = b"abcdefghij";
        let over = |cuts: &[&[u8]]| -> [u8; 16] {
            let mut all = Md5::new();
            cuts.iter().for_each(|cut| all.update(Md5::digest(cut)));
            all.finalize().into()
        };
        for step in 1..=text.len() {
            let mut pieces = Pieces::of(&[(2, 4), (0, 9), (1, 2), (1, 0)]).expect("some");
            text.chunks(step).for_each(|chunk| pieces.feed(chunk));
            assert_eq!(pieces.digest(), over(&[b"abcd", b"efgh", b"ij", b""]), "{step}");
        }
        let mut wrong = Pieces::of(&[(1, 4), (1, 6)]).expect("some");
        wrong.feed(text);
        assert_ne!(wrong.digest(), over(&[b"abcd", b"efgh", b"ij"]));
        assert!(Pieces::of(&[]).is_none());
    }
}
