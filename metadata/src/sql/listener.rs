//! Hearing that the epoch has moved: Postgres alone can tell, and nobody relies on it.

use super::{Address, DbError};
use sqlx::postgres::PgListener;

/// A connection that listens.
pub(crate) struct Listener(PgListener);

impl Address {
    /// Opens a connection that listens.
    pub(crate) async fn listen(&self) -> Result<Listener, DbError> {
        match self.postgres_options() {
            None => Err(DbError::Other("SQLite has nothing to listen to".to_owned())),
            Some(options) => {
                let pool = sqlx::postgres::PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(std::time::Duration::from_secs(5))
                    .connect_lazy_with(options);
                let mut listener = PgListener::connect_with(&pool).await?;
                // A listener that reconnects by itself forgets what it missed; we would rather read the log and listen anew.
                listener.ignore_pool_close_event(true);
                listener.listen("barrow").await?;
                Ok(Listener(listener))
            }
        }
    }
}

impl Listener {
    /// Waits until something has been told.
    ///
    /// # Errors
    /// The connection broke: what was told since is lost, and in the log.
    pub(crate) async fn heard(&mut self) -> Result<(), DbError> {
        match self.0.try_recv().await? {
            Some(_) => Ok(()),
            None => Err(DbError::Gone("the listening connection broke".to_owned())),
        }
    }
}
