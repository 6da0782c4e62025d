//! Sizes with units: a whole number and one of a few spellings. `Mb` and `M` are nobody's guess to make.

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    // Last, because every other unit ends in it.
    ("B", 1),
];

/// The units, for people.
pub(super) const UNIT_NAMES: &str = "B, KiB, MiB, GiB, TiB, KB, MB, GB, TB";

/// Bytes; `None` if the text is not a size or no number of bytes that fits.
pub(super) fn parse(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|&(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number = number.trim_end();
    // `parse` would take a sign.
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(unit)
}

/// The shortest exact spelling in powers of 1024.
pub(super) fn format(bytes: u64) -> String {
    let exact =
        |&&(name, unit): &&(&str, u64)| name.contains('i') && bytes >= unit && bytes.is_multiple_of(unit);
    match UNITS.iter().rev().find(exact) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_whole_number_with_a_unit() {
        assert_eq!(parse("16KiB"), Some(16_384));
        assert_eq!(parse("16 KB"), Some(16_000));
        assert_eq!(parse("0B"), Some(0));
        assert_eq!(parse("2TiB"), Some(2 << 40));
        for bad in ["", "16", "KiB", "-1B", "+1B", "1.5GiB", "1Mb", "1M", "1kib", "99999999999TiB", "1 2B"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        assert_eq!(
            [0, 1, 1024, 1536, 1 << 20, 10 << 30].map(format),
            ["0B", "1B", "1KiB", "1536B", "1MiB", "10GiB"]
        );
    }
}
