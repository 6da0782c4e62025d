//! The doors' sockets.

use super::addresses::Addresses;
use crate::config::Listen;
use crate::exit::Failed;
use gateway::http::{Entrance, Tls};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// What is bound: one entrance for each door.
pub(super) struct Listeners {
    pub(super) s3: Entrance,
    pub(super) scsp: Entrance,
    pub(super) admin: Entrance,
    addresses: Addresses,
}

impl Listeners {
    /// Binds all of them, or none. With `tls` all of them speak it: no door is left in clear beside encrypted ones.
    pub(super) async fn bind(listen: &Listen, tls: Option<Arc<Tls>>) -> Result<Self, Failed> {
        let (s3, s3_at) = bind("listen.s3", listen.s3).await?;
        let (scsp, scsp_at) = bind("listen.scsp", listen.scsp).await?;
        let (admin, admin_at) = bind("listen.admin", listen.admin).await?;
        let entrance = |listener| Entrance::new(listener, tls.clone());
        Ok(Listeners {
            s3: entrance(s3),
            scsp: entrance(scsp),
            admin: entrance(admin),
            addresses: Addresses { s3: s3_at, scsp: scsp_at, admin: admin_at },
        })
    }

    /// Where they really are: the system chooses where the configuration says port 0.
    pub(super) fn addresses(&self) -> Addresses {
        self.addresses
    }
}

async fn bind(setting: &str, at: SocketAddr) -> Result<(TcpListener, SocketAddr), Failed> {
    let failed = |error: std::io::Error| Failed::Server(format!("{setting} = \"{at}\": {error}"));
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    Ok((listener, at))
}
