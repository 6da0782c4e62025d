//! What a domain and a bucket say of versioning and of lifecycle, and what is in force: evaluated when either is written,
//! and kept in the bucket's row, so that no read and no write has to ask twice.

use super::ContainerKind;
use super::rules::{settle_rules, settle_rules_of_domain};
use crate::error::Failure;
use crate::lookup::read_versioning;
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::lifecycle_rules::in_force;
use lifecycle::{ContainerId, ExpiryRule, Versioning, VersioningPolicy};

/// What a domain or bucket says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Whether older versions are kept; `None`: nothing is said.
    pub versioning: Option<VersioningPolicy>,
    /// A domain's word on whether lifecycle rules hold; `None`: nothing is said.
    pub rules_hold: Option<bool>,
    /// A bucket's lifecycle rules.
    pub rules: Vec<ExpiryRule>,
}

/// What the installation allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Versioning.
    pub versioning: bool,
    /// Lifecycle rules.
    pub lifecycle: bool,
}

/// Writes down what a container says of itself, and puts into force what follows from it. Tells whether versioning was
/// switched off anywhere, so that older versions are to be removed.
pub(super) async fn settle(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
    own: &Policies,
    allowed: Allowed,
) -> Result<bool, Failure> {
    let versioning = own.versioning.map(|policy| policy.to_string());
    match kind {
        ContainerKind::Domain => {
            conn.execute(
                "UPDATE domains SET versioning_policy = $2, lifecycle_policy = $3 WHERE id = $1",
                args![id, versioning, own.rules_hold.map(|hold| if hold { "enabled" } else { "disabled" })],
            )
            .await?;
            settle_rules_of_domain(conn, id, in_force(allowed.lifecycle, own.rules_hold)).await?;
            Ok(settle_domain(conn, id, own.versioning, allowed.versioning).await?)
        }
        ContainerKind::Bucket | ContainerKind::Contents => {
            conn.execute("UPDATE buckets SET versioning_policy = $2 WHERE id = $1", args![id, versioning])
                .await?;
            settle_bucket(conn, id, own, allowed).await
        }
    }
}

async fn settle_bucket(
    conn: &mut Conn,
    id: ContainerId,
    own: &Policies,
    allowed: Allowed,
) -> Result<bool, Failure> {
    let text =
        "SELECT d.versioning_policy FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.id = $1";
    let Some(mut row) = conn.fetch_one(text, args![id]).await? else { return Ok(false) };
    let versioning = read(row.text()?)?;
    let rules = match own.rules.as_slice() {
        [] => None,
        rules => Some(
            serde_json::to_string(rules)
                .map_err(|error| DbError::Other(format!("lifecycle rules: {error}")))?,
        ),
    };
    conn.execute("UPDATE buckets SET lifecycle_policy = $2 WHERE id = $1", args![id, rules]).await?;
    settle_rules(conn, id, allowed).await?;
    let explicit = says_disabled(versioning) || says_disabled(own.versioning);
    let versioning = VersioningPolicy::evaluate(allowed.versioning, versioning, own.versioning);
    Ok(force(conn, vec![(id, versioning, explicit)]).await?)
}

/// Buckets that say something of themselves one by one, all the others at once. What is removed is settled too: it comes
/// back as the policy wants it.
async fn settle_domain(
    conn: &mut Conn,
    id: ContainerId,
    own: Option<VersioningPolicy>,
    allowed: bool,
) -> Result<bool, DbError> {
    let outspoken =
        "SELECT id, versioning_policy FROM buckets WHERE domain_id = $1 AND versioning_policy IS NOT NULL";
    let mut buckets = Vec::new();
    for mut row in conn.fetch(outspoken, args![id]).await? {
        let bucket = row.need_id(ContainerId::from_bytes)?;
        let said = read(row.text()?)?;
        let explicit = says_disabled(own) || says_disabled(said);
        buckets.push((bucket, VersioningPolicy::evaluate(allowed, own, said), explicit));
    }
    let mut erases = force(conn, buckets).await?;
    let evaluated = VersioningPolicy::evaluate(allowed, own, None);
    let meant = says_disabled(own) || evaluated != Versioning::Disabled;
    let versioning = unless_said(evaluated, meant);
    let silent = "UPDATE buckets SET versioning = $2,
            erase_history = CASE WHEN $2 = 'disabled' THEN 1 ELSE erase_history END,
            erase_upto = CASE WHEN $2 = 'disabled' THEN last_seq ELSE erase_upto END
         WHERE domain_id = $1 AND versioning_policy IS NULL AND versioning <> $2 AND state IN ('live', 'removed')
            AND object_lock = 0
            AND NOT (versioning = 'disabled' AND $3 = 0)
            AND NOT ($2 = 'disabled' AND (sealed = 1 OR deny_delete = 1))";
    let touched = conn.execute(silent, args![id, versioning.as_str(), meant]).await?;
    erases |= touched > 0 && versioning == Versioning::Disabled;
    Ok(erases)
}

/// Whether a policy says in so many words that versions are not kept.
fn says_disabled(policy: Option<VersioningPolicy>) -> bool {
    policy.is_some_and(|policy| policy.versioning == Versioning::Disabled)
}

/// History goes only where somebody has said so, and never where versions may not be deleted. A header that is merely not sent again, as easily happens when all headers
/// are replaced, keeps what there is and adds nothing to it.
fn unless_said(versioning: Versioning, explicit: bool) -> Versioning {
    if versioning == Versioning::Disabled && !explicit { Versioning::Suspended } else { versioning }
}

/// Puts what was evaluated into force; the third value: whether `disabled` was said. Only a change from something to
/// `disabled` erases history. A bucket with locks keeps its versions for good, whatever anybody says.
async fn force(conn: &mut Conn, buckets: Vec<(ContainerId, Versioning, bool)>) -> Result<bool, DbError> {
    let to_row = |(id, versioning, explicit): (ContainerId, Versioning, bool)| {
        let meant = explicit || versioning != Versioning::Disabled;
        args![id, unless_said(versioning, explicit).as_str(), meant]
    };
    let rows: Vec<Vec<Value>> = buckets.into_iter().map(to_row).collect();
    let changed = conn
        .fetch_rows(
            "UPDATE buckets SET versioning = policy.column2,
                erase_history = CASE WHEN policy.column2 = 'disabled' THEN 1 ELSE erase_history END,
                erase_upto = CASE WHEN policy.column2 = 'disabled' THEN last_seq ELSE erase_upto END
             FROM (VALUES {rows}) AS policy
             WHERE buckets.id = policy.column1 AND buckets.versioning <> policy.column2 AND buckets.object_lock = 0
                AND NOT (buckets.versioning = 'disabled' AND policy.column2 = 'suspended' AND policy.column3 = 0)
                AND NOT (policy.column2 = 'disabled' AND (buckets.sealed = 1 OR buckets.deny_delete = 1))
             RETURNING buckets.versioning",
            &[],
            rows,
        )
        .await?;
    let mut erases = false;
    for mut row in changed {
        erases |= read_versioning(&mut row)? == Versioning::Disabled;
    }
    Ok(erases)
}

fn read(policy: Option<String>) -> Result<Option<VersioningPolicy>, DbError> {
    let parse = |text: String| {
        VersioningPolicy::parse(&text).map_err(|bad| DbError::Row(format!("a stored policy: {bad}")))
    };
    policy.map(parse).transpose()
}
