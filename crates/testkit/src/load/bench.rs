//! The whole run: floors, then the server under test, then the promises.

use super::error::Failed;
use super::options::{Only, Options, Scale};
use super::rows::objects::Objects;
use super::rows::s3::{self, S3};
use super::rows::{
    cluster, containers, floors, following, kinds, listing, objects, purges, reclaim, rules, updates,
    versions,
};
use super::server::Setup;
use super::table::{Row, Verdict, render};
use super::verdicts::{Found, of};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What a run found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every measurement, in order.
    pub rows: Vec<Row>,
    /// Every promise.
    pub verdicts: Vec<Verdict>,
}

impl Outcome {
    /// The table.
    pub fn text(&self) -> String {
        render(&self.rows, &self.verdicts)
    }

    /// Whether every promise is kept.
    pub fn good(&self) -> bool {
        self.verdicts.iter().all(Verdict::kept)
    }
}

/// Runs everything. `own_program` is this program, for the bare hyper child. What is being done is told on standard
/// error, for whoever waits. The server's files are removed at the end, unless it failed: then they tell why.
///
/// # Errors
/// The first [`Failed`]: half a table proves nothing.
pub async fn run(options: &Options, own_program: &Path) -> Result<Outcome, Failed> {
    let doing = || format!("making a directory in {}", options.dir.display());
    std::fs::create_dir_all(&options.dir).map_err(Failed::io(doing()))?;
    let place = std::path::absolute(&options.dir).map_err(Failed::io(doing()))?;
    let dir =
        tempfile::Builder::new().prefix("barrow-bench-").tempdir_in(place).map_err(Failed::io(doing()))?;
    let outcome = Box::pin(measure(options, own_program, dir.path())).await;
    if outcome.is_err() {
        tell(&format!("the server's files and logs are left in {}", dir.keep().display()));
    }
    outcome
}

