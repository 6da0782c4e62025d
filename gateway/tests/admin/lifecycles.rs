//! A bucket's lifecycle at the operator's door.

use crate::common::{DAY, World};
use crate::{BUCKETS, code};
use serde_json::{Value, json};

const XML: &str = "<LifecycleConfiguration><Rule><ID>r</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>\
                   </Rule></LifecycleConfiguration>";

fn rules(id: &str, days: u32) -> Value {
    json!({ "Rules": [{ "ID": id, "Status": "Enabled", "Filter": {}, "Expiration": { "Days": days } }] })
}

fn path() -> String {
    format!("{BUCKETS}/photos/lifecycle")
}

/// Each call once, on the bucket `photos`; afterwards there are no rules again.
pub(crate) async fn everything(w: &World) {
    w.get(&path()).await;
    w.post(&format!("{}/preview?horizon=5days", path()), json!({ "xml": XML })).await;
    w.ask("PUT", &path(), json!({ "configuration": rules("r", 9), "confirm": 5 }), 200).await;
    w.ask("DELETE", &path(), Value::Null, 200).await;
}

#[tokio::test]
async fn a_configuration_is_previewed_set_shown_and_deleted() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    for name in ["a", "b"] {
        w.put(bucket, name).await;
    }
    let told = w.post(&format!("{}/preview?horizon=30days", path()), json!({ "xml": XML })).await;
    let goes = told["rules"][0]["goes"].as_array().unwrap();
    let counts: Vec<u64> = goes.iter().map(|until| until["removed_objects"].as_u64().unwrap()).collect();
    assert_eq!((told["rules"][0]["rule"].as_str(), counts), (Some("r"), vec![0, 0, 2, 2]), "{told}");
    assert_eq!((told["looked"].as_u64(), &told["confirm"]), (Some(2), &Value::Null));
    assert_eq!(w.get(&path()).await["configuration"], Value::Null, "nothing has changed");

    let set = w.ask("PUT", &path(), json!({ "xml": XML }), 200).await;
    assert_eq!(set["configuration"], rules("r", 1));
    assert_eq!(set["in_force"], json!(["RuleId:\"r\" Enabled:true ExpirationMidnights:1"]));
    assert_eq!((&set["holds"], &set["planning"]["pending"]), (&json!(true), &json!(true)));
    let version = w.put(bucket, "c").await;
    let why = w.get(&format!("/v1/versions/{version}")).await;
    assert!(why["answer"].as_str().unwrap().contains("Lifecycle rule \"r\" lets it go at"), "{why}");
    w.clock.advance(2 * DAY);
    let why = w.get(&format!("/v1/versions/{version}")).await;
    assert!(why["answer"].as_str().unwrap().contains("by lifecycle rule \"r\""), "{why}");
    let gone = w.ask("DELETE", &path(), Value::Null, 200).await;
    assert_eq!((&gone["configuration"], &gone["in_force"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn what_is_none_is_refused_and_changes_nothing() {
    let w = World::new().await;
    w.bucket("photos").await;
    for (order, status, word) in [
        (json!({}), 400, "BadRequest"),
        (json!({ "xml": XML, "configuration": rules("r", 1) }), 400, "BadRequest"),
        (json!({ "xml": "<Lifecycle/>" }), 400, "MalformedXML"),
        (json!({ "configuration": { "Rules": [] } }), 400, "MalformedXML"),
        (json!({ "configuration": { "rules": [] } }), 400, "BadRequest"),
        (json!({ "configuration": rules("r", 0) }), 400, "InvalidArgument"),
        (json!({ "xml": XML.replace("Expiration", "Transition") }), 501, "NotImplemented"),
        (json!({ "xml": XML, "horizon": "1day" }), 400, "BadRequest"),
    ] {
        let target = path();
        let refused = w.ask("PUT", &target, order.clone(), status).await;
        assert_eq!(code(&refused), word, "{order}: {refused}");
        let preview = format!("{target}/preview");
        assert_eq!(code(&w.ask("POST", &preview, order, status).await), word);
    }
    assert_eq!(w.get(&path()).await["holds"], Value::Null);
}

/// An object that counts as larger than the brake lets pass.
#[tokio::test]
async fn what_would_remove_much_is_to_be_confirmed() {
    let w = World::new().await;
    let bucket = w.bucket("photos").await;
    w.put(bucket, "large").await;
    w.put_wrong("UPDATE versions SET size = 20000000000").await;
    w.put_wrong("UPDATE usage SET bytes = 20000000000 WHERE state = 'live'").await;
    w.clock.advance(10 * DAY);
    let told = w.post(&format!("{}/preview", path()), json!({ "xml": XML })).await;
    assert_eq!((&told["confirm"], &told["newly_bytes"]), (&json!(1), &json!(20_000_000_000_u64)));
    let refused = w.ask("PUT", &path(), json!({ "xml": XML }), 409).await;
    assert_eq!(code(&refused), "RemovalNotConfirmed");
    assert_eq!(w.get(&path()).await["configuration"], Value::Null);
    w.ask("PUT", &path(), json!({ "xml": XML, "confirm": 1 }), 200).await;
}
