//! Nonces for Digest clients, without a record of those handed out.
//!
//! A nonce carries when it was made, a serial number, and a keyed hash over both and the realm that it was made for: so it
//! is ours, its age is known, and it is good in no other realm. The key of the hash lives as long as the process; a nonce
//! of another process is stale here, and its client asks again with ours.
//!
//! What is remembered is the use of nonces, so that nobody sends a recorded request again: of each used nonce the highest
//! count, and which of the counts just below it were seen. The memory is bounded. What falls out of it moves a
//! **horizon**: nonces made up to there are stale unless they are still remembered. So a nonce whose uses were forgotten
//! is never taken for one that was not used yet.

use crate::http::DigestCredentials;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::MemberId;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a nonce is accepted.
const VALID: Duration = Duration::from_secs(5 * 60);
/// Used nonces that are remembered: a few megabytes, and 200 clients a second that ask for a nonce each.
const MOST: usize = 1 << 16;
/// Bytes of the keyed hash that a nonce carries.
const TAG: usize = 16;

/// When a nonce was made, in microseconds since boot, and its serial number. No two nonces of a process have the same,
/// and their order is that of time.
type Made = (u64, u64);

/// Makes nonces, and accepts each use of one once.
pub(super) struct Nonces {
    key: [u8; 32],
    /// Given back by clients with each request. Nothing is read from it: all that counts stands in the nonce.
    opaque: MemberId,
    serial: AtomicU64,
    used: Mutex<Used>,
}

impl Default for Nonces {
    fn default() -> Self {
        Nonces::remembering(MOST)
    }
}

impl Nonces {
    fn remembering(most: usize) -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(MemberId::random().as_bytes());
        key[16..].copy_from_slice(MemberId::random().as_bytes());
        Nonces {
            key,
            opaque: MemberId::random(),
            serial: AtomicU64::new(0),
            used: Mutex::new(Used { windows: BTreeMap::new(), horizon: None, most }),
        }
    }

    /// The value of a `WWW-Authenticate` header with a nonce made at `now`, time since boot.
    pub(super) fn challenge(&self, realm: &str, stale: bool, now: Duration) -> String {
        let nonce = self.make(realm, now);
        let quoted = realm.replace('\\', "\\\\").replace('"', "\\\"");
        let stale = if stale { ", stale=true" } else { "" };
        let opaque = self.opaque;
        format!(
            "Digest realm=\"{quoted}\", qop=\"auth\", nonce=\"{nonce}\", algorithm=MD5, opaque=\"{opaque}\"{stale}"
        )
    }

    /// Whether the nonce is ours and in time, and its count was not used before; then it is used from now on.
    pub(super) fn accept(&self, digest: &DigestCredentials, now: Duration) -> bool {
        let Some(made) = self.read(&digest.nonce, &digest.realm) else { return false };
        let mut used = self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        used.forget_expired(now);
        !expired(made, now) && used.accept(made, digest.count)
    }

    fn make(&self, realm: &str, now: Duration) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let made = (u64::try_from(now.as_micros()).unwrap_or(u64::MAX), serial);
        let tag = self.tag(made, realm).finalize().into_bytes();
        let tag: String = tag.iter().take(TAG).map(|byte| format!("{byte:02x}")).collect();
        format!("{:016x}{:016x}{tag}", made.0, made.1)
    }

    /// When a nonce was made, if that was here and for this realm.
    fn read(&self, nonce: &str, realm: &str) -> Option<Made> {
        if nonce.len() != 32 + 2 * TAG || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = |at: usize| u64::from_str_radix(nonce.get(at..at + 16)?, 16).ok();
        let made = (number(0)?, number(16)?);
        let tag = [number(32)?.to_be_bytes(), number(48)?.to_be_bytes()].concat();
        self.tag(made, realm).verify_truncated_left(&tag).is_ok().then_some(made)
    }

    fn tag(&self, made: Made, realm: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length is taken");
        mac.chain_update(made.0.to_be_bytes()).chain_update(made.1.to_be_bytes()).chain_update(realm)
    }
}

fn expired(made: Made, now: Duration) -> bool {
    now.saturating_sub(Duration::from_micros(made.0)) > VALID
}

/// The used nonces.
struct Used {
    windows: BTreeMap<Made, Window>,
    /// The newest of those that were forgotten.
    horizon: Option<Made>,
    most: usize,
}

impl Used {
    fn accept(&mut self, made: Made, count: u32) -> bool {
        if let Some(window) = self.windows.get_mut(&made) {
            return window.accept(count);
        }
        if count == 0 || self.horizon.is_some_and(|horizon| made <= horizon) {
            return false;
        }
        self.windows.insert(made, Window { highest: count, seen: 1 });
        while self.windows.len() > self.most {
            self.forget_oldest();
        }
        true
    }

