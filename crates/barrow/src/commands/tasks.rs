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
        Some(TasksCommand::Run { name, dry_run }) => {
            let target = format!("/v1/tasks/{}/run", encoded(&name));
            let answer = session.client.post(&target, &json!({ "dry_run": dry_run })).await?;
            session.tell(&answer, |run| {
                let how = if dry_run { "would do" } else { "did" };
                format!("{name} {how}: {:#}", run["report"])
            });
        }
    }
    Ok(Exit::Done)
}

fn table(session: &Session<'_>, answer: &Value) -> String {
    let mut table = Table::new(&["TASK", "LAST RUN", "NEXT RUN", "PURPOSE", "REPORT"]);
    for task in answer["tasks"].as_array().into_iter().flatten() {
        let purpose = field(task, "purpose");
        let report = field(task, "report");
        table.row(vec![
            field(task, "name"),
            when(task, "finished_at", session.now),
            when(task, "next_at", session.now),
            purpose,
            report,
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
