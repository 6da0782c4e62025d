//! SIGTERM and SIGINT: the first asks to stop, the second insists. SIGHUP asks for fresh files.

use crate::exit::{Exit, Failed};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Does what `act` says at every SIGHUP, from now on until the process ends.
pub(super) fn on_hangup<A>(act: impl Fn() -> A + Send + 'static) -> Result<(), Failed>
where
    A: Future<Output = ()> + Send,
{
    let failed = |error| Failed::Server(format!("cannot listen for signals: {error}"));
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            act().await;
        }
    });
    Ok(())
}

/// Both signals.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Failed> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failed::Server(format!("cannot listen for signals: {error}")))
        };
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Waits for either.
    pub(super) async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// From here on, one more ends the process where it stands.
    pub(super) fn exit_on_the_next(mut self) {
        tokio::spawn(async move {
            self.first().await;
            tracing::warn!("a second signal: ending at once");
            std::process::exit(Exit::Refused as i32);
        });
    }
}
