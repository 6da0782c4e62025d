//! Opening an installation's metadata: schema, identity, default domain, and the refusal of unsafe ground.

use crate::containers::{NewContainer, create_domain};
use crate::error::Failure;
use crate::keys::Sealer;
use crate::lookup::PointReads;
use crate::members::{Comes, Lease, MemberSettings, Membership, Pulse, Stop, register};
use crate::migrate;
use crate::sql::{Address, Conn, Engine, Readers, args, refuse_unsafe_base};
use crate::writer::Writer;
use lifecycle::{ContainerId, DomainName, InstallationId, SharedClock};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What opening needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// The file whose key seals the access keys' secrets; made, 0600, at first start.
    pub seal_key: PathBuf,
    /// The domain that exists from the first start.
    pub default_domain: DomainName,
    /// Answer only what is on disk. Off only in the control run of the crash test, which must then fail.
    pub durable: bool,
    /// Whether a purge and the leases ask the database's clock. Off only under a test's manual clock.
    pub trust_db_clock: bool,
    /// What this process is among the others.
    pub member: MemberSettings,
}

/// The metadata of one installation. Cheap to clone.
#[derive(Clone)]
pub struct Metadata {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) points: PointReads,
    pub(crate) clock: SharedClock,
    pub(crate) sealer: Sealer,
    pub(crate) trust_db_clock: bool,
    pub(crate) members: Arc<Membership>,
    pub(crate) opened: Arc<Opened>,
}

pub(crate) struct Opened {
    engine: Engine,
    installation: InstallationId,
    default_domain: ContainerId,
    first_start: bool,
    file: Option<PathBuf>,
    /// Held as long as anybody uses the file: one process per SQLite file.
    _lock: Option<std::fs::File>,
    /// The size of the table of versions when Postgres was last asked to look at it.
    pub(crate) analyzed: AtomicU64,
    /// This process beats as long as anybody uses the metadata.
    _pulse: Stop,
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Metadata({:?}, {})", self.opened.engine, self.opened.installation)
    }
}

impl Metadata {
    /// Opens the metadata, bringing the schema up to date, and makes installation and default domain at first start.
    ///
    /// # Errors
    /// [`Failure::Start`] with what is wrong and what to do about it.
    pub async fn open(settings: &Settings, clock: SharedClock) -> Result<Metadata, Failure> {
        let address = Address::parse(&settings.url, settings.durable)?;
        let lock = address.file().map(lock_file).transpose()?;
        let mut conn = address.connect().await.map_err(|error| {
            Failure::start(format!("the database {} does not open: {error}", shown(&settings.url)))
        })?;
        refuse_unsafe_base(&mut conn, settings.durable).await?;
        migrate::migrate(&mut conn, clock.now()).await?;
        let now = clock.now();
        conn.begin().await?;
        let identified = identify(&mut conn, settings, now).await;
        let (installation, default_domain, first_start) = match identified {
            Ok(found) => {
                conn.commit().await?;
                found
            }
            Err(failure) => {
                conn.rollback().await?;
                return Err(failure);
            }
        };
        let has_keys = conn.fetch_one("SELECT 1 FROM keys LIMIT 1", args![]).await?.is_some();
        let sealer = Sealer::open(&settings.seal_key, !has_keys)?;
        let engine = address.engine();
        // Before anything is read that somebody could take back.
        let sent = clock.boot();
        conn.begin().await?;
        let identity =
            match register(&mut conn, &settings.member, Comes::Fresh, settings.trust_db_clock, clock.now())
                .await
            {
                Ok(identity) => {
                    conn.commit().await?;
                    identity
                }
                Err(failure) => {
                    conn.rollback().await?;
                    return Err(failure);
                }
            };
        let lease = Arc::new(Lease::new(Arc::clone(&clock), engine, identity));
        let readers = Readers::new(address.readers(), Arc::clone(&lease));
        let writer = Writer::start(address.clone(), conn, Arc::clone(&clock), Arc::clone(&lease));
        let (members, pulse) = Pulse::start(
            settings.member.clone(),
            address.clone(),
            Arc::clone(&clock),
            settings.trust_db_clock,
            &writer,
            (lease, identity, sent),
        );
        let opened = Opened {
            engine: address.engine(),
            installation,
            default_domain,
            first_start,
            file: address.file().map(PathBuf::from),
            analyzed: AtomicU64::new(0),
            _lock: lock,
            _pulse: pulse,
        };
        Ok(Metadata {
            writer,
            points: PointReads::start(&readers, &clock, &members.pins),
            readers,
            clock,
            sealer,
            trust_db_clock: settings.trust_db_clock,
            members,
            opened: Arc::new(opened),
        })
    }

    /// Which engine is underneath.
    pub fn engine(&self) -> Engine {
        self.opened.engine
    }

    /// This installation's identity, which its blobs carry too.
    pub fn installation(&self) -> InstallationId {
        self.opened.installation
    }

    /// Whether this start made the installation.
    pub fn is_first_start(&self) -> bool {
        self.opened.first_start
    }

    /// The domain that exists from the first start and is never removed.
    pub fn default_domain(&self) -> Option<ContainerId> {
        Some(self.opened.default_domain)
    }

    /// The database file, if the database is one.
    pub fn file(&self) -> Option<&std::path::Path> {
        self.opened.file.as_deref()
    }

    /// Closes the readers; the writer ends when the last clone is dropped.
    pub async fn close(&self) {
        self.readers.close().await;
    }

    /// Answers if the database does.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn ping(&self) -> Result<(), Failure> {
        self.readers.fetch_one("SELECT 1", args![]).await?;
        Ok(())
    }
}

async fn identify(
    conn: &mut Conn,
    settings: &Settings,
    now: lifecycle::Time,
) -> Result<(InstallationId, ContainerId, bool), Failure> {
    let fresh = InstallationId::random();
    let made = conn
        .execute(
            "INSERT INTO installation (one, id, created_at, epoch) VALUES (1, $1, $2, 0) ON CONFLICT (one) DO NOTHING",
            args![fresh, now],
        )
        .await?;
    let row = conn.fetch_one("SELECT id FROM installation WHERE one = 1", args![]).await?;
    let Some(mut row) = row else {
        return Err(Failure::start("the installation's row is missing".to_owned()));
    };
    let installation = row.need_id(InstallationId::from_bytes)?;
    let name = settings.default_domain.as_str();
    let row =
        conn.fetch_one("SELECT id FROM domains WHERE name = $1 AND state = 'live'", args![name]).await?;
    let default_domain = match row {
        Some(mut row) => row.need_id(ContainerId::from_bytes)?,
        None => {
            let new = NewContainer { actor: "barrow".to_owned(), ..NewContainer::default() };
            create_domain(conn, now, name, &new).await?.id
        }
    };
    Ok((installation, default_domain, made == 1))
}

/// One process per SQLite file: a second one would read promises that the first has not written yet.
fn lock_file(path: &std::path::Path) -> Result<std::fs::File, Failure> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| Failure::start(format!("{}: {error}", parent.display())))?;
    }
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let shown = PathBuf::from(&lock);
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .map_err(|error| Failure::start(format!("{}: {error}", shown.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure::start(format!(
            "{} is in use by another process; SQLite is for one process, Postgres for several",
            path.display()
        ))),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(Failure::start(format!("{}: {error}", shown.display())))
        }
    }
}

/// The URL without its password.
fn shown(url: &str) -> String {
    match (url.find("://"), url.find('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}
