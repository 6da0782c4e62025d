//! How much of everything the model tries, and the rules it keeps.

/// How often each thing happens at most. Within this every order of events is tried; heartbeats come as often as they like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Ticks of the database's clock.
    pub(crate) ticks: u8,
    /// Removals of the bucket.
    pub(crate) removals: u8,
    /// Restores of the bucket.
    pub(crate) restores: u8,
    /// Deletes of the one object.
    pub(crate) deletes: u8,
    /// Downloads, on whichever member.
    pub(crate) reads: u8,
    /// Uploads, on whichever member.
    pub(crate) writes: u8,
    /// Times that a member stands still.
    pub(crate) pauses: u8,
    /// Times that a process dies and another one takes its name.
    pub(crate) kills: u8,
    /// Times that an operator fences a member by hand.
    pub(crate) by_hand: u8,
    /// Times that it is asked who reads; none: no bytes are destroyed.
    pub(crate) asks: u8,
    /// Heartbeats that are given up by who sent them, and arrive all the same.
    pub(crate) strays: u8,
    /// Runs of each member: it registers anew once less.
    pub(crate) runs: [u8; 2],
}

impl Bounds {
    /// Nothing happens but heartbeats.
    pub(crate) const STILL: Bounds = Bounds {
        ticks: 0,
        removals: 0,
        restores: 0,
        deletes: 0,
        reads: 0,
        writes: 0,
        pauses: 0,
        kills: 0,
        by_hand: 0,
        asks: 0,
        strays: 0,
        runs: [1; 2],
    };
}

/// The rules that carry the weight, each of which a test breaks on purpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// A commit is conditional on the row of the run that began it.
    pub(crate) commits_are_fenced: bool,
    /// The barrier waits for what a member still does in the bucket.
    pub(crate) holdouts_count: bool,
    /// Nobody is fenced before its lease and a margin are over, and what is fenced by hand is waited for so long.
    pub(crate) leases_count: bool,
    /// Who finds, having pinned, that the moment has passed looks again.
    pub(crate) looks_again: bool,
    /// A heartbeat lets the moment pass before it looks for what is pinned in a removed bucket.
    pub(crate) moment_before_leaving: bool,
    /// A fenced process lets the moment pass before it cuts what is pinned.
    pub(crate) moment_before_cutting: bool,
    /// A heartbeat never shortens a lease and never takes back what was observed, late as it may arrive.
    pub(crate) leases_only_grow: bool,
    /// Nothing is read in a bucket that is removed. Operators may, by its UUID: to them the promise is not made.
    pub(crate) only_live_is_read: bool,
}

impl Rules {
    /// The design.
    pub(crate) const ALL: Rules = Rules {
        commits_are_fenced: true,
        holdouts_count: true,
        leases_count: true,
        looks_again: true,
        moment_before_leaving: true,
        moment_before_cutting: true,
        leases_only_grow: true,
        only_live_is_read: true,
    };
}

/// How long a heartbeat lets a member serve, in ticks of the database's clock.
pub(crate) const LEASE: u8 = 2;
/// How much earlier a member stops by itself, and how much later others believe that it has.
pub(crate) const MARGIN: u8 = 1;
/// How much slower than the database's clock a member's own may run within a lease.
pub(crate) const SLOW: u8 = 1;
