//! `Castor-Authorization`: what an object or context reserves, and to whom (SCSP section 9.2).
//!
//! The header is a list of specs. A spec gives an operation, or all of them, to a realm, or to anyone:
//!
//! ```text
//! Castor-Authorization: spec *( "," spec )
//! spec = realm / op [ "=" [ realm ] ]
//! op   = view / change / post / put / copy / append / get / head / delete
//! ```
//!
//! An operation that some spec gives to a realm is **reserved**: open only to the principals of the realms that it is
//! given to. An operation that no spec speaks of is open. All this only restricts: whoever lacks our own right was turned
//! away before. A spec holds for the object or context it stands on and for nothing inside of it.
//!
//! | realm | who is of it |
//! | --- | --- |
//! | `CAStor administrator` | a key that is confined to no domain |
//! | `D` | a key of the domain D |
//! | `D/_administrators` | a key of the domain D with the right admin |
//! | `D/B` | a key of the bucket B of D; B percent-encoded |
//! | `owner@`, `@owner` | the key that the object belongs to |
//!
//! A realm is a name, and names change hands. So a name counts only as the name that the object's own domain and bucket
//! have at present, and the key is matched by their UUIDs: a key of a removed domain is of no realm of its successor.

use super::error::Trouble;
use super::exchange::Exchange;
use super::request::{Asked, Operation, Target};
use crate::Principal;
use crate::auth::{Denied, Scope};
use crate::http::decode_path;
use crate::objects::SpecCheck;
use http::Method;
use lifecycle::{BucketName, ContainerId, DomainName, Right};
use metadata::{Container, Found};

/// The header's name, as it is stored.
const NAME: &str = "castor-authorization";

/// The realm of those who run the cluster.
const ADMINISTRATORS: &str = "CAStor administrator";

/// What stands for a bucket in the realm of a domain's administrators.
const OF_DOMAIN: &str = "_administrators";

/// The realm in which a request without good credentials is asked for some: decided by the request alone, since
/// nothing is looked up for whoever has shown none. A key's secret is the same in every realm.
pub(super) fn challenge_realm(operation: Operation, asked: &Asked, default_domain: &DomainName) -> String {
    let of_cluster = operation == Operation::Node
        || matches!(asked.target, Target::Uuid(_) | Target::Child(_))
        || asked.query.contains("admin");
    if of_cluster {
        return ADMINISTRATORS.to_owned();
    }
    let domain = asked.domain.name.as_ref().unwrap_or(default_domain);
    format!("{domain}/{OF_DOMAIN}")
}

/// What a request does to the object or context that a spec stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Get,
    Head,
    /// Making something inside of a context.
    Post,
    Put,
    Copy,
    Append,
    Delete,
}

impl Access {
    const ALL: [Access; 7] =
        [Access::Get, Access::Head, Access::Post, Access::Put, Access::Copy, Access::Append, Access::Delete];

    /// GET or HEAD.
    pub(super) fn reading(method: &Method) -> Self {
        if method == Method::HEAD { Access::Head } else { Access::Get }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Access::Get => "get",
            Access::Head => "head",
            Access::Post => "post",
            Access::Put => "put",
            Access::Copy => "copy",
            Access::Append => "append",
            Access::Delete => "delete",
        }
    }

    /// What a word of a spec stands for.
    fn named(word: &str) -> Option<&'static [Access]> {
        const VIEW: [Access; 2] = [Access::Get, Access::Head];
        const CHANGE: [Access; 4] = [Access::Put, Access::Copy, Access::Append, Access::Delete];
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("view") {
            return Some(&VIEW);
        }
        if is("change") {
            return Some(&CHANGE);
        }
        let at = Access::ALL.iter().position(|access| is(access.as_str()))?;
        Access::ALL.get(at..=at)
    }
}

/// A realm as a spec names it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Realm {
    Administrators,
    Owner,
    Domain(DomainName),
    DomainAdministrators(DomainName),
    Bucket(DomainName, BucketName),
}

/// One part of the header: these operations, for this realm or for anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spec {
    accesses: &'static [Access],
    realm: Option<Realm>,
}

