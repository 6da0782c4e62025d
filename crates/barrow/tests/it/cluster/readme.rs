//! The README's section on more than one machine, every command as it stands there, on loopback: members at two addresses,
//! over an installation of Barrow as their store.

use crate::client::S3;
use crate::house::House;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::database::POSTGRES_VARIABLE;
use url::Url;

const README: &str = include_str!("../../../../../README.md");
const MARK: &str = "```sh cluster";
/// The addresses of the two gateways.
const A: &str = "127.0.0.1";
const B: &str = "127.0.0.2";

/// The commands of the blocks that are marked so, in their order.
fn commands() -> String {
    let blocks = README.split(MARK).skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
    let commands: String = blocks.collect();
    assert!(commands.lines().count() > 50, "the README has lost its commands:\n{commands}");
    commands
}

/// A port that is free at both addresses.
fn port() -> u16 {
    for _ in 0..100 {
        let first = TcpListener::bind((A, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        if TcpListener::bind((B, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free at both addresses");
}

/// Takes back what the commands made on the tests' Postgres.
fn clean(server: &str) {
    for statement in ["DROP DATABASE IF EXISTS barrow WITH (FORCE)", "DROP ROLE IF EXISTS barrow_members"] {
        let done = Command::new("psql").args([server, "-qc", statement]).output().unwrap();
        assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn the_commands_for_more_than_one_machine_run_as_they_stand() {
    let server = std::env::var(POSTGRES_VARIABLE).unwrap();
    let postgres = Url::parse(&server).unwrap();
    clean(&server);
    let below = House::new();
    let store = below.serve_with(&[("BARROW_BLOBS__RESERVE", "0%")]);
    let s3 = S3 { at: store.s3, key: below.root().into() };
    s3.put("/backend", b"").is(200);

    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_barrow"), bin.join("barrow")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = dir.path().join("commands");
    // Whatever stops in the middle leaves nobody running; whatever does not has ended when the script has.
    let text = format!("trap 'kill -KILL $(jobs -p) 2>/dev/null || true' EXIT\n{}\nwait\n", commands());
    std::fs::write(&script, text).unwrap();

    let mut command = Command::new("timeout");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BARROW_") {
            command.env_remove(name);
        }
    }
    let user = match postgres.password() {
        Some(password) => format!("{}:{password}", postgres.username()),
        None => postgres.username().to_owned(),
    };
    let at = format!("{}:{}", postgres.host_str().unwrap(), postgres.port().unwrap_or(5_432));
    let ports = [port(), port(), port()].map(|port| port.to_string());
    let ran = command
        .args(["100", "bash", "-euo", "pipefail", "-x"])
        .arg(&script)
        .current_dir(dir.path())
        .env("PATH", path)
        .env("PG", at)
        .env("PG_ADMIN", user)
        .env("DB_PASSWORD", "membersonly")
        .env("BLOBS", "s3://backend/members")
        .env("AWS_ACCESS_KEY_ID", &s3.key.id)
        .env("AWS_SECRET_ACCESS_KEY", &s3.key.secret)
        .env("AWS_ENDPOINT", format!("http://{}", store.s3))
        .env("AWS_REGION", "us-east-1")
        .env("ROOT_SECRET", "one-for-all-of-them")
        .env("DIR", dir.path().join("members"))
        .env("A", A)
        .env("B", B)
        .env("S3", &ports[0])
        .env("SCSP", &ports[1])
        .env("ADMIN", &ports[2])
        .env("NO_PROXY", "127.0.0.1,127.0.0.2")
        .env("no_proxy", "127.0.0.1,127.0.0.2")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let log = |member: &str| {
        let log = dir.path().join("members").join(member).join("log");
        std::fs::read_to_string(log).unwrap_or_default()
    };
    assert!(ran.status.success(), "{said}\n--- a:\n{}\n--- b:\n{}", log("a"), log("b"));
    assert!(said.contains("a cat"), "{said}");
    for member in ["a", "b", "h1"] {
        assert!(!log(member).contains("ERROR"), "{member}: {}", log(member));
    }
    let admin = format!("{A}:{}", ports[2]).parse().unwrap();
    assert!(TcpStream::connect_timeout(&admin, Duration::from_secs(1)).is_err(), "a gateway still runs");
    // What the members stored lies below, and not elsewhere.
    assert!(s3.get("/backend?list-type=2").is(200).all("Key").iter().any(|key| key.starts_with("members/")));
    clean(&server);
    assert_eq!(store.stop(), Some(0));
}
