//! `barrow check`.

use super::Session;
use crate::exit::{Exit, Failed};
use crate::output::field;

pub(super) async fn run(session: &Session<'_>, blobs: bool) -> Result<Exit, Failed> {
    let answer = session.client.get(&format!("/v1/check?blobs={blobs}")).await?;
    session.tell(&answer, |found| {
        let mut lines = Vec::new();
        for violation in found["violations"].as_array().into_iter().flatten() {
            lines.push(format!("{}: {}", field(violation, "rule"), field(violation, "finding")));
        }
        lines.push(format!(
            "{} violations in {} versions; {} blobs looked for",
            field(found, "violations_found"),
            field(found, "versions_checked"),
            field(found, "blobs_looked_for")
        ));
        lines.join("\n")
    });
    Ok(if answer["violations_found"].as_u64() == Some(0) { Exit::Done } else { Exit::Violations })
}
