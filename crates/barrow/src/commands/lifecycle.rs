//! `barrow lifecycle`: what goes by itself in a bucket, and what would.

use super::Session;
use super::container::Address;
use crate::cli::LifecycleCommand;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, size, when};
use serde_json::{Value, json};
use std::path::Path;

pub(super) async fn run(session: &Session<'_>, command: LifecycleCommand) -> Result<Exit, Failed> {
    let at = |bucket: &str| {
        let address = Address::bucket(session, bucket);
        (format!("{}/lifecycle", address.path), address.shown)
    };
    match command {
        LifecycleCommand::Show { bucket } => {
            let (path, shown) = at(&bucket);
            let answer = session.client.get(&path).await?;
            session.tell(&answer, |said| said_text(&shown, said));
        }
        LifecycleCommand::Status { bucket } => {
            let (path, shown) = at(&bucket);
            let answer = session.client.get(&path).await?;
            session.tell(&answer, |said| status(session, &shown, said));
        }
        LifecycleCommand::Preview { bucket, file, horizon } => {
            let (path, shown) = at(&bucket);
            let target = format!("{path}/preview?horizon={}", encoded(&horizon));
            let answer = session.client.post(&target, &order(&file)?).await?;
            session.tell(&answer, |told| preview(session, (&shown, &file), told));
        }
        LifecycleCommand::Set { bucket, file, confirm } => {
            let (path, shown) = at(&bucket);
            let mut order = order(&file)?;
            order["confirm"] = confirm.map_or(Value::Null, Value::from);
            let answer = session.client.put(&path, &order).await?;
            session.tell(&answer, |said| {
                let count = said["in_force"].as_array().map_or(0, Vec::len);
                format!(
                    "{count} rules are in force in {shown}; what is there is planned in the background\n  next:  barrow \
                     lifecycle status {shown}"
                )
            });
        }
        LifecycleCommand::Delete { bucket } => {
            let (path, shown) = at(&bucket);
            let answer = session.client.delete(&path).await?;
            session.tell(&answer, |said| match said["in_force"].as_array().map_or(0, Vec::len) {
                0 => format!("no rule is in force in {shown} any more"),
                count => format!("{count} rules of the header Policy-Lifecycle stay in force in {shown}"),
            });
        }
    }
    Ok(Exit::Done)
}

/// The configuration in a file: XML, or JSON.
fn order(file: &Path) -> Result<Value, Failed> {
    let bad = |why: String| Failed::Usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return Ok(json!({ "xml": text }));
    }
    let configuration: Value =
        serde_json::from_str(text).map_err(|error| bad(format!("it is neither XML nor JSON: {error}")))?;
    Ok(json!({ "configuration": configuration }))
}

fn said_text(bucket: &str, said: &Value) -> String {
    let lines = |name: &str| {
        let rules = said[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        rules.map(|rule| format!("\n  {rule}")).collect::<String>()
    };
    let mut text = match said["configuration"].is_null() {
        true => format!("S3 says nothing of the lifecycle of {bucket}."),
        false => format!("S3 says of the lifecycle of {bucket}:\n{:#}", said["configuration"]),
    };
    let policy = lines("policy");
    if !policy.is_empty() {
        text.push_str(&format!("\n\nSCSP's header Policy-Lifecycle says:{policy}"));
    }
    match said["holds"].as_bool() {
        None => {}
        Some(false) => {
            text.push_str("\n\nNothing of it is in force: the domain or the installation rules it out.")
        }
        Some(true) => text.push_str(&format!("\n\nIn force:{}", lines("in_force"))),
    }
    text
}

fn status(session: &Session<'_>, bucket: &str, said: &Value) -> String {
    let planning = &said["planning"];
    if planning.is_null() {
        return format!("the rules of {bucket} were never changed, and everything is planned by them");
    }
    let (looked, changed) = (field(planning, "looked"), field(planning, "changed"));
    match planning["pending"].as_bool() {
        Some(true) if planning["began_at"].is_null() => {
            format!("the rules of {bucket} were changed; task lifecycle has not begun to plan what is there")
        }
        Some(true) => format!(
            "planning {bucket} since {}: {looked} versions and uploads looked at, {changed} go at another time now; last step {}",
            when(planning, "began_at", session.now),
            when(planning, "stepped_at", session.now)
        ),
        _ => format!(
            "{bucket} was planned {}: {looked} versions and uploads looked at, {changed} go at another time since",
            when(planning, "ended_at", session.now)
        ),
    }
}

fn preview(session: &Session<'_>, (bucket, file): (&str, &Path), told: &Value) -> String {
    let mut table =
        Table::new(&["RULE", "UNTIL", "REMOVED", "BYTES", "HIDDEN", "BYTES", "MARKERS", "UPLOADS"]);
    for rule in told["rules"].as_array().into_iter().flatten() {
        for until in rule["goes"].as_array().into_iter().flatten() {
            table.row(vec![
                field(rule, "rule"),
                when(until, "until", session.now),
                field(until, "removed_objects"),
                size(until, "removed_bytes"),
                field(until, "hidden_objects"),
                size(until, "hidden_bytes"),
                field(until, "markers"),
                field(until, "uploads"),
            ]);
        }
    }
    let looked = field(told, "looked");
    let head = match told["rules"].as_array().is_none_or(Vec::is_empty) {
        true => format!("nothing would go of {looked} versions and uploads in {bucket}"),
        false => format!("{}\n\n{looked} versions and uploads in {bucket} were looked at", table.render()),
    };
    let newly = format!(
        "{} objects of {} within a day that stay otherwise",
        field(told, "newly_objects"),
        size(told, "newly_bytes")
    );
    let next = match told["confirm"].as_u64() {
        None => format!("barrow lifecycle set {bucket} {}", file.display()),
        Some(count) => format!("barrow lifecycle set {bucket} {} --confirm {count}", file.display()),
    };
    format!("{head}; nothing is changed\n{newly}\n  next:  {next}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_and_what_is_in_force_are_told_apart() {
        let said =
            json!({ "configuration": null, "policy": ["RuleId:\"a\""], "in_force": [], "holds": false });
        let text = said_text("b", &said);
        assert!(text.contains("S3 says nothing") && text.contains("RuleId:\"a\""), "{text}");
        assert!(text.contains("rules it out"), "{text}");
        let said = json!({ "configuration": { "Rules": [] }, "policy": [], "in_force": ["RuleId:\"r\""], "holds": true });
        let text = said_text("b", &said);
        assert!(text.contains("\"Rules\"") && text.ends_with("In force:\n  RuleId:\"r\""), "{text}");
    }
}
