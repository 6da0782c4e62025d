//! Who may connect: so many in all, so many from one peer. Looked at when a connection opens and when it closes, never
//! for a request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts open connections.
#[derive(Debug)]
pub(super) struct Doorman {
    connections: usize,
    per_peer: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    by_origin: HashMap<IpAddr, usize>,
}

/// One admitted connection; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Pass {
    doorman: Arc<Doorman>,
    origin: IpAddr,
}

/// Why a connection was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error("all connections are taken")]
    House,
    #[error("this peer holds as many connections as it may")]
    Peer,
}

impl Doorman {
    pub(super) fn new(connections: usize, per_peer: usize) -> Arc<Self> {
        Arc::new(Doorman { connections, per_peer, inside: Mutex::default() })
    }

    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Pass, Full> {
        let origin = origin(peer);
        let mut inside = self.inside();
        if inside.all >= self.connections {
            return Err(Full::House);
        }
        let of_peer = inside.by_origin.entry(origin).or_insert(0);
        if *of_peer >= self.per_peer {
            return Err(Full::Peer);
        }
        *of_peer += 1;
        inside.all += 1;
        Ok(Pass { doorman: Arc::clone(self), origin })
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // two counters cannot be left half changed, so a panic elsewhere is no reason to refuse everybody
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.doorman.inside();
        inside.all = inside.all.saturating_sub(1);
        if let Some(of_peer) = inside.by_origin.get_mut(&self.origin) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                inside.by_origin.remove(&self.origin);
            }
        }
    }
}

/// What counts as one peer.
fn origin(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_gets_its_share_and_a_place_back_when_it_leaves() {
        let doorman = Doorman::new(3, 2);
        let first = doorman.admit(ip("192.0.2.1")).unwrap();
        let _second = doorman.admit(ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(doorman.admit(ip("192.0.2.1")).unwrap_err(), Full::Peer);
        let _other = doorman.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(doorman.admit(ip("192.0.2.3")).unwrap_err(), Full::House);
        drop(first);
        assert!(doorman.admit(ip("192.0.2.1")).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_peer() {
        let doorman = Doorman::new(9, 1);
        let _first = doorman.admit(ip("2001:db8::1")).unwrap();
        assert_eq!(doorman.admit(ip("2001:db8::ffff:2")).unwrap_err(), Full::Peer);
        assert!(doorman.admit(ip("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn nothing_is_remembered_of_peers_who_left() {
        let doorman = Doorman::new(9, 1);
        drop(doorman.admit(ip("192.0.2.1")).unwrap());
        assert!(doorman.inside().by_origin.is_empty());
        assert_eq!(doorman.inside().all, 0);
    }
}
