//! One installation: a schema of its own, a directory that all members reach, and the key file that they share.

use super::ask::{ROOT, SECRET};
use super::member::Member;
use super::{DRAIN, HEARTBEAT, LEASE, MARGIN, Watch, within};
use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::{Database, Proxy};
use tokio::runtime::Runtime;
use url::Url;

/// A variable of a process's environment.
pub(crate) type Variable = (&'static str, String);

pub(crate) struct Cluster {
    /// Keeps it, with a directory of its own.
    _database: Database,
    blobs: tempfile::TempDir,
    seal: [u8; 32],
    environment: Vec<Variable>,
    /// On which proxies and held transactions live.
    runtime: Runtime,
}

impl Cluster {
    /// With nobody in it yet.
    pub(crate) fn new() -> Self {
        Cluster::with(&[])
    }

    /// With other settings than these tests usually have.
    pub(crate) fn with(settings: &[(&'static str, &str)]) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let database = runtime.block_on(Database::postgres());
        let blobs = tempfile::tempdir().unwrap();
        let span = |length: Duration| format!("{}ms", length.as_millis());
        let mut environment = vec![
            ("BARROW_METADATA__URL", database.settings().url),
            ("BARROW_BLOBS__URL", format!("file:{}", blobs.path().display())),
            ("BARROW_BLOBS__RESERVE", "0%".to_owned()),
            ("BARROW_AUTH__ROOT_KEY", ROOT.to_owned()),
            ("BARROW_AUTH__ROOT_SECRET", SECRET.to_owned()),
            ("BARROW_CLUSTER__LEASE", span(LEASE)),
            ("BARROW_CLUSTER__HEARTBEAT", span(HEARTBEAT)),
            ("BARROW_CLUSTER__MARGIN", span(MARGIN)),
            ("BARROW_HEALTH__DRAIN_TIMEOUT", span(DRAIN)),
            ("BARROW_HEALTH__INTERVAL", "1s".to_owned()),
            ("BARROW_HEALTH__CLAIM_LEASE", "2s".to_owned()),
            ("BARROW_LIMITS__SHUTDOWN", "5s".to_owned()),
        ];
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push((name, (*value).to_owned()));
        }
        // Every process makes its own randomness; this one is enough for a test.
        let seal = std::array::from_fn(|at| u8::try_from(at).unwrap_or(0) ^ 0x5a);
        Cluster { _database: database, blobs, seal, environment, runtime }
    }

    /// Doors without a health processor.
    pub(crate) fn gateway(&self, node: &str) -> Member {
        self.member("gateway", node, None, &[])
    }

    /// A gateway that reaches the database through `link`.
    pub(crate) fn gateway_behind(&self, node: &str, link: &Proxy) -> Member {
        self.member("gateway", node, Some(link.address()), &[])
    }

    /// A health processor without doors.
    pub(crate) fn processor(&self, node: &str) -> Member {
        self.member("health-processor", node, None, &[])
    }

    /// A process that runs and is ready.
    pub(crate) fn member(
        &self,
        role: &'static str,
        node: &str,
        link: Option<SocketAddr>,
        settings: &[(&'static str, &str)],
    ) -> Member {
        let mut environment = self.environment.clone();
        environment.push(("BARROW_CLUSTER__NODE", node.to_owned()));
        if let Some(link) = link {
            environment.retain(|(name, _)| *name != "BARROW_METADATA__URL");
            environment.push(("BARROW_METADATA__URL", self.url_through(link)));
        }
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push((name, (*value).to_owned()));
        }
        let mut member = Member::new(role, node, environment);
        self.seal(&member.data());
        member.start();
        member
    }

    /// Gives a member the key file that all share.
    fn seal(&self, data: &Path) {
        std::fs::create_dir_all(data).unwrap();
        let path = data.join("seal.key");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
        file.write_all(&self.seal).unwrap();
    }

    /// A line to the database that can be cut.
    pub(crate) fn link(&self) -> Proxy {
        let url = Url::parse(self.url()).unwrap();
        let to = url.socket_addrs(|| Some(5_432)).unwrap()[0];
        self.runtime.block_on(Proxy::start(to)).unwrap()
    }

    fn url_through(&self, link: SocketAddr) -> String {
        let mut url = Url::parse(self.url()).unwrap();
        url.set_ip_host(link.ip()).unwrap();
        url.set_port(Some(link.port())).unwrap();
        url.into()
    }

    fn url(&self) -> &str {
        &self.environment.iter().find(|(name, _)| *name == "BARROW_METADATA__URL").unwrap().1
    }

    /// Keeps the rows that `statement` locks from everybody until `doing` has ended.
    pub(crate) fn holding<T>(&self, statement: &str, doing: impl FnOnce() -> T) -> T {
        let held = self.runtime.block_on(metadata::testing::hold(self.url(), statement)).unwrap();
        let done = doing();
        self.runtime.block_on(held.release()).unwrap();
        done
    }

    /// What the database says to a question whose answer is texts.
    pub(crate) fn asks_the_database(&self, query: &str) -> Vec<String> {
        self.runtime.block_on(metadata::testing::ask(self.url(), query)).unwrap()
    }

    /// The files in the store that hold bytes of objects, whole or begun.
    pub(crate) fn bytes(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            // A directory may go while it is looked at.
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.metadata() {
                    Ok(about) if about.is_dir() => walk(&path, found),
                    Ok(about) if about.len() > 1_000 => found.push(path),
                    Ok(_) | Err(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        walk(self.blobs.path(), &mut found);
        found
    }

    /// Passes if no rule is broken, by rows or bytes, once the background has caught up.
    pub(crate) fn is_sound(&self, asked: &Member) {
        let mut said = String::new();
        let began = Watch::start();
        while began.elapsed() < Duration::from_secs(20) {
            let outcome = asked.command(&["check", "--blobs"]);
            if outcome.code == 0 {
                return;
            }
            said = format!("{}{}", outcome.stdout, outcome.stderr);
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("rules are broken:\n{said}");
    }

    /// Waits until the store holds so many files with bytes.
    pub(crate) fn holds(&self, files: usize, limit: Duration) {
        within(limit, &format!("{files} files with bytes in the store"), || {
            (self.bytes().len() == files).then_some(())
        });
    }
}
