//! The real server and a client that is not ours: SCSP as clients in the field speak it, a thousand mixed operations
//! against a model of what must be there (`gateway/tests/clients`).

use crate::house::{House, eventually, http};
use std::process::Command;
use testkit::Database;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../gateway/tests/clients");

/// Runs one of the clients' programs; it must end well, and what it says is given back.
fn python(program: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new("python3");
    command.current_dir(CLIENTS).arg(program).envs(environment.iter().copied());
    let ran = command.output().unwrap_or_else(|error| {
        panic!("python3 cannot be run ({error}): scripts/test installs it, by need_python in scripts/needs")
    });
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{program} ended with {}: {said}", ran.status);
    said
}

/// Another seed in `MIXED_SEED` asks something else.
fn a_thousand_mixed_operations(seed: &str, environment: &[(&str, &str)]) {
    let house = House::new();
    let server = house.serve_with(environment);
    let (key, secret) = house.root();
    let seed = std::env::var("MIXED_SEED").unwrap_or_else(|_| seed.to_owned());
    let address = server.scsp.to_string();
    let said = python(
        "mixed.py",
        &[
            ("BARROW_ADDRESS", &address),
            ("BARROW_KEY", &key),
            ("BARROW_SECRET", &secret),
            ("MIXED_SEED", &seed),
        ],
    );
    assert!(said.starts_with(&format!("seed {seed}\n1000 operations in ")), "{said}");
    // Behind the doors everything is in order too, once the background has caught up.
    eventually(|| (house.command(&["check", "--blobs"]).outcome().code == 0).then_some(()));
    let metrics = http(server.admin, "GET", "/metrics", None, "", "").1;
    assert!(metrics.lines().any(|line| line == "barrow_violations_total 0"), "{metrics}");
    assert!(!server.stderr().contains("ERROR"), "{}", server.stderr());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_client_does_what_clients_do() {
    python("test_scsp.py", &[]);
}

#[test]
fn a_thousand_mixed_operations_on_sqlite() {
    // The second one once brought a delete marker back that had gone with its history.
    for seed in ["1", "9"] {
        a_thousand_mixed_operations(seed, &[]);
    }
}

#[test]
fn a_thousand_mixed_operations_on_postgres() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(Database::postgres());
    a_thousand_mixed_operations("2", &[("BARROW_METADATA__URL", &database.settings().url)]);
}
