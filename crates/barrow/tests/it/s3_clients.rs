//! The real server and the S3 clients that people have, unmodified (`gateway/tests/clients/s3`). Each makes its own bucket, so
//! that several speak to one server at a time, and removes what it made.

use crate::house::{House, Server, eventually, http};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use testkit::Database;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gateway/tests/clients/s3");
/// How long one of them may take before it is ended, in seconds: it hangs then.
const PATIENCE: &str = "270";
/// How many speak at a time. Most of what takes time is a client's own start.
const AT_A_TIME: usize = 3;

/// Longest first.
const ALL: &[&str] =
    &["aws-cli.sh", "boto.py", "restic.sh", "rclone.sh", "s3cmd.sh", "aws_api.py", "minio_client.py"];
/// Those that ask the most of the metadata run on the other engine, too.
const SOME: &[&str] = &["aws-cli.sh", "boto.py", "rclone.sh", "aws_api.py"];

/// Where the programs are that `need_s3_clients` in `scripts/needs` installs.
fn installed() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| {
        Path::new(&std::env::var_os("HOME").expect("a home with a cache in it")).join(".cache")
    });
    let bin = cache.join("barrow-tests/s3-clients/bin");
    assert!(
        bin.join("aws").exists(),
        "{} does not exist: scripts/test installs it, by need_s3_clients in scripts/needs",
        bin.display()
    );
    bin
}

/// A house with its server, as clients are told of it.
struct Site {
    house: House,
    server: Server,
    endpoint: String,
}

impl Site {
    fn new(environment: &[(&str, &str)]) -> Self {
        let house = House::new();
        let server = house.serve_with(environment);
        let endpoint = format!("http://{}", server.s3);
        Site { house, server, endpoint }
    }

    /// Runs one of the clients' programs, with none of the surroundings' settings: what it says, and whether it ended well.
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &Path)],
    ) -> Result<String, String> {
        let bin = installed();
        let mut path = bin.clone().into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let interpreter = if program.ends_with(".py") { bin.join("python") } else { "bash".into() };
        let (key, secret) = self.house.root();
        let temporary = tempfile::tempdir().unwrap();
        let ran = Command::new("timeout")
            .args(["--kill-after=5", PATIENCE])
            .arg(interpreter)
            .arg(format!("{CLIENTS}/{program}"))
            .args(arguments)
            .current_dir(CLIENTS)
            .env_clear()
            .env("PATH", path)
            .env("HOME", temporary.path())
            .env("TMPDIR", temporary.path())
            .env("LC_ALL", "C.UTF-8")
            .env("S3_ENDPOINT", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("OPERATOR", env!("CARGO_BIN_EXE_barrow"))
            .env("OPERATOR_CONFIG", self.house.path().join("barrow.toml"))
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let told = format!("-- {program} {}: {}\n{said}", arguments.join(" "), ran.status);
        if ran.status.success() { Ok(told) } else { Err(told) }
    }

    /// Runs several, a few at a time; all that failed are told of together.
    fn run_all(&self, programs: &[&str]) {
        let waiting = Mutex::new(programs.iter().copied().collect::<VecDeque<_>>());
        let failed = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                scope.spawn(|| {
                    loop {
                        let Some(program) = waiting.lock().unwrap().pop_front() else { return };
                        if let Err(told) = self.run(program, &[], &[]) {
                            failed.lock().unwrap().push(told);
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().unwrap();
        assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    }

    /// Behind the doors everything is in order: the clients left nothing, no rule is broken, and nothing was logged that
    /// somebody must look at.
    fn end(self) {
        let left = self.house.command(&["--json", "bucket", "list", "--state", "live"]).outcome().json();
        let left: Vec<&str> =
            left["items"].as_array().unwrap().iter().filter_map(|bucket| bucket["name"].as_str()).collect();
        assert!(left.is_empty(), "{left:?} are left");
        eventually(|| (self.house.command(&["check", "--blobs"]).outcome().code == 0).then_some(()));
        let metrics = http(self.server.admin, "GET", "/metrics", None, "", "").1;
        assert!(metrics.lines().any(|line| line == "barrow_violations_total 0"), "{metrics}");
        self.stop();
    }

    fn stop(self) {
        let log = self.server.stderr();
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        assert_eq!(self.server.stop(), Some(0));
    }
}

/// The same on both engines.
fn on_both_engines(test: impl Fn(&Site)) {
    let database = postgres();
    for environment in [&[][..], &[("BARROW_METADATA__URL", database.settings().url.as_str())]] {
        let site = Site::new(environment);
        test(&site);
        site.end();
    }
}

fn postgres() -> Database {
    tokio::runtime::Runtime::new().unwrap().block_on(Database::postgres())
}

#[test]
fn every_s3_client_works_unmodified_on_sqlite() {
    let site = Site::new(&[]);
    site.run_all(ALL);
    site.end();
}

#[test]
fn s3_clients_work_unmodified_on_postgres() {
    let database = postgres();
    let site = Site::new(&[("BARROW_METADATA__URL", &database.settings().url)]);
    site.run_all(SOME);
    site.end();
}

#[test]
fn after_aws_s3_rm_recursive_the_operator_restores_the_prefix_with_nothing_changed() {
    on_both_engines(|site| {
        site.run("aws_trash.py", &["rm"], &[]).unwrap();
    });
}

#[test]
fn after_aws_s3_rb_the_operator_restores_the_bucket() {
    on_both_engines(|site| {
        site.run("aws_trash.py", &["rb"], &[]).unwrap();
    });
}

#[test]
fn aws_cli_works_over_tls_with_a_private_authority() {
    let house = House::new();
    let made =
        Command::new("bash").arg(format!("{CLIENTS}/certificates.sh")).arg(house.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name: &str| house.path().join(name);
    let quoted = |name: &str| format!("{:?}", file(name).display().to_string());
    house.configure(&format!("[tls]\ncert = {}\nkey = {}\n", quoted("server.crt"), quoted("server.key")));
    let ca = file("ca.crt");
    let server = house.serve_when(&[], |admin| {
        let asked = Command::new("curl")
            .args(["--silent", "--fail", "--noproxy", "*", "--max-time", "10", "--cacert"])
            .arg(&ca)
            .arg(format!("https://{admin}/readyz"))
            .output();
        asked.unwrap().status.success()
    });
    let endpoint = format!("https://{}", server.s3);
    let site = Site { house, server, endpoint };
    site.run("aws-tls.sh", &[], &[("S3_CA", &ca)]).unwrap();
    // SDKs send checksums in trailers only over TLS.
    site.run("boto.py", &["boto_checksums"], &[("AWS_CA_BUNDLE", &ca)]).unwrap();
    site.stop();
}