/// What is wrong with a `Castor-Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadSpec {
    #[error(
        "Castor-Authorization has an empty spec: allowed are specs separated by commas, each of them REALM, OPERATION= \
         or OPERATION=REALM"
    )]
    Empty,
    #[error(
        "Castor-Authorization cannot speak of the operation {0:?}: allowed are view, change, post, put, copy, append, \
         get, head and delete"
    )]
    Operation(String),
    #[error(
        "Castor-Authorization cannot name the realm {realm:?}, {reason}: allowed are DOMAIN, DOMAIN/_administrators, \
         DOMAIN/BUCKET with the bucket percent-encoded, CAStor administrator, owner@ and @owner"
    )]
    Realm { realm: String, reason: String },
}

impl Spec {
    fn parse(text: &str) -> Result<Self, BadSpec> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadSpec::Empty);
        }
        let Some((operation, realm)) = text.split_once('=') else {
            // An operation by itself is given to anyone, as with nothing behind the equals sign.
            return match Access::named(text) {
                Some(accesses) => Ok(Spec { accesses, realm: None }),
                None => Ok(Spec { accesses: &Access::ALL, realm: Some(Realm::parse(text)?) }),
            };
        };
        let (operation, realm) = (operation.trim(), realm.trim());
        let accesses = Access::named(operation).ok_or_else(|| BadSpec::Operation(operation.to_owned()))?;
        let realm = if realm.is_empty() { None } else { Some(Realm::parse(realm)?) };
        Ok(Spec { accesses, realm })
    }
}

impl Realm {
    fn parse(text: &str) -> Result<Self, BadSpec> {
        if text.eq_ignore_ascii_case(ADMINISTRATORS) {
            return Ok(Realm::Administrators);
        }
        if text.eq_ignore_ascii_case("owner@") || text.eq_ignore_ascii_case("@owner") {
            return Ok(Realm::Owner);
        }
        let bad = |reason: String| BadSpec::Realm { realm: text.to_owned(), reason };
        let (domain, bucket) = match text.split_once('/') {
            Some((domain, bucket)) => (domain, Some(bucket)),
            None => (text, None),
        };
        let domain = DomainName::parse(domain).map_err(|error| bad(error.to_string()))?;
        let Some(bucket) = bucket else { return Ok(Realm::Domain(domain)) };
        let bucket = decode_path(bucket).map_err(|error| bad(error.to_string()))?;
        // A bucket of this name is only a bucket: whoever may make one must not make administrators by it.
        if bucket == OF_DOMAIN {
            return Ok(Realm::DomainAdministrators(domain));
        }
        let bucket = BucketName::parse(&bucket).map_err(|error| bad(error.to_string()))?;
        Ok(Realm::Bucket(domain, bucket))
    }

    /// Whether `principal` is of this realm, as seen from `on`.
    fn has(&self, principal: &Principal, on: &Protected<'_>) -> bool {
        if principal.is_anonymous() {
            return false;
        }
        let of_domain = |name: &DomainName| {
            name.as_str() == on.domain.1 && principal.scope() == Scope::Domain(on.domain.0)
        };
        match self {
            Realm::Administrators => principal.scope() == Scope::Cluster,
            Realm::Owner => principal.owns(on.owner),
            Realm::Domain(name) => of_domain(name),
            Realm::DomainAdministrators(name) => of_domain(name) && principal.holds(Right::Admin),
            Realm::Bucket(domain, bucket) => match (principal.scope(), on.bucket) {
                (Scope::Bucket { bucket: only, .. }, Some((id, name))) => {
                    only == id && bucket.as_str() == name && domain.as_str() == on.domain.1
                }
                _ => false,
            },
        }
    }
}

/// Reads the values of a `Castor-Authorization` header, all of them together one list.
fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<Spec>, BadSpec> {
    values.flat_map(|value| value.split(',')).map(Spec::parse).collect()
}

/// Passes if headers that are about to be stored hold no `Castor-Authorization`, or one that means something.
///
/// # Errors
/// The first spec that does not.
pub(super) fn validate(headers: &[(String, String)]) -> Result<(), BadSpec> {
    parse(values(headers)).map(drop)
}

