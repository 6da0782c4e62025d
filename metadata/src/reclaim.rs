//! From removed to purged: claiming a version's bytes for destruction, and writing down that they are gone.
//!
//! A claim says its guard twice: in the inner select, which finds candidates, and in the outer WHERE, which is what
//! holds when another claimer was faster. Bytes first, row last: between claim and finish the process may die anywhere;
//! the claim lapses, somebody claims again, and destroying what is gone already does no harm.

/// Contents that hold something of state $1, and of it something for which `$which` holds: one look into an index each.
macro_rules! ripe {
    ($which:literal) => {
        concat!(
            "SELECT d.id, b.id, c.id, d.state, b.state, c.state, u.objects, u.bytes
             FROM usage u JOIN contents c ON c.id = u.contents_id JOIN buckets b ON b.id = c.bucket_id
                JOIN domains d ON d.id = b.domain_id
             WHERE u.state = $1 AND u.objects > 0
                AND EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = c.id AND ",
            $which,
            ") ORDER BY c.id"
        )
    };
}

/// No claim passes a guard: the SQL twin of `Guard::is_active`. `$4` is the time. It stands in the inner select too, or
/// what is guarded would fill its limit for ever and starve the rest.
macro_rules! unguarded {
    () => {
        "hold = 0 AND (guard_until IS NULL OR guard_until <= $4 OR guard_from > $4)"
    };
}

mod claim;
mod due;
mod finish;
mod forget;

pub use claim::ClaimOrder;
pub(crate) use claim::read_blob;
pub use due::Waiting;
