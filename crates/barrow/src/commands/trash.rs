//! `barrow trash`: what is removed, and bringing it back.

use super::Session;
use super::container::{self, Address, told_of_more};
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
    let Some(bucket) = &restore.bucket else {
        // The command line has seen to it that one of the two is there.
        let domain = restore.domain.as_deref().unwrap_or_default();
        return container::restore(session, &Address::domain(domain), restore.as_name, restore.dry_run).await;
    };
    let address = Address::bucket(session, bucket);
    let of_objects = !restore.names.is_empty()
        || !restore.version.is_empty()
        || restore.prefix.is_some()
        || restore.contents.is_some()
        || restore.as_of.is_some();
    if !of_objects {
        if restore.replace {
            return Err(Failed::Usage(
                "--replace is for objects: name them, or say --prefix or --as-of".to_owned(),
            ));
        }
        return container::restore(session, &address, restore.as_name, restore.dry_run).await;
    }
    let mut order = match &restore.as_name {
        Some(name) => json!({ "as": name }),
        None => json!({}),
    };
    if restore.dry_run {
        order["dry_run"] = true.into();
    }
    if let Some(contents) = &restore.contents {
        let target = format!("{}/contents/{}/restore", address.path, encoded(contents));
        let answer = session.client.post(&target, &order).await?;
        let did = if restore.dry_run { "would restore" } else { "restored" };
        session.tell(&answer, |bucket| format!("{did} the contents into bucket {}", field(bucket, "name")));
        return Ok(Exit::Done);
    }
    if let Some(as_of) = &restore.as_of {
        order["as_of"] = as_of.as_str().into();
    }
    match (&restore.prefix, restore.version.is_empty()) {
        (Some(prefix), _) => order["prefix"] = prefix.as_str().into(),
        (None, false) => order["versions"] = restore.version.clone().into(),
        (None, true) if restore.as_of.is_some() => {}
        (None, true) => order["names"] = restore.names.clone().into(),
    }
    order["replace"] = restore.replace.into();
    let answer = session.client.post(&format!("{}/objects/restore", address.path), &order).await?;
    session.tell(&answer, told);
    let whole = ["failed", "lost"].iter().all(|count| answer[*count].as_u64().unwrap_or(0) == 0);
    Ok(if whole { Exit::Done } else { Exit::Refused })
}

fn told(report: &Value) -> String {
    let counts = ["restored", "failed", "removed", "kept", "lost", "unchanged"];
    let counted = counts.iter().filter(|count| report[**count].is_u64());
    let counted: Vec<String> = counted.map(|count| format!("{count} {}", report[*count])).collect();
    let mut lines = vec![counted.join(", ")];
    if let Some(as_of) = report["as_of"].as_str() {
        lines[0].push_str(&format!(", as of {as_of}"));
    }
    let dry_run = report["dry_run"] == true;
    if dry_run {
        lines[0] = format!("would have: {}; nothing is changed", lines[0]);
    }
    for note in report["notes"].as_array().into_iter().flatten() {
        lines.push(format!("note: {}", note.as_str().unwrap_or_default()));
    }
    for item in report["items"].as_array().into_iter().flatten() {
        let what = if item["name"].is_null() { field(item, "version") } else { field(item, "name") };
        let (error, did) = (&item["error"], item["what"].as_str().unwrap_or_default());
        if error.is_object() {
            lines.push(format!("  {what}: {}: {}", field(error, "code"), field(error, "message")));
        } else if did == "kept" {
            lines.push(format!("  {what}: was written since, and stays; --replace removes it"));
        } else if dry_run {
            lines.push(format!("  {what}: would be {did}"));
        } else if did == "removed" {
            lines.push(format!("  {what}: removed"));
        }
    }
    if report["more"] == true {
        lines.push("  and more, which are counted and not listed".to_owned());
    }
    lines.iter().map(|line| output::printable(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_what_was_not_done_and_a_rehearsal_everything() {
        let item = |name: &str, what: &str| json!({ "name": name, "what": what, "ok": true });
        let failed = json!({ "name": "c", "what": "lost", "error": { "code": "Purged", "message": "gone" } });
        let mut report = json!({
            "restored": 1, "failed": 0, "kept": 1, "lost": 1, "as_of": "T", "dry_run": false,
            "items": [item("a", "restored"), item("b\u{1b}", "kept"), failed],
        });
        assert_eq!(
            told(&report),
            "restored 1, failed 0, kept 1, lost 1, as of T\n  b\\u{1b}: was written since, and stays; --replace removes it\n\
             \x20 c: Purged: gone"
        );
        report["dry_run"] = true.into();
        let told = told(&report);
        assert!(
            told.starts_with("would have: restored 1") && told.contains("  a: would be restored"),
            "{told}"
        );
    }
}
