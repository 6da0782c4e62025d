//! The decision.
//!
//! 1. A policy that denies it, denies it; but whoever runs the bucket can always get at the policy itself.
//! 2. Whoever's key holds the right where the bucket is, may.
//! 3. Whoever belongs to the bucket's own account and holds the right, may.
//! 4. What a policy or an access list opens is open: to whoever shows credentials if their key holds the right at all,
//!    to others if the public access block does not shut it.
//!
//! Everything else is denied.

use crate::acl::{self, Acl, Permission};
use crate::action::{Action, Level};
use crate::key::Facts;
use crate::policy::Says;
use crate::principal::Caller;
use crate::settings::{Ownership, Settings, Stored};

/// What the caller's key says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// It holds what the action asks for where the bucket is.
    pub by_scope: bool,
    /// It holds the right that the action asks for, wherever.
    pub holds: bool,
    /// It is of the account that the bucket belongs to.
    pub owns: bool,
    /// It runs the place where the bucket is.
    pub administers: bool,
}

/// The bucket.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is set to; `None`: nothing that decides on access.
    pub settings: Option<&'a Settings>,
}

/// An object that is there.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The account that it belongs to.
    pub owner: Option<&'a str>,
    /// Its access list as it is stored; `None`: private.
    pub acl: Option<&'a str>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// What is to be done.
    pub action: Action,
    /// Who asks.
    pub caller: Caller<'a>,
    /// What their key says.
    pub standing: Standing,
    /// Where.
    pub bucket: Bucket<'a>,
    /// The key of the object, of an action on one.
    pub key: Option<&'a str>,
    /// The object, if it was looked up and is there.
    pub object: Option<Object<'a>>,
    /// What the request says else.
    pub facts: &'a dyn Facts,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be done, as the key alone says.
    Right,
    /// It may be done, because a policy or an access list opens it.
    Opened,
    /// A policy denies it.
    Denied,
    /// Nothing allows it.
    Nothing,
}

impl Verdict {
    /// Whether it may be done.
    pub fn allows(self) -> bool {
        matches!(self, Verdict::Right | Verdict::Opened)
    }
}

/// Decides.
pub fn decide(ask: &Ask<'_>) -> Verdict {
    let standing = ask.standing;
    let runs = standing.owns || standing.administers;
    let says = policy(ask);
    if says == Says::Deny && !(runs && ask.action.of_policy()) {
        return Verdict::Denied;
    }
    if standing.by_scope || (standing.owns && standing.holds && !is_withheld(ask)) {
        return Verdict::Right;
    }
    if !ask.caller.is_anonymous() && !standing.holds {
        return Verdict::Nothing;
    }
    let opened = says == Says::Allow && !restricted(ask);
    if opened || listed(ask) { Verdict::Opened } else { Verdict::Nothing }
}

/// Whether another account's object is asked for, which it wrote into the bucket and has not shared with whoever owns that.
/// They may delete it, and keep everybody from it by a policy; what is in it is its writer's, until object ownership says
/// otherwise. What belongs to the installation, or to nobody, is kept from no owner.
fn is_withheld(ask: &Ask<'_>) -> bool {
    let Some(owner) = ask.object.and_then(|object| object.owner) else { return false };
    let account = owner.len() == 64 && owner.bytes().all(|byte| byte.is_ascii_hexdigit());
    let takes = ask.bucket.settings.map_or(Ownership::default(), Settings::ownership).takes_lists();
    account && takes && ask.caller.account != Some(owner) && acl::of_object(ask.action).is_some()
}

fn policy(ask: &Ask<'_>) -> Says {
    let Some(settings) = ask.bucket.settings else { return Says::Nothing };
    match (&settings.policy, ask.key) {
        (Stored::None, _) => Says::Nothing,
        (Stored::Unreadable, _) => Says::Deny,
        (Stored::Is(policy), Some(key)) if ask.action.level() == Level::Object => {
            let path = format!("{}/{key}", ask.bucket.name);
            policy.says(ask.action, &path, &ask.caller, ask.facts)
        }
        (Stored::Is(policy), _) => policy.says(ask.action, ask.bucket.name, &ask.caller, ask.facts),
    }
}

/// Whether what the policy opens is shut again to whoever is not of the bucket's account.
fn restricted(ask: &Ask<'_>) -> bool {
    let restricts =
        |settings: &Settings| settings.policy_is_public && settings.block().restrict_public_buckets;
    !ask.standing.owns && ask.bucket.settings.is_some_and(restricts)
}

/// Whether an access list opens it.
fn listed(ask: &Ask<'_>) -> bool {
    let settings = ask.bucket.settings;
    let ownership = settings.map_or(Ownership::default(), Settings::ownership);
    if !ownership.takes_lists() {
        return false;
    }
    let block = settings.map(Settings::block).unwrap_or_default();
    let public = !block.ignore_public_acls;
    let of_bucket = |needed: Permission| {
        settings.and_then(Settings::acl).is_some_and(|acl| acl.grants(needed, &ask.caller, public))
    };
    // A bucket's list speaks of what is done to the bucket: of writing into it, too.
    if acl::of_bucket(ask.action).is_some_and(of_bucket) && !is_of_another(ask) {
        return true;
    }
    let Some(object) = ask.object else { return false };
    let owns = ask.caller.account.is_some() && object.owner == ask.caller.account;
    match (object.acl, acl::of_object(ask.action)) {
        (_, None) => false,
        // Private, which is all of it to its owner.
        (None, Some(_)) => owns,
        // An owner may always see who may what, and change it.
        (Some(_), Some(Permission::ReadAcp | Permission::WriteAcp)) if owns => true,
        (Some(text), Some(needed)) => {
            Acl::decode(text).is_some_and(|acl| acl.grants(needed, &ask.caller, public))
        }
    }
}

/// Whether it changes an object that is there and is somebody else's, for which the list of the bucket is not enough.
fn is_of_another(ask: &Ask<'_>) -> bool {
    matches!(ask.action, Action::PutObjectAcl | Action::PutObjectTagging)
        && ask.object.is_some_and(|object| object.owner != ask.caller.account || object.owner.is_none())
}
