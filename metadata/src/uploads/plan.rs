//! When an open upload ends by itself: at the end that it was given, or earlier, if a rule of its bucket says so.

use crate::objects::BucketFacts;
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::lifecycle_rules::{Subject, aborts};
use lifecycle::{ExpiryRule, Kind, Time, UploadId};

/// When an upload ends, and by which rule; without one, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadEnd {
    /// When.
    pub at: Time,
    /// The lifecycle rule that says so.
    pub rule: Option<String>,
}

/// Of an upload that began at `began` and was given `own`.
pub(super) fn end(rules: &[ExpiryRule], kind: Kind, name: &str, began: Time, own: Time) -> UploadEnd {
    let by_rule = match kind {
        Kind::Named => aborts(rules, &Subject::new(name, 0, None), began),
        Kind::Unnamed | Kind::Alias => None,
    };
    match by_rule {
        Some((at, rule)) if at < own => UploadEnd { at, rule: Some(rule.to_owned()) },
        Some(_) | None => UploadEnd { at: own, rule: None },
    }
}

/// What one step among the uploads of a bucket did.
pub(crate) struct Done {
    pub(crate) looked: u64,
    pub(crate) changed: u64,
    pub(crate) last: Option<(String, UploadId)>,
}

/// Plans up to `limit` open uploads anew, in a bucket that is locked, behind this name and upload.
pub(crate) async fn plan_anew(
    conn: &mut Conn,
    bucket: &BucketFacts,
    (name, upload): (&str, Option<UploadId>),
    limit: u32,
) -> Result<Done, DbError> {
    let text = "SELECT u.id, u.kind, u.name, u.created_at, u.expires_at, COALESCE(u.own_expiry, u.expires_at), u.expiry_rule
         FROM uploads u WHERE u.contents_id = $1 AND u.completed IS NULL
            AND u.name >= $2 AND (u.name > $2 OR u.id > $3) ORDER BY u.name, u.id LIMIT $4";
    let after = upload.unwrap_or(UploadId::from_bytes([0; 16]));
    let rows = conn.fetch(text, args![bucket.contents, name, after, limit]).await?;
    let mut done = Done { looked: rows.len() as u64, changed: 0, last: None };
    let mut changes: Vec<Vec<Value>> = Vec::new();
    for mut row in rows {
        let (id, kind, name) = (row.need_id(UploadId::from_bytes)?, row.need_text()?, row.need_text()?);
        let kind =
            Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?;
        let (began, at, own) = (row.need_time()?, row.need_time()?, row.need_time()?);
        let was = UploadEnd { at, rule: row.text()? };
        let new = end(&bucket.rules, kind, &name, began, own);
        if new != was {
            changes.push(args![id, new.at, new.rule, own]);
        }
        done.last = Some((name, id));
    }
    done.changed = changes.len() as u64;
    conn.execute_rows(
        "UPDATE uploads SET expires_at = planned.column2, expiry_rule = planned.column3, own_expiry = planned.column4
         FROM (VALUES {rows}) AS planned WHERE uploads.id = planned.column1 AND uploads.completed IS NULL",
        &[],
        changes,
    )
    .await?;
    Ok(done)
}