fn values(headers: &[(String, String)]) -> impl Iterator<Item = &str> {
    headers.iter().filter(|(name, _)| name == NAME).map(|(_, value)| value.as_str())
}

/// Something with headers of its own, and where it is: what a spec is evaluated against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Protected<'a> {
    /// Its headers, as they are stored.
    headers: &'a str,
    owner: Option<&'a str>,
    domain: (ContainerId, &'a str),
    bucket: Option<(ContainerId, &'a str)>,
}

impl<'a> Protected<'a> {
    /// A domain.
    pub(crate) fn domain(domain: &'a Container) -> Self {
        Protected {
            headers: &domain.headers,
            owner: domain.owner.as_deref(),
            domain: (domain.id, &domain.name),
            bucket: None,
        }
    }

    /// A bucket of this domain.
    pub(crate) fn bucket(domain: &'a Container, bucket: &'a Container) -> Self {
        Protected {
            headers: &bucket.headers,
            owner: bucket.owner.as_deref(),
            bucket: Some((bucket.id, &bucket.name)),
            ..Protected::domain(domain)
        }
    }
}

/// An object, in the domain and bucket where it was found.
impl<'a> From<&'a Found> for Protected<'a> {
    fn from(found: &'a Found) -> Self {
        Protected {
            headers: &found.version.headers,
            owner: found.version.owner.as_deref(),
            domain: (found.domain.0, &found.domain.1),
            bucket: Some((found.bucket.0, &found.bucket.1)),
        }
    }
}

/// How the spec of an object that is met later, inside a transaction, is to be evaluated.
pub(crate) fn spec_check(
    access: Access,
    principal: Principal,
    admin: bool,
    domain: (ContainerId, &str),
    bucket: (ContainerId, &str),
) -> SpecCheck {
    let (domain, bucket) = ((domain.0, domain.1.to_owned()), (bucket.0, bucket.1.to_owned()));
    SpecCheck::new(move |headers, owner| {
        let (domain, bucket) = ((domain.0, domain.1.as_str()), (bucket.0, bucket.1.as_str()));
        check(access, Protected { headers, owner, domain, bucket: Some(bucket) }, &principal, admin)
    })
}

impl Exchange<'_> {
    /// Passes if the `Castor-Authorization` of what was found leaves `access` to whoever asks, or if a cluster
    /// administrator asks with the argument `admin`. To be called after the right was required: it grants nothing.
    ///
    /// # Errors
    /// 403, or 401 for somebody who gave no credentials; 400 for an argument `admin` that is neither yes nor no.
    pub(super) fn authorize(&self, access: Access, on: Protected<'_>) -> Result<(), Trouble> {
        let admin = self.asked.flag("admin")?;
        Ok(check(access, on, &self.principal, admin)?)
    }
}

