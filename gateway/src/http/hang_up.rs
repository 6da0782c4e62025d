//! Ending a connection from beside: for what must not flow on although its client takes nothing.
//!
//! A body that fails is cut when the HTTP library asks it for more, and of a client that reads nothing it asks for nothing.
//! Whatever such a body holds would be held until the idle limit. So whoever makes a body that may have to end early takes
//! the [`Connection`] that it will flow out of, and hangs up on it.

use std::sync::Arc;
use tokio::sync::Notify;

tokio::task_local! {
    static HERE: Connection;
}

/// The connection that a request came on.
#[derive(Clone, Debug, Default)]
pub struct Connection(Arc<Calls>);

#[derive(Debug, Default)]
struct Calls {
    hang_up: Notify,
    leave: Notify,
}

impl Connection {
    /// The one whose request is being answered by this task, if it is.
    pub fn here() -> Option<Self> {
        HERE.try_with(Clone::clone).ok()
    }

    /// Ends it where it stands: nothing more goes out.
    pub fn hang_up(&self) {
        self.0.hang_up.notify_one();
    }

    /// Ready when the house stops, if it asks for that while this waits or has done so before: whoever holds a request back
    /// until there is something to answer, answers then. For one at a time, as requests on a connection are.
    pub async fn leaving(&self) {
        self.0.leave.notified().await;
    }

    /// The house stops.
    pub(super) fn leave(&self) {
        self.0.leave.notify_one();
    }

    /// Ready when somebody has hung up.
    pub(super) async fn ended(&self) {
        self.0.hang_up.notified().await;
    }

    /// Does what is done for this connection.
    pub(super) async fn serve<F: Future>(self, serving: F) -> F::Output {
        HERE.scope(self, serving).await
    }
}
