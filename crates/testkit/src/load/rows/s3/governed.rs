//! What a policy and an access list cost a GET: the same object, in a bucket that has them and in one that has none.

use super::super::objects::Cost;
use crate::load::error::Failed;
use crate::load::rows::{cell_through, content};
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Door, Load};
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;

/// The processor time of a GET.
#[derive(Clone, Copy, Debug, Default)]
pub struct Governed {
    /// Where nothing decides on access but the key.
    pub free: Duration,
    /// Where a policy of ten statements and an access list do, too.
    pub governed: Duration,
}

const CLIENTS: usize = 64;
/// Both are measured so often, one after the other, and the cheapest of each is compared: the machine has other things to do.
const ROUNDS: usize = 3;

/// Reads one object of 1 KiB again and again from `bucket`-free and `bucket`-governed, which it creates.
///
/// # Errors
/// As [`crate::load::drive()`].
pub async fn run(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Governed, Failed> {
    let door = &server.s3;
    let (free, governed) = (format!("{bucket}-free"), format!("{bucket}-governed"));
    for name in [&free, &governed] {
        server.create_bucket(name).await?;
        door.ask(&door.same("PUT", &format!("/{name}/k")).body(content(1 << 10))).await?;
    }
    govern(door, &governed).await?;

    let load = Load { connections: CLIENTS, operations: u64::MAX, time };
    let mut best: [Option<Row>; 2] = [None, None];
    for _ in 0..ROUNDS {
        let buckets = [("no policy", &free), ("ten statements and an access list", &governed)];
        for (best, (what, name)) in best.iter_mut().zip(buckets) {
            let get = door.same("GET", &format!("/{name}/k"));
            let (row, measured) =
                cell_through(server, door, format!("GET 1 KiB, S3, {what}"), &get, load).await?;
            measured.flawless(&row.what)?;
            if best.as_ref().is_none_or(|best| row.cpu < best.cpu) {
                *best = Some(row);
            }
        }
    }
    let [free, governed] = best.map(|row| row.map(|row| (Cost::of(&row).cpu, row)));
    let mut found = Governed::default();
    for (side, measured) in [(&mut found.free, free), (&mut found.governed, governed)] {
        let Some((cpu, row)) = measured else { continue };
        *side = cpu;
        rows.push(row);
    }
    Ok(found)
}

/// Gives a bucket a policy of which every statement has to be looked at, and an access list of its own.
async fn govern(door: &Door, bucket: &str) -> Result<(), Failed> {
    let statements: Vec<_> = (0..10)
        .map(|number| {
            json!({
                "Sid": format!("s{number}"),
                "Effect": if number % 2 == 0 { "Deny" } else { "Allow" },
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                "Resource": [format!("arn:aws:s3:::{bucket}/private-{number}/*"), format!("arn:aws:s3:::{bucket}/*")],
                "Condition": {
                    "IpAddress": { "aws:SourceIp": format!("198.51.100.{number}/32") },
                    "StringLike": { "aws:Referer": "https://*.example.com/*" },
                },
            })
        })
        .collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    door.ask(&door.same("PUT", &format!("/{bucket}?policy")).body(Bytes::from(policy))).await?;
    let acl = door.ask(&door.same("GET", &format!("/{bucket}?acl"))).await?;
    let granted = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                   <URI>http://acs.amazonaws.com/groups/global/AuthenticatedUsers</URI></Grantee>\
                   <Permission>READ</Permission></Grant></AccessControlList>";
    let acl = String::from_utf8_lossy(&acl.body).replace("</AccessControlList>", granted);
    door.ask(&door.same("PUT", &format!("/{bucket}?acl")).body(Bytes::from(acl))).await.map(drop)
}
