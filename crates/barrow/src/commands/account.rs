//! `barrow account`.

use super::container::{held, told_of_more};
use super::{Session, key, quota};
use crate::cli::AccountCommand;
use crate::client::encoded;
use crate::exit::{Exit, Failed};
use crate::output::{self, Table, field, say, when};
use serde_json::{Value, json};

/// Where an account is at the admin door.
pub(super) fn path(account: &str) -> String {
    format!("/v1/accounts/{}", encoded(account))
}

pub(super) async fn run(session: &Session<'_>, command: AccountCommand) -> Result<Exit, Failed> {
    match command {
        AccountCommand::Create { name, display_name, email } => {
            let order = json!({ "name": name, "display_name": display_name, "email": email });
            let answer = session.client.post("/v1/accounts", &order).await?;
            session.tell(&answer, |made| {
                let (name, id) = (field(made, "name"), field(made, "id"));
                format!("made account {name} ({id})\nits first key: barrow key create --account {name}")
            });
        }
        AccountCommand::List { listing } => {
            let target = format!("/v1/accounts?prefix={}", encoded(&listing.prefix));
            let (items, more) = session.client.list(&target, listing.limit).await?;
            match session.json {
                true => output::json(&json!({ "items": items, "more": more })),
                false => {
                    say(&table(session, &items));
                    told_of_more(more);
                }
            }
        }
        AccountCommand::Show { account } => show(session, &path(&account)).await?,
        AccountCommand::Rename { account, name, display_name, email } => {
            let mut change = json!({ "name": name, "display_name": display_name });
            if let Some(email) = email {
                change["email"] = if email.is_empty() { Value::Null } else { email.into() };
            }
            let answer = session.client.patch(&path(&account), &change).await?;
            session.tell(&answer, |account| {
                let (name, shown) = (field(account, "name"), field(account, "display_name"));
                format!("account {} is {name} now, shown as {shown}", field(account, "id"))
            });
        }
        AccountCommand::Disable { account } => set_disabled(session, &account, true).await?,
        AccountCommand::Enable { account } => set_disabled(session, &account, false).await?,
        AccountCommand::Delete { account } => {
            let answer = session.client.delete(&path(&account)).await?;
            session.tell(&answer, |deleted| {
                format!("deleted account {account} ({})", field(deleted, "deleted"))
            });
        }
    }
    Ok(Exit::Done)
}

async fn set_disabled(session: &Session<'_>, account: &str, disabled: bool) -> Result<(), Failed> {
    let answer = session.client.patch(&path(account), &json!({ "disabled": disabled })).await?;
    session.tell(&answer, |account| {
        let name = field(account, "name");
        match disabled {
            true => format!("the keys of account {name} are refused\nuntil: barrow account enable {name}"),
            false => format!("the keys of account {name} are accepted"),
        }
    });
    Ok(())
}

/// The account, its keys and what it holds: three answers, of which machines are given all.
async fn show(session: &Session<'_>, path: &str) -> Result<(), Failed> {
    let account = session.client.get(path).await?;
    let keys = session.client.get(&format!("{path}/keys")).await?;
    let standing = session.client.get(&format!("{path}/quota")).await?;
    let all = json!({ "account": account, "keys": keys["items"], "quota": standing });
    session.tell(&all, |all| {
        let account = &all["account"];
        let mut lines: Vec<String> = [
            ("name", field(account, "name")),
            ("id", field(account, "id")),
            ("shown as", field(account, "display_name")),
            ("email", field(account, "email")),
            ("made", when(account, "created_at", session.now)),
            ("disabled", when(account, "disabled_at", session.now)),
            ("holds", held(&all["quota"]["live"])),
            ("quota", quota::said(&all["quota"]["quota"])),
        ]
        .map(|(what, value)| format!("{what:<9} {value}"))
        .to_vec();
        lines.push(key::table(session, &json!({ "items": all["keys"] })));
        lines.join("\n")
    });
    Ok(())
}

fn table(session: &Session<'_>, accounts: &[Value]) -> String {
    let mut table = Table::new(&["NAME", "SHOWN AS", "EMAIL", "CREATED", "DISABLED", "ID"]);
    for account in accounts {
        table.row(vec![
            field(account, "name"),
            field(account, "display_name"),
            field(account, "email"),
            when(account, "created_at", session.now),
            when(account, "disabled_at", session.now),
            field(account, "id"),
        ]);
    }
    table.render()
}
