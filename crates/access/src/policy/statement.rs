//! One statement of a policy.

use crate::action::{Action, ActionSet};
use crate::condition::Condition;
use crate::key::Facts;
use crate::principal::{Caller, Principals};
use crate::resource::Resource;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    pub(crate) principals: Principals,
    pub(crate) actions: ActionSet,
    pub(crate) resources: Vec<Resource>,
    /// It is about everything but its resources.
    pub(crate) other_resources: bool,
    pub(crate) conditions: Vec<Condition>,
}

impl Statement {
    /// Whether it has something to say. What costs least is asked first.
    pub(crate) fn is_about(
        &self,
        action: Action,
        path: &str,
        caller: &Caller<'_>,
        facts: &dyn Facts,
    ) -> bool {
        self.actions.has(action)
            && self.principals.are(caller)
            && self.covers(path, facts)
            && self.conditions.iter().all(|condition| condition.holds(facts))
    }

    fn covers(&self, path: &str, facts: &dyn Facts) -> bool {
        self.resources.iter().any(|resource| resource.is(path, facts)) != self.other_resources
    }

    pub(crate) fn is_public(&self) -> bool {
        self.effect == Effect::Allow
            && self.principals.are_many()
            && !self.conditions.iter().any(Condition::narrows)
    }
}
