//! PUT, GET, HEAD and DELETE of objects that the server names: unnamed and alias objects.
//!
//! What the server called an object is in its answer and nowhere else, so the load keeps it, 20 bytes for each.

use super::objects::{Cost, Operations, SMALL};
use super::{cell, content};
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use std::time::Duration;

pub(super) const CLIENTS: usize = 64;

/// The costs of each kind, 1 KiB from 64 clients.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kinds {
    /// Of unnamed objects.
    pub unnamed: Operations,
    /// Of alias objects.
    pub alias: Operations,
}

/// Measures both kinds, each operation for at most `time`.
///
/// # Errors
/// As [`crate::load::drive()`], and if the server does not tell what it called an object.
pub async fn run(server: &Server, time: Duration, rows: &mut Vec<Row>) -> Result<Kinds, Failed> {
    Ok(Kinds {
        unnamed: kind(server, "unnamed", "/", time, rows).await?,
        alias: kind(server, "alias", "/?alias=yes", time, rows).await?,
    })
}

async fn kind(
    server: &Server,
    kind: &str,
    target: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Operations, Failed> {
    let (name, size, most) = SMALL;
    let door = &server.scsp;
    let load = |operations| Load { connections: CLIENTS, operations, time };
    let what = |method: &str| format!("{method} {name}, {kind}");

    let put = door.same("POST", target).body(content(size)).naming("Content-UUID");
    let (put, mut written) = cell(server, what("PUT"), &put, load(most)).await?;
    let made = written.take_made();
    if made.is_empty() {
        let troubles = written.troubles().unwrap_or_else(|| "nothing was answered".to_owned());
        return Err(Failed::Load { doing: what("PUT"), troubles });
    }
    let count = made.len() as u64;
    // The same bounds as for named objects: what is compared must be alike.
    let get = door.by_uuid("GET", made.clone());
    let (get, _) = cell(server, what("GET"), &get, load(most.saturating_mul(10))).await?;
    let head = door.by_uuid("HEAD", made.clone());
    let (head, _) = cell(server, what("HEAD"), &head, load(u64::MAX)).await?;
    let delete = door.by_uuid("DELETE", made);
    let (delete, _) = cell(server, what("DELETE"), &delete, load(count)).await?;

    let costs = Operations {
        put: Cost::of(&put),
        get: Cost::of(&get),
        head: Cost::of(&head),
        delete: Cost::of(&delete),
    };
    rows.extend([put, get, head, delete]);
    Ok(costs)
}
