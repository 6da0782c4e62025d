//! Identities that answers carry and later requests need: 16 bytes each, however many there are.

/// A UUID or version as the server writes them: 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id([u8; 16]);

impl Id {
    /// Reads 32 hex digits, in quotes or not, as ETags have them; `None` for anything else.
    pub fn read(value: &[u8]) -> Option<Self> {
        let bare = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        let mut bytes = [0; 16];
        if bare.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(bare.chunks_exact(2)) {
            *byte = hex_value(digits[0])? << 4 | hex_value(digits[1])?;
        }
        Some(Id(bytes))
    }

    /// Writes 32 hex digits in lower case.
    pub fn write(self, into: &mut Vec<u8>) {
        write_hex(&self.0, into);
    }
}

/// Writes two hex digits for each byte, in lower case.
pub(super) fn write_hex(bytes: &[u8], into: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        into.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// What one request made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The number in the request's name; where names have none, how many requests came before it.
    pub number: u32,
    /// What the answer called it.
    pub id: Id,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_32_hex_digits_and_nothing_else() {
        let digits = b"00ff10a9b8c7d6e5f401234567890abc";
        let id = Id::read(digits).unwrap();
        assert_eq!(Id::read(b"\"00FF10A9B8C7D6E5F401234567890ABC\""), Some(id));
        let mut written = Vec::new();
        id.write(&mut written);
        assert_eq!(written, digits);
        for bad in [&b""[..], b"\"", &digits[1..], b"00ff10a9b8c7d6e5f401234567890abg", b"\"00ff\""] {
            assert_eq!(Id::read(bad), None, "{}", String::from_utf8_lossy(bad));
        }
    }
}
