//! The audit trail's file: one thread writes, everybody else only puts lines into its queue.
//!
//! Nobody ever waits for it. When lines come faster than they can be written, or cannot be written at all, they are lost,
//! and that is counted (`barrow_audit_dropped_total`) and said in the log, once a minute. A trail that held up requests
//! would let a full disk stop deletes, which need no disk.
//!
//! Whatever has queued is written in one piece, at the end of the file, so that several processes can share it. It is handed
//! to the system and not synced: a process that dies loses only what still queued, a machine that loses power a few seconds.
//! SIGHUP closes the file and opens it again under its name, after somebody moved it away.

use super::signals;
use crate::config::{Audit, AuditFormat, AuditTo};
use crate::exit::Failed;
use lifecycle::audit::Record;
use lifecycle::{AuditSink, NoAudit, SharedAudit, SharedClock};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// Lines that may wait to be written.
const QUEUE: usize = 16 * 1024;
/// Bytes that are written at once at most, but for the last line of them.
const BUFFER: usize = 64 * 1024;
/// Lost lines are told of this often.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long the end waits for what still queues.
const FINISH: Duration = Duration::from_secs(5);

enum Order {
    Line(String),
    Reopen,
    End,
}

/// The trail of this process, as it is configured.
pub(super) struct Trail {
    sink: SharedAudit,
    /// `None` where nothing is written.
    writer: Option<(mpsc::Sender<Order>, JoinHandle<()>)>,
}

/// What the doors and the health processor write to.
struct Queue {
    orders: mpsc::Sender<Order>,
    format: AuditFormat,
    lost: Arc<Lost>,
}

/// Lines that were lost.
struct Lost {
    clock: SharedClock,
    count: AtomicU64,
    /// The second after boot from which it may be told of again.
    quiet_until: AtomicU64,
}

impl Trail {
    /// Opens it. Wants a runtime, for SIGHUP.
    pub(super) fn open(config: &Audit, clock: SharedClock) -> Result<Self, Failed> {
        let place = match &config.to {
            AuditTo::Off => return Ok(Trail { sink: Arc::new(NoAudit), writer: None }),
            AuditTo::Stdout => Place::Stdout,
            AuditTo::File(path) => Place::File(path.clone()),
        };
        let failed = |error: io::Error| Failed::Server(format!("audit.to = \"{place}\": {error}"));
        let out = place.open().map_err(failed)?;
        let lost = Arc::new(Lost::new(clock));
        let (orders, waiting) = mpsc::channel(QUEUE);
        let writer =
            Writer { place: place.clone(), out, lost: Arc::clone(&lost), pending: Pending::default() };
        let thread = std::thread::Builder::new().name("audit".to_owned());
        let thread = thread.spawn(move || writer.run(waiting)).map_err(failed)?;
        if let Place::File(_) = place {
            let orders = orders.downgrade();
            signals::on_hangup(move || {
                let orders = orders.upgrade();
                async move {
                    if let Some(orders) = orders {
                        let _ended = orders.send(Order::Reopen).await;
                    }
                }
            })?;
        }
        let queue = Queue { orders: orders.clone(), format: config.format, lost };
        Ok(Trail { sink: Arc::new(queue), writer: Some((orders, thread)) })
    }

    /// What is written to.
    pub(super) fn sink(&self) -> SharedAudit {
        Arc::clone(&self.sink)
    }

    /// Writes what still queues, and no more after that.
    pub(super) async fn close(self) {
        let Some((orders, thread)) = self.writer else { return };
        let ended = async {
            let _ended = orders.send(Order::End).await;
            tokio::task::spawn_blocking(move || thread.join()).await
        };
        if tokio::time::timeout(FINISH, ended).await.is_err() {
            tracing::error!("the audit trail could not be written to its end");
        }
    }
}

impl AuditSink for Queue {
    fn record(&self, record: &Record) {
        let line = match self.format {
            AuditFormat::Line => record.line(),
            AuditFormat::Json => record.json(),
        };
        if self.orders.try_send(Order::Line(line)).is_err() {
            self.lost.add(1, "they come faster than they can be written");
        }
    }

