//! Starting what the configuration describes, and stopping it.
//!
//! The order matters. The certificate before all, because reading it touches nothing; then the database, because its lock
//! decides whether this process may touch anything at all; then the blobs, which must belong to that database; then the
//! listeners, because an address in use must not cost the one showing of a new root key; then the root key; and the doors
//! last, when everything behind them is there.
//!
//! Stopping goes the other way: no more connections, running requests finish, tasks come to their end, the database
//! closes. A second signal ends all of that at once: nothing that was acknowledged needs a clean end.

mod addresses;
mod audit;
mod background;
mod banner;
mod listeners;
mod logging;
mod open;
mod root_key;
mod settings;
mod signals;
mod tls;
mod webhooks;

pub(crate) use addresses::Addresses;

use crate::config::{Config, Database};
use crate::exit::{Exit, Failed};
use background::Background;
use gateway::metrics::Metrics;
use gateway::{Auth, BackgroundWork, Gateway, admin, s3, scsp};
use health_processor::HealthProcessor;
use lifecycle::{MemberId, SharedClock, SystemClock};
use listeners::Listeners;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Which of the two crafts this process practises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Doors and health processor.
    Everything,
    /// The doors alone.
    Gateway,
    /// The health processor alone, without a door.
    HealthProcessor,
}

impl Role {
    /// The command, and the word in heartbeats.
    fn as_str(self) -> &'static str {
        match self {
            Role::Everything => "serve",
            Role::Gateway => "gateway",
            Role::HealthProcessor => "health-processor",
        }
    }
}

/// Beside what requests are given to finish: for tasks, which stop at their next batch.
const TASKS_FINISH: Duration = Duration::from_secs(10);

/// Runs until a signal asks to stop.
pub(crate) fn run(config: Config, role: Role) -> Result<Exit, Failed> {
    refuse(&config, role)?;
    logging::start(&config.log);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores)
        .enable_all()
        .build()
        .map_err(|error| Failed::Server(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(serve(config, role));
    // A file that nobody can read to its end must not keep the process.
    runtime.shutdown_timeout(TASKS_FINISH);
    ended
}

/// What the configuration allows and this process cannot do.
fn refuse(config: &Config, role: Role) -> Result<(), Failed> {
    if role != Role::Everything && matches!(config.metadata.url, Database::Sqlite(_)) {
        return Err(Failed::Usage(format!(
            "barrow {} needs Postgres: metadata.url is a SQLite file, and that is for exactly one process. Set \
             metadata.url = \"postgres://...\", or run everything in one process with `barrow serve`",
            role.as_str()
        )));
    }
    Ok(())
}

async fn serve(config: Config, role: Role) -> Result<Exit, Failed> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let clock: SharedClock = Arc::new(SystemClock);
    let tls = match (&config.tls, role) {
        (Some(files), Role::Everything | Role::Gateway) => {
            let tls = tls::open(files)?;
            tls::renew_on_hangup(files.clone(), Arc::clone(&tls))?;
            Some(tls)
        }
        (None, _) | (_, Role::HealthProcessor) => None,
    };
    let (metadata, blobs) = open::open(&config, Arc::clone(&clock), role.as_str()).await?;
    let listeners = match role {
        Role::Everything | Role::Gateway => Some(Listeners::bind(&config.listen, tls).await?),
        Role::HealthProcessor => None,
    };
    // As an address in use, a file that cannot be written must not cost the one showing of a new root key.
    let trail = audit::Trail::open(&config.audit, Arc::clone(&clock))?;
    let made = match role {
        Role::Everything | Role::Gateway => root_key::ensure(&config, &metadata, &*clock).await?,
        Role::HealthProcessor => None,
    };

    // Listening for signals begins before anything that they should end cleanly.
    let mut signals = signals::Signals::listen()?;
    let (stop, stopping) = watch::channel(false);
    let processor = match role {
        Role::Everything | Role::HealthProcessor => Some(Arc::new(HealthProcessor::start(
            metadata.clone(),
            blobs.clone(),
            Arc::clone(&clock),
            health_processor::Settings {
                events: webhooks::open(&config.events, &clock)?,
                ..settings::of_the_processor(&config, role.as_str())
            },
            trail.sink(),
            stopping.clone(),
        ))),
        Role::Gateway => None,
    };
    let background =
        processor.clone().map(|processor| Arc::new(Background(processor)) as Arc<dyn BackgroundWork>);

    let mut doors = JoinSet::new();
    let mut noted = None;
    if let Some(listeners) = listeners {
        let auth = settings::environment_key(&config);
        let auth = Auth::new(metadata.clone(), Arc::clone(&clock), settings::anonymous(&config), auth);
        let gateway = Gateway {
            metadata: metadata.clone(),
            blobs,
            clock,
            auth: Arc::new(auth),
            settings: Arc::new(settings::of_the_doors(&config)),
            metrics: Arc::new(Metrics::default()),
            audit: trail.sink(),
            member: MemberId::random(),
            background,
        };
        let limits = Arc::new(settings::limits(&config));
        let addresses = listeners.addresses();
        let s3 = s3::Door::new(gateway.clone(), Arc::clone(&limits), config.listen.s3_domain.clone());
        doors.spawn(gateway::http::serve(listeners.s3, Arc::clone(&limits), s3, stopping.clone()));
        let scsp = scsp::Door::new(gateway.clone(), Arc::clone(&limits));
        doors.spawn(gateway::http::serve(listeners.scsp, Arc::clone(&limits), scsp, stopping.clone()));
        let admin = admin::Door::new(gateway, Arc::clone(&limits));
        doors.spawn(gateway::http::serve(listeners.admin, limits, admin, stopping.clone()));
        tracing::info!(
            s3 = %addresses.s3, scsp = %addresses.scsp, admin = %addresses.admin, tls = config.tls.is_some(), "serving"
        );
        noted = Some(addresses.write(&config.cluster.data_dir)?);
        if let Some(root) = &made {
            banner::print(&config, &addresses, root);
        }
    } else {
        tracing::info!("working without doors");
    }

    let mut must_end = metadata.must_end();
    let ended_early = tokio::select! {
        () = signals.first() => None,
        Some(ended) = doors.join_next() => Some(format!("a door ended by itself: {ended:?}")),
        Ok(why) = must_end.wait_for(Option::is_some) => why.clone(),
    };
    tracing::info!("stopping");
    signals.exit_on_the_next();
    stop.send_replace(true);
    while doors.join_next().await.is_some() {}
    let finish = config.limits.shutdown + TASKS_FINISH;
    if let Some(processor) = processor
        && tokio::time::timeout(finish, processor.stopped()).await.is_err()
    {
        tracing::warn!("tasks did not finish in time; their claims lapse, and others go on with them");
    }
    // The last of our work has ended: nobody need wait for us.
    if ended_early.is_none()
        && let Err(failure) = metadata.goodbye().await
    {
        tracing::warn!(%failure, "left without a goodbye; the lease runs out instead");
    }
    // A database that does not answer must not keep the process: nothing acknowledged needs a clean end.
    let _late = tokio::time::timeout(TASKS_FINISH, metadata.close()).await;
    trail.close().await;
    drop(noted);
    match ended_early {
        None => Ok(Exit::Done),
        Some(why) => Err(Failed::Server(why)),
    }
}
