//! The values of a condition, read once, and a request's value compared with them.

use super::operator::{Compares, Operator, Order};
use crate::key::Facts;
use crate::pattern::Pattern;
use lifecycle::Time;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// What a request's value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Texts { of: Vec<Pattern>, ignoring_case: bool },
    Numbers(Order, Vec<f64>),
    Dates(Order, Vec<Time>),
    Truths(Vec<bool>),
    Addresses(Vec<Range>),
    Arns(Vec<[Pattern; 6]>),
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    first: IpAddr,
    bits: u32,
}

impl Values {
    /// Reads the values of an operator; `None` if one is not of its kind.
    pub(crate) fn read(operator: Operator, words: &[Cow<'_, str>], variables: bool) -> Option<Self> {
        let patterns = |wildcards: bool| -> Option<Vec<Pattern>> {
            words.iter().map(|word| Pattern::read(word, variables, wildcards).ok()).collect()
        };
        Some(match operator.compares {
            Compares::Exactly => Values::Texts { of: patterns(false)?, ignoring_case: false },
            Compares::Like => Values::Texts { of: patterns(true)?, ignoring_case: false },
            Compares::IgnoringCase => Values::Texts {
                of: patterns(false)?.into_iter().map(Pattern::lowered).collect(),
                ignoring_case: true,
            },
            Compares::Numbers(order) => {
                Values::Numbers(order, words.iter().map(|word| number(word)).collect::<Option<_>>()?)
            }
            Compares::Dates(order) => {
                Values::Dates(order, words.iter().map(|word| date(word)).collect::<Option<_>>()?)
            }
            Compares::Truths => Values::Truths(words.iter().map(|word| truth(word)).collect::<Option<_>>()?),
            Compares::Addresses => {
                Values::Addresses(words.iter().map(|word| Range::read(word)).collect::<Option<_>>()?)
            }
            Compares::Arns => {
                Values::Arns(words.iter().map(|word| arn(word, variables)).collect::<Option<_>>()?)
            }
        })
    }

    /// Whether `said` is one of them, or related to one of them as the operator wants. What is not of its kind is none of them.
    pub(crate) fn have(&self, said: &str, facts: &dyn Facts) -> bool {
        match self {
            Values::Texts { of, ignoring_case: false } => {
                of.iter().any(|pattern| pattern.matches(said, facts))
            }
            Values::Texts { of, ignoring_case: true } => {
                let said = said.to_lowercase();
                of.iter().any(|pattern| pattern.matches(&said, facts))
            }
            Values::Numbers(order, wanted) => {
                number(said).is_some_and(|said| wanted.iter().any(|wanted| order.holds(&said, wanted)))
            }
            Values::Dates(order, wanted) => {
                date(said).is_some_and(|said| wanted.iter().any(|wanted| order.holds(&said, wanted)))
            }
            Values::Truths(wanted) => truth(said).is_some_and(|said| wanted.contains(&said)),
            Values::Addresses(ranges) => {
                said.parse().is_ok_and(|said| ranges.iter().any(|range| range.holds(said)))
            }
            Values::Arns(wanted) => {
                let parts: Vec<&str> = said.splitn(6, ':').collect();
                parts.len() == 6
                    && wanted
                        .iter()
                        .any(|arn| arn.iter().zip(&parts).all(|(pattern, part)| pattern.matches(part, facts)))
            }
        }
    }

    /// Whether they are fixed, and no range of addresses that half of the world is in (AWS: wider than /8, /32 of version 6).
    pub(crate) fn are_few(&self) -> bool {
        match self {
            Values::Texts { of, .. } => of.iter().all(Pattern::is_fixed),
            Values::Addresses(ranges) => ranges.iter().all(Range::is_narrow),
            Values::Arns(arns) => arns.iter().flatten().all(Pattern::is_fixed),
            Values::Numbers(..) | Values::Dates(..) | Values::Truths(_) => false,
        }
    }
}

fn number(word: &str) -> Option<f64> {
    let plain =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    word.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn truth(word: &str) -> Option<bool> {
    match word {
        _ if word.eq_ignore_ascii_case("true") => Some(true),
        _ if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// ISO 8601, with or without the time of day, or seconds since 1970.
fn date(word: &str) -> Option<Time> {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() > 4 {
        return word.parse().ok().map(Time::from_secs);
    }
    if word.len() == 10 {
        return Time::parse_rfc3339(&format!("{word}T00:00:00Z"));
    }
    // Without seconds, or without a zone: in UTC.
    Time::parse_rfc3339(word)
        .or_else(|| Time::parse_rfc3339(&format!("{word}Z")))
        .or_else(|| Time::parse_rfc3339(&format!("{}:00Z", word.strip_suffix('Z')?)))
}

fn arn(word: &str, variables: bool) -> Option<[Pattern; 6]> {
    // A lone star is every ARN.
    let word = if word == "*" { "*:*:*:*:*:*" } else { word };
    let parts: Vec<Pattern> =
        word.splitn(6, ':').map(|part| Pattern::read(part, variables, true).ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

impl Range {
    /// `192.0.2.0/24`, `192.0.2.1`, `2001:db8::/32`.
    fn read(word: &str) -> Option<Self> {
        let (address, bits) = match word.split_once('/') {
            None => (word, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let first: IpAddr = address.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Range { first, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        // Version 4 inside of version 6 is version 4.
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(first) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                let bits = |address: Ipv6Addr| u128::from(address) & mask;
                bits(first) == bits(address)
            }
            _ => false,
        }
    }

    fn is_narrow(&self) -> bool {
        self.bits >= if self.first.is_ipv4() { 8 } else { 32 }
    }
}
