//! A version as one installation describes it to another.

use super::revision;
use crate::admin::error::Complaint;
use crate::objects::Proof;
use lifecycle::revision::Revision;
use lifecycle::{Guard, InstallationId, Retention, RetentionMode, Time, VersionId};
use metadata::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many ancestors are read of one version.
const HISTORY_MAX: usize = 100_000;

/// A guard. Times are microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StoredGuard")]
pub(super) struct Guarded {
    from: Option<i64>,
    until: Option<i64>,
    hold: bool,
}

/// A retention, which the guard takes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StoredRetention")]
pub(super) struct Retained {
    /// `governance` or `compliance`.
    mode: String,
    /// Microseconds since 1970.
    until: i64,
}

/// What one version is, beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StoredVersion")]
pub(super) struct Stored {
    /// Its id, the same everywhere; `null`: a tombstone that no version stands for.
    pub(super) version: Option<String>,
    /// It is a tombstone: there are no bytes.
    pub(super) deleted: bool,
    /// The installation where it was written first.
    pub(super) origin: String,
    /// Its position there.
    pub(super) origin_seq: i64,
    /// When it was written, in microseconds since 1970.
    pub(super) created_at: i64,
    pub(super) size: u64,
    /// MD5 of the content; of an object made of parts, the MD5 over the MD5s of these.
    pub(super) md5: Option<String>,
    /// MD5 of all its bytes, where it is known.
    pub(super) whole_md5: Option<String>,
    /// How many parts it was made of.
    pub(super) parts: Option<u32>,
    /// How its bytes were cut into them: so many of so many bytes, and again.
    pub(super) pieces: Vec<(u32, u64)>,
    /// Its headers, as JSON text: it is part of what the revision is made of.
    pub(super) headers: String,
    pub(super) tags: Option<String>,
    pub(super) checksum: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) guard: Guarded,
    /// Its retention, if it has one. Left out where there is none, for those who know of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<Retained>,
}

/// What goes before the bytes of a version that is taken in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArrivingVersion")]
pub(super) struct Head {
    /// `N-hash`.
    pub(super) revision: String,
    /// Those before it, the nearest first.
    pub(super) history: Vec<String>,
    pub(super) stored: Stored,
}

fn hex(digest: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(digest))
}

fn digest(field: &str, text: Option<&String>) -> Result<Option<[u8; 16]>, Complaint> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    match u128::from_str_radix(text, 16) {
        Ok(value) if digits => Ok(Some(value.to_be_bytes())),
        _ => Err(Complaint::bad_request(format!(
            "{field} cannot be {text:?}: 32 hexadecimal digits are wanted"
        ))),
    }
}

impl Stored {
    /// A version that lives here.
    pub(super) fn of(version: &Version, origin: (InstallationId, i64), proof: Proof) -> Self {
        let Guard { from, until, hold } = version.guard;
        Stored {
            version: Some(version.id.to_string()),
            deleted: version.marker,
            origin: origin.0.to_string(),
            origin_seq: origin.1,
            created_at: version.created_at.micros(),
            size: version.size,
            md5: version.md5.map(hex),
            whole_md5: proof.whole.map(hex),
            parts: version.parts,
            pieces: proof.pieces,
            headers: if version.headers.is_empty() { "[]".to_owned() } else { version.headers.clone() },
            tags: version.tags.clone(),
            checksum: version.checksum.clone(),
            owner: version.owner.clone(),
            guard: Guarded { from: from.map(Time::micros), until: until.map(Time::micros), hold },
            retention: version.retention.map(|retention| Retained {
                mode: retention.mode.as_str().to_owned(),
                until: retention.until.micros(),
            }),
        }
    }

    /// A tombstone: with the version that stands for it, if one does.
    pub(super) fn tombstone(version: Option<&Version>, origin: (InstallationId, i64), now: Time) -> Self {
        Stored {
            version: version.map(|version| version.id.to_string()),
            deleted: true,
            origin: origin.0.to_string(),
            origin_seq: origin.1,
            created_at: version.map_or(now, |version| version.created_at).micros(),
            size: 0,
            md5: None,
            whole_md5: None,
            parts: None,
            pieces: Vec::new(),
            headers: "[]".to_owned(),
            tags: None,
            checksum: None,
            owner: version.and_then(|version| version.owner.clone()),
            guard: Guarded { from: None, until: None, hold: false },
            retention: None,
        }
    }

    pub(super) fn version(&self) -> Result<Option<VersionId>, Complaint> {
        let Some(text) = &self.version else { return Ok(None) };
        text.parse().map(Some).map_err(|bad| Complaint::bad_request(format!("version: {bad}")))
    }

    pub(super) fn origin(&self) -> Result<(InstallationId, i64), Complaint> {
        match self.origin.parse() {
            Ok(origin) if self.origin_seq >= 0 => Ok((origin, self.origin_seq)),
            Ok(_) => Err(Complaint::bad_request("origin_seq cannot be less than 0")),
            Err(bad) => Err(Complaint::bad_request(format!("origin: {bad}"))),
        }
    }

    pub(super) fn guard(&self) -> Guard {
        let Guarded { from, until, hold } = self.guard;
        Guard { from: from.map(Time::from_micros), until: until.map(Time::from_micros), hold }
    }

    pub(super) fn retention(&self) -> Result<Option<Retention>, Complaint> {
        let Some(Retained { mode, until }) = &self.retention else { return Ok(None) };
        let mode = RetentionMode::parse(mode).ok_or_else(|| {
            Complaint::bad_request(format!(
                "retention: mode cannot be {mode:?}: allowed are governance and compliance"
            ))
        })?;
        Ok(Some(Retention { mode, until: Time::from_micros(*until) }))
    }

    pub(super) fn md5(&self) -> Result<Option<[u8; 16]>, Complaint> {
        match digest("md5", self.md5.as_ref())? {
            None if !self.deleted => Err(Complaint::bad_request("md5 is missing: only a tombstone has none")),
            md5 => Ok(md5),
        }
    }

    pub(super) fn proof(&self) -> Result<Proof, Complaint> {
        let whole = match self.parts {
            None => digest("md5", self.md5.as_ref())?,
            Some(_) => digest("whole_md5", self.whole_md5.as_ref())?,
        };
        Ok(Proof { whole, pieces: self.pieces.clone() })
    }

    /// The headers, if they are what headers are stored as.
    pub(super) fn headers(&self) -> Result<String, Complaint> {
        match serde_json::from_str::<Vec<(String, String)>>(&self.headers) {
            Ok(_) => Ok(self.headers.clone()),
            Err(error) => {
                Err(Complaint::bad_request(format!("headers are not a list of names and values: {error}")))
            }
        }
    }
}

impl Head {
    /// The revision, and those before it in an unbroken line.
    pub(super) fn line(&self) -> Result<(Revision, Vec<Revision>), Complaint> {
        let own = revision("revision", &self.revision)?;
        if self.history.len() > HISTORY_MAX {
            return Err(Complaint::bad_request(format!("history has more than {HISTORY_MAX} revisions")));
        }
        let mut line = Vec::with_capacity(self.history.len());
        let mut below = own.generation;
        for text in &self.history {
            let before = revision("history", text)?;
            if before.generation == 0 || before.generation.checked_add(1) != Some(below) {
                return Err(Complaint::bad_request(format!(
                    "history is no line: {text} does not come before a revision of generation {below}"
                )));
            }
            below = before.generation;
            line.push(before);
        }
        Ok((own, line))
    }
}