/// As [`Exchange::authorize`]. `admin`: the argument of this name was sent.
pub(crate) fn check(
    access: Access,
    on: Protected<'_>,
    principal: &Principal,
    admin: bool,
) -> Result<(), Denied> {
    // Most things reserve nothing, and a search costs less than reading their headers.
    if !on.headers.contains(NAME) || (admin && principal.is_cluster_administrator()) {
        return Ok(());
    }
    let refused = |text: String| match principal.is_anonymous() {
        true => Denied::Missing,
        false => Denied::Reserved(text),
    };
    // Doubt reserves: what was stored before specs were checked may not mean anything.
    let headers: Option<Vec<(String, String)>> = serde_json::from_str(on.headers).ok();
    let Some(specs) = headers.and_then(|headers| parse(values(&headers)).ok()) else {
        return Err(refused(
            "The Castor-Authorization stored here cannot be read; a cluster administrator passes with the argument admin."
                .to_owned(),
        ));
    };
    let mut given = specs.iter().filter(|spec| spec.accesses.contains(&access)).peekable();
    let open = given.peek().is_none()
        || given.any(|spec| spec.realm.as_ref().is_none_or(|realm| realm.has(principal, &on)));
    match open {
        true => Ok(()),
        false => Err(refused(format!(
            "The Castor-Authorization of what was asked for reserves {} to others than the key {}.",
            access.as_str(),
            principal.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Anonymous;

    fn id(byte: u8) -> ContainerId {
        ContainerId::from_bytes([byte; 16])
    }

    const D: u8 = 1;
    const B: u8 = 2;

    fn of_cluster(rights: &[Right]) -> Principal {
        Principal::for_tests("ann", rights, None, None)
    }

    fn of_domain(domain: u8, rights: &[Right]) -> Principal {
        Principal::for_tests("dora", rights, Some(id(domain)), None)
    }

    fn of_bucket(bucket: u8) -> Principal {
        Principal::for_tests("bert", &[Right::Admin], Some(id(D)), Some(id(bucket)))
    }

    /// What somebody may do to an object of bucket `b` in domain `d.example` that reserves `spec`.
    fn may(who: &Principal, spec: &str, access: Access) -> bool {
        status(who, spec, access, false) == 200
    }

    fn status(who: &Principal, spec: &str, access: Access, admin: bool) -> u16 {
        let headers = crate::objects::headers::encode(&[(NAME.to_owned(), spec.to_owned())]);
        let on = Protected {
            headers: &headers,
            owner: Some("olga"),
            domain: (id(D), "d.example"),
            bucket: Some((id(B), "b")),
        };
        check(access, on, who, admin).map_or_else(|denied| Trouble::from(denied).status.as_u16(), |()| 200)
    }

    fn specs(header: &str) -> Result<Vec<Spec>, BadSpec> {
        parse(std::iter::once(header))
    }

    #[test]
    fn the_documented_forms_are_read() {
        let domain = || DomainName::parse("d.example").expect("valid");
        let spec = |accesses, realm| Spec { accesses, realm };
        let (post, view): (&[_], &[_]) = (&[Access::Post], &[Access::Get, Access::Head]);
        assert_eq!(
            specs("D.example/_administrators, POST="),
            Ok(vec![spec(&Access::ALL, Some(Realm::DomainAdministrators(domain()))), spec(post, None),])
        );
        assert_eq!(
            specs(" view = d.example/a%2Cb , CAStor administrator,owner@,post=@OWNER,post"),
            Ok(vec![
                spec(view, Some(Realm::Bucket(domain(), BucketName::parse("a,b").expect("valid")))),
                spec(&Access::ALL, Some(Realm::Administrators)),
                spec(&Access::ALL, Some(Realm::Owner)),
                spec(post, Some(Realm::Owner)),
                spec(post, None),
            ])
        );
    }

    #[test]
    fn malformed_specs_are_named() {
        for (header, names) in [
            ("", "empty"),
            (" ", "empty"),
            ("view=d.example,", "empty"),
            ("d.example,,post=", "empty"),
            ("read=d.example", "\"read\""),
            ("=d.example", "\"\""),
            ("d.example/change=ann", "\"d.example/change\""),
            ("view=-d", "\"-d\""),
            ("two words", "\"two words\""),
            ("d.example/", "\"d.example/\""),
            ("d.example/a/b", "\"d.example/a/b\""),
            ("d.example/%zz", "\"d.example/%zz\""),
            ("d.example/%00", "\"d.example/%00\""),
            ("get=view=x", "\"view=x\""),
            ("ann@d.example", "\"ann@d.example\""),
        ] {
            let said = specs(header).expect_err(header).to_string();
            assert!(said.contains(names) && said.contains("allowed are"), "{header}: {said}");
        }
    }

    #[test]
    fn what_is_not_reserved_is_open_and_what_is_reserved_is_not() {
        let ann = of_cluster(&[Right::Read]);
        for (spec, open) in [
            ("other.example", &[][..]),
            (
                "view=other.example",
                &[Access::Post, Access::Put, Access::Copy, Access::Append, Access::Delete],
            ),
            ("change=other.example", &[Access::Get, Access::Head, Access::Post]),
            (
                "POST=other.example",
                &[Access::Get, Access::Head, Access::Put, Access::Copy, Access::Append, Access::Delete],
            ),
            ("other.example, POST=", &[Access::Post]),
            ("other.example, view", &[Access::Get, Access::Head]),
            ("delete=other.example, delete=", &Access::ALL),
            ("get=", &Access::ALL),
        ] {
            for access in Access::ALL {
                assert_eq!(may(&ann, spec, access), open.contains(&access), "{spec} {access:?}");
            }
        }
    }

    #[test]
    fn a_realm_has_its_own_principals_and_no_others() {
        let admin = [Right::Admin];
        let people = [
            ("cluster", of_cluster(&[Right::Read])),
            ("cluster admin", of_cluster(&admin)),
            ("domain", of_domain(D, &[Right::Read])),
            ("domain admin", of_domain(D, &admin)),
            ("other domain", of_domain(9, &admin)),
            ("bucket", of_bucket(B)),
            ("other bucket", of_bucket(9)),
            ("owner", Principal::for_tests("olga", &[Right::Read], Some(id(9)), None)),
            ("anonymous", Principal::nobody(Anonymous::Full).expect("let in")),
        ];
        for (realm, has) in [
            ("CAStor administrator", &["cluster", "cluster admin"][..]),
            ("castor Administrator", &["cluster", "cluster admin"]),
            ("d.example", &["domain", "domain admin"]),
            ("D.EXAMPLE", &["domain", "domain admin"]),
            ("d.example/_administrators", &["domain admin"]),
            ("d.example/b", &["bucket"]),
            ("d.example/B", &[]),
            ("other.example/b", &[]),
            ("other.example", &[]),
            ("owner@", &["owner"]),
            ("@owner", &["owner"]),
        ] {
            for (name, who) in &people {
                let spec = format!("change={realm}");
                assert_eq!(may(who, &spec, Access::Delete), has.contains(name), "{name} in {realm}");
                assert!(may(who, &spec, Access::Get), "{name}: nothing but change is reserved to {realm}");
            }
        }
    }

    #[test]
    fn one_of_several_realms_is_enough() {
        let spec = "change=d.example/b, delete=owner@";
        assert!(may(&of_bucket(B), spec, Access::Delete));
        assert!(may(&Principal::root("olga"), spec, Access::Delete));
        assert!(!may(&Principal::root("olga"), spec, Access::Put));
    }

    #[test]
    fn a_bucket_called_administrators_makes_none() {
        let headers = r#"[["castor-authorization","d.example/_administrators"]]"#;
        let on = Protected {
            headers,
            owner: None,
            domain: (id(D), "d.example"),
            bucket: Some((id(B), "_administrators")),
        };
        assert!(check(Access::Get, on, &of_bucket(B), false).is_err());
    }

    #[test]
    fn a_cluster_administrator_overrides_when_asked_to() {
        let root = Principal::root("root");
        assert_eq!(status(&root, "owner@", Access::Delete, false), 403);
        assert_eq!(status(&root, "owner@", Access::Delete, true), 200);
        for other in [of_cluster(&[Right::Delete]), of_domain(D, &[Right::Admin]), of_bucket(B)] {
            assert_eq!(status(&other, "owner@", Access::Delete, true), 403, "{other:?}");
        }
        let anonymous = Principal::nobody(Anonymous::Full).expect("let in");
        assert_eq!(status(&anonymous, "owner@", Access::Delete, true), 401);
        assert_eq!(status(&anonymous, "delete=", Access::Delete, false), 200);
    }

    #[test]
    fn what_cannot_be_read_is_reserved() {
        let on = |headers| Protected { headers, owner: None, domain: (id(D), "d.example"), bucket: None };
        let root = Principal::root("root");
        for headers in [
            r#"[["castor-authorization","d.example/change=ann"]]"#,
            r#"[["castor-authorization",""]]"#,
            r#"[["castor-authorization"#,
        ] {
            assert!(check(Access::Get, on(headers), &root, false).is_err(), "{headers}");
            assert!(check(Access::Get, on(headers), &root, true).is_ok(), "{headers}");
        }
        for headers in ["", "[]", r#"[["x-a-meta","castor-authorization"]]"#] {
            assert!(check(Access::Get, on(headers), &root, false).is_ok(), "{headers}");
        }
    }
}
