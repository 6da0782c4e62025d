//! PUT, GET, HEAD and DELETE through S3. A body is signed as SDKs do it without TLS; and not, as with TLS.

use super::expect_bytes;
use crate::load::error::Failed;
use crate::load::rows::objects::{Cost, Operations, SMALL};
use crate::load::rows::{cell_through, content, tell_throughput};
use crate::load::server::Server;
use crate::load::table::Row;
use crate::load::{Load, Measured};
use std::time::Duration;

/// The last is the one the promises speak of.
const CLIENTS: [usize; 2] = [1, 64];
/// Name, bytes, clients, and how many to write at most.
const LARGER: [(&str, usize, usize, u64); 2] = [("64 KiB", 64 << 10, 64, 4_000), ("4 MiB", 4 << 20, 16, 96)];
/// Name, bytes, clients.
const LARGEST: (&str, usize, usize) = ("64 MiB", 64 << 20, 4);

/// Measures 1 KiB in `bucket`, which exists, each operation for at most `time`. Returns the costs with the most
/// clients.
///
/// # Errors
/// As [`crate::load::drive()`], and if a GET answers anything but 1 KiB.
pub async fn small(
    server: &Server,
    bucket: &str,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<Operations, Failed> {
    let (name, size, most) = SMALL;
    let mut found = Operations::default();
    for clients in CLIENTS {
        let mut cells = Cells { server, bucket, name, size, clients, time, rows };
        let (put, written) = cells.put(true, most).await?;
        cells.put(false, most).await?;
        // The same bounds as through SCSP: what is compared must be alike.
        let get = cells.get(written, most.saturating_mul(10)).await?;
        let head = cells.other("HEAD", written, u64::MAX).await?;
        let delete = cells.other("DELETE", written, written).await?;
        found = Operations { put, get, head, delete };
    }
    Ok(found)
}

/// Measures larger sizes, the largest of which is written at most `largest` times.
///
/// # Errors
/// As [`small`].
pub async fn larger(
    server: &Server,
    bucket: &str,
    largest: u64,
    time: Duration,
    rows: &mut Vec<Row>,
) -> Result<(), Failed> {
    let (name, size, clients) = LARGEST;
    for (name, size, clients, most) in LARGER.into_iter().chain([(name, size, clients, largest)]) {
        let mut cells = Cells { server, bucket, name, size, clients, time, rows };
        let (_, written) = cells.put(true, most).await?;
        cells.put(false, most).await?;
        cells.get(written, most.saturating_mul(10)).await?;
        cells.other("HEAD", written, u64::MAX).await?;
        cells.other("DELETE", written, written).await?;
    }
    Ok(())
}

/// One size from one number of clients.
struct Cells<'a> {
    server: &'a Server,
    bucket: &'a str,
    name: &'a str,
    size: usize,
    clients: usize,
    time: Duration,
    rows: &'a mut Vec<Row>,
}

impl Cells<'_> {
    /// Returns how many numbers were used as well.
    async fn put(&mut self, signed: bool, most: u64) -> Result<(Cost, u64), Failed> {
        let name = self.name;
        let (prefix, what) = match signed {
            true => (self.prefix(), format!("PUT {name}, S3")),
            false => (format!("{}u-", self.prefix()), format!("PUT {name}, S3, UNSIGNED-PAYLOAD")),
        };
        let put = self.server.s3.numbered("PUT", &prefix).body(content(self.size));
        let put = if signed { put } else { put.unsigned_payload() };
        let (cost, measured) = self.cell(what, &put, self.load(most)).await?;
        self.tell_bytes();
        Ok((cost, measured.asked))
    }

    async fn get(&mut self, written: u64, most: u64) -> Result<Cost, Failed> {
        let what = format!("GET {}, S3", self.name);
        let get = self.server.s3.numbered("GET", &self.prefix()).cycling(written);
        let (cost, measured) = self.cell(what.clone(), &get, self.load(most)).await?;
        self.tell_bytes();
        expect_bytes(&what, &measured, self.size as u64)?;
        Ok(cost)
    }

    async fn other(&mut self, method: &str, written: u64, most: u64) -> Result<Cost, Failed> {
        let requests = self.server.s3.numbered(method, &self.prefix()).cycling(written);
        Ok(self.cell(format!("{method} {}, S3", self.name), &requests, self.load(most)).await?.0)
    }

    async fn cell(
        &mut self,
        what: String,
        requests: &crate::load::Requests,
        load: Load,
    ) -> Result<(Cost, Measured), Failed> {
        let (row, measured) = cell_through(self.server, &self.server.s3, what, requests, load).await?;
        let cost = Cost::of(&row);
        self.rows.push(row);
        Ok((cost, measured))
    }

    /// The last row is of bodies: large ones are told in MiB.
    fn tell_bytes(&mut self) {
        let size = self.size;
        if let Some(row) = self.rows.last_mut().filter(|_| size > SMALL.1) {
            tell_throughput(row, size as u64);
        }
    }

    fn prefix(&self) -> String {
        format!("/{}/s3-{}-{}-", self.bucket, self.size, self.clients)
    }

    fn load(&self, operations: u64) -> Load {
        Load { connections: self.clients, operations, time: self.time }
    }
}
