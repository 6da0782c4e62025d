//! The server under test: its configuration, its start, its end.

use super::door::Door;
use super::error::Failed;
use super::now;
use super::process::Process;
use super::requests::Requests;
use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How to run a server: everything but its ports.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The `barrow` program.
    pub program: PathBuf,
    /// Where its files go. Starting again in the same place continues with the same data.
    pub dir: PathBuf,
    /// The metadata database; `None` for SQLite in `dir`.
    pub metadata: Option<String>,
    /// Settings of `[health]` that differ from the defaults, values in TOML's notation.
    pub health: Vec<(&'static str, String)>,
    /// Of one member among several on Postgres: its name, and the directory of the one whose blobs and seal key it shares.
    pub member: Option<(&'static str, PathBuf)>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Its S3 door.
    pub s3: Door,
    /// Its SCSP door.
    pub scsp: Door,
    /// Its admin door.
    pub admin: Door,
}

/// The domain all requests are for: the default one.
const DOMAIN: &str = "barrow.local";
/// The keys of a server that lives for minutes on loopback.
const KEY: (&str, &str) = ("bench", "not-a-secret-on-loopback");
const START_LIMIT: Duration = Duration::from_secs(30);
/// The server's own limit is 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(40);

impl Setup {
    /// The same server with a store of its own. On Postgres that is the given database, which knows the one blob
    /// store it belongs to; so there the place stays the same.
    #[must_use]
    pub fn in_dir(&self, name: &str) -> Self {
        let dir = if self.metadata.is_none() { self.dir.join(name) } else { self.dir.clone() };
        Setup { dir, ..self.clone() }
    }

    /// Another member of the installation that this one makes.
    ///
    /// # Errors
    /// [`Failed::Io`] if the seal key cannot be handed on; it is there when a first server has started.
    pub fn another(&self, node: &'static str) -> Result<Self, Failed> {
        let dir = self.dir.join(node);
        let other = Setup { dir, member: Some((node, self.data())), ..self.clone() };
        let doing = || format!("preparing {}", other.dir.display());
        fs::create_dir_all(other.data()).map_err(Failed::io(doing()))?;
        let key = other.data().join("seal.key");
        if !key.exists() {
            fs::copy(self.data().join("seal.key"), key).map_err(Failed::io(doing()))?;
        }
        Ok(other)
    }

    /// Bytes of the SQLite database, its write-ahead log included; `None` on Postgres.
    pub fn database_size(&self) -> Option<u64> {
        let size = |name: &str| fs::metadata(self.data().join(name)).map_or(0, |file| file.len());
        self.metadata.is_none().then(|| size("barrow.db") + size("barrow.db-wal"))
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn configuration(&self, ports: [SocketAddr; 3]) -> String {
        let [s3, scsp, admin] = ports;
        // JSON's strings are TOML's.
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let data = self.data().display().to_string();
        let metadata = self.metadata.clone().unwrap_or_else(|| format!("sqlite:{data}/barrow.db"));
        let (node, blobs) = match &self.member {
            None => (String::new(), data.clone()),
            Some((node, shared)) => (format!("node = \"{node}\"\n"), shared.display().to_string()),
        };
        let mut toml = format!(
            "[cluster]\n{node}data_dir = {}\n[listen]\ns3 = \"{s3}\"\nscsp = \"{scsp}\"\nadmin = \"{admin}\"\n\
             [metadata]\nurl = {}\n[blobs]\nurl = {}\n[log]\nlevel = \"warn\"\n[health]\n",
            text(&data),
            text(&metadata),
            text(&format!("file:{blobs}/blobs")),
        );
        for (name, value) in &self.health {
            toml.push_str(&format!("{name} = {value}\n"));
        }
        toml
    }

    /// Starts the server on free loopback ports and waits until it is ready.
    ///
    /// # Errors
    /// [`Failed::Io`] if it cannot be started, [`Failed::Died`] with the end of its log if it ends, [`Failed::Late`] if
    /// it is not ready within 30 s.
    pub async fn start(&self) -> Result<Server, Failed> {
        let preparing = || format!("preparing {}", self.dir.display());
        fs::create_dir_all(self.data()).map_err(Failed::io(preparing()))?;
        let ports = free_ports().map_err(Failed::io("looking for free ports"))?;
        let (config, log) = (self.dir.join("barrow.toml"), self.dir.join("server.log"));
        fs::write(&config, self.configuration(ports)).map_err(Failed::io(preparing()))?;
        let out = File::options().create(true).append(true).open(&log).map_err(Failed::io(preparing()))?;
        let err = out.try_clone().map_err(Failed::io(preparing()))?;

        let mut command = Command::new(&self.program);
        // Whoever runs this may have a Barrow of their own configured: none of that belongs here.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("BARROW_") {
                command.env_remove(variable);
            }
        }
        let command = command
            .args(["serve", "--config"])
            .arg(&config)
            .env("BARROW_AUTH__ROOT_KEY", KEY.0)
            .env("BARROW_AUTH__ROOT_SECRET", KEY.1)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        let mut process = Process::start(command)?;
        let s3 = Door::signed(ports[0], KEY);
        let [_, scsp, admin] = ports.map(|at| Door::new(at, DOMAIN, Some(KEY)));
        let start = now();
        loop {
            if let Some(status) = process.ended() {
                return Err(Failed::Died { status: status.to_string(), log: end_of(&log) });
            }
            let ready = admin.ask_anyway(&admin.same("GET", "/readyz")).await;
            if ready.is_ok_and(|answer| answer.status == 200) {
                return Ok(Server { process, s3, scsp, admin });
            }
            if now().saturating_sub(start) > START_LIMIT {
                let waiting_for = format!("GET /readyz answering 200; the end of its log:\n{}", end_of(&log));
                return Err(Failed::Late { waiting_for, limit: START_LIMIT });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Server {
    /// Creates a bucket.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn create_bucket(&self, bucket: &str) -> Result<(), Failed> {
        self.scsp.ask(&self.creation(bucket)).await.map(drop)
    }

    /// Creates a bucket that keeps every version.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn create_versioned_bucket(&self, bucket: &str) -> Result<(), Failed> {
        let create = self.creation(bucket).field("Policy-Versioning", "enabled");
        self.scsp.ask(&create).await.map(drop)
    }

    fn creation(&self, bucket: &str) -> Requests {
        self.scsp.same("POST", &format!("/{bucket}")).field("Content-Type", CONTEXT)
    }

    /// Stops it and waits for its end.
    ///
    /// # Errors
    /// [`Failed::Late`] if it had to be killed.
    pub async fn stop(self) -> Result<(), Failed> {
        self.process.stop(STOP_LIMIT).await
    }
}

/// The type of a request that makes a container.
pub(super) const CONTEXT: &str = "application/castorcontext";

/// Three ports nobody listens on at this moment. Held together, so that they differ.
fn free_ports() -> io::Result<[SocketAddr; 3]> {
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    let held = [bind()?, bind()?, bind()?];
    let [s3, scsp, admin] = &held;
    Ok([s3.local_addr()?, scsp.local_addr()?, admin.local_addr()?])
}

fn end_of(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
