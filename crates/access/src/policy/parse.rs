//! Reading a policy, strictly, with AWS's words for what is wrong.

use super::statement::{Effect, Statement};
use super::{BadPolicy, POLICY_MAX};
use crate::action::{Action, ActionSet};
use crate::condition::{self, BadCondition};
use crate::json::Json;
use crate::pattern::Pattern;
use crate::principal::{self, Principals};
use crate::resource::Resource;
use std::collections::HashSet;

const SYNTAX: &str = "Invalid policy syntax.";

fn malformed(text: impl Into<String>) -> BadPolicy {
    BadPolicy::Malformed(text.into())
}

/// Reads the policy of `bucket`.
pub(super) fn read(text: &str, bucket: &str) -> Result<Vec<Statement>, BadPolicy> {
    if text.len() > POLICY_MAX {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    if !text.trim_start().starts_with('{') {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
    }
    let Some(Json::Object(members)) = Json::read(text) else {
        return Err(malformed("This policy contains invalid Json"));
    };
    let (mut variables, mut statements, mut ids) = (None, None, HashSet::new());
    for (name, value) in &members {
        match name.as_str() {
            "Version" => {
                variables = Some(match value.text() {
                    Some("2012-10-17") => true,
                    Some("2008-10-17") => false,
                    _ => return Err(malformed("The policy must contain a valid version string")),
                });
            }
            "Id" => drop(value.text().ok_or_else(|| malformed(SYNTAX))?),
            "Statement" => statements = Some(value),
            other => return Err(malformed(format!("Unknown field {other}"))),
        }
    }
    let statements = statements.ok_or_else(|| malformed("Missing required field Statement"))?.one_or_more();
    if statements.is_empty() {
        return Err(malformed("Could not parse the policy: Statement is empty!"));
    }
    // The older language, which a policy without a version speaks, has no variables.
    let variables = variables.unwrap_or(false);
    statements.iter().map(|json| statement(json, bucket, variables, &mut ids)).collect()
}

/// The members of a statement, by name.
struct Members<'a>(&'a [(String, Json)]);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a Json> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The one of two that is there, and whether it is the one that says "not".
    fn one_of(&self, name: &str, other: &str) -> Result<(&'a Json, bool), BadPolicy> {
        match (self.get(name), self.get(other)) {
            (Some(value), None) => Ok((value, false)),
            (None, Some(value)) => Ok((value, true)),
            (None, None) => Err(malformed(format!("Missing required field {name}"))),
            (Some(_), Some(_)) => Err(malformed(SYNTAX)),
        }
    }
}

fn statement(
    json: &Json,
    bucket: &str,
    variables: bool,
    ids: &mut HashSet<String>,
) -> Result<Statement, BadPolicy> {
    const KNOWN: [&str; 9] = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let Json::Object(members) = json else { return Err(malformed(SYNTAX)) };
    if let Some((name, _)) = members.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        return Err(malformed(format!("Unknown field {name}")));
    }
    let members = Members(members);
    if let Some(id) = members.get("Sid") {
        let id = id.text().ok_or_else(|| malformed(SYNTAX))?;
        if !id.is_empty() && !ids.insert(id.to_owned()) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
    }
    let effect = match members.get("Effect") {
        None => return Err(malformed("Missing required field Effect")),
        Some(Json::Text(effect)) if effect == "Allow" => Effect::Allow,
        Some(Json::Text(effect)) if effect == "Deny" => Effect::Deny,
        Some(Json::Text(other)) => return Err(malformed(format!("Invalid effect: {other}"))),
        Some(_) => return Err(malformed(SYNTAX)),
    };
    let (json, not) = members.one_of("Principal", "NotPrincipal")?;
    let named = principal::read(json).map_err(|_| malformed("Invalid principal in policy"))?;
    if not && effect == Effect::Allow {
        return Err(malformed("Allow with NotPrincipal is not allowed."));
    }
    let principals = if not { Principals::AreNot(named) } else { Principals::Are(named) };
    let (json, not_actions) = members.one_of("Action", "NotAction")?;
    let named = actions(json)?;
    let together = named.iter().fold(ActionSet::default(), |all, some| all.union(*some));
    let covered = if not_actions { together.others() } else { together };
    let (json, other_resources) = members.one_of("Resource", "NotResource")?;
    let resources = resources(json, bucket, variables)?;
    if other_resources && effect == Effect::Allow && resources.iter().any(Resource::has_variables) {
        // What a variable stands for that stands for nothing would be open to everybody.
        return Err(malformed("Policy has invalid resource"));
    }
    if !other_resources && !not_actions {
        let applies = |set: &ActionSet| set.iter().any(|action| resources.iter().any(|r| r.takes(action)));
        if !named.iter().all(applies) {
            return Err(malformed("Action does not apply to any resource(s) in statement"));
        }
    }
    let conditions = match members.get("Condition") {
        None => Vec::new(),
        Some(json) => condition::read(json, covered, variables).map_err(|bad| match bad {
            BadCondition::Malformed(text) => BadPolicy::Malformed(text),
            BadCondition::Unbuilt(key) => BadPolicy::Unbuilt(key),
        })?,
    };
    Ok(Statement { effect, principals, actions: covered, resources, other_resources, conditions })
}

/// The actions that each of the patterns stands for. Their letters have no case.
fn actions(json: &Json) -> Result<Vec<ActionSet>, BadPolicy> {
    let invalid = || malformed("Policy has invalid action");
    let patterns = json.one_or_more();
    if patterns.is_empty() {
        return Err(invalid());
    }
    let read = |json: &Json| {
        let text = json.text().ok_or_else(invalid)?.to_ascii_lowercase();
        let name = match text.as_str() {
            "*" => "*",
            other => other.strip_prefix("s3:").ok_or_else(invalid)?,
        };
        let pattern = Pattern::read(name, false, true).map_err(|_| invalid())?;
        let set: ActionSet =
            Action::all().filter(|action| pattern.plainly(&action.as_str().to_ascii_lowercase())).collect();
        if set.is_empty() { Err(invalid()) } else { Ok(set) }
    };
    patterns.iter().map(read).collect()
}

fn resources(json: &Json, bucket: &str, variables: bool) -> Result<Vec<Resource>, BadPolicy> {
    let invalid = || malformed("Policy has invalid resource");
    let list = json.one_or_more();
    if list.is_empty() {
        return Err(invalid());
    }
    let read = |json: &Json| {
        Resource::read(json.text().ok_or_else(invalid)?, bucket, variables).map_err(|_| invalid())
    };
    list.iter().map(read).collect()
}
