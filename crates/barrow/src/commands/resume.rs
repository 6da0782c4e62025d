//! `barrow resume`: an operator has looked, purging goes on.

use super::Session;
use crate::exit::{Exit, Failed};
use crate::output::{field, when};
use serde_json::json;

pub(super) async fn run(session: &Session<'_>, release: &str) -> Result<Exit, Failed> {
    let answer = session.client.post("/v1/resume", &json!({ "release": release })).await?;
    session.tell(&answer, |resumed| {
        let was = match resumed["was_halted"].is_object() {
            true => format!("it was halted: {}", field(&resumed["was_halted"], "reason")),
            false => "it was not halted".to_owned(),
        };
        format!(
            "purging goes on ({was}); the brake is back {}",
            when(resumed, "brake_released_until", session.now)
        )
    });
    Ok(Exit::Done)
}
