//! Cyclic redundancy checks put together: the only checksums of parts that make the checksum of the whole without
//! reading a byte again.

use super::hashing::HashType;

/// The CRC of contents one behind the other, from the CRC and the length in bytes of each. `None` for what is no CRC and
/// for a CRC that does not have its length.
///
/// With these three the CRC of nothing is 0 and crc(a ‖ b) = crc(a) · x^(8 · |b|) + crc(b), in polynomials over GF(2)
/// modulo the generator. Powers by squaring cost microseconds per part, where the matrices of `crc_fast` cost tenths of a
/// millisecond: with 10,000 parts, a second.
pub(super) fn combined(of: HashType, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let field = Field::of(of)?;
    let mut whole = 0;
    // Parts mostly have one length.
    let mut power = (0, field.one());
    for (crc, length) in parts {
        if power.0 != *length {
            power = (*length, field.power(*length));
        }
        whole = field.product(whole, power.1) ^ number(crc, of.length())?;
    }
    Some(bytes(whole, of.length()))
}

/// Polynomials modulo a generator, reflected: the highest of their bits is x^0.
#[derive(Clone, Copy)]
struct Field {
    generator: u64,
    bits: u32,
}

impl Field {
    /// The generators as the catalogue of parametrised CRC algorithms has them (CRC-32/ISO-HDLC, CRC-32/ISCSI,
    /// CRC-64/NVME), reflected.
    fn of(of: HashType) -> Option<Self> {
        match of {
            HashType::Crc32 => Some(Field { generator: 0xedb8_8320, bits: 32 }),
            HashType::Crc32c => Some(Field { generator: 0x82f6_3b78, bits: 32 }),
            HashType::Crc64Nvme => Some(Field { generator: 0x9a6c_9329_ac4b_c9b5, bits: 64 }),
            HashType::Md5 | HashType::Sha1 | HashType::Sha256 | HashType::Sha384 | HashType::Sha512 => None,
        }
    }

    fn one(self) -> u64 {
        1 << (self.bits - 1)
    }

    fn product(self, left: u64, mut right: u64) -> u64 {
        let mut product = 0;
        for exponent in 0..self.bits {
            if left & (self.one() >> exponent) != 0 {
                product ^= right;
            }
            let overflows = right & 1 == 1;
            right >>= 1;
            if overflows {
                right ^= self.generator;
            }
        }
        product
    }

    /// x to the power of eight times `length`.
    fn power(self, mut length: u64) -> u64 {
        let mut square = self.one() >> 8;
        let mut power = self.one();
        while length > 0 {
            if length & 1 == 1 {
                power = self.product(power, square);
            }
            square = self.product(square, square);
            length >>= 1;
        }
        power
    }
}

/// A CRC of `length` bytes, at most eight, the most significant first.
pub(super) fn bytes(number: u64, length: usize) -> Vec<u8> {
    number.to_be_bytes()[size_of::<u64>() - length..].to_vec()
}

fn number(bytes: &[u8], length: usize) -> Option<u64> {
    let right = bytes.len() == length;
    right.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::super::hashing;
    use super::*;
    use crc_fast::CrcAlgorithm;

    const ALL: [(HashType, CrcAlgorithm); 3] = [
        (HashType::Crc32, CrcAlgorithm::Crc32IsoHdlc),
        (HashType::Crc32c, CrcAlgorithm::Crc32Iscsi),
        (HashType::Crc64Nvme, CrcAlgorithm::Crc64Nvme),
    ];

    fn crc(of: HashType, content: &[u8]) -> Vec<u8> {
        hashing::digest(of, content).bytes().to_vec()
    }

    #[test]
    fn the_check_values_of_the_catalogue() {
        for (of, wanted) in [
            (HashType::Crc32, "cbf43926"),
            (HashType::Crc32c, "e3069283"),
            (HashType::Crc64Nvme, "ae8b14860a799888"),
        ] {
            assert_eq!(hashing::digest(of, b"123456789").to_string(), wanted);
            assert_eq!(crc(of, b""), vec![0; of.length()], "the CRC of nothing is nothing");
        }
        assert_eq!(combined(HashType::Md5, &[]), None, "hashes do not combine");
    }

    #[test]
    fn the_crcs_of_parts_make_the_crc_of_the_whole_however_it_is_split() {
        let content: Vec<u8> = (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for (of, _) in ALL {
            for cuts in [vec![], vec![0], vec![1], vec![2_500], vec![7, 7, 4_999], vec![100, 200, 300, 5_000]]
            {
                let edges: Vec<usize> =
                    [0].into_iter().chain(cuts.iter().copied()).chain([content.len()]).collect();
                let parts: Vec<(Vec<u8>, u64)> = edges
                    .windows(2)
                    .map(|edge| &content[edge[0]..edge[1]])
                    .map(|part| (crc(of, part), part.len() as u64))
                    .collect();
                assert_eq!(combined(of, &parts), Some(crc(of, &content)), "{of} cut at {cuts:?}");
            }
            assert_eq!(combined(of, &[]), Some(crc(of, b"")));
            assert_eq!(combined(of, &[(vec![0; 3], 1)]), None, "three bytes are no CRC");
        }
    }

    #[test]
    fn parts_too_large_to_try_combine_as_the_library_says() {
        for (of, algorithm) in ALL {
            for length in [5 << 20, (5 << 30) + 1, u64::MAX] {
                let (first, second) = (crc(of, b"one"), crc(of, b"another"));
                let parts = [(first.clone(), 3), (second.clone(), length)];
                let wanted = crc_fast::checksum_combine(
                    algorithm,
                    number(&first, of.length()).unwrap(),
                    number(&second, of.length()).unwrap(),
                    length,
                );
                assert_eq!(combined(of, &parts), Some(bytes(wanted, of.length())), "{of}, {length}");
            }
        }
    }

    #[test]
    fn every_split_of_arbitrary_bytes_combines_to_the_whole() {
        bolero::check!().with_type::<(Vec<u8>, Vec<u8>, Vec<u8>)>().for_each(|(a, b, c)| {
            let whole = [&a[..], b, c].concat();
            for (of, _) in ALL {
                let parts = [a, b, c].map(|part| (crc(of, part), part.len() as u64));
                assert_eq!(combined(of, &parts), Some(crc(of, &whole)));
            }
        });
    }
}
