//! The promises of the design, as ratios against what the machine can do at best.

use super::rows::cluster::Cluster;
use super::rows::floors::Floors;
use super::rows::following::Following;
use super::rows::kinds::Kinds;
use super::rows::objects::{Cost, Objects};
use super::rows::purges::Purges;
use super::rows::rules::Lateness;
use super::rows::s3::S3;
use super::rows::s3::governed::Governed;
use super::table::{Bound, Verdict};
use std::time::Duration;

/// All that the promises speak of.
pub(super) struct Found {
    pub(super) floors: Floors,
    pub(super) objects: Objects,
    pub(super) kinds: Kinds,
    pub(super) s3: S3,
    pub(super) longest_container_move: Duration,
    pub(super) purges: Purges,
    pub(super) following: Following,
    pub(super) lateness: Lateness,
    pub(super) inline_reclaim: f64,
    pub(super) file_reclaim: f64,
    pub(super) listing_p99: Duration,
    pub(super) peak: u64,
    pub(super) failed: u64,
    pub(super) on_postgres: bool,
    /// Of a run on Postgres.
    pub(super) cluster: Option<Cluster>,
}

/// Each promise with what was found.
pub(super) fn of(found: &Found) -> Vec<Verdict> {
    let floors = &found.floors;
    let small = &found.objects.small;
    let verdict =
        |what: &str, measured, bound, unit| Verdict { what: what.to_owned(), measured, bound, unit };
    let cpu = |cost: &Cost| cost.cpu.as_secs_f64() / floors.hyper_cpu.as_secs_f64().max(1e-9);
    let seconds = |time: Duration| time.as_secs_f64();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;

    let mut verdicts = vec![
        verdict("GET 1 KiB, CPU / hyper's", cpu(&small.get), Bound::Most(4.0), ""),
        verdict("PUT 1 KiB, CPU / hyper's", cpu(&small.put), Bound::Most(12.0), ""),
        verdict("DELETE 1 KiB, CPU / hyper's", cpu(&small.delete), Bound::Most(12.0), ""),
    ];
    for (name, cost) in [("PUT", &small.put), ("DELETE", &small.delete)] {
        verdicts.push(if found.on_postgres {
            verdict(&format!("{name} 1 KiB on Postgres"), cost.rate, Bound::Least(5_000.0), "/s")
        } else {
            let ratio = cost.rate / floors.commits.max(1.0);
            verdict(&format!("{name} 1 KiB, rate / SQLite commits"), ratio, Bound::Least(2.0), "")
        });
    }
    for (kind, costs) in [("unnamed", &found.kinds.unnamed), ("alias", &found.kinds.alias)] {
        for (name, cost, named) in [
            ("PUT", &costs.put, &small.put),
            ("GET", &costs.get, &small.get),
            ("HEAD", &costs.head, &small.head),
            ("DELETE", &costs.delete, &small.delete),
        ] {
            let ratio = cost.rate / named.rate.max(1.0);
            verdicts.push(verdict(
                &format!("{name} 1 KiB, {kind}, rate / named's"),
                ratio,
                Bound::Least(0.8),
                "",
            ));
        }
    }
    let by_s3 = found.s3.small.get.cpu.as_secs_f64() / small.get.cpu.as_secs_f64().max(1e-9);
    verdicts.push(verdict("GET 1 KiB, S3, CPU / SCSP's", by_s3, Bound::Most(1.5), ""));
    let puts = found.objects.middling_puts / (floors.appends / 2.0).max(1.0);
    let mebibytes = found.peak as f64 / f64::from(1 << 20);
    verdicts.extend([
        verdict("PUT 64 KiB, rate / (fdatasyncs / 2)", puts, Bound::Least(0.5), ""),
        verdict(
            "remove or restore a bucket, longest",
            milliseconds(found.longest_container_move),
            Bound::Most(50.0),
            "ms",
        ),
        verdict("list 1,000 names, p99", milliseconds(found.listing_p99), Bound::Most(5.0), "ms"),
        verdict("list 1,000 keys, S3, p99", milliseconds(found.s3.listing_p99), Bound::Most(5.0), "ms"),
        verdict("DeleteObjects, two clients", found.s3.keys_deleted, Bound::Least(40_000.0), "keys/s"),
        verdict("reclaim inline objects", found.inline_reclaim, Bound::Least(10_000.0), "/s"),
        verdict("reclaim files", found.file_reclaim, Bound::Least(1_500.0), "/s"),
        verdict("peak memory", mebibytes, Bound::Most(256.0), "MiB"),
        verdict("requests not answered with 2xx", found.failed as f64, Bound::Most(0.0), ""),
    ]);
    let Purges { rate, put_p99, all, .. } = found.purges;
    verdicts.extend([
        verdict("purge all versions of a bucket", milliseconds(all), Bound::Most(50.0), "ms"),
        verdict("PUT beside a purge, p99", milliseconds(put_p99), Bound::Most(50.0), "ms"),
    ]);
    let Following { changes, diff_p50 } = found.following;
    verdicts.extend([
        verdict("changes, read in order", changes, Bound::Least(50_000.0), "/s"),
        verdict("_revs_diff of 1,000 names, p50", milliseconds(diff_p50), Bound::Most(15.0), "ms"),
    ]);
    let Governed { free, governed } = found.s3.governed;
    let by_policy = governed.as_secs_f64() / free.as_secs_f64().max(1e-9);
    verdicts.extend([
        verdict("GET 1 KiB, S3, CPU with a policy / without", by_policy, Bound::Most(1.1), ""),
        verdict("by a rule, few of many, lateness p99", seconds(found.lateness.few), Bound::Most(60.0), "s"),
        verdict("by a rule, all at once, lateness p99", seconds(found.lateness.many), Bound::Most(60.0), "s"),
    ]);
    if !found.on_postgres {
        verdicts.push(verdict("purge versions, slowest way", rate, Bound::Least(60_000.0), "/s"));
    }
    if let Some(cluster) = &found.cluster {
        let (ready, of) = cluster.at_once;
        let share = 100.0 * ready as f64 / of.max(1) as f64;
        verdicts.extend([
            verdict(
                "purge of a removed bucket, 3 members, at the first call",
                share,
                Bound::Least(99.0),
                "%",
            ),
            verdict("the same, p99", milliseconds(cluster.purge_p99), Bound::Most(1_000.0), "ms"),
        ]);
        for (what, (one, three)) in [("PUT", cluster.puts), ("DELETE", cluster.deletes)] {
            let ratio = three / one.max(1.0);
            verdicts.push(verdict(&format!("{what} through 3 gateways / 1"), ratio, Bound::Least(1.0), ""));
        }
    }
    verdicts
}
