//! Values that are good each by itself and wrong together.

use super::reader::Reader;
use super::{Anonymous, Config};

/// Reports every contradiction between settings of different sections.
pub(super) fn run(config: &Config, reader: &mut Reader) {
    anonymous_full_needs_loopback(config, reader);
    doors_need_their_own_addresses(config, reader);
    a_lease_outlives_lost_heartbeats(config, reader);
}

/// A lease that ends between two heartbeats would have every member declared dead by turns.
fn a_lease_outlives_lost_heartbeats(config: &Config, reader: &mut Reader) {
    let cluster = &config.cluster;
    if cluster.lease < cluster.heartbeat * 2 + cluster.margin {
        let what = format!(
            "a lease of {:?} is too short for a heartbeat every {:?} and a margin of {:?}: it must be at least twice the \
             heartbeat and the margin",
            cluster.lease, cluster.heartbeat, cluster.margin
        );
        reader.clash(&["cluster.lease", "cluster.heartbeat", "cluster.margin"], what);
    }
}

/// Whoever reaches a door may do everything: only this machine may reach it.
fn anonymous_full_needs_loopback(config: &Config, reader: &mut Reader) {
    if config.auth.anonymous == Anonymous::Full && !config.listen.only_loopback() {
        let open: Vec<(&str, _)> = config
            .listen
            .doors()
            .into_iter()
            .filter(|(_, at)| !at.ip().to_canonical().is_loopback())
            .collect();
        let doors: Vec<String> = open.iter().map(|(key, at)| format!("{key} = \"{at}\"")).collect();
        let keys: Vec<&str> =
            std::iter::once("auth.anonymous").chain(open.iter().map(|&(key, _)| key)).collect();
        let what = format!(
            "\"full\" is allowed only where every door listens on loopback, and {} does not; use \"none\" or \
             \"read\", or a loopback address",
            doors.join(" and ")
        );
        reader.clash(&keys, what);
    }
}

/// Found here and not at the second bind, where it would be "address in use" by nobody in sight.
fn doors_need_their_own_addresses(config: &Config, reader: &mut Reader) {
    let doors = config.listen.doors();
    for (at, (one, address)) in doors.iter().enumerate() {
        for (other, second) in &doors[at + 1..] {
            let same_ip = address.ip() == second.ip()
                || (address.is_ipv4() == second.is_ipv4()
                    && (address.ip().is_unspecified() || second.ip().is_unspecified()));
            if address.port() == second.port() && address.port() != 0 && same_ip {
                reader.clash(
                    &[one, other],
                    format!("both listen on port {}; each door needs its own", address.port()),
                );
            }
        }
    }
}
