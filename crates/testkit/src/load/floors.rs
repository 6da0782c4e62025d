//! The building blocks a server stands on, measured in the same run: what no server on this machine can beat.

use super::drive::{Load, drive};
use super::error::Failed;
use super::now;
use super::process::Process;
use super::{Door, Measured};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The hidden subcommand that serves [`serve_bare_hyper`].
pub const SUBCOMMAND: &str = "bare-hyper";

/// Answers every request with 1 KiB of nothing, with hyper and no more than hyper, on two threads. Writes its address
/// to standard output as one line and ends when standard input does, so that it never outlives who started it.
///
/// # Errors
/// The system's.
pub fn serve_bare_hyper() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(end);
        });
        let body = Bytes::from(vec![b'x'; 1024]);
        tokio::select! {
            done = accept(listener, body) => done,
            _ = ended => Ok(()),
        }
    })
}

async fn accept(listener: tokio::net::TcpListener, body: Bytes) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let answer = Response::new(Full::new(body.clone()));
            async move {
                // A body that nobody reads makes hyper close the connection under a client that is still sending it.
                let mut sent = request.into_body();
                while let Some(Ok(_)) = sent.frame().await {}
                Ok::<_, Infallible>(answer)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

/// A bare hyper server as a child process, measured like the real one.
#[derive(Debug)]
pub struct BareHyper {
    /// The process.
    pub process: Process,
    /// Where it answers.
    pub door: Door,
}

impl BareHyper {
    /// Starts `program`, which must serve [`SUBCOMMAND`].
    ///
    /// # Errors
    /// [`Failed::Io`] if it does not start or tells no address.
    pub fn start(program: &Path) -> Result<Self, Failed> {
        let mut command = Command::new(program);
        let mut process =
            Process::start(command.arg(SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let mut line = String::new();
        if let Some(out) = process.take_stdout() {
            BufReader::new(out).read_line(&mut line).map_err(Failed::io("starting bare hyper"))?;
        }
        let at: SocketAddr = line.trim().parse().map_err(|_| Failed::Io {
            doing: "starting bare hyper".to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidData, "it told no address"),
        })?;
        Ok(BareHyper { process, door: Door::new(at, "floor", None) })
    }

    /// Asks for 1 KiB and returns what it took, and the server's processor time for it.
    ///
    /// # Errors
    /// As [`drive`].
    pub async fn measure(&self, load: Load) -> Result<(Measured, Duration), Failed> {
        let before = self.process.cpu()?;
        let measured = drive(&self.door, &self.door.same("GET", "/"), load).await?;
        Ok((measured, self.process.cpu()?.saturating_sub(before)))
    }
}

/// How long each of many equal steps took.
fn steps(time: Duration, mut step: impl FnMut() -> std::io::Result<()>) -> std::io::Result<(u64, Duration)> {
    let start = now();
    let mut count = 0;
    loop {
        step()?;
        count += 1;
        let elapsed = now().saturating_sub(start);
        if elapsed >= time {
            return Ok((count, elapsed));
        }
    }
}

/// Appends of 4 KiB, each followed by fdatasync, to a file in `dir`, for `time`: how many, in how long.
///
/// # Errors
/// [`Failed::Io`].
pub fn durable_appends(dir: &Path, time: Duration) -> Result<(u64, Duration), Failed> {
    let path = dir.join("floor.append");
    let block = [b'x'; 4096];
    let measured = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| {
        steps(time, || {
            file.write_all(&block)?;
            file.sync_data()
        })
    });
    let _ = std::fs::remove_file(&path);
    measured.map_err(Failed::io("measuring durable appends"))
}

/// Commits of one row of 1 KiB each to a SQLite file in `dir` (WAL, synchronous=FULL), for `time`: how many, in how
/// long.
///
/// # Errors
/// [`Failed::Sqlite`].
pub async fn sqlite_commits(dir: &Path, time: Duration) -> Result<(u64, Duration), Failed> {
    let mut connection = SqliteConnectOptions::new()
        .filename(dir.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
        .execute(&mut connection)
        .await?;
    let row = vec![b'x'; 1024];
    let start = now();
    let mut count = 0;
    loop {
        sqlx::query("INSERT INTO rows (bytes) VALUES ($1)").bind(&row[..]).execute(&mut connection).await?;
        count += 1;
        let elapsed = now().saturating_sub(start);
        if elapsed >= time {
            return Ok((count, elapsed));
        }
    }
}
