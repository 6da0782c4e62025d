//! Listings of 1,000 rows: with many times as many dead rows around them, with folders, and of versions.

use super::{cell, content, fill};
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, Requests, drive};
use serde_json::Value;
use std::time::Duration;

/// How many objects live beside the dead ones: a page.
pub(super) const LIVE: u64 = 1_000;
/// How often one page is asked for at most.
pub(super) const PAGES: u64 = 2_000;
/// Names with two versions and a marker each: more than a page.
const HIDDEN: u64 = 500;

/// Lists the 1,000 objects of `bucket` that are left of `count`, evenly spread, from one client for at most `time`.
/// Returns the listing's p99.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the listing does not hold exactly what lives.
pub async fn run(
    server: &Server,
    bucket: &str,
    count: u64,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    let list = server.scsp.same("GET", &format!("/{bucket}?format=json&size={LIVE}"));
    expect(server, bucket, &list, LIVE.min(count), "name").await?;
    let what = format!("list 1,000 names beside {} deleted", count.saturating_sub(LIVE));
    measure(server, what, &list, time, rows).await
}

/// Fills `bucket`, which it creates, with 1,000 folders of `inside` objects each and lists the folders. Returns the
/// listing's p99.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the listing does not hold every folder once.
pub async fn folders(
    server: &Server,
    bucket: &str,
    inside: u64,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    server.create_bucket(bucket).await?;
    for object in 0..inside {
        let put = server.scsp.numbered("POST", &format!("/{bucket}/d")).ending(&format!("/{object}"));
        let load = Load::all(64, LIVE);
        drive(&server.scsp, &put.body(content(16)), load).await?.flawless("filling folders")?;
    }
    let list = server.scsp.same("GET", &format!("/{bucket}?format=json&delimiter=/&size={LIVE}"));
    expect(server, bucket, &list, LIVE, "subdir").await?;
    measure(server, format!("list 1,000 folders of {inside}, delimiter"), &list, time, rows).await
}

/// Fills `bucket`, which it creates, with versions that delete markers hide and lists a page of both. Returns the
/// listing's p99.
///
/// # Errors
/// [`Failed`] if the server refuses, or if the page is not full or shows no marker.
pub async fn versions(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    server.create_versioned_bucket(bucket).await?;
    for _ in 0..2 {
        fill(&server.scsp, bucket, HIDDEN, 16).await?;
    }
    let delete = server.scsp.numbered("DELETE", &format!("/{bucket}/k"));
    drive(&server.scsp, &delete, Load::all(64, HIDDEN)).await?.flawless("hiding versions")?;
    let list = server.scsp.same("GET", &format!("/{bucket}?format=json&versions&size={LIVE}"));
    expect(server, bucket, &list, LIVE, "delete_marker").await?;
    measure(server, "list 1,000 versions beside markers".to_owned(), &list, time, rows).await
}

async fn measure(
    server: &Server,
    what: String,
    list: &Requests,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Duration, Failed> {
    let load = Load { connections: 1, operations: PAGES, time };
    let (row, measured) = cell(server, what, list, load).await?;
    rows.push(row);
    Ok(measured.percentile(99))
}

/// A page that is fast because it lacks something would be worth nothing: it must have so many rows, and one of them
/// at least with something in this column.
async fn expect(
    server: &Server,
    bucket: &str,
    list: &Requests,
    count: u64,
    column: &str,
) -> Result<(), Failed> {
    let answer = server.scsp.ask(list).await?;
    match wrong(&answer.body, count, column) {
        None => Ok(()),
        Some(body) => Err(Failed::Answer { doing: format!("listing {bucket}"), status: answer.status, body }),
    }
}

/// What is wrong with a page, if anything.
fn wrong(page: &[u8], count: u64, column: &str) -> Option<String> {
    let Ok(Value::Array(rows)) = serde_json::from_slice(page) else {
        return Some("no JSON array".to_owned());
    };
    if rows.len() as u64 != count {
        return Some(format!("{} rows instead of {count}", rows.len()));
    }
    let says = |row: &Value| !matches!(row.get(column), None | Some(Value::Null | Value::Bool(false)));
    (count > 0 && !rows.iter().any(says)).then(|| format!("no row has a {column}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_believed_only_if_it_is_whole_and_of_its_kind() {
        let page = br#"[{"name":"a","delete_marker":false},{"name":"b","delete_marker":true}]"#;
        assert_eq!(wrong(page, 2, "delete_marker"), None);
        assert_eq!(wrong(page, 3, "name").as_deref(), Some("2 rows instead of 3"));
        assert_eq!(wrong(page, 2, "subdir").as_deref(), Some("no row has a subdir"));
        assert_eq!(wrong(b"<rows/>", 0, "name").as_deref(), Some("no JSON array"));
        assert_eq!(wrong(b"[]", 0, "name"), None);
    }
}
