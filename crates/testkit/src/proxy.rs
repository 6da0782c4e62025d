//! A line between two processes that a test can cut, stall and heal: a TCP proxy on loopback.
//!
//! *Cut*, it drops what runs and lets nobody in. *Stalled*, it takes whoever comes, keeps what runs, and moves no byte: what
//! a network does that loses every packet. Healed, what was stalled goes on where it stood. One more thing it can do:
//! *swallow the answer* to what a client is about to say, so that the server has done it and nobody was told.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

/// So many connections at once; more are turned away.
const CONNECTIONS: usize = 512;
/// Bytes on their way in one direction of one connection.
const CHUNK: usize = 16 * 1024;
/// How long the other end may take to accept.
const PATIENCE: Duration = Duration::from_secs(5);

/// What becomes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Open,
    Stalled,
    Cut,
}

/// The proxy. It stops, and all its connections with it, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    at: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    line: watch::Sender<Line>,
    /// What a client may say once more without ever getting an answer.
    trap: Mutex<Option<Vec<u8>>>,
    sprung: AtomicBool,
    carried: AtomicU64,
}

impl Proxy {
    /// Listens on a free port of loopback and passes everything on to `to`. Inside a tokio runtime, on which it lives.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let at = listener.local_addr()?;
        let shared = Arc::new(Shared {
            line: watch::Sender::new(Line::Open),
            trap: Mutex::default(),
            sprung: AtomicBool::new(false),
            carried: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, to, Arc::clone(&shared)));
        Ok(Proxy { at, shared, accepting })
    }

    /// Where to connect to.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Drops all connections; whoever comes is dropped, too.
    pub fn cut(&self) {
        self.shared.line.send_replace(Line::Cut);
    }

    /// Moves no byte any more, and drops nobody.
    pub fn stall(&self) {
        self.shared.line.send_replace(Line::Stalled);
    }

    /// Everything goes on.
    pub fn heal(&self) {
        self.shared.line.send_replace(Line::Open);
    }

    /// The next client that says `words` is heard by the server and hears nothing itself from then on. They must lie in one
    /// read, as the few bytes of a command do.
    pub fn swallow_answer_to(&self, words: &[u8]) {
        self.shared.sprung.store(false, Ordering::SeqCst);
        *self.shared.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.to_vec());
    }

    /// Whether somebody has said the words whose answer is swallowed.
    pub fn has_swallowed(&self) -> bool {
        self.shared.sprung.load(Ordering::SeqCst)
    }

    /// Bytes that were passed on, in both directions.
    pub fn carried(&self) -> u64 {
        self.shared.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its connections are its children, and end with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            came = listener.accept() => {
                let (Ok((client, _)), Ok(place)) = (came, Arc::clone(&places).try_acquire_owned()) else { continue };
                let shared = Arc::clone(&shared);
                open.spawn(async move {
                    carry(client, to, &shared).await;
                    drop(place);
                });
            }
            Some(_ended) = open.join_next() => {}
        }
    }
}

