//! Who may do what with a bucket and what is in it: one decision for all doors. How it is made is the crate `access`'s
//! business; here it meets principals and the database.
//!
//! Where a bucket is set to nothing that decides on access, which its row tells, nothing is looked up and nothing evaluated: the
//! key's own rights say it all.
//!
//! | file | promise |
//! | --- | --- |
//! | `gates` | what buckets are set to, read once for each of their numbers and kept |
//! | `open` | what everybody knows who may open what: the coarse rights that AWS's actions ask for |

mod gates;
mod open;

pub(crate) use gates::Gates;
pub(crate) use open::{by_scope, of_anybody};

use crate::Principal;
use access::{Action, Ask, Bucket, Caller, Facts, Object, Settings, Standing, Verdict, decide};
use lifecycle::{ContainerId, Right};

/// A bucket, as far as the decision asks about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    pub(crate) domain: Option<ContainerId>,
    pub(crate) bucket: ContainerId,
    pub(crate) name: &'a str,
    pub(crate) owner: Option<&'a str>,
    pub(crate) settings: Option<&'a Settings>,
}

/// What somebody wants to do there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) action: Action,
    /// The right that it asks for.
    pub(crate) right: Right,
    /// The key, of an action on an object.
    pub(crate) key: Option<&'a str>,
}

/// Whether the key's own rights allow it, whatever the bucket is set to but for a policy that denies it.
pub(crate) fn holds(principal: &Principal, wish: &Wish<'_>, spot: &Spot<'_>) -> bool {
    principal.require(by_scope(wish.action, wish.right), spot.domain, Some(spot.bucket)).is_ok()
        || (principal.owns(spot.owner) && principal.holds(wish.right))
}

/// Decides. `object`: what is there, of an action on it.
pub(crate) fn verdict(
    principal: &Principal,
    wish: &Wish<'_>,
    spot: &Spot<'_>,
    object: Option<Object<'_>>,
    facts: &dyn Facts,
) -> Verdict {
    if spot.settings.is_none() && holds(principal, wish, spot) {
        return Verdict::Right;
    }
    let (action, owner) = (wish.action, principal.owner());
    let within = |right: Right| principal.require(right, spot.domain, Some(spot.bucket)).is_ok();
    decide(&Ask {
        action,
        caller: caller(principal, owner.as_deref()),
        standing: Standing {
            by_scope: within(by_scope(action, wish.right)),
            holds: principal.holds(wish.right),
            owns: principal.owns(spot.owner),
            administers: action.of_policy() && within(Right::Admin),
        },
        bucket: Bucket { name: spot.name, settings: spot.settings },
        key: wish.key,
        object,
        facts,
    })
}

/// Who asks, as policies and access lists know them. `owner`: [`Principal::owner`].
pub(crate) fn caller<'a>(principal: &'a Principal, owner: Option<&'a str>) -> Caller<'a> {
    if principal.is_anonymous() {
        return Caller::NOBODY;
    }
    Caller {
        account: owner,
        account_name: principal.account().map(|account| account.name.as_str()),
        user: Some(&principal.name),
    }
}
