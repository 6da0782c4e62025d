//! The audit trail of the real program: in a file, from the first request to the last purge, through a rotation.

use crate::house::{House, eventually, http};
use serde_json::{Value, json};

/// Every line of the file, as its fields.
fn records(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split('\t').collect()).collect()
}

#[test]
fn requests_and_purges_are_written_down_and_the_file_can_be_rotated() {
    let house = House::new();
    let (path, moved) = (house.data().join("../audit.log"), house.data().join("../audit.log.1"));
    let to = path.display().to_string();
    let server = house.serve_with(&[("BARROW_AUDIT__TO", &to)]);
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    let context = "Content-Type: application/castorcontext\r\n";
    assert_eq!(http(server.scsp, "POST", "/photos", root, context, "").0, 201);
    assert_eq!(http(server.scsp, "POST", "/photos/hello.txt", root, "", "hello").0, 201);
    let before = eventually(|| {
        let text = std::fs::read_to_string(&path).unwrap();
        (text.lines().count() == 2).then_some(text)
    });
    let (user, before) = (format!("user={key}"), records(&before));
    for (record, op) in before.iter().zip(["op=CREATE_BUCKET", "op=POST"]) {
        assert_eq!((record[0], record[2], record[3]), ("2", "INFO", "AUDIT"));
        assert!(record.contains(&op) && record.contains(&user.as_str()) && record.contains(&"status=201"));
        assert!(record.contains(&"door=scsp"), "{record:?}");
    }
    assert!(before[1].contains(&"path=hello.txt") && before[1].contains(&"in=5"));

    std::fs::rename(&path, &moved).unwrap();
    server.hang_up();
    eventually(|| path.exists().then_some(()));
    assert_eq!(http(server.scsp, "DELETE", "/photos?recursive=now", root, "", "").0, 200);
    let after = eventually(|| {
        let text = std::fs::read_to_string(&path).unwrap();
        text.contains("op=PURGE_DONE").then_some(text)
    });
    let after = records(&after);
    let ops: Vec<&str> = after.iter().map(|record| record[7]).collect();
    assert_eq!(ops, ["op=DELETE_BUCKET", "op=PURGE_START", "op=PURGE_PROGRESS", "op=PURGE_DONE"]);
    let doors: Vec<&str> = after.iter().map(|record| record[18]).collect();
    assert_eq!(doors, ["door=scsp", "door=containers", "door=reclaim", "door=containers"]);
    assert!(after[0].contains(&"recursive=now") && after[0].contains(&user.as_str()));
    for record in &after {
        assert_eq!(record[11], after[0][11], "all tell of the same bucket");
    }
    assert_eq!(records(&std::fs::read_to_string(&moved).unwrap()).len(), 2);

    let metrics = http(server.admin, "GET", "/metrics", None, "", "").1;
    for line in [
        "barrow_audit_dropped_total 0",
        "barrow_purge_objects_total 1",
        "barrow_contexts{state=\"purged\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn on_standard_output_the_trail_is_json_and_nothing_else() {
    let house = House::new();
    let to = [("BARROW_AUDIT__TO", "stdout"), ("BARROW_AUDIT__FORMAT", "json")];
    let server = house.serve_with(&to);
    assert!(eventually(|| server.stderr().contains("root key").then_some(true)), "it is shown elsewhere");
    let (key, secret) = house.root();
    let root = Some((key.as_str(), secret.as_str()));
    assert_eq!(http(server.s3, "GET", "/", None, "", "").0, 403);
    let context = "Content-Type: application/castorcontext\r\n";
    assert_eq!(http(server.scsp, "POST", "/photos", root, context, "").0, 201);
    let remove = "/v1/domains/barrow.local/buckets/photos/remove";
    assert_eq!(http(server.admin, "POST", remove, root, "", "{}").0, 200);
    assert_eq!(http(server.admin, "GET", "/v1/usage", root, "", "").0, 200);
    let records = eventually(|| {
        let text = server.stdout();
        let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (records.len() == 3).then_some(records)
    });
    let told: Vec<_> = records.iter().map(|r| (&r["door"], &r["op"], &r["status"])).collect();
    assert_eq!(told[0], (&json!("s3"), &records[0]["op"], &json!(403)));
    assert_eq!(told[1], (&json!("scsp"), &json!("CREATE_BUCKET"), &json!(201)));
    assert_eq!(told[2], (&json!("admin"), &json!("REMOVE_BUCKET"), &json!(200)));
    assert_eq!(records[1]["uuid"], records[2]["uuid"]);
    assert!(records.iter().all(|record| record["req"].is_string() && record["v"] == 2));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_trail_that_cannot_be_written_stops_the_start() {
    let house = House::new();
    let refused = house.command(&["serve"]).env("BARROW_AUDIT__TO", "/no/such/directory/audit.log").outcome();
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("audit.to = \"/no/such/directory/audit.log\""), "{}", refused.stderr);
    assert!(!house.data().join("root.credentials").exists(), "before the root key is shown");
}
