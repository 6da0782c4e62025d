//! Clients that take their time: a download that is read when the test says so, and an upload that is sent so.

use super::ask::{Answer, Ask};
use super::member::Member;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// More than all buffers between a gateway and a client hold together.
pub(crate) const LARGE: usize = 48 << 20;

/// Bytes of which no two megabytes are the same.
pub(crate) fn large(seed: u8) -> Vec<u8> {
    (0..LARGE).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 20)) & 0xff).unwrap_or(0) ^ seed).collect()
}

/// A download under way.
pub(crate) struct Download {
    stream: TcpStream,
    got: Vec<u8>,
}

impl Download {
    /// Asks for an object and reads its first bytes.
    pub(crate) fn begin(member: &Member, bucket: &str, name: &str) -> Self {
        let target = format!("/{bucket}/{name}");
        let stream = Ask::new("GET", &target).begin(member.doors().scsp, 0).unwrap();
        let mut download = Download { stream, got: Vec::new() };
        download.read(1 << 20).unwrap();
        assert!(download.got.starts_with(b"HTTP/1.1 200"), "{:?}", &download.got[..64]);
        let end = download.got.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        download.got.drain(..end + 4);
        download
    }

    fn read(&mut self, length: usize) -> std::io::Result<()> {
        let from = self.got.len();
        self.got.resize(from + length, 0);
        let read = self.stream.read_exact(&mut self.got[from..]);
        if read.is_err() {
            self.got.truncate(from);
        }
        read
    }

    /// Reads on, slowly, until it ends: everything that came.
    pub(crate) fn trickle(mut self, pause: Duration) -> Vec<u8> {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(read @ 1..) = self.stream.read(&mut chunk) {
            self.got.extend_from_slice(&chunk[..read]);
            std::thread::sleep(pause);
        }
        self.got
    }

    /// Reads the rest at once: everything that came.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.trickle(Duration::ZERO)
    }
}

/// An upload under way.
pub(crate) struct Upload<'a> {
    stream: TcpStream,
    left: &'a [u8],
}

impl<'a> Upload<'a> {
    /// Sends the head and half of the body.
    pub(crate) fn begin(member: &Member, bucket: &str, name: &str, body: &'a [u8]) -> Self {
        let target = format!("/{bucket}/{name}");
        let mut stream = Ask::new("POST", &target).begin(member.doors().scsp, body.len()).unwrap();
        let (sent, left) = body.split_at(body.len() / 2);
        stream.write_all(sent).unwrap();
        Upload { stream, left }
    }

    /// Sends the rest; the answer, if there is one.
    pub(crate) fn finish(mut self) -> Option<Answer> {
        let _refused = self.stream.write_all(self.left);
        Answer::read(self.stream)
    }
}
