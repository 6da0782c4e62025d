//! PUT, GET, HEAD and DELETE of small, middling and large objects, from few and many clients.

use super::{cell, content};
use crate::load::Load;
use crate::load::error::Failed;
use crate::load::server::Server;
use crate::load::table::Row;
use std::time::Duration;

/// Name, bytes, and how many to write at most: the disk is somebody's.
const SIZES: [(&str, usize, u64); 3] =
    [("1 KiB", 1 << 10, 100_000), ("64 KiB", 64 << 10, 4_000), ("4 MiB", 4 << 20, 96)];
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
    fn of(row: &Row) -> Self {
        Cost { cpu: row.cpu.unwrap_or_default(), rate: row.rate.unwrap_or_default() }
    }
}

/// Measures every size with every number of clients, each for at most `time`, in `bucket`, which exists.
///
/// # Errors
/// As [`crate::load::drive()`].
pub async fn run(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Objects, Failed> {
    let mut objects = Objects::default();
    for (name, size, most) in SIZES {
        for clients in CLIENTS {
            let found = size_and_clients(server, bucket, (name, size, most), clients, time, rows).await?;
            if clients == 64 && size == 1 << 10 {
                objects.small = found;
            } else if clients == 64 && size == 64 << 10 {
                objects.middling_puts = found.put.rate;
            }
        }
    }
    Ok(objects)
}

async fn size_and_clients(
    server: &Server,
    bucket: &str,
    (name, size, most): (&str, usize, u64),
    clients: usize,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Operations, Failed> {
    let prefix = format!("/{bucket}/k{size}-{clients}-");
    let door = &server.scsp;
    let load = |operations| Load { connections: clients, operations, time };

    let put = door.numbered("POST", &prefix).body(content(size));
    let (put, written) = cell(server, format!("PUT {name}"), &put, load(most)).await?;
    let get = door.numbered("GET", &prefix).cycling(written.asked);
    // Reading is not bounded by the disk, only by time; large answers by a fair number too.
    let (get, _) = cell(server, format!("GET {name}"), &get, load(most.saturating_mul(10))).await?;
    let head = door.numbered("HEAD", &prefix).cycling(written.asked);
    let (head, _) = cell(server, format!("HEAD {name}"), &head, load(u64::MAX)).await?;
    let delete = door.numbered("DELETE", &prefix);
    let (delete, _) = cell(server, format!("DELETE {name}"), &delete, load(written.asked)).await?;

    let costs = Operations {
        put: Cost::of(&put),
        get: Cost::of(&get),
        head: Cost::of(&head),
        delete: Cost::of(&delete),
    };
    rows.extend([put, get, head, delete]);
    Ok(costs)
}
