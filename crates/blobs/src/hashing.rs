//! The MD5 of a body, computed beside its writing and off the threads that serve sockets.

use crate::BlobError;
use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::task::JoinHandle;

/// Hashed where it stands; about a tenth of a millisecond. Anything longer goes to a thread of its own.
const AT_ONCE: usize = 64 << 10;

/// A hash in the making. Pieces are hashed in the order fed, at most one of them in the background.
#[derive(Debug)]
pub(crate) enum Hashing {
    Ready(Md5),
    Running(JoinHandle<Md5>),
    /// A piece was lost, and with it the hash.
    Lost,
}

impl Default for Hashing {
    fn default() -> Self {
        Hashing::Ready(Md5::new())
    }
}

impl Hashing {
    /// Starts hashing the next bytes once the ones before are done; `keep` lives until these are done.
    pub(crate) async fn feed(
        &mut self,
        chunks: Vec<Bytes>,
        keep: impl Send + 'static,
    ) -> Result<(), BlobError> {
        let mut md5 = self.settle().await?;
        if chunks.iter().map(Bytes::len).sum::<usize>() <= AT_ONCE {
            chunks.iter().for_each(|chunk| md5.update(chunk));
            *self = Hashing::Ready(md5);
        } else {
            *self = Hashing::Running(tokio::task::spawn_blocking(move || {
                chunks.iter().for_each(|chunk| md5.update(chunk));
                drop(keep);
                md5
            }));
        }
        Ok(())
    }

    /// The hash of everything fed.
    pub(crate) async fn finish(&mut self) -> Result<[u8; 16], BlobError> {
        Ok(self.settle().await?.finalize().into())
    }

    async fn settle(&mut self) -> Result<Md5, BlobError> {
        if let Hashing::Running(running) = self {
            let done = running.await;
            *self = done.map_or_else(|_| Hashing::Lost, Hashing::Ready);
        }
        match std::mem::replace(self, Hashing::Lost) {
            Hashing::Ready(md5) => Ok(md5),
            Hashing::Running(_) | Hashing::Lost => {
                Err(BlobError::passing("the checksum of an upload was lost"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pieces_small_and_large_hash_in_order() {
        let mut hashing = Hashing::default();
        let pieces = [vec![1_u8; 10], vec![2; 300_000], vec![3; 5], vec![4; 100_000]];
        for piece in &pieces {
            hashing.feed(vec![Bytes::from(piece.clone())], ()).await.unwrap();
        }
        let expected: [u8; 16] = Md5::digest(pieces.concat()).into();
        assert_eq!(hashing.finish().await, Ok(expected));
    }
}
