//! `barrow why`: what became of a version.

use super::Session;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{field, size};

pub(super) async fn run(session: &Session<'_>, version: &str) -> Result<Exit, Failed> {
    let answer = session.client.get(&format!("/v1/versions/{}", encoded(version))).await?;
    session.tell(&answer, |why| {
        format!(
            "{}/{}/{} ({}, {}, written {})\n{}",
            field(why, "domain"),
            field(why, "bucket"),
            field(why, "name"),
            field(why, "state"),
            size(why, "size"),
            field(why, "created_at"),
            field(why, "answer")
        )
    });
    Ok(Exit::Done)
}
