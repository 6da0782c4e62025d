//! `barrow quota`.

use super::container::Address;
use super::{Session, account};
use crate::cli::{Holder, QuotaCommand};
use crate::config::size_in_bytes;
use crate::exit::{Exit, Failed};
use crate::output::{field, size};
use serde_json::{Value, json};

pub(super) async fn run(session: &Session<'_>, command: QuotaCommand) -> Result<Exit, Failed> {
    match command {
        QuotaCommand::Show(holder) => {
            let answer = session.client.get(&path(session, &holder)).await?;
            session.tell(&answer, standing);
        }
        QuotaCommand::Set { holder, objects, bytes, counting } => {
            let bytes = bytes.as_deref().map(read_bytes).transpose()?;
            let order = json!({ "objects": objects, "bytes": bytes, "counting": counting.as_str() });
            let answer = session.client.put(&path(session, &holder), &order).await?;
            session.tell(&answer, standing);
        }
        QuotaCommand::Clear(holder) => {
            let answer = session.client.delete(&path(session, &holder)).await?;
            session.tell(&answer, standing);
        }
    }
    Ok(Exit::Done)
}

fn path(session: &Session<'_>, holder: &Holder) -> String {
    let holds = match (&holder.bucket, &holder.account) {
        (_, Some(account)) => account::path(account),
        (bucket, None) => Address::bucket(session, bucket.as_deref().unwrap_or_default()).path,
    };
    format!("{holds}/quota")
}

fn read_bytes(text: &str) -> Result<u64, Failed> {
    let plain = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
    plain.or_else(|| size_in_bytes(text)).ok_or_else(|| {
        Failed::Usage(format!(
            "--bytes {text:?}: write a number of bytes, or one with its unit such as 10GiB"
        ))
    })
}

/// A quota in words.
pub(super) fn said(quota: &Value) -> String {
    if quota.is_null() {
        return "none".to_owned();
    }
    let mut words = Vec::new();
    if !quota["objects"].is_null() {
        words.push(format!("{} objects", field(quota, "objects")));
    }
    if !quota["bytes"].is_null() {
        words.push(size(quota, "bytes"));
    }
    match quota["counting"].as_str() {
        Some("live+removed") => format!("{}, what is removed included", words.join(", ")),
        _ => words.join(", "),
    }
}

fn standing(standing: &Value) -> String {
    let whose = match standing["account"].as_str() {
        Some(account) => format!("account {account}"),
        None => format!("bucket {}", field(standing, "bucket")),
    };
    let held = |what: &str| {
        format!("{} objects, {}", field(&standing[what], "objects"), size(&standing[what], "bytes"))
    };
    let above = if standing["exceeded"] == true {
        "\nIt holds more than it may: nothing is added until something went."
    } else {
        ""
    };
    format!(
        "quota of {whose}: {}\nused {}; live {}; removed {}{above}",
        said(&standing["quota"]),
        held("used"),
        held("live"),
        held("removed")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_unit_or_without() {
        assert_eq!(read_bytes("1024").ok(), Some(1024));
        assert_eq!(read_bytes("10GiB").ok(), Some(10 << 30));
        for bad in ["", "+1", "ten", "1G", "-1"] {
            assert!(read_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_quota_is_told_in_words() {
        assert_eq!(said(&Value::Null), "none");
        let quota = json!({ "objects": 5, "bytes": 1024, "counting": "live+removed" });
        assert_eq!(said(&quota), "5 objects, 1.0 KiB, what is removed included");
        assert_eq!(said(&json!({ "objects": null, "bytes": 7, "counting": "live" })), "7 B");
    }
}