    fn dropped(&self) -> u64 {
        self.lost.count.load(Ordering::Relaxed)
    }
}

impl Lost {
    fn new(clock: SharedClock) -> Self {
        Lost { clock, count: AtomicU64::new(0), quiet_until: AtomicU64::new(0) }
    }

    fn add(&self, lines: u64, why: &str) {
        let lost = self.count.fetch_add(lines, Ordering::Relaxed) + lines;
        let (now, quiet_until) = (self.clock.boot().as_secs(), self.quiet_until.load(Ordering::Relaxed));
        let next = now + TOLD_EVERY.as_secs();
        if now >= quiet_until
            && self
                .quiet_until
                .compare_exchange(quiet_until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            tracing::error!(lost, why, "audit records are lost");
        }
    }
}

#[derive(Clone, Debug)]
enum Place {
    Stdout,
    File(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Stdout => f.write_str("stdout"),
            Place::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Place {
    fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match self {
            Place::Stdout => Box::new(io::stdout()),
            // Who asked for what is not for everybody's eyes. A file that is there already keeps the mode it has.
            Place::File(path) => {
                Box::new(OpenOptions::new().append(true).create(true).mode(0o600).open(path)?)
            }
        })
    }
}

/// What the thread works with.
struct Writer {
    place: Place,
    out: Box<dyn Write + Send>,
    lost: Arc<Lost>,
    pending: Pending,
}

/// Lines that are not written yet.
#[derive(Default)]
struct Pending {
    text: Vec<u8>,
    lines: u64,
    /// The last writing broke off, perhaps within a line.
    torn: bool,
}

