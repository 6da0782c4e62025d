//! What rules would let go, and when, before they are in force: counted from the rows as they are, a page at a time, by readers
//! that nobody waits for. What is written meanwhile may be counted or not.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::expiry::{Expiry, Standing};
use crate::objects::plan::{Line, Planned};
use crate::sql::{Row, args};
use lifecycle::brake::Amount;
use lifecycle::lifecycle_rules::{Subject, aborts};
use lifecycle::{ContainerId, ExpiryRule, Kind, Time, UploadId, Versioning};
use std::collections::BTreeMap;

/// Rows that one query reads.
const PAGE: u32 = 2_000;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Foretelling {
    /// The rules that would be in force, all of them.
    pub rules: Vec<ExpiryRule>,
    /// Up to when each count goes, in order.
    pub until: Vec<Time>,
    /// What goes up to then, and would not without them, is counted beside.
    pub soon: Time,
}

/// What would go by one rule, up to each of the moments that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForetoldRule {
    /// Versions that are removed.
    pub removed: Vec<Amount>,
    /// Versions that are hidden by delete markers, where older versions are kept.
    pub hidden: Vec<Amount>,
    /// Delete markers that are removed.
    pub markers: Vec<u64>,
    /// Uploads that are given up.
    pub uploads: Vec<u64>,
}

/// What would go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foretold {
    /// By the name of the rule. One that lets nothing go up to the last moment is not there.
    pub rules: BTreeMap<String, ForetoldRule>,
    /// Versions and uploads that were looked at.
    pub looked: u64,
    /// What would be removed or hidden soon, and is not by the rules in force.
    pub newly: Amount,
}

macro_rules! columns {
    () => {
        "v.id, v.kind, v.name, v.seq, v.marker, v.size, v.tags,
         CASE WHEN v.headers LIKE '%\"lifepoint\"%' THEN v.headers ELSE NULL END, v.created_at, v.superseded_at, v.guard_from,
         v.guard_until, v.hold, v.expires_at, v.expiry_rule"
    };
}

impl Metadata {
    /// Counts what rules would let go in a bucket. Only names are looked at that a rule is about.
    ///
    /// # Errors
    /// [`lifecycle::Refusal::NoSuchBucket`].
    pub async fn foretell(&self, bucket: ContainerId, asked: &Foretelling) -> Result<Foretold, Failure> {
        let text = "SELECT contents_id, versioning, erase_upto FROM buckets WHERE id = $1 AND state = 'live'";
        let row = self.readers.fetch_one(text, args![bucket]).await?;
        let mut row = row.ok_or(lifecycle::Refusal::NoSuchBucket)?;
        let contents = row.need_id(ContainerId::from_bytes)?;
        let kept = crate::lookup::read_versioning(&mut row)? != Versioning::Disabled;
        let upto = row.need_int()?;
        let mut counting = Counting { asked, kept, found: Foretold::default() };
        for prefix in prefixes(&asked.rules) {
            self.foretell_current(contents, prefix, &mut counting).await?;
            if kept {
                self.foretell_older(contents, upto, prefix, &mut counting).await?;
            }
            if asked.rules.iter().any(|rule| rule.abort_uploads.is_some()) {
                self.foretell_uploads(contents, prefix, &mut counting).await?;
            }
        }
        Ok(counting.found)
    }

    // Each page begins at the later of prefix and last name: so the index is entered there, and not walked up to it.
    async fn foretell_current(
        &self,
        contents: ContainerId,
        prefix: &str,
        counting: &mut Counting<'_>,
    ) -> Result<(), Failure> {
        let text = concat!(
            "SELECT ",
            columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name >= $2 AND v.name > $3
             ORDER BY v.name LIMIT $4"
        );
        let mut after = String::new();
        loop {
            let from = prefix.max(after.as_str());
            let rows = self.readers.fetch(text, args![contents, from, after.as_str(), PAGE]).await?;
            let more = rows.len() == PAGE as usize;
            for mut row in rows {
                let version = Planned::read(&mut row)?;
                if !version.name.starts_with(prefix) {
                    return Ok(());
                }
                counting.version(&version, Standing::Current);
                after = version.name;
            }
            if !more {
                return Ok(());
            }
        }
    }

    async fn foretell_older(
        &self,
        contents: ContainerId,
        upto: i64,
        prefix: &str,
        counting: &mut Counting<'_>,
    ) -> Result<(), Failure> {
        let text = concat!(
            "SELECT ",
            columns!(),
            ", (SELECT c.created_at FROM versions c WHERE c.contents_id = v.contents_id AND c.name = v.name
                    AND c.is_current = 1)
             FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.is_current = 0
                AND (v.superseded_seq IS NULL OR v.superseded_seq > $5) AND v.name >= $2
                AND (v.name > $3 OR v.seq < $6) ORDER BY v.name, v.seq DESC LIMIT $4"
        );
        let (mut line, mut after, mut waiting) = (Line::default(), (String::new(), 0), None);
        loop {
            let from = prefix.max(after.0.as_str());
            let values = args![contents, from, after.0.as_str(), PAGE, upto, after.1];
            let rows = self.readers.fetch(text, values).await?;
            let more = rows.len() == PAGE as usize;
            for mut row in rows {
                let (version, current) = (Planned::read(&mut row)?, row.time()?);
                if !version.name.starts_with(prefix) {
                    counting.older(&mut line, waiting.take(), None);
                    return Ok(());
                }
                after = (version.name.clone(), version.seq);
                // Whether a marker stands alone shows with the next row.
                counting.older(&mut line, waiting.take(), Some(&version.name));
                waiting = Some((version, current));
            }
            if !more {
                counting.older(&mut line, waiting.take(), None);
                return Ok(());
            }
        }
    }

    async fn foretell_uploads(
        &self,
        contents: ContainerId,
        prefix: &str,
        counting: &mut Counting<'_>,
    ) -> Result<(), Failure> {
        let text = "SELECT u.id, u.name, u.created_at, u.kind FROM uploads u WHERE u.contents_id = $1
                AND u.completed IS NULL AND u.name >= $2 AND (u.name > $3 OR u.id > $4)
             ORDER BY u.name, u.id LIMIT $5";
        let mut after = (String::new(), UploadId::from_bytes([0; 16]));
        loop {
            let from = prefix.max(after.0.as_str());
            let values = args![contents, from, after.0.as_str(), after.1, PAGE];
            let rows = self.readers.fetch(text, values).await?;
            let more = rows.len() == PAGE as usize;
            for mut row in rows {
                after = read_upload(&mut row, prefix, counting)?;
                if !after.0.starts_with(prefix) {
                    return Ok(());
                }
            }
            if !more {
                return Ok(());
            }
        }
    }
}

