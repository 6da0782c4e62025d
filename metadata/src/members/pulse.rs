//! The task that beats: on its own connection, so that no busy writer keeps it waiting.

use super::beat::{Beaten, Told, beat, deadline};
use super::lease::Lease;
use super::pins::Pins;
use super::register::{Comes, register};
use super::{Identity, MemberSettings, Membership};
use crate::error::Failure;
use crate::sql::{Address, Conn, DbError, Engine, Listener};
use crate::writer::{Urgency, Writer};
use futures_util::FutureExt;
use lifecycle::SharedClock;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Everything that one process's pulse is made of.
pub(crate) struct Pulse {
    members: Arc<Membership>,
    line: Line,
    listener: Option<Listener>,
    asked: mpsc::Receiver<oneshot::Sender<Result<(), Failure>>>,
    told: Option<Told>,
}

/// Ends the pulse when it is dropped: with the last handle on the metadata.
pub(crate) struct Stop(tokio::task::JoinHandle<()>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The way to the database: a connection of one's own, or the turn of the one writer that SQLite has.
enum Line {
    Own(Option<Box<Conn>>),
    Writer(Writer),
}

/// A listener that cannot be had is asked for again so much later.
const LISTEN_AGAIN: Duration = Duration::from_secs(10);
/// The database is asked again so soon after it failed.
const AGAIN: Duration = Duration::from_millis(500);
/// An answer that has not come by then counts as none: the lease would be over before the next.
const PATIENCE: Duration = Duration::from_secs(5);

impl Pulse {
    /// Starts beating for `identity`, which was registered when the boot clock said `sent`.
    pub(crate) fn start(
        settings: MemberSettings,
        address: Address,
        clock: SharedClock,
        trust_db_clock: bool,
        writer: &Writer,
        (lease, identity, sent): (Arc<Lease>, Identity, Duration),
    ) -> (Arc<Membership>, Stop) {
        let (asks, asked) = mpsc::channel(64);
        let line = match address.engine() {
            Engine::Sqlite => Line::Writer(writer.clone()),
            Engine::Postgres => Line::Own(None),
        };
        let members = Arc::new(Membership {
            pins: Arc::new(Pins::new(Arc::clone(&clock))),
            settings,
            address,
            clock,
            trust_db_clock,
            lease,
            observed: AtomicI64::new(identity.epoch),
            beats: AtomicU64::new(0),
            fenced: AtomicU64::new(0),
            waiters: AtomicU64::new(0),
            unsatisfied: AtomicU64::new(0),
            asks,
        });
        members.lease.extend(sent, deadline(&members, members.address.engine(), sent));
        let pulse = Pulse { members: Arc::clone(&members), line, listener: None, asked, told: None };
        let lease = Arc::clone(&members.lease);
        let stop = Stop(tokio::spawn(async move {
            // A process whose pulse has stopped by a mistake of ours would be waited for, and know nothing of it.
            if AssertUnwindSafe(pulse.run()).catch_unwind().await.is_err() {
                lease.end_process(
                    "the heartbeat of this process has stopped by a mistake of ours; it has been logged",
                );
            }
        }));
        (members, stop)
    }

    async fn run(mut self) {
        let mut listen_at = Duration::ZERO;
        let (mut failing, mut waiting) = (false, Vec::new());
        while !self.members.lease.ended() {
            let now = self.members.clock.boot();
            if self.wants_listener() && now >= listen_at {
                listen_at = now + LISTEN_AGAIN;
                // Listening before reading: nothing falls between the two.
                let listening = tokio::time::timeout(PATIENCE, self.members.address.listen()).await;
                self.listener = listening.ok().and_then(Result::ok);
            }
            let sleep = self.sleep(failing);
            tokio::select! {
                Some(reply) = self.asked.recv() => waiting.push(reply),
                () = self.members.pins.freed.notified() => {}
                () = notified(&mut self.listener) => {}
                () = tokio::time::sleep(sleep) => {}
            }
            // Whoever has asked meanwhile is served by the same heartbeat, which begins after they asked.
            while let Ok(reply) = self.asked.try_recv() {
                waiting.push(reply);
            }
            if self.members.lease.ended() {
                // Somebody has said goodbye meanwhile: whoever asked is told by the lease.
                break;
            }
            let outcome = self.round().await;
            failing = outcome.is_err();
            for reply in waiting.drain(..) {
                let _gone = reply.send(match &outcome {
                    Ok(()) => self.members.lease.require(),
                    Err(failure) => Err(failure.again()),
                });
            }
        }
    }

    fn wants_listener(&self) -> bool {
        self.members.settings.notifications
            && self.listener.is_none()
            && self.members.address.engine() == Engine::Postgres
    }

    /// Until the next heartbeat; sooner where something has to be cut.
    fn sleep(&self, failing: bool) -> Duration {
        let heartbeat = self.members.settings.heartbeat;
        let sleep = if failing { heartbeat.min(AGAIN) } else { heartbeat };
        // What has been cut already needs no haste: it frees its pin, and rings.
        let now = self.members.clock.boot();
        let cut = self.members.pins.next_cut(now).map(|at| at.saturating_sub(now));
        cut.map_or(sleep, |cut| sleep.min(cut.max(Duration::from_millis(50))))
    }

    /// One heartbeat, and what follows from its answer.
    async fn round(&mut self) -> Result<(), Failure> {
        loop {
            let beaten = match tokio::time::timeout(PATIENCE, self.beat()).await {
                Ok(beaten) => beaten,
                Err(_) => Err(late()),
            };
            match beaten {
                Ok(Beaten::Accepted { more, told }) => {
                    // Only what is committed has been told.
                    self.told = told.or(self.told.take());
                    if !more {
                        return Ok(());
                    }
                }
                Ok(Beaten::Fenced { replaced }) => {
                    self.stop_serving("this process was fenced; it registers anew");
                    if replaced {
                        self.end();
                        return Ok(());
                    }
                    match tokio::time::timeout(PATIENCE, self.come_back()).await {
                        Ok(Ok(())) => {}
                        // Somebody younger has come under our name in this very moment.
                        Ok(Err(Failure::Start(_))) => {
                            self.end();
                            return Ok(());
                        }
                        Ok(Err(failure)) => {
                            self.drop_line();
                            return Err(failure);
                        }
                        Err(_) => {
                            self.drop_line();
                            return Err(late());
                        }
                    }
                }
                Ok(Beaten::Regressed(epoch)) => {
                    let seen = self.members.observed();
                    let why = format!(
                        "EPOCHREGRESSION: the database is at epoch {epoch}, and this process has seen {seen}: it was \
                         restored from an older copy or lost commits. Restart every member once you have made sure that it \
                         is the one you want"
                    );
                    tracing::error!(%why, "nothing is served or purged");
                    self.members.lease.end(&why);
                    self.stop_serving(&why);
                    return Err(Failure::Fenced(why));
                }
                Err(failure) => {
                    self.drop_line();
                    if !self.members.lease.holds() {
                        // Past the own deadline: what is flowing must not flow on.
                        self.members.pins.cut_all();
                    }
                    tracing::warn!(%failure, "a heartbeat failed");
                    return Err(failure);
                }
            }
        }
    }

    fn stop_serving(&self, why: &str) {
        self.members.lease.lapse(why);
        // Before cutting: whoever pins after that looks again, and does not find itself in a run that has registered anew.
        self.members.pins.pass_moment();
        self.members.pins.cut_all();
    }

    /// Another process has taken our name: this one must end.
    fn end(&mut self) {
        let MemberSettings { node, role, .. } = &self.members.settings;
        let why = format!(
            "another {role} process with cluster.node = {node:?} has started on this database, and the younger one goes \
             on. Give every process a node name of its own"
        );
        self.members.lease.end_process(&why);
    }

    /// Registers anew.
    async fn come_back(&mut self) -> Result<(), Failure> {
        let sent = self.members.clock.boot();
        let identity = self.register().await?;
        let members = &self.members;
        members.observed.store(identity.epoch, Ordering::SeqCst);
        // What happened meanwhile is not read again: what has to go, or came back, was cut with everything.
        members.pins.forget_leaving();
        self.told = None;
        members.fenced.fetch_add(1, Ordering::Relaxed);
        members.lease.renew(identity, sent, deadline(members, members.address.engine(), sent));
        tracing::warn!(incarnation = identity.incarnation, "was fenced, and has registered anew");
        Ok(())
    }

    async fn beat(&mut self) -> Result<Beaten, Failure> {
        let members = Arc::clone(&self.members);
        match &mut self.line {
            Line::Own(conn) => {
                let mut line = match conn.take() {
                    Some(line) => line,
                    None => Box::new(members.address.connect().await?),
                };
                let beaten = beat(&members, &mut line, members.clock.now(), self.told.as_ref()).await;
                if beaten.is_ok() {
                    *conn = Some(line);
                }
                beaten
            }
            Line::Writer(writer) => {
                let told = self.told.clone();
                writer
                    .unfenced(Urgency::Foreground, move |conn, now| {
                        let (members, told) = (Arc::clone(&members), told.clone());
                        Box::pin(async move { beat(&members, conn, now, told.as_ref()).await })
                    })
                    .await
            }
        }
    }

    async fn register(&mut self) -> Result<Identity, Failure> {
        let members = Arc::clone(&self.members);
        let comes = Comes::Back(members.lease.identity().incarnation);
        match &mut self.line {
            Line::Own(conn) => {
                let mut line = match conn.take() {
                    Some(line) => line,
                    None => Box::new(members.address.connect().await?),
                };
                let registered = registered(&members, &mut line, comes).await;
                if registered.is_ok() {
                    *conn = Some(line);
                }
                registered
            }
            Line::Writer(writer) => {
                writer
                    .unfenced(Urgency::Foreground, move |conn, now| {
                        let members = Arc::clone(&members);
                        Box::pin(async move {
                            register(conn, &members.settings, comes, members.trust_db_clock, now).await
                        })
                    })
                    .await
            }
        }
    }

    fn drop_line(&mut self) {
        if let Line::Own(conn) = &mut self.line {
            // Closing it would wait for a server that does not answer.
            *conn = None;
        }
        self.listener = None;
    }
}

fn late() -> Failure {
    Failure::Unavailable { text: "the database did not answer a heartbeat in time".to_owned(), again: false }
}

async fn registered(members: &Membership, conn: &mut Conn, comes: Comes) -> Result<Identity, Failure> {
    conn.begin().await?;
    let identity =
        register(conn, &members.settings, comes, members.trust_db_clock, members.clock.now()).await?;
    conn.commit().await?;
    Ok(identity)
}

/// Waits for a notification. A listener that broke is let go of; without one this waits for ever.
async fn notified(listener: &mut Option<Listener>) {
    let heard: Result<(), DbError> = match listener {
        Some(listener) => listener.heard().await,
        None => std::future::pending().await,
    };
    if heard.is_err() {
        *listener = None;
    }
}
