//! A bucket's policy: who may do what, and who may not, under which conditions.

mod parse;
mod statement;

use crate::action::Action;
use crate::key::Facts;
use crate::principal::Caller;
use statement::{Effect, Statement};

/// The most bytes of a policy.
pub const POLICY_MAX: usize = 20 << 10;

/// A policy, read and taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    /// In AWS's words.
    #[error("{0}")]
    Malformed(String),
    /// It asks about what nobody looks at here.
    #[error("The condition key {0} is not implemented.")]
    Unbuilt(String),
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// No, whatever else says yes.
    Deny,
    /// Yes.
    Allow,
    /// Nothing.
    Nothing,
}

impl Policy {
    /// Reads the policy of a bucket.
    ///
    /// # Errors
    /// [`BadPolicy`].
    pub fn read(text: &str, bucket: &str) -> Result<Self, BadPolicy> {
        parse::read(text, bucket).map(|statements| Policy { statements })
    }

    /// What it says to `caller`, who wants to do `action` to `path`: a bucket, or `bucket/key`.
    pub(crate) fn says(&self, action: Action, path: &str, caller: &Caller<'_>, facts: &dyn Facts) -> Says {
        let mut says = Says::Nothing;
        for statement in &self.statements {
            // What would say nothing new is not looked at.
            if (says == Says::Allow && statement.effect == Effect::Allow)
                || !statement.is_about(action, path, caller, facts)
            {
                continue;
            }
            match statement.effect {
                Effect::Deny => return Says::Deny,
                Effect::Allow => says = Says::Allow,
            }
        }
        says
    }

    /// Whether it opens something to everyone, as AWS sees it: to people that nobody could count, under no condition that
    /// leaves a few of them.
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }
}
