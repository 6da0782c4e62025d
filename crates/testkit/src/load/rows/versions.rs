//! Writing, reading and deleting where every version is kept.

use super::kinds::CLIENTS;
use super::objects::SMALL;
use super::{cell, content};
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use std::time::Duration;

/// Writes, overwrites, reads by version and hides objects of 1 KiB in `bucket`, which it creates, each for at most
/// `time`.
///
/// # Errors
/// As [`crate::load::drive()`], and if the server does not tell the versions or does not keep them.
pub async fn run(server: &Server, bucket: &str, time: Duration, rows: &mut Vec<Row>) -> Result<(), Failed> {
    let (name, size, most) = SMALL;
    let door = &server.scsp;
    let prefix = format!("/{bucket}/k");
    let load = |operations| Load { connections: CLIENTS, operations, time };
    server.create_versioned_bucket(bucket).await?;

    let put = door.numbered("POST", &prefix).body(content(size)).naming("ETag");
    let (row, mut written) = cell(server, format!("PUT {name}, versioned"), &put, load(most)).await?;
    rows.push(row);
    let first = written.take_made();
    let written = written.flawless("writing first versions")?.asked;
    let put = door.numbered("PUT", &prefix).body(content(size)).cycling(written);
    rows.push(cell(server, format!("PUT {name}, versioned, over a name"), &put, load(most)).await?.0);

    // The version below the current one, as far as the overwriting came.
    let get = door.by_version("GET", &prefix, first);
    let read = door.ask(&get).await?;
    if read.body.len() != size {
        let body = format!("{} bytes instead of {size}", read.body.len());
        return Err(Failed::Answer { doing: "reading a version".to_owned(), status: read.status, body });
    }
    let get_load = load(most.saturating_mul(10));
    rows.push(cell(server, format!("GET {name}, ?version="), &get, get_load).await?.0);

    // Each name once: only the first DELETE adds a marker.
    let delete = door.numbered("DELETE", &prefix);
    rows.push(cell(server, format!("DELETE {name}, versioned (marker)"), &delete, load(written)).await?.0);
    let hidden = door.ask_anyway(&delete).await?;
    if hidden.header("Castor-System-Delete-Marker-Etag").is_none() {
        let body = "the answer tells no delete marker".to_owned();
        return Err(Failed::Answer { doing: format!("deleting in {bucket}"), status: hidden.status, body });
    }
    Ok(())
}