    /// The horizon moves for these too: a request that read the clock before us may still take its nonce for valid.
    fn forget_expired(&mut self, now: Duration) {
        while self.windows.first_key_value().is_some_and(|(made, _)| expired(*made, now)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((made, _)) = self.windows.pop_first() {
            self.horizon = self.horizon.max(Some(made));
        }
    }
}

/// The counts of one nonce that were used: a client's connections may overtake one another, by so much.
struct Window {
    highest: u32,
    /// Bit `n` stands for the count `highest - n`. What lies below all bits counts as used.
    seen: u128,
}

impl Window {
    fn accept(&mut self, count: u32) -> bool {
        if count > self.highest {
            self.seen = self.seen.checked_shl(count - self.highest).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let bit = 1_u128.checked_shl(self.highest - count).unwrap_or(0);
        let fresh = bit != 0 && count != 0 && self.seen & bit == 0;
        self.seen |= if fresh { bit } else { 0 };
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALM: &str = "d.example/_administrators";
    const START: Duration = Duration::from_secs(1_000);

    fn use_of(nonces: &Nonces, nonce: &str, realm: &str, count: u32, now: Duration) -> bool {
        let digits = "0".repeat(32);
        let header = format!(
            "Digest username=\"K\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"/\", qop=auth, nc={count:08x}, \
             cnonce=\"c\", response=\"{digits}\""
        );
        nonces.accept(&DigestCredentials::parse(header.as_bytes()).expect("well-formed"), now)
    }

    #[test]
    fn a_challenge_says_what_a_client_needs() {
        let nonces = Nonces::default();
        let challenge = nonces.challenge("a \"b\"", true, START);
        assert!(challenge.starts_with("Digest realm=\"a \\\"b\\\"\", qop=\"auth\", nonce=\""), "{challenge}");
        assert!(challenge.contains("\", algorithm=MD5, opaque=\""), "{challenge}");
        assert!(challenge.ends_with("\", stale=true"), "{challenge}");
        assert!(!nonces.challenge(REALM, false, START).contains("stale"));
    }

    #[test]
    fn a_nonce_is_good_for_five_minutes_in_its_realm_and_its_process() {
        let nonces = Nonces::default();
        let nonce = nonces.make(REALM, START);
        assert_ne!(nonce, nonces.make(REALM, START), "each client has its own");
        assert!(use_of(&nonces, &nonce, REALM, 1, START));
        assert!(use_of(&nonces, &nonce, REALM, 2, START + VALID));
        assert!(!use_of(&nonces, &nonce, REALM, 3, START + VALID + Duration::from_micros(1)));
        assert!(!use_of(&nonces, &nonces.make(REALM, START), "other.example", 1, START));
        assert!(!use_of(&nonces, &Nonces::default().make(REALM, START), REALM, 1, START));
        for wrong in [String::new(), nonce[1..].to_owned(), "g".repeat(64), "é".repeat(32), "+1".repeat(32)]
        {
            assert!(!use_of(&nonces, &wrong, REALM, 1, START), "{wrong}");
        }
    }

    #[test]
    fn a_changed_nonce_is_nobodys() {
        let nonces = Nonces::default();
        let nonce = nonces.make(REALM, START);
        for at in 0..nonce.len() {
            let mut changed = nonce.clone();
            changed.replace_range(at..=at, if &nonce[at..=at] == "0" { "1" } else { "0" });
            assert!(!use_of(&nonces, &changed, REALM, 1, START), "digit {at}");
        }
    }

    #[test]
    fn a_count_is_good_once_and_may_come_late_but_not_too_late() {
        let nonces = Nonces::default();
        let nonce = nonces.make(REALM, START);
        for (count, accepted) in [
            (0, false),
            (2, true),
            (2, false),
            (1, true),
            (1, false),
            (130, true),
            (130, false),
            (2, false),
            (3, true),
            (3, false),
            (129, true),
            (0, false),
            (u32::MAX, true),
            (130, false),
            (131, false),
            (u32::MAX - 127, true),
            (u32::MAX - 128, false),
        ] {
            assert_eq!(use_of(&nonces, &nonce, REALM, count, START), accepted, "{count}");
        }
    }

    #[test]
    fn what_was_forgotten_is_never_accepted_again() {
        let nonces = Nonces::remembering(2);
        let made: Vec<String> =
            (0..4).map(|at| nonces.make(REALM, START + Duration::from_micros(at))).collect();
        for nonce in &made[1..] {
            assert!(use_of(&nonces, nonce, REALM, 1, START));
        }
        // The second was forgotten; the first was never used and lies behind the horizon with it.
        assert!(!use_of(&nonces, &made[1], REALM, 1, START));
        assert!(!use_of(&nonces, &made[1], REALM, 2, START));
        assert!(!use_of(&nonces, &made[0], REALM, 1, START));
        assert!(!use_of(&nonces, &made[3], REALM, 1, START));
        assert!(use_of(&nonces, &made[2], REALM, 2, START));
        assert!(use_of(&nonces, &nonces.make(REALM, START + VALID), REALM, 1, START + VALID));
        assert!(nonces.used.lock().expect("not poisoned").windows.len() <= 2);
    }

    #[test]
    fn what_expired_takes_no_room_and_stays_used_for_whoever_read_the_clock_before() {
        let nonces = Nonces::default();
        let (nonce, late) = (nonces.make(REALM, START), START + VALID);
        assert!(use_of(&nonces, &nonce, REALM, 1, START));
        let next = late + Duration::from_secs(1);
        assert!(use_of(&nonces, &nonces.make(REALM, next), REALM, 1, next));
        assert_eq!(nonces.used.lock().expect("not poisoned").windows.len(), 1);
        assert!(!use_of(&nonces, &nonce, REALM, 1, late));
    }
}