async fn measure(options: &Options, own_program: &Path, dir: &Path) -> Result<Outcome, Failed> {
    let setup = Setup {
        program: options.server.clone(),
        dir: dir.to_owned(),
        metadata: options.metadata.clone(),
        health: Vec::new(),
        member: None,
    };
    let time = options.scale.load_time();
    let mut rows = Vec::new();
    if let Some(part) = options.only {
        let server = setup.in_dir("main").start().await?;
        let bucket = format!("bench-{}", std::process::id());
        let many = options.scale.purged_versions();
        match part {
            Only::Purges => {
                tell("purging versions");
                let _found = purges::run(&server, &format!("{bucket}-purges"), many, &mut rows).await?;
                tell("following changes");
                let _found =
                    following::run(&server, &format!("{bucket}-followed"), many / 4, &mut rows).await?;
            }
            Only::Cluster => {
                let (rounds, setup) = (options.scale.purges(), setup.in_dir("main"));
                tell("three members");
                let _found = cluster::run(&setup, &server, &bucket, (rounds, time), &mut rows).await?;
            }
            Only::Rules => {
                tell("GET under a policy");
                let _found = s3::governed::run(&server, &bucket, time, &mut rows).await?;
                tell("objects that rules let go");
                let _found = rules::run(&server, &format!("{bucket}-rules"), many, &mut rows).await?;
            }
        }
        server.stop().await?;
        return Ok(Outcome { rows, verdicts: Vec::new() });
    }

    tell("floors");
    // Floors are simple and settle soon.
    let floors = floors::run(own_program, dir, time.min(Duration::from_secs(2)), &mut rows).await?;

    let server = setup.in_dir("main").start().await?;
    // A name of its own: a Postgres database may hold those of an earlier run.
    let bucket = format!("bench-{}", std::process::id());
    server.create_bucket(&bucket).await?;
    tell("PUT, GET, HEAD, DELETE of 1 KiB");
    let small = objects::small(&server, &bucket, time, &mut rows).await?;
    // Right behind what they are compared with: the same server, as old and as full.
    tell("unnamed and alias objects");
    let kinds = kinds::run(&server, time, &mut rows).await?;
    tell("PUT, GET, HEAD, DELETE of 1 KiB through S3");
    let small_by_s3 = s3::objects::small(&server, &bucket, time, &mut rows).await?;
    tell("PUT, GET, HEAD, DELETE of larger objects");
    let middling_puts = objects::larger(&server, &bucket, time, &mut rows).await?;
    tell("larger objects through S3");
    s3::objects::larger(&server, &bucket, options.scale.largest_objects(), time, &mut rows).await?;
    s3::multipart::run(&server, &bucket, options.scale.multipart(), &mut rows).await?;
    if let Some(size) = options.scale.whole() {
        s3::whole::run(&server, &bucket, size, &mut rows).await?;
    }
    tell("COPY, APPEND, PUT over a name, versions");
    updates::run(&server, &format!("{bucket}-updates"), time, &mut rows).await?;
    versions::run(&server, &format!("{bucket}-versions"), time, &mut rows).await?;
    tell("GET under a policy");
    let governed = s3::governed::run(&server, &bucket, time, &mut rows).await?;
    tell("purging versions");
    let many = options.scale.purged_versions();
    let purges = purges::run(&server, &format!("{bucket}-purges"), many, &mut rows).await?;
    tell("following changes");
    let following = following::run(&server, &format!("{bucket}-followed"), many / 4, &mut rows).await?;
    tell("objects that rules let go");
    let lateness = rules::run(&server, &format!("{bucket}-rules"), many, &mut rows).await?;
    tell("removing and restoring buckets");
    let sizes = options.scale.buckets();
    let longest_container_move = containers::run(&server, &bucket, sizes, &mut rows).await?;
    let largest = sizes.last().copied().unwrap_or_default();
    let large_bucket = format!("{bucket}-{largest}");
    tell("listing and deleting through S3");
    let listing_by_s3 = s3::listing::run(&server, &large_bucket, largest, time, &mut rows).await?;
    // Makes the dead rows that the next listing is measured beside.
    let keys_deleted = s3::deleting::run(&server, &large_bucket, largest, &mut rows).await?;
    tell("listing");
    let listing_p99 = listing::run(&server, &large_bucket, largest, time, &mut rows).await?;
    let inside = options.scale.objects_in_folder();
    listing::folders(&server, &format!("{bucket}-folders"), inside, time, &mut rows).await?;
    listing::versions(&server, &format!("{bucket}-markers"), time, &mut rows).await?;
    let cluster = match options.metadata {
        None => None,
        Some(_) => {
            tell("three members");
            let rounds = options.scale.purges();
            Some(cluster::run(&setup.in_dir("main"), &server, &bucket, (rounds, time), &mut rows).await?)
        }
    };
    server.stop().await?;

    tell("reclaiming");
    let (inline, files) = options.scale.reclaimed();
    let inline_reclaim =
        reclaim::run(&setup.in_dir("inline"), "1 KiB, inline", inline, 1 << 10, &mut rows).await?;
    let file_reclaim =
        reclaim::run(&setup.in_dir("files"), "64 KiB, files", files, 64 << 10, &mut rows).await?;

    let peak = rows.iter().skip_while(|row| row.what.starts_with("floor")).filter_map(|row| row.peak).max();
    let found = Found {
        floors,
        objects: Objects { small, middling_puts },
        kinds,
        s3: S3 { small: small_by_s3, listing_p99: listing_by_s3, keys_deleted, governed },
        longest_container_move,
        purges,
        following,
        lateness,
        inline_reclaim,
        file_reclaim,
        listing_p99,
        peak: peak.unwrap_or_default(),
        failed: rows.iter().map(|row| row.failed).sum(),
        on_postgres: options.metadata.is_some(),
        cluster,
    };
    if options.scale == Scale::Quick {
        tell("quick: short loads, coarse numbers");
    }
    Ok(Outcome { rows, verdicts: of(&found) })
}

/// Tells whoever waits. Nobody may be listening, and that is no failure.
fn tell(what: &str) {
    let _ = writeln!(std::io::stderr(), "barrow-bench: {what}");
}
