//! `barrow seal`: what is forbidden in a bucket for good. Without options it tells what is.

use super::Session;
use super::container::Address;
use crate::cli::Seal;
use crate::confirm::confirm;
use crate::exit::{Exit, Failed};
use serde_json::{Map, Value};

pub(super) async fn run(session: &Session<'_>, what: Seal) -> Result<Exit, Failed> {
    let address = Address::bucket_in(session, what.domain.as_deref(), &what.bucket);
    let path = format!("{}/stream", address.path);
    let order = order(&what)?;
    let answer = match order.is_empty() {
        true => session.client.get(&path).await?,
        false => {
            if what.deny_delete || what.deny_purge || what.all {
                confirm(
                    what.yes,
                    &format!("forbidding this in bucket {} for good", address.shown),
                    &address.shown,
                )?;
            }
            session.client.put(&path, &Value::Object(order)).await?
        }
    };
    session.tell(&answer, |answer| told(&address.shown, answer));
    Ok(Exit::Done)
}

fn order(what: &Seal) -> Result<Map<String, Value>, Failed> {
    let mut order = Map::new();
    for (field, asked) in
        [("sealed", what.all), ("deny_delete", what.deny_delete), ("deny_purge", what.deny_purge)]
    {
        if asked {
            order.insert(field.to_owned(), true.into());
        }
    }
    if let Some(allowed) = what.allow_rollup {
        order.insert("allow_rollup".to_owned(), allowed.into());
    }
    if let Some(most) = &what.max_per_name {
        let value = match most.as_str() {
            "all" => Value::Null,
            most => match most.parse::<u32>() {
                Ok(most) if most > 0 => most.into(),
                Ok(_) | Err(_) => {
                    return Err(Failed::Usage(format!(
                        "--max-per-name cannot be {most:?}: allowed is a number from 1 on, or all"
                    )));
                }
            },
        };
        order.insert("max_per_name".to_owned(), value);
    }
    Ok(order)
}

fn told(bucket: &str, rules: &Value) -> String {
    let forbidden = match (&rules["sealed"], &rules["deny_delete"], &rules["deny_purge"]) {
        (Value::Bool(true), _, _) => "nothing changes any more",
        (_, Value::Bool(true), Value::Bool(true)) => "no version is deleted, and nothing is purged",
        (_, Value::Bool(true), _) => "no version is deleted",
        (_, _, Value::Bool(true)) => "nothing is purged",
        _ => "nothing is forbidden",
    };
    let kept = match rules["max_per_name"].as_u64() {
        Some(most) => format!("at most {most} versions of a name are kept, where versions are"),
        None => "all versions of a name are kept, where versions are".to_owned(),
    };
    let rolled = match rules["allow_rollup"] == true {
        true => "; a write may take what is older along",
        false => "",
    };
    format!("in {bucket} {forbidden}; {kept}{rolled}")
}
