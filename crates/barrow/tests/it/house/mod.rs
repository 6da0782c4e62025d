//! A directory with a configuration, the server that runs in it, and the commands asked of it.

mod authority;

pub(crate) use authority::{Authority, Identity};

use serde_json::Value;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often, and how far apart, something is looked for that will come.
const LOOKS: u32 = 1_500;
const PAUSE: Duration = Duration::from_millis(10);

pub(crate) struct House(tempfile::TempDir);

/// A running server; killed if a test ends without stopping it.
pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    pub(crate) admin: SocketAddr,
    pub(crate) scsp: SocketAddr,
    pub(crate) s3: SocketAddr,
}

/// A command about to run.
pub(crate) struct Asked(Command);

/// A command that goes on until it is dropped, and what it has said.
pub(crate) struct Following {
    child: Child,
    said: PathBuf,
}

/// What a command did.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Looks until there is something to see.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("what was waited for did not come");
}

impl House {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "[cluster]\ndata_dir = {:?}\n[listen]\ns3 = \"127.0.0.1:0\"\nscsp = \"127.0.0.1:0\"\n\
             admin = \"127.0.0.1:0\"\n[health]\ndrain_timeout = \"0s\"\n",
            dir.path().join("data").display().to_string()
        );
        std::fs::write(dir.path().join("barrow.toml"), config).unwrap();
        House(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Adds to its configuration.
    pub(crate) fn configure(&self, toml: &str) {
        let path = self.path().join("barrow.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text + toml).unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// The files below the blob root that hold objects.
    pub(crate) fn blobs(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.metadata().unwrap().len() > 1_000 {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.data().join("blobs"), &mut found);
        assert!(!found.is_empty());
        found
    }

    /// The root key and its secret.
    pub(crate) fn root(&self) -> (String, String) {
        let text = std::fs::read_to_string(self.data().join("root.credentials")).unwrap();
        let (key, secret) = text.trim_end().split_once('\n').unwrap();
        (key.to_owned(), secret.to_owned())
    }

    /// The program with its configuration, and with none of the surroundings' settings.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Asked {
        let mut command = Command::new(env!("CARGO_BIN_EXE_barrow"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BARROW_") {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(self.0.path().join("barrow.toml")).args(args).stdin(Stdio::null());
        Asked(command)
    }

    /// Starts a command that does not end by itself.
    pub(crate) fn follow(&self, args: &[&str]) -> Following {
        let said = self.path().join("followed");
        let Asked(mut command) = self.command(args);
        let child = command.stdout(File::create(&said).unwrap()).spawn().unwrap();
        Following { child, said }
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve_with(&self, environment: &[(&str, &str)]) -> Server {
        self.serve_when(environment, |admin| http(admin, "GET", "/readyz", None, "", "").0 == 200)
    }

    /// Starts what runs until it is stopped. What it says goes into files.
    pub(crate) fn spawn(&self, role: &str, environment: &[(&str, &str)]) -> Child {
        let file = |name: &str| File::create(self.path().join(name)).unwrap();
        let Asked(mut command) = self.command(&[role]);
        command.envs(environment.iter().copied()).stdout(file("stdout")).stderr(file("stderr"));
        command.spawn().unwrap()
    }

    /// Starts the server and waits until the door at the given address says that it is ready.
    pub(crate) fn serve_when(
        &self,
        environment: &[(&str, &str)],
        ready: impl Fn(SocketAddr) -> bool,
    ) -> Server {
        let dir = self.0.path().to_owned();
        let mut child = self.spawn("serve", environment);
        let (admin, scsp, s3) = eventually(|| {
            if let Some(status) = child.try_wait().unwrap() {
                panic!(
                    "the server ended: {status}: {}",
                    std::fs::read_to_string(dir.join("stderr")).unwrap()
                );
            }
            let text = std::fs::read_to_string(self.data().join("addresses.json")).ok()?;
            let at: Value = serde_json::from_str(&text).ok()?;
            let at = |door: &str| at[door].as_str().unwrap().parse().unwrap();
            Some((at("admin"), at("scsp"), at("s3")))
        });
        let server = Server { child, dir, admin, scsp, s3 };
        eventually(|| ready(admin).then_some(()));
        server
    }
}

impl Server {
    pub(crate) fn stdout(&self) -> String {
        std::fs::read_to_string(self.dir.join("stdout")).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(self.dir.join("stderr")).unwrap()
    }

    /// Kills it in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // It could not take back what it had said about where it is.
        std::fs::remove_file(self.dir.join("data/addresses.json")).unwrap();
    }

    /// Waits until it has died by itself, as a failpoint makes it.
    pub(crate) fn died(&mut self) -> bool {
        let ended = eventually(|| self.child.try_wait().unwrap());
        std::fs::remove_file(self.dir.join("data/addresses.json")).unwrap();
        !ended.success()
    }

    /// Asks it for fresh files (SIGHUP).
    pub(crate) fn hang_up(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }

    /// Asks it to stop (SIGTERM), and tells its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        eventually(|| self.child.try_wait().unwrap()).code()
    }
}

impl Following {
    /// Waits until it has said `part`, and gives all that it has said.
    pub(crate) fn until(&mut self, part: &str) -> String {
        eventually(|| {
            assert!(self.child.try_wait().unwrap().is_none(), "it goes on until somebody interrupts");
            Some(std::fs::read_to_string(&self.said).unwrap()).filter(|said| said.contains(part))
        })
    }

    /// Interrupts it (Ctrl-C), and tells its exit code.
    pub(crate) fn interrupted(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        eventually(|| self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Asked {
    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// It reads from whoever starts it.
    pub(crate) fn piped(mut self) -> Self {
        self.0.stdin(Stdio::piped());
        self
    }

    /// Starts it, for whoever kills it.
    pub(crate) fn spawn(mut self) -> Child {
        self.0.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn outcome(mut self) -> Outcome {
        let output = self.0.output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// What it printed, if it was done.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }
}

/// One request on a connection of its own: the status and the body. `headers` end in line breaks.
pub(crate) fn http(
    at: SocketAddr,
    method: &str,
    target: &str,
    key: Option<(&str, &str)>,
    headers: &str,
    body: &str,
) -> (u16, String) {
    let bearer =
        key.map_or(String::new(), |(key, secret)| format!("Authorization: Bearer {key}:{secret}\r\n"));
    let mut stream = TcpStream::connect(at).unwrap();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Length: {}\r\n{bearer}{headers}\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
