//! `barrow tasks`.

use super::Session;
use crate::cli::TasksCommand;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, when};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: Option<TasksCommand>) -> Result<Exit, Failed> {
    match command {
        None => {
            let answer = session.client.get("/v1/tasks").await?;
            session.tell(&answer, |tasks| table(session, tasks));
        }
        Some(TasksCommand::Run { name, dry_run, destroy }) => {
            let target = format!("/v1/tasks/{}/run", encoded(&name));
            let answer =
                session.client.post(&target, &json!({ "dry_run": dry_run, "destroy": destroy })).await?;
            session.tell(&answer, |run| {
                let how = if dry_run { "would do" } else { "did" };
                format!("{name} {how}: {:#}", run["report"])
            });
        }
    }
    Ok(Exit::Done)
}

fn table(session: &Session<'_>, answer: &Value) -> String {
    let mut table = Table::new(&["TASK", "LAST RUN", "NEXT RUN", "DID", "PURPOSE"]);
    for task in answer["tasks"].as_array().into_iter().flatten() {
        table.row(vec![
            field(task, "name"),
            when(task, "finished_at", session.now),
            when(task, "next_at", session.now),
            did(&task["report"]),
            field(task, "purpose"),
        ]);
    }
    let mut text = table.render();
    let halted = &answer["halted"];
    if halted.is_object() {
        text.push_str(&format!(
            "\n\nPurging is halted since {}: {}\n  next:  barrow resume",
            field(halted, "at"),
            field(halted, "reason")
        ));
    }
    text
}

/// What a report counts, without what it counts none of.
fn did(report: &Value) -> String {
    let fields = report.as_object().into_iter().flatten();
    let counted = fields.filter(|(_, value)| value.as_u64().is_some_and(|count| count > 0));
    let counted: Vec<String> = counted.map(|(name, count)| format!("{name} {count}")).collect();
    match report["failed"].as_str() {
        Some(why) => format!("failed: {why}"),
        None if counted.is_empty() => "-".to_owned(),
        None => counted.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_by_what_it_counts() {
        assert_eq!(
            did(&json!({ "purged": 3, "bytes": 12, "lapsed": 0, "halted": null })),
            "bytes 12, purged 3"
        );
        assert_eq!(did(&json!({ "purged": 0 })), "-");
        assert_eq!(did(&Value::Null), "-");
        assert_eq!(did(&json!({ "purged": 3, "failed": "the disk is gone" })), "failed: the disk is gone");
    }
}
