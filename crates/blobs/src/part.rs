//! How a body is cut into parts.

const MIB: u64 = 1 << 20;
/// Parts of a local file, and of a store in memory.
const NEAR: u64 = MIB;
/// The least part of a remote object. S3 wants 5 MiB.
const FAR: u64 = 8 * MIB;
/// The largest part of a remote object, small enough for the budget. Bodies end at 10,000 of them (312 GiB).
const FAR_MOST: u64 = 32 * MIB;
/// No remote store takes more parts than this.
const FAR_PARTS: u64 = 10_000;

/// Parts in flight of one upload.
pub(crate) const AT_ONCE: usize = 2;

/// The size of the next part, in bytes.
///
/// All parts of a body whose length is known are equal (some stores insist); those of an unknown length grow, so
/// that a long body does not run out of part numbers.
pub(crate) fn size(remote: bool, expected: Option<u64>, sent: u64) -> usize {
    let bytes = match (remote, expected) {
        (false, _) => NEAR,
        (true, Some(expected)) => expected.div_ceil(FAR_PARTS).next_multiple_of(MIB).clamp(FAR, FAR_MOST),
        (true, None) => (FAR << (sent / 2_500).min(2)).min(FAR_MOST),
    };
    usize::try_from(bytes).expect("32 MiB fit into every usize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_does_not_run_out_of_part_numbers() {
        assert_eq!(size(false, Some(u64::MAX / 2), 0), 1 << 20);
        assert_eq!(size(true, Some(1), 0), 8 << 20);
        let hundred_gib = 100 << 30;
        assert!(size(true, Some(hundred_gib), 0) as u64 * FAR_PARTS >= hundred_gib);
        let unknown: u64 = (0..FAR_PARTS).map(|sent| size(true, None, sent) as u64).sum();
        assert!(unknown > 200 << 30, "{unknown}");
        assert_eq!(size(true, None, FAR_PARTS), 32 << 20);
    }
}
