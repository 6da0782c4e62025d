//! PUT, GET, HEAD and DELETE of small, middling and large objects, from few and many clients.

use super::{cell, content, tell_throughput};
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use std::time::Duration;

/// Name, bytes, and how many to write at most: the disk is somebody's.
type Size = (&'static str, usize, u64);
pub(super) const SMALL: Size = ("1 KiB", 1 << 10, 100_000);
const MIDDLING: Size = ("64 KiB", 64 << 10, 4_000);
const LARGE: Size = ("4 MiB", 4 << 20, 96);
/// The last is the one the promises speak of.
const CLIENTS: [usize; 3] = [1, 16, 64];

/// What the promises speak of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Objects {
    /// 1 KiB from 64 clients.
    pub small: Operations,
    /// PUT of 64 KiB from 64 clients, per second.
    pub middling_puts: f64,
}

/// The costs of the four operations on one size from one number of clients.
#[derive(Clone, Copy, Debug, Default)]
pub struct Operations {
    /// Server processor time and rate of PUT.
    pub put: Cost,
    /// Of GET.
    pub get: Cost,
    /// Of HEAD.
    pub head: Cost,
    /// Of DELETE.
    pub delete: Cost,
}

/// What an operation costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// The server's processor time for one.
    pub cpu: Duration,
    /// How many a second.
    pub rate: f64,
}

impl Cost {
    pub(super) fn of(row: &Row) -> Self {
        Cost { cpu: row.cpu.unwrap_or_default(), rate: row.rate.unwrap_or_default() }
    }
}

/// Measures the smallest size with every number of clients, each for at most `time`, in `bucket`, which exists. Returns
/// the costs with the most clients.
///
/// # Errors
/// As [`crate::load::drive()`].
pub async fn small(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Operations, Failed> {
    let mut found = Operations::default();
    for clients in CLIENTS {
        found = size_and_clients(server, bucket, SMALL, clients, time, rows).await?;
    }
    Ok(found)
}

/// As [`small`] with the larger sizes. Returns how many of 64 KiB are written a second by the most clients.
///
/// # Errors
/// As [`crate::load::drive()`].
pub async fn larger(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<f64, Failed> {
    let mut middling_puts = 0.0;
    for clients in CLIENTS {
        middling_puts = size_and_clients(server, bucket, MIDDLING, clients, time, rows).await?.put.rate;
    }
    for clients in CLIENTS {
        size_and_clients(server, bucket, LARGE, clients, time, rows).await?;
    }
    Ok(middling_puts)
}

async fn size_and_clients(
    server: &Server,
    bucket: &str,
    (name, size, most): Size,
    clients: usize,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Operations, Failed> {
    let prefix = format!("/{bucket}/k{size}-{clients}-");
    let door = &server.scsp;
    let load = |operations| Load { connections: clients, operations, time };

    let put = door.numbered("POST", &prefix).body(content(size));
    let (mut put, written) = cell(server, format!("PUT {name}"), &put, load(most)).await?;
    let get = door.numbered("GET", &prefix).cycling(written.asked);
    // Reading is not bounded by the disk, only by time; large answers by a fair number too.
    let (mut get, _) = cell(server, format!("GET {name}"), &get, load(most.saturating_mul(10))).await?;
    let head = door.numbered("HEAD", &prefix).cycling(written.asked);
    let (head, _) = cell(server, format!("HEAD {name}"), &head, load(u64::MAX)).await?;
    let delete = door.numbered("DELETE", &prefix);
    let (delete, _) = cell(server, format!("DELETE {name}"), &delete, load(written.asked)).await?;

    if size > SMALL.1 {
        tell_throughput(&mut put, size as u64);
        tell_throughput(&mut get, size as u64);
    }
    let costs = Operations {
        put: Cost::of(&put),
        get: Cost::of(&get),
        head: Cost::of(&head),
        delete: Cost::of(&delete),
    };
    rows.extend([put, get, head, delete]);
    Ok(costs)
}
