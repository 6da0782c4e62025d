//! `barrow key`.

use super::{Session, account};
use crate::cli::{Given, KeyCommand};
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{Table, field, when};
use serde_json::{Value, json};
use std::io::BufRead;

pub(super) async fn run(session: &Session<'_>, command: KeyCommand) -> Result<Exit, Failed> {
    match command {
        KeyCommand::Create { rights, label, account, domain, bucket, expires_in, given } => {
            let (domain, bucket) = scope(session, domain, bucket);
            let (access_key, secret_key) = read(given)?;
            let order = json!({
                "rights": rights, "label": label, "account": account, "domain": domain, "bucket": bucket,
                "expires_in": expires_in, "access_key": access_key, "secret_key": secret_key,
            });
            let answer = session.client.post("/v1/keys", &order).await?;
            session.tell(&answer, shown_once);
        }
        KeyCommand::List { account: None } => {
            let answer = session.client.get("/v1/keys").await?;
            session.tell(&answer, |keys| table(session, keys));
        }
        KeyCommand::List { account: Some(account) } => {
            let answer = session.client.get(&format!("{}/keys", account::path(&account))).await?;
            session.tell(&answer, |keys| table(session, keys));
        }
        KeyCommand::Rotate { id, old_expires_in, expires_in, given } => {
            let (access_key, secret_key) = read(given)?;
            let order = json!({
                "old_expires_in": old_expires_in, "expires_in": expires_in, "access_key": access_key,
                "secret_key": secret_key,
            });
            let answer = session.client.post(&format!("{}/rotate", path(&id)), &order).await?;
            session.tell(&answer, |new| {
                let old = match new["old"]["standing"].as_str() {
                    Some("valid") => format!("ends {}", when(&new["old"], "expires_at", session.now)),
                    _ => field(&new["old"], "standing"),
                };
                format!("{}\nthe old key {id}: {old}", shown_once(new))
            });
        }
        KeyCommand::Disable { id } => {
            let answer = session.client.post(&format!("{}/disable", path(&id)), &json!({})).await?;
            session.tell(&answer, |key| {
                let id = field(key, "id");
                format!("{id} is refused\nuntil: barrow key enable {id}")
            });
        }
        KeyCommand::Enable { id } => {
            let answer = session.client.post(&format!("{}/enable", path(&id)), &json!({})).await?;
            session.tell(&answer, |key| format!("{}: {}", field(key, "id"), field(key, "standing")));
        }
        KeyCommand::Expire { id, after } => {
            let answer =
                session.client.post(&format!("{}/expire", path(&id)), &json!({ "after": after })).await?;
            session.tell(&answer, |key| {
                format!("{} ends {}", field(key, "id"), when(key, "expires_at", session.now))
            });
        }
        KeyCommand::Revoke { id } => {
            let answer = session.client.post(&format!("{}/revoke", path(&id)), &json!({})).await?;
            session.tell(&answer, |key| format!("revoked {}", field(key, "id")));
        }
    }
    Ok(Exit::Done)
}

fn path(id: &str) -> String {
    format!("/v1/keys/{}", encoded(id))
}

fn shown_once(key: &Value) -> String {
    let (id, secret) = (field(key, "id"), field(key, "secret"));
    format!("key:    {id}\nsecret: {secret}\nThe secret is not shown again.")
}

/// A key and its secret, where they are given.
fn read(given: Given) -> Result<(Option<String>, Option<String>), Failed> {
    let secret = match given.secret_key.as_deref() {
        Some("-") => {
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            read.map_err(|error| Failed::Usage(format!("--secret-key -: standard input: {error}")))?;
            Some(line.trim_end_matches(['\r', '\n']).to_owned())
        }
        _ => given.secret_key,
    };
    Ok((given.access_key, secret))
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

pub(super) fn table(session: &Session<'_>, keys: &Value) -> String {
    let mut table =
        Table::new(&["KEY", "LABEL", "ACCOUNT", "RIGHTS", "VALID", "DOMAIN", "BUCKET", "CREATED", "EXPIRES"]);
    for key in keys["items"].as_array().into_iter().flatten() {
        let valid = match key["standing"].as_str() {
            Some("valid") => "yes",
            Some(standing) => standing,
            None => "-",
        };
        table.row(vec![
            field(key, "id"),
            field(key, "label"),
            field(key, "account"),
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