fn read_upload(
    row: &mut Row,
    prefix: &str,
    counting: &mut Counting<'_>,
) -> Result<(String, UploadId), Failure> {
    let (id, name) = (row.need_id(UploadId::from_bytes)?, row.need_text()?);
    let (began, kind) = (row.need_time()?, row.need_text()?);
    if name.starts_with(prefix) && kind == Kind::Named.as_str() {
        counting.upload(&name, began);
    }
    Ok((name, id))
}

/// The prefixes of the rules that hold, without those that another one begins.
fn prefixes(rules: &[ExpiryRule]) -> Vec<&str> {
    let mut all: Vec<&str> =
        rules.iter().filter(|rule| rule.enabled).map(|rule| rule.prefix.as_str()).collect();
    all.sort_unstable();
    let mut few: Vec<&str> = Vec::new();
    for prefix in all {
        if few.last().is_none_or(|last| !prefix.starts_with(last)) {
            few.push(prefix);
        }
    }
    few
}

struct Counting<'a> {
    asked: &'a Foretelling,
    kept: bool,
    found: Foretold,
}

impl Counting<'_> {
    fn rule(&mut self, id: &str) -> &mut ForetoldRule {
        let moments = self.asked.until.len();
        self.found.rules.entry(id.to_owned()).or_insert_with(|| ForetoldRule {
            removed: vec![Amount::default(); moments],
            hidden: vec![Amount::default(); moments],
            markers: vec![0; moments],
            uploads: vec![0; moments],
        })
    }

    /// The places of the moments up to which something that goes at `at` is gone.
    fn reached(&self, at: Time) -> std::ops::Range<usize> {
        let first = self.asked.until.iter().position(|until| at <= *until);
        first.unwrap_or(self.asked.until.len())..self.asked.until.len()
    }

    fn older(&mut self, line: &mut Line, version: Option<(Planned, Option<Time>)>, next: Option<&str>) {
        let Some((version, current)) = version else { return };
        let alone = next != Some(version.name.as_str());
        let times = (version.created_at, version.superseded_at);
        let standing = line.next((&version.name, version.marker), times, current, alone);
        self.version(&version, standing);
    }

    fn version(&mut self, version: &Planned, standing: Standing) {
        self.found.looked += 1;
        let Expiry { at: Some(at), rule: Some(rule) } =
            version.expiry(&self.asked.rules, standing, self.kept)
        else {
            return;
        };
        let amount = Amount { objects: 1, bytes: version.size };
        let soon = self.asked.soon;
        if at <= soon && !version.marker && version.was.at.is_none_or(|was| was > soon) {
            self.found.newly += amount;
        }
        let (reached, hides) = (self.reached(at), self.kept && standing == Standing::Current);
        if reached.is_empty() {
            return;
        }
        let counts = self.rule(&rule);
        for place in reached {
            if version.marker {
                counts.markers.iter_mut().skip(place).take(1).for_each(|count| *count += 1);
            } else {
                let amounts = if hides { &mut counts.hidden } else { &mut counts.removed };
                amounts.iter_mut().skip(place).take(1).for_each(|sum| *sum += amount);
            }
        }
    }

    fn upload(&mut self, name: &str, began: Time) {
        self.found.looked += 1;
        let by_rule = aborts(&self.asked.rules, &Subject::new(name, 0, None), began);
        let Some((at, rule)) = by_rule.map(|(at, rule)| (at, rule.to_owned())) else { return };
        let reached = self.reached(at);
        if !reached.is_empty() {
            let counts = self.rule(&rule);
            for place in reached {
                counts.uploads.iter_mut().skip(place).take(1).for_each(|count| *count += 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_that_rules_are_about_are_walked() {
        let rule = |prefix: &str, enabled| ExpiryRule {
            prefix: prefix.to_owned(),
            enabled,
            ..ExpiryRule::default()
        };
        let rules =
            [rule("logs/", true), rule("a", true), rule("logs/old/", true), rule("", false), rule("b", true)];
        assert_eq!(prefixes(&rules), ["a", "b", "logs/"]);
        assert_eq!(prefixes(&[rule("a", true), rule("", true)]), [""]);
        assert!(prefixes(&[rule("", false)]).is_empty());
    }
}
