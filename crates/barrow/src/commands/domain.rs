//! `barrow domain`.

use super::Session;
use super::container::{self, Address};
use crate::cli::DomainCommand;
use crate::exit::{Exit, Failed};
use crate::output::field;
use serde_json::json;

pub(super) async fn run(session: &Session<'_>, command: DomainCommand) -> Result<Exit, Failed> {
    match command {
        DomainCommand::List { state, listing } => {
            container::list(session, "/v1/domains", state.as_deref(), &listing).await
        }
        DomainCommand::Create { domain } => {
            let answer = session.client.post("/v1/domains", &json!({ "name": domain })).await?;
            session
                .tell(&answer, |made| format!("made domain {} ({})", field(made, "name"), field(made, "id")));
            Ok(Exit::Done)
        }
        DomainCommand::Remove { domain, removal } => {
            container::remove(session, &Address::domain(&domain), removal).await
        }
        DomainCommand::Restore { domain, as_name, dry_run } => {
            container::restore(session, &Address::domain(&domain), as_name, dry_run).await
        }
        DomainCommand::Purge { domain, yes } => {
            container::purge(session, &Address::domain(&domain), yes).await
        }
    }
}
