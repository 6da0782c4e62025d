//! A connection to the door, byte by byte.

use super::{Answer, Wire};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A connection, for what cannot be said in one piece.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Connection(TcpStream::connect(address).await.expect("the door listens"))
    }

    /// Sends until the door does not take any more: it may have answered and closed already.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) {
        let _closed = self.0.write_all(bytes).await;
    }

    /// Ends what this side sends; the other side may still answer.
    pub(crate) async fn finish(&mut self) {
        let _closed = self.0.shutdown().await;
    }

    /// What comes until `end` has come.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut seen = Vec::new();
        let reading = async {
            while !seen.ends_with(end.as_bytes()) {
                let byte = self.0.read_u8().await;
                seen.push(byte.unwrap_or_else(|_| panic!("closed before {end:?}")));
            }
        };
        timeout(PATIENCE, reading).await.expect("the door says something");
        String::from_utf8(seen).expect("text")
    }

    /// What comes until the door closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut seen = Vec::new();
        // What was sent and not read makes the other end reset; what it said before counts.
        let _reset = timeout(PATIENCE, self.0.read_to_end(&mut seen)).await.expect("the door closes");
        seen
    }

    /// The answers that come before the door closes the connection, the first of them to the first of `asked`.
    pub(crate) async fn answers(&mut self, asked: &[&Wire]) -> Vec<Answer> {
        let bytes = self.rest().await;
        let mut left = bytes.as_slice();
        let mut answers = Vec::new();
        while !left.is_empty() || answers.is_empty() {
            // More answers than questions: the caller will count them.
            let wire = asked.get(answers.len()).or(asked.last()).expect("something was asked");
            let (answer, rest) = Answer::read(wire, left);
            answer.is_well_formed();
            answers.push(answer);
            left = rest;
        }
        answers
    }
}
