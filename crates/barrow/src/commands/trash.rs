//! `barrow trash`: what is removed, and bringing it back.

use super::Session;
use super::container::{Address, told_of_more};
use crate::cli::{Listing, TrashCommand, TrashRestore};
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, say, size, when};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: TrashCommand) -> Result<Exit, Failed> {
    match command {
        TrashCommand::List { bucket: None, listing } => all(session, &listing).await,
        TrashCommand::List { bucket: Some(bucket), listing } => {
            objects(session, &Address::bucket(session, &bucket), &listing).await
        }
        TrashCommand::Restore(restore) => bring_back(session, restore).await,
    }
}

async fn all(session: &Session<'_>, listing: &Listing) -> Result<Exit, Failed> {
    if !listing.prefix.is_empty() {
        return Err(Failed::Usage(
            "--prefix is for the objects of one bucket: name the bucket, too".to_owned(),
        ));
    }
    let answer = session.client.get(&format!("/v1/trash?limit={}", listing.limit.min(1_000))).await?;
    session.tell(&answer, |trash| {
        let mut containers =
            Table::new(&["KIND", "NAME", "OBJECTS", "BYTES", "REMOVED", "PURGE", "BY", "REASON", "ID"]);
        for item in trash["containers"].as_array().into_iter().flatten() {
            let name = match item["kind"].as_str() {
                Some("domain") => field(item, "name"),
                _ => format!("{}/{}", field(item, "domain"), field(item, "name")),
            };
            containers.row(vec![
                field(item, "kind"),
                name,
                field(item, "objects"),
                size(item, "bytes"),
                when(item, "removed_at", session.now),
                when(item, "purge_after", session.now),
                field(item, "actor"),
                field(item, "reason"),
                field(item, "id"),
            ]);
        }
        let mut objects = Table::new(&["REMOVED OBJECTS IN", "OBJECTS", "BYTES"]);
        for item in trash["objects"].as_array().into_iter().flatten() {
            let bucket = format!("{}/{}", field(item, "domain"), field(item, "bucket"));
            objects.row(vec![bucket, field(item, "objects"), size(item, "bytes")]);
        }
        format!("{}\n\n{}", containers.render(), objects.render())
    });
    Ok(Exit::Done)
}

async fn objects(session: &Session<'_>, address: &Address, listing: &Listing) -> Result<Exit, Failed> {
    let target = format!("{}/objects?state=removed&prefix={}", address.path, encoded(&listing.prefix));
    let (items, more) = session.client.list(&target, listing.limit).await?;
    if session.json {
        output::json(&json!({ "items": items, "more": more }));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["NAME", "BYTES", "REMOVED", "PURGE", "CAUSE", "BY", "VERSION"]);
    for item in &items {
        table.row(vec![
            field(item, "name"),
            size(item, "size"),
            when(item, "removed_at", session.now),
            when(item, "purge_after", session.now),
            field(item, "cause"),
            field(item, "actor"),
            field(item, "version"),
        ]);
    }
    say(&table.render());
    told_of_more(more);
    Ok(Exit::Done)
}

async fn bring_back(session: &Session<'_>, restore: TrashRestore) -> Result<Exit, Failed> {
    let address = Address::bucket(session, &restore.bucket);
    let mut order = match &restore.as_name {
        Some(name) => json!({ "as": name }),
        None => json!({}),
    };
    if let Some(contents) = &restore.contents {
        let target = format!("{}/contents/{}/restore", address.path, encoded(contents));
        let answer = session.client.post(&target, &order).await?;
        session
            .tell(&answer, |bucket| format!("restored the contents into bucket {}", field(bucket, "name")));
        return Ok(Exit::Done);
    }
    match (&restore.prefix, restore.version.is_empty()) {
        (Some(prefix), _) => order["prefix"] = prefix.as_str().into(),
        (None, false) => order["versions"] = restore.version.clone().into(),
        (None, true) => order["names"] = restore.names.clone().into(),
    }
    order["replace"] = restore.replace.into();
    let answer = session.client.post(&format!("{}/objects/restore", address.path), &order).await?;
    session.tell(&answer, told);
    Ok(if answer["failed"].as_u64() == Some(0) { Exit::Done } else { Exit::Refused })
}

fn told(report: &Value) -> String {
    let mut lines =
        vec![format!("restored {}, failed {}", field(report, "restored"), field(report, "failed"))];
    for item in report["items"].as_array().into_iter().flatten() {
        let what = if item["name"].is_null() { field(item, "version") } else { field(item, "name") };
        let error = &item["error"];
        if error.is_object() {
            lines.push(format!("  {what}: {}: {}", field(error, "code"), field(error, "message")));
        }
    }
    lines.join("\n")
}