impl Writer {
    fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(first) = orders.blocking_recv() {
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Line(line) => {
                        self.pending.text.extend_from_slice(line.as_bytes());
                        self.pending.text.push(b'\n');
                        self.pending.lines += 1;
                    }
                    Order::Reopen => self.reopen(),
                    Order::End => return self.write(),
                }
                if self.pending.text.len() >= BUFFER {
                    self.write();
                }
                next = orders.try_recv().ok();
            }
            self.write();
        }
    }

    fn write(&mut self) {
        let Pending { text, lines, torn } = &mut self.pending;
        if text.is_empty() {
            return;
        }
        if *torn {
            // What was begun must not run into what follows.
            text.insert(0, b'\n');
        }
        let written = self.out.write_all(text).and_then(|()| self.out.flush());
        *torn = written.is_err();
        if let Err(error) = written {
            self.lost.add(*lines, &error.to_string());
        }
        text.clear();
        *lines = 0;
    }

    fn reopen(&mut self) {
        self.write();
        match self.place.open() {
            Ok(out) => {
                (self.out, self.pending.torn) = (out, false);
                tracing::info!(to = %self.place, "the audit trail is opened again");
            }
            Err(error) => {
                tracing::error!(to = %self.place, %error, "the audit trail stays where it was: it cannot be opened again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::SystemClock;
    use std::path::Path;
    use std::sync::Mutex;
    use testkit::ManualClock;

    fn to_file(path: &Path, format: AuditFormat) -> Audit {
        Audit { to: AuditTo::File(path.to_owned()), format }
    }

    fn deleted(name: &str) -> Record {
        Record { operation: "DELETE", path: Some(name.to_owned()), ..Record::default() }
    }

    fn lines(path: &Path) -> Vec<String> {
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn records_are_written_in_order_behind_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        for _ in 0..2 {
            let trail = Trail::open(&to_file(&path, AuditFormat::Line), Arc::new(SystemClock)).unwrap();
            assert!(trail.sink().listens());
            for nth in 0..1_000 {
                trail.sink().record(&deleted(&nth.to_string()));
            }
            trail.close().await;
        }
        let lines = lines(&path);
        assert_eq!(lines.len(), 2_000);
        for (at, line) in lines.iter().enumerate() {
            assert!(
                line.contains(&format!("\top=DELETE\tdomain=-\tbucket=-\tpath={}\t", at % 1_000)),
                "{line}"
            );
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn json_is_one_object_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.json");
        let trail = Trail::open(&to_file(&path, AuditFormat::Json), Arc::new(SystemClock)).unwrap();
        trail.sink().record(&deleted("a\nb"));
        trail.close().await;
        let read: Vec<serde_json::Value> =
            lines(&path).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((read.len(), &read[0]["path"]), (1, &serde_json::json!("a\nb")));
    }

    #[tokio::test]
    async fn off_is_nobody_who_listens() {
        let off = Audit { to: AuditTo::Off, format: AuditFormat::Line };
        let trail = Trail::open(&off, Arc::new(SystemClock)).unwrap();
        assert!(!trail.sink().listens());
        trail.close().await;
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_opened_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none/audit.log");
        let Err(failed) = Trail::open(&to_file(&path, AuditFormat::Line), Arc::new(SystemClock)) else {
            panic!("there is no such directory");
        };
        assert!(failed.to_string().contains("audit.to = "), "{failed}");
    }

    #[tokio::test]
    async fn a_file_that_was_moved_away_is_made_anew_when_it_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, moved) = (dir.path().join("audit.log"), dir.path().join("audit.log.1"));
        let trail = Trail::open(&to_file(&path, AuditFormat::Line), Arc::new(SystemClock)).unwrap();
        trail.sink().record(&deleted("before"));
        std::fs::rename(&path, &moved).unwrap();
        trail.writer.as_ref().unwrap().0.send(Order::Reopen).await.unwrap();
        trail.sink().record(&deleted("after"));
        trail.close().await;
        assert!(lines(&moved)[0].contains("path=before"));
        assert!(lines(&path)[0].contains("path=after"));
    }

    #[tokio::test]
    async fn who_writes_never_waits_and_what_is_lost_is_counted() {
        let clock = Arc::new(ManualClock::default());
        let (orders, mut waiting) = mpsc::channel(2);
        let lost = Arc::new(Lost::new(clock.clone()));
        let queue = Queue { orders, format: AuditFormat::Line, lost: Arc::clone(&lost) };
        for nth in 0..5 {
            queue.record(&deleted(&nth.to_string()));
        }
        assert_eq!(queue.dropped(), 3);
        let told = lost.quiet_until.load(Ordering::Relaxed);
        assert_eq!(told, 1_060, "told of once, and not again within the minute");
        clock.advance(TOLD_EVERY);
        queue.record(&deleted("5"));
        assert_eq!(lost.quiet_until.load(Ordering::Relaxed), 1_120);
        assert!(waiting.recv().await.is_some());
        queue.record(&deleted("6"));
        assert_eq!(queue.dropped(), 4, "what there is room for is kept");
    }

    /// A disk that is full now and then.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, bool)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if !disk.1 {
                disk.0.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            // Half a line still fits.
            let half = bytes.len().min(20);
            let full = disk.0.ends_with(b"half");
            if full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.0.extend_from_slice(&bytes[..half]);
            disk.0.extend_from_slice(b"half");
            Ok(half)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_was_cut_by_a_full_disk_ends_before_the_next() {
        let (disk, lost) = (Disk::default(), Arc::new(Lost::new(Arc::new(SystemClock))));
        let mut writer = Writer {
            place: Place::Stdout,
            out: Box::new(disk.clone()),
            lost: Arc::clone(&lost),
            pending: Pending::default(),
        };
        let mut write = |name: &str, full: bool| {
            disk.0.lock().unwrap().1 = full;
            writer.pending.text.extend_from_slice(deleted(name).line().as_bytes());
            writer.pending.text.push(b'\n');
            writer.pending.lines += 1;
            writer.write();
        };
        write("one", false);
        write("two", true);
        write("three", true);
        write("four", false);
        assert_eq!(lost.count.load(Ordering::Relaxed), 2);
        let text = String::from_utf8(disk.0.lock().unwrap().0.clone()).unwrap();
        let whole: Vec<&str> = text.lines().filter(|line| line.contains("path=")).collect();
        assert_eq!(whole.len(), 2, "{text}");
        assert!(
            whole[0].contains("path=one\t")
                && whole[1].starts_with("2\t")
                && whole[1].contains("path=four\t")
        );
    }
}
