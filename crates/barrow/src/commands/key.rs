//! `barrow key`.

use super::Session;
use crate::cli::KeyCommand;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, when};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: KeyCommand) -> Result<Exit, Failed> {
    match command {
        KeyCommand::Create { rights, label, domain, bucket, expires_in } => {
            let (domain, bucket) = scope(session, domain, bucket);
            let order = json!({
                "rights": rights, "label": label, "domain": domain, "bucket": bucket, "expires_in": expires_in,
            });
            let answer = session.client.post("/v1/keys", &order).await?;
            session.tell(&answer, |key| {
                let (id, secret) = (field(key, "id"), field(key, "secret"));
                format!("key:    {id}\nsecret: {secret}\nThe secret is not shown again.")
            });
        }
        KeyCommand::List => {
            let answer = session.client.get("/v1/keys").await?;
            session.tell(&answer, |keys| table(session, keys));
        }
        KeyCommand::Revoke { id } => {
            let answer =
                session.client.post(&format!("/v1/keys/{}/revoke", encoded(&id)), &json!({})).await?;
            session.tell(&answer, |key| format!("revoked {}", field(key, "id")));
        }
    }
    Ok(Exit::Done)
}

/// The domain and bucket that a key is for: a bucket brings its domain along.
fn scope(
    session: &Session<'_>,
    domain: Option<String>,
    bucket: Option<String>,
) -> (Option<String>, Option<String>) {
    match (domain, bucket) {
        (None, Some(bucket)) => {
            let default = session.config.cluster.default_domain.as_str();
            let (domain, bucket) = bucket.split_once('/').unwrap_or((default, &bucket));
            (Some(domain.to_owned()), Some(bucket.to_owned()))
        }
        both => both,
    }
}

fn table(session: &Session<'_>, keys: &Value) -> String {
    let mut table =
        Table::new(&["KEY", "LABEL", "RIGHTS", "VALID", "DOMAIN", "BUCKET", "CREATED", "EXPIRES"]);
    for key in keys["items"].as_array().into_iter().flatten() {
        let valid = match (key["valid"].as_bool(), key["revoked_at"].is_null()) {
            (Some(true), _) => "yes",
            (_, false) => "revoked",
            _ => "expired",
        };
        table.row(vec![
            field(key, "id"),
            field(key, "label"),
            field(key, "rights"),
            valid.to_owned(),
            field(key, "domain_id"),
            field(key, "bucket_id"),
            when(key, "created_at", session.now),
            when(key, "expires_at", session.now),
        ]);
    }
    table.render()
}
