//! Lifepoints: how an SCSP writer says until when an object must be kept and when it goes (SCSP section 4).
//!
//! ```text
//! Lifepoint: [Thu, 03 Sep 2026 09:00:00 GMT] reps=3, deletable=no
//! Lifepoint: [] delete
//! ```
//!
//! One lifepoint is in force at a time: the first whose end date lies ahead, else the open one. They do not add up.
//!
//! There is one reading ([`read`]) and two attitudes towards what it finds wrong: strict refuses all of it, lenient
//! goes by what is left of it. What a mistake leaves open is settled towards keeping (rule R8): a broken guard
//! guards, a broken expiry does not expire.

mod constraint;
#[cfg(test)]
mod fuzz;
mod read;
#[cfg(test)]
mod tests;

use crate::{Guard, Time};
use std::fmt;

/// What is wrong with a lifepoint header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLifepoint {
    /// The offending text, cut to a readable length.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for BadLifepoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad lifepoint {:?}: {}", self.text, self.reason)
    }
}

impl std::error::Error for BadLifepoint {}

/// What holds until one lifepoint's end date.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lifepoint {
    /// [`Time::NEVER`] for the open lifepoint `[]`.
    end: Time,
    deletable: bool,
    delete: bool,
}

/// All lifepoints of one object, in order of their end dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifepoints {
    points: Vec<Lifepoint>,
    /// One that looks like a guard has no legible end date: it binds from the start and without end.
    endless_guard: bool,
    /// End dates are illegible or contradict one another: nothing goes by itself.
    no_expiry: bool,
}

impl Lifepoints {
    /// Reads the values of all `Lifepoint` headers, strictly: what protects nothing by a typing error is refused.
    ///
    /// # Errors
    /// [`BadLifepoint`] naming the text and the rule.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, BadLifepoint> {
        let (points, wrong) = read::read(headers);
        match wrong.into_iter().next() {
            Some(bad) => Err(bad),
            None => Ok(points),
        }
    }

    /// Reads the values of all `Lifepoint` headers as far as they mean anything, and tells what was wrong, for the
    /// log. Where [`Lifepoints::parse`] accepts, this gives the same and nothing is wrong. Else:
    ///
    /// - a broken lifepoint that resembles a guard is `deletable=no` until its end date; without end if that is what
    ///   is broken;
    /// - of two with the same end date the first counts, and nothing expires;
    /// - a `delete` with a date, or with nothing before it, would delete at once and does nothing;
    /// - anything else that is broken is left out, and its end date stays.
    pub fn parse_leniently<'a>(headers: impl IntoIterator<Item = &'a str>) -> (Self, Vec<BadLifepoint>) {
        read::read(headers)
    }

    /// When the object goes by itself: the moment from which `delete` is in force. Never while the guard binds.
    pub fn expires_at(&self) -> Option<Time> {
        if self.no_expiry || self.endless_guard {
            return None;
        }
        let at = self.points.iter().position(|point| point.delete)?;
        at.checked_sub(1).map(|before| self.points[before].end)
    }

    /// What the lifepoints forbid: from the first to the end of the last undeletable stretch.
    pub fn guard(&self) -> Guard {
        if self.endless_guard {
            return Guard { from: None, until: Some(Time::NEVER), hold: false };
        }
        let begins = |at: usize| at.checked_sub(1).map(|before| self.points[before].end);
        let Some(first) = self.points.iter().position(|point| !point.deletable) else { return Guard::NONE };
        let last = self.points.iter().rfind(|point| !point.deletable).map(|point| point.end);
        Guard { from: begins(first), until: last, hold: false }
    }

    /// Whether no lifepoint was given, or none that means anything.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && !self.endless_guard
    }
}
