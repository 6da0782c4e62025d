//! Conditions: an operator, a key, and the values that it is compared with.
//!
//! Of several values one is enough; of an operator that says "not", none may be the one. A key to which the request says
//! nothing fulfils what says "not", and nothing else, unless the operator ends in `IfExists`.

mod operator;
mod values;

use crate::action::ActionSet;
use crate::json::Json;
use crate::key::{BadKey, Facts, Key, Value};
use operator::Operator;
use std::borrow::Cow;
use values::Values;

/// One key of one operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    key: Key,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// Whether the request says nothing to the key.
    Null(bool),
    Compare {
        negated: bool,
        if_exists: bool,
        over: Over,
        values: Values,
    },
}

/// How many of a request's values must be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// Of a key that says one thing, that one; of others, one of them.
    One,
    /// All there are, and if there are none that is right too.
    All,
    /// One at least.
    Any,
}

/// What is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadCondition {
    /// The text of AWS.
    Malformed(String),
    /// A key that is not evaluated.
    Unbuilt(String),
}

/// Reads what stands behind `Condition`. `actions`: what its statement is about.
pub(crate) fn read(json: &Json, actions: ActionSet, variables: bool) -> Result<Vec<Condition>, BadCondition> {
    let malformed = |text: &str| BadCondition::Malformed(text.to_owned());
    let Json::Object(operators) = json else { return Err(malformed("Invalid policy syntax.")) };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let Json::Object(keys) = keys else { return Err(malformed("Invalid policy syntax.")) };
        for (key, values) in keys {
            let key = Key::read(key).map_err(|bad| match bad {
                BadKey::Unknown => malformed("Policy has an invalid condition key"),
                BadKey::Unbuilt(name) => BadCondition::Unbuilt(name),
            })?;
            if !key.concerns(actions) {
                return Err(malformed(
                    "Conditions do not apply to combination of actions and resources in statement",
                ));
            }
            let words: Option<Vec<Cow<'_, str>>> = values.one_or_more().iter().map(word).collect();
            let words = words.filter(|words| !words.is_empty());
            let words = words.ok_or_else(|| malformed("Invalid policy syntax."))?;
            let test = test(name, &words, variables)?;
            conditions.push(Condition { key, test });
        }
    }
    Ok(conditions)
}

/// A value as it is compared. Numbers and truths may be written without quotes.
fn word(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::Text(text) => Some(Cow::Borrowed(text)),
        Json::Number(number) => Some(Cow::Borrowed(number)),
        Json::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

fn test(name: &str, words: &[Cow<'_, str>], variables: bool) -> Result<Test, BadCondition> {
    let unknown = || BadCondition::Malformed(format!("Invalid Condition type : {name}"));
    if name == "Null" {
        return match words {
            [word] if word.eq_ignore_ascii_case("true") => Ok(Test::Null(true)),
            [word] if word.eq_ignore_ascii_case("false") => Ok(Test::Null(false)),
            _ => Err(BadCondition::Malformed("Invalid policy syntax.".to_owned())),
        };
    }
    let (over, rest) = match name.split_once(':') {
        None => (Over::One, name),
        Some(("ForAllValues", rest)) => (Over::All, rest),
        Some(("ForAnyValue", rest)) => (Over::Any, rest),
        Some(_) => return Err(unknown()),
    };
    let (plain, if_exists) = match rest.strip_suffix("IfExists") {
        Some(plain) => (plain, true),
        None => (rest, false),
    };
    let operator = Operator::named(plain).ok_or_else(unknown)?;
    let values = Values::read(operator, words, variables)
        .ok_or_else(|| BadCondition::Malformed(format!("Invalid value for the condition type {name}")))?;
    Ok(Test::Compare { negated: operator.negated, if_exists, over, values })
}

impl Condition {
    /// Whether the request fulfils it.
    pub(crate) fn holds(&self, facts: &dyn Facts) -> bool {
        let said = facts.value(&self.key);
        match &self.test {
            Test::Null(nothing) => matches!(said, Value::Nothing) == *nothing,
            Test::Compare { negated, if_exists, over, values } => {
                let right = |said: &Cow<'_, str>| values.have(said, facts) != *negated;
                match (&said, over) {
                    (Value::Nothing, Over::All) => true,
                    (Value::Nothing, _) if *if_exists => true,
                    (Value::Nothing, Over::One) => *negated,
                    (Value::Nothing, Over::Any) => false,
                    (Value::One(one), _) => right(one),
                    (Value::Many(many), Over::All) => many.iter().all(right),
                    // Without saying over which: one that is there, or none of them.
                    (Value::Many(many), Over::One) if *negated => many.iter().all(right),
                    (Value::Many(many), Over::One | Over::Any) => many.iter().any(right),
                }
            }
        }
    }

    /// Whether it lets pass nobody but a few who could be counted, as AWS sees it.
    pub(crate) fn narrows(&self) -> bool {
        match &self.test {
            Test::Compare { negated: false, if_exists: false, over, values } => {
                *over != Over::All && self.key.narrows() && values.are_few()
            }
            Test::Compare { .. } | Test::Null(_) => false,
        }
    }
}