/// One connection, from its coming until either end leaves or the line is cut.
async fn carry(client: TcpStream, to: SocketAddr, shared: &Shared) {
    let mut line = shared.line.subscribe();
    // Whoever comes to a stalled line is let in and waits.
    if line.wait_for(|line| *line != Line::Stalled).await.is_err() || *line.borrow() == Line::Cut {
        return;
    }
    let Ok(Ok(server)) = tokio::time::timeout(PATIENCE, TcpStream::connect(to)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let deaf = AtomicBool::new(false);
    tokio::select! {
        () = async {
            tokio::join!(
                pump(from_client, to_server, shared, Direction::Asking(&deaf)),
                pump(from_server, to_client, shared, Direction::Answering(&deaf)),
            );
        } => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

#[derive(Clone, Copy)]
enum Direction<'a> {
    Asking(&'a AtomicBool),
    Answering(&'a AtomicBool),
}

/// Bytes one way, until their source ends.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, direction: Direction<'_>) {
    let mut line = shared.line.subscribe();
    let mut chunk = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        if line.wait_for(|line| *line != Line::Stalled).await.is_err() {
            return;
        }
        match direction {
            Direction::Asking(deaf) if shared.springs(&chunk[..read]) => deaf.store(true, Ordering::SeqCst),
            Direction::Answering(deaf) if deaf.load(Ordering::SeqCst) => continue,
            Direction::Asking(_) | Direction::Answering(_) => {}
        }
        if to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
        shared.carried.fetch_add(read as u64, Ordering::SeqCst);
    }
    let _ = to.shutdown().await;
}

impl Shared {
    /// Whether these are the words whose answer is to be swallowed; once.
    fn springs(&self, said: &[u8]) -> bool {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            trap.as_ref().is_some_and(|words| said.windows(words.len()).any(|window| window == words));
        if found {
            *trap = None;
            self.sprung.store(true, Ordering::SeqCst);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(200);

    /// A server that says back what it hears.
    async fn echo() -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        (at, serving)
    }

    async fn says(stream: &mut TcpStream, words: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(words).await?;
        hears(stream, words.len()).await
    }

    async fn hears(stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        let mut heard = vec![0; length];
        tokio::time::timeout(SOON * 10, stream.read_exact(&mut heard)).await??;
        Ok(heard)
    }

    #[tokio::test]
    async fn what_is_cut_is_dropped_and_nobody_comes_in_until_it_is_healed() {
        let (at, _serving) = echo().await;
        let proxy = Proxy::start(at).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, b"hello").await.unwrap(), b"hello");
        assert_eq!(proxy.carried(), 10);

        proxy.cut();
        assert!(says(&mut stream, b"hello").await.is_err());
        let mut late = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says(&mut late, b"hello").await.is_err());

        proxy.heal();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, b"again").await.unwrap(), b"again");
    }

    #[tokio::test]
    async fn what_is_stalled_goes_on_where_it_stood() {
        let (at, _serving) = echo().await;
        let proxy = Proxy::start(at).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, b"hello").await.unwrap(), b"hello");

        proxy.stall();
        let mut late = TcpStream::connect(proxy.address()).await.unwrap();
        stream.write_all(b"one").await.unwrap();
        late.write_all(b"two").await.unwrap();
        for stream in [&mut stream, &mut late] {
            assert!(tokio::time::timeout(SOON, stream.read_u8()).await.is_err(), "nothing comes");
        }
        proxy.heal();
        assert_eq!(hears(&mut stream, 3).await.unwrap(), b"one");
        assert_eq!(hears(&mut late, 3).await.unwrap(), b"two");
    }

    #[tokio::test]
    async fn an_answer_is_swallowed_and_the_server_has_heard() {
        let (at, _serving) = echo().await;
        let proxy = Proxy::start(at).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let mut other = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.swallow_answer_to(b"COMMIT");
        assert_eq!(says(&mut stream, b"BEGIN").await.unwrap(), b"BEGIN");
        let before = proxy.carried();
        stream.write_all(b"..COMMIT;").await.unwrap();
        assert!(tokio::time::timeout(SOON, stream.read_u8()).await.is_err(), "the answer does not come");
        assert!(proxy.has_swallowed() && proxy.carried() == before + 9);
        assert_eq!(says(&mut other, b"COMMIT").await.unwrap(), b"COMMIT", "it was one that was not to hear");
    }

    #[tokio::test]
    async fn nothing_is_left_of_one_that_is_dropped() {
        let (at, _serving) = echo().await;
        let proxy = Proxy::start(at).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, b"hello").await.unwrap(), b"hello");
        let address = proxy.address();
        drop(proxy);
        assert!(says(&mut stream, b"hello").await.is_err());
        assert!(TcpStream::connect(address).await.is_err());
    }
}
