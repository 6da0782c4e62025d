//! Three members on one Postgres: what the barrier takes, what three gateways bring that one does not, and what membership
//! costs a member that has nothing to do.

use super::content;
use crate::load::error::Failed;
use crate::load::now;
use crate::load::server::{Server, Setup};
use crate::load::table::Row;
use crate::load::{Door, Load, Measured, drive};
use bytes::Bytes;
use std::time::Duration;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cluster {
    /// Purges that found everybody ready, of how many.
    pub at_once: (usize, usize),
    /// All but one in a hundred of them took less.
    pub purge_p99: Duration,
    /// PUT and DELETE a second through one gateway, and through three.
    pub puts: (f64, f64),
    /// As `puts`.
    pub deletes: (f64, f64),
}

/// As many clients as in the rows of one gateway.
const CLIENTS: usize = 63;
/// How long an idle member is watched.
const IDLE: Duration = Duration::from_secs(6);

/// Adds two members to `first`, which `setup` describes, and measures.
///
/// # Errors
/// [`Failed`] if a server does not start or refuses.
pub async fn run(
    setup: &Setup,
    first: &Server,
    name: &str,
    (rounds, time): (usize, Duration),
    rows: &mut Vec<Row>,
) -> Result<Cluster, Failed> {
    let second = setup.another("second")?.start().await?;
    let third = setup.another("third")?.start().await?;
    let servers = [first, &second, &third];
    let mut found = Cluster::default();
    idle(&third, rows).await?;
    purges(servers, name, rounds, &mut found, rows).await?;
    throughput(servers, name, time, &mut found, rows).await?;
    second.stop().await?;
    third.stop().await?;
    Ok(found)
}

/// What a member without work costs: heartbeats, and the timers of its tasks.
async fn idle(server: &Server, rows: &mut Vec<Row>) -> Result<(), Failed> {
    let before = server.process.cpu()?;
    tokio::time::sleep(IDLE).await;
    let used = server.process.cpu()?.saturating_sub(before);
    rows.push(Row {
        what: "an idle member, a second".to_owned(),
        cpu: Some(used / u32::try_from(IDLE.as_secs()).unwrap_or(1)),
        ..Row::default()
    });
    Ok(())
}

/// Makes a bucket at one member, fills it at another, removes it at the third and purges it at the first.
async fn purges(
    servers: [&Server; 3],
    name: &str,
    rounds: usize,
    found: &mut Cluster,
    rows: &mut Vec<Row>,
) -> Result<(), Failed> {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let bucket = format!("{name}-purge-{round}");
        let [first, second, third] = servers;
        first.create_bucket(&bucket).await?;
        second.scsp.ask(&second.scsp.same("POST", &format!("/{bucket}/x")).body(content(16))).await?;
        let path = format!("/v1/domains/barrow.local/buckets/{bucket}");
        third.admin.ask(&order(&third.admin, &format!("{path}/remove"), "{}")).await?;
        let before = now();
        let purged = first.admin.ask_anyway(&order(&first.admin, &format!("{path}/purge"), "{}")).await?;
        times.push(now().saturating_sub(before));
        found.at_once.1 += 1;
        found.at_once.0 += usize::from(purged.status == 200);
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    found.purge_p99 = at(99);
    rows.push(Row {
        what: "purge a removed bucket, 3 members".to_owned(),
        clients: Some(1),
        operations: Some(rounds as u64),
        p50: Some(at(50)),
        p99: Some(found.purge_p99),
        failed: (found.at_once.1 - found.at_once.0) as u64,
        ..Row::default()
    });
    Ok(())
}

fn order(door: &Door, target: &str, body: &'static str) -> crate::load::Requests {
    door.same("POST", target).body(Bytes::from_static(body.as_bytes()))
}

async fn throughput(
    servers: [&Server; 3],
    name: &str,
    time: Duration,
    found: &mut Cluster,
    rows: &mut Vec<Row>,
) -> Result<(), Failed> {
    let buckets: Vec<String> = (0..3).map(|at| format!("{name}-member-{at}")).collect();
    for bucket in &buckets {
        servers[0].create_bucket(bucket).await?;
    }
    let alone = format!("{name}-alone");
    servers[0].create_bucket(&alone).await?;
    // Three servers that are compared with one that is warm, for long enough that a start does not matter.
    let time = time.max(Duration::from_secs(2));
    let all = |connections, operations| Load { connections, operations, time };

    let put = |server: &Server, bucket: &str| {
        server.scsp.numbered("POST", &format!("/{bucket}/k")).body(content(1 << 10))
    };
    for (server, bucket) in servers.iter().zip(&buckets) {
        let warm = server.scsp.numbered("POST", &format!("/{bucket}/w")).body(content(1 << 10));
        drive(&server.scsp, &warm, Load::all(CLIENTS, 1_000)).await?;
    }
    let delete = |server: &Server, bucket: &str| server.scsp.numbered("DELETE", &format!("/{bucket}/k"));
    let one = drive(&servers[0].scsp, &put(servers[0], &alone), all(CLIENTS, u64::MAX)).await?;
    let requests = [0, 1, 2].map(|at: usize| put(servers[at], &buckets[at]));
    let many = tokio::try_join!(
        drive(&servers[0].scsp, &requests[0], all(CLIENTS / 3, u64::MAX)),
        drive(&servers[1].scsp, &requests[1], all(CLIENTS / 3, u64::MAX)),
        drive(&servers[2].scsp, &requests[2], all(CLIENTS / 3, u64::MAX)),
    )?;
    let many: [Measured; 3] = many.into();
    found.puts = (one.rate(), many.iter().map(Measured::rate).sum());
    told(rows, "PUT 1 KiB", found.puts);

    let gone = drive(&servers[0].scsp, &delete(servers[0], &alone), all(CLIENTS, one.done())).await?;
    let [a, b, c] = [many[0].done(), many[1].done(), many[2].done()];
    let requests = [0, 1, 2].map(|at: usize| delete(servers[at], &buckets[at]));
    let many = tokio::try_join!(
        drive(&servers[0].scsp, &requests[0], all(CLIENTS / 3, a)),
        drive(&servers[1].scsp, &requests[1], all(CLIENTS / 3, b)),
        drive(&servers[2].scsp, &requests[2], all(CLIENTS / 3, c)),
    )?;
    let many: [Measured; 3] = many.into();
    found.deletes = (gone.rate(), many.iter().map(Measured::rate).sum());
    told(rows, "DELETE 1 KiB", found.deletes);
    Ok(())
}

fn told(rows: &mut Vec<Row>, what: &str, (one, three): (f64, f64)) {
    for (gateways, rate) in [("1 gateway", one), ("3 gateways", three)] {
        rows.push(Row {
            what: format!("{what}, {gateways}"),
            clients: Some(CLIENTS),
            rate: Some(rate),
            ..Row::default()
        });
    }
}
