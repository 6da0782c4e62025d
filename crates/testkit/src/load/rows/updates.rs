//! Changing named objects: other headers, more content, other content.

use super::kinds::CLIENTS;
use super::objects::SMALL;
use super::{cell, content};
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, drive};
use std::time::Duration;

/// Writes objects of 1 KiB for `time` into `bucket`, which it creates, and changes them in every way, each for at most
/// `time`.
///
/// # Errors
/// As [`drive`], and if not every object could be written.
pub async fn run(server: &Server, bucket: &str, time: Duration, rows: &mut Vec<Row>) -> Result<(), Failed> {
    let (name, size, most) = SMALL;
    let door = &server.scsp;
    let prefix = format!("/{bucket}/k");
    let load = |operations| Load { connections: CLIENTS, operations, time };
    server.create_bucket(bucket).await?;
    let put = door.numbered("POST", &prefix).body(content(size));
    let written = drive(door, &put, load(most)).await?.flawless("writing what is to be changed")?.asked;

    let copy = door.numbered("COPY", &prefix).field("X-Bench-Meta-Change", "yes").cycling(written);
    rows.push(cell(server, format!("COPY {name}, other headers"), &copy, load(most)).await?.0);
    // Each object once: a second time it would no longer be one of 1 KiB.
    let append = door.numbered("APPEND", &prefix).body(content(size));
    rows.push(cell(server, format!("APPEND {name} to {name}"), &append, load(written)).await?.0);
    let over = door.numbered("PUT", &prefix).body(content(size)).cycling(written);
    rows.push(cell(server, format!("PUT {name} over a name"), &over, load(most)).await?.0);
    Ok(())
}
