//! The doors' sockets.

use super::addresses::Addresses;
use crate::config::Listen;
use crate::exit::Failed;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// What is bound. The S3 door is not built yet, and its port is left to whoever wants it.
pub(super) struct Listeners {
    pub(super) scsp: TcpListener,
    pub(super) admin: TcpListener,
    addresses: Addresses,
}

impl Listeners {
    pub(super) async fn bind(listen: &Listen) -> Result<Self, Failed> {
        let (scsp, scsp_at) = bind("listen.scsp", listen.scsp).await?;
        let (admin, admin_at) = bind("listen.admin", listen.admin).await?;
        Ok(Listeners { scsp, admin, addresses: Addresses { scsp: scsp_at, admin: admin_at } })
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
