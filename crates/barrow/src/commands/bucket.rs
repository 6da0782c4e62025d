//! `barrow bucket`.

use super::Session;
use super::container::{self, Address, held};
use crate::cli::BucketCommand;
use crate::exit::{Exit, Failed};
use crate::output::{field, when};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: BucketCommand) -> Result<Exit, Failed> {
    let at = |bucket: &str| Address::bucket(session, bucket);
    match command {
        BucketCommand::List { domain, state, listing } => {
            let domain = domain.as_deref().unwrap_or(session.config.cluster.default_domain.as_str());
            let path = format!("{}/buckets", Address::domain(domain).path);
            container::list(session, &path, state.as_deref(), &listing).await
        }
        BucketCommand::Create { bucket } => create(session, &bucket).await,
        BucketCommand::Remove { bucket, removal } => container::remove(session, &at(&bucket), removal).await,
        BucketCommand::Restore { bucket, as_name, dry_run } => {
            container::restore(session, &at(&bucket), as_name, dry_run).await
        }
        BucketCommand::Purge { bucket, yes } => container::purge(session, &at(&bucket), yes).await,
        BucketCommand::Empty { bucket, reason } => empty(session, &at(&bucket), reason).await,
        BucketCommand::Grace { bucket, grace } => set_grace(session, &at(&bucket), &grace).await,
    }
}

async fn create(session: &Session<'_>, bucket: &str) -> Result<Exit, Failed> {
    let (domain, name) =
        bucket.split_once('/').unwrap_or((session.config.cluster.default_domain.as_str(), bucket));
    let path = format!("{}/buckets", Address::domain(domain).path);
    let answer = session.client.post(&path, &json!({ "name": name })).await?;
    session.tell(&answer, |made| format!("made bucket {domain}/{name} ({})", field(made, "id")));
    Ok(Exit::Done)
}

async fn empty(session: &Session<'_>, address: &Address, reason: Option<String>) -> Result<Exit, Failed> {
    let order = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let answer = session.client.post(&format!("{}/empty", address.path), &order).await?;
    session.tell(&answer, |out| {
        let (bucket, left) = (&address.shown, when(out, "purge_after", session.now));
        format!(
            "emptied bucket {bucket} of {}; purged {left}\nuntil then: barrow trash restore {bucket} --contents {}",
            held(out),
            field(out, "contents")
        )
    });
    Ok(Exit::Done)
}

async fn set_grace(session: &Session<'_>, address: &Address, grace: &str) -> Result<Exit, Failed> {
    let grace = if grace == "default" { Value::Null } else { grace.into() };
    let order = json!({ "object_delete_delay": grace });
    let answer = session.client.put(&format!("{}/grace", address.path), &order).await?;
    session.tell(&answer, |set| match set["object_delete_delay"].as_str() {
        Some(grace) => {
            format!("what is deleted in {} from now on can be restored for {grace}", address.shown)
        }
        None => {
            format!("what is deleted in {} from now on can be restored as long as elsewhere", address.shown)
        }
    });
    Ok(Exit::Done)
}
