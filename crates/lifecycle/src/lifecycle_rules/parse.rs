//! From `Policy-Lifecycle` headers to rules. What is not understood is refused: a rule that half applies deletes the
//! wrong things.

use super::{After, ExpiryRule, POLICY_LIFECYCLE};
use crate::{BadPolicy, Time};
use chrono::{NaiveDate, NaiveDateTime};
use percent_encoding::percent_decode_str;

/// The longest rule id, in bytes (as in S3).
const ID_MAX: usize = 255;
const NAMES: &str = "RuleId, Enabled, NamePrefix, ExpirationDays, ExpirationDate, ObsoleteExpirationDays and \
                     ObsoleteExpirationDate";

/// Reads the values of all `Policy-Lifecycle` headers of a bucket: one rule in each, or several with commas between
/// them.
///
/// # Errors
/// [`BadPolicy`] that names the rule, the text and what is allowed there.
pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Vec<ExpiryRule>, BadPolicy> {
    let mut rules: Vec<ExpiryRule> = Vec::new();
    for header in headers {
        let mut rest = header;
        while let Some((rule, behind)) = next_rule(rest, rules.len() + 1)? {
            rest = behind;
            let Some(rule) = rule else { continue };
            if rules.iter().any(|known| known.id == rule.id) {
                let reason =
                    format!("rule {}: another rule of this bucket has the same RuleId", rules.len() + 1);
                return Err(BadPolicy::new(POLICY_LIFECYCLE, &rule.id, reason));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// The value of one attribute, and whether it was quoted.
struct Value<'a> {
    text: &'a str,
    quoted: bool,
}

/// The rule at the start of `rest`, if there is one before the next comma, and what follows; `None` at the end.
fn next_rule(rest: &str, number: usize) -> Result<Option<(Option<ExpiryRule>, &str)>, BadPolicy> {
    let mut rest = rest.trim_start();
    if rest.is_empty() {
        return Ok(None);
    }
    let mut draft = Draft { number, ..Draft::default() };
    let mut any = false;
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(',') {
            rest = behind;
            break;
        }
        if rest.is_empty() {
            break;
        }
        let (name, value, behind) = draft.attribute(rest)?;
        draft.set(name, &value)?;
        rest = behind;
        any = true;
    }
    let rule = if any { Some(draft.finish()?) } else { None };
    Ok(Some((rule, rest)))
}

/// A rule, being read.
#[derive(Default)]
struct Draft {
    /// Which one it is, for whoever looks for the mistake.
    number: usize,
    id: Option<String>,
    enabled: Option<bool>,
    prefix: Option<String>,
    current: Option<After>,
    noncurrent: Option<After>,
}

impl Draft {
    fn bad(&self, text: &str, reason: &str) -> BadPolicy {
        let rule = self
            .id
            .as_ref()
            .map_or_else(|| self.number.to_string(), |id| format!("{} ({id:?})", self.number));
        BadPolicy::new(POLICY_LIFECYCLE, text, format!("rule {rule}: {reason}"))
    }

    /// The attribute at the start of `rest`, and what follows. Spaces around the colon are allowed.
    fn attribute<'a>(&self, rest: &'a str) -> Result<(&'a str, Value<'a>, &'a str), BadPolicy> {
        let word = || rest.split([' ', '\t', ',']).next().unwrap_or(rest);
        let Some((name, behind)) = rest.split_once(':') else {
            return Err(self.bad(word(), "an attribute is a name, a colon and a value"));
        };
        let name = name.trim_end();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(self.bad(word(), "an attribute is a name, a colon and a value"));
        }
        let behind = behind.trim_start();
        let (text, behind, quoted) = match behind.strip_prefix('"') {
            Some(inside) => {
                let Some((text, behind)) = inside.split_once('"') else {
                    return Err(self.bad(inside, "a quoted value has no closing quote"));
                };
                if !(behind.is_empty() || behind.starts_with([' ', '\t', ','])) {
                    return Err(self.bad(behind, "a space stands between attributes"));
                }
                (text, behind, true)
            }
            None => {
                let end = behind.find([' ', '\t', ',']).unwrap_or(behind.len());
                (&behind[..end], &behind[end..], false)
            }
        };
        Ok((name, Value { text, quoted }, behind))
    }

    fn set(&mut self, name: &str, value: &Value<'_>) -> Result<(), BadPolicy> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("RuleId") {
            let id = self.text(name, value)?;
            if id.is_empty() || id.len() > ID_MAX {
                return Err(self.bad(value.text, "RuleId has 1 to 255 bytes"));
            }
            // It is shown in logs and headers of their own. Names of objects, and so prefixes, may hold them.
            if id.chars().any(char::is_control) {
                return Err(self.bad(value.text, "RuleId contains a control character"));
            }
            return Self::once(&mut self.id, id).map_err(|()| self.twice(name));
        }
        if is("NamePrefix") {
            let prefix = self.text(name, value)?;
            if prefix.starts_with('/') {
                return Err(self.bad(value.text, "NamePrefix does not begin with a slash"));
            }
            return Self::once(&mut self.prefix, prefix).map_err(|()| self.twice(name));
        }
        if is("Enabled") {
            let enabled = match value.text {
                text if text.eq_ignore_ascii_case("true") => true,
                text if text.eq_ignore_ascii_case("false") => false,
                text => return Err(self.bad(text, "Enabled is true or false")),
            };
            return Self::once(&mut self.enabled, enabled).map_err(|()| self.twice(name));
        }
        let obsolete = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("Obsolete"));
        let kind = if obsolete { &name[8..] } else { name };
        let after = if kind.eq_ignore_ascii_case("ExpirationDays") {
            After::Days(self.days(value.text, obsolete)?)
        } else if kind.eq_ignore_ascii_case("ExpirationDate") {
            let date = date(value.text).ok_or_else(|| {
                self.bad(
                    value.text,
                    "a date is written 2026-09-03, or 2026-09-03T00:00:00, perhaps with .000 and Z",
                )
            })?;
            After::Date(date)
        } else {
            return Err(self.bad(name, &format!("unknown attribute; allowed are {NAMES}")));
        };
        let slot = if obsolete { &mut self.noncurrent } else { &mut self.current };
        Self::once(slot, after)
            .map_err(|()| self.bad(name, "only one attribute can say when these versions go, and only once"))
    }

    fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), ()> {
        if slot.is_some() {
            return Err(());
        }
        *slot = Some(value);
        Ok(())
    }

    fn twice(&self, name: &str) -> BadPolicy {
        self.bad(name, "the attribute stands twice")
    }

    /// A quoted text, decoded exactly once.
    fn text(&self, name: &str, value: &Value<'_>) -> Result<String, BadPolicy> {
        if !value.quoted {
            return Err(self.bad(value.text, &format!("the value of {name} stands in double quotes")));
        }
        let mut behind = value.text.split('%');
        behind.next();
        if behind
            .any(|digits| !digits.as_bytes().get(..2).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)))
        {
            return Err(
                self.bad(value.text, "a '%' is followed by two hexadecimal digits; itself it is sent as %25")
            );
        }
        let text = percent_decode_str(value.text)
            .decode_utf8()
            .map_err(|_| self.bad(value.text, "it is not UTF-8 after percent-decoding"))?;
        if text.contains('\0') {
            return Err(self.bad(value.text, "it contains a NUL character, which no name may"));
        }
        Ok(text.into_owned())
    }

    fn days(&self, text: &str, obsolete: bool) -> Result<u32, BadPolicy> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            // Whatever is written would be gone before its writer can read it.
            Ok(0) if !obsolete => Err(self.bad(text, "ExpirationDays is at least 1")),
            Ok(days) if digits => Ok(days),
            _ => Err(self.bad(text, "a number of days is expected")),
        }
    }

    fn finish(self) -> Result<ExpiryRule, BadPolicy> {
        if self.current.is_none() && self.noncurrent.is_none() {
            return Err(
                self.bad("", "no attribute says when anything goes; give an expiration in days or a date")
            );
        }
        let Some(id) = self.id else { return Err(self.bad("", "RuleId is missing")) };
        Ok(ExpiryRule {
            id,
            enabled: self.enabled.unwrap_or(true),
            prefix: self.prefix.unwrap_or_default(),
            current: self.current,
            noncurrent: self.noncurrent,
            ..ExpiryRule::default()
        })
    }
}

/// One of the four forms that SCSP documents, in UTC: a date, perhaps with a time, with milliseconds, with a `Z`.
fn date(text: &str) -> Option<Time> {
    const SHAPES: [&str; 4] =
        ["0000-00-00", "0000-00-00T00:00:00", "0000-00-00T00:00:00Z", "0000-00-00T00:00:00.000Z"];
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if !SHAPES.contains(&shape.as_str()) {
        return None;
    }
    let at = if text.len() == "0000-00-00".len() {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?
    } else {
        NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M:%S%.f").ok()?
    };
    Some(Time::from_micros(at.and_utc().timestamp_micros()))
}
