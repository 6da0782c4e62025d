//! What an operation is given, and how it finds what a request names.

use super::error::{Told, Trouble, denied, trouble};
use super::target::Named;
use super::trail::Note;
use super::trailers::{Own, Trailers};
use super::wire::{Broken, Plain};
use crate::auth::Scope;
use crate::objects::SpecCheck;
use crate::scsp::authorization::{Access, Protected, check, spec_check};
use crate::{Gateway, Principal};
use ::access::Settings;
use http::{Extensions, HeaderMap, Uri};
use lifecycle::{ContainerId, State, Versioning};
use metadata::{Container, Found, SettingChanges, SettingKind};
use s3s::{S3Request, TrailingHeaders};
use std::sync::Arc;

/// A request on its way through an operation.
pub(super) struct Exchange<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) principal: Principal,
    pub(super) named: Arc<Named>,
    pub(super) note: Arc<Note>,
    pub(super) headers: HeaderMap,
    /// The target as it was sent.
    pub(super) uri: Uri,
    /// What comes behind a body that is sent in chunks.
    pub(super) trailers: Option<Trailers>,
    /// Why the body did not arrive, once that is known.
    pub(super) broken: Broken,
    /// The document of a bucket to be made.
    pub(super) plain: Plain,
}

/// A live bucket and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) domain: Container,
    pub(super) bucket: Container,
    pub(super) contents: ContainerId,
    /// What it is set to that decides on access.
    pub(super) settings: Option<Arc<Settings>>,
    /// It is a policy or an access list that let the caller in, and not their key.
    pub(super) opened: bool,
}

impl Place {
    /// Whether it keeps older versions.
    pub(super) fn versioning(&self) -> Versioning {
        self.bucket.versioning.unwrap_or(Versioning::Disabled)
    }
}

impl<'a> Exchange<'a> {
    /// Takes a request apart into what operations share and what each of them decodes.
    ///
    /// # Errors
    /// `InternalError` if nobody was admitted: nothing is ever done for nobody.
    pub(super) fn of<T>(gateway: &'a Gateway, request: S3Request<T>) -> Result<(Self, T), Trouble> {
        let S3Request { input, headers, uri, mut extensions, .. } = request;
        Ok((Exchange::begin(gateway, (headers, uri), &mut extensions)?, input))
    }

    pub(super) fn begin(
        gateway: &'a Gateway,
        (headers, uri): (HeaderMap, Uri),
        extensions: &mut Extensions,
    ) -> Result<Self, Trouble> {
        let lost = || trouble("InternalError", "The request lost its sender on the way.");
        Ok(Exchange {
            gateway,
            principal: extensions.remove::<Principal>().ok_or_else(lost)?,
            named: extensions.remove::<Arc<Named>>().ok_or_else(lost)?,
            note: extensions.remove::<Arc<Note>>().ok_or_else(lost)?,
            headers,
            uri,
            trailers: extensions.remove::<Own>().map(Trailers::Own),
            broken: extensions.remove::<Broken>().ok_or_else(lost)?,
            plain: extensions.remove::<Plain>().unwrap_or_default(),
        })
    }

    /// With what comes behind the body.
    pub(super) fn with_trailers(self, trailers: Option<TrailingHeaders>) -> Self {
        Exchange { trailers: trailers.map(Trailers::Signed).or(self.trailers), ..self }
    }

    /// Sets a bucket to something, or to nothing, that decides on access.
    pub(super) async fn set(
        &self,
        place: &Place,
        kind: SettingKind,
        content: Option<String>,
    ) -> Result<(), Trouble> {
        let (changes, actor) = (SettingChanges::from([(kind, content)]), &self.principal.name);
        self.gateway.metadata.set_bucket_settings(place.bucket.id, changes, actor).await.told()
    }

    /// The domain to look for, and the one to fall back to.
    pub(super) fn domains(&self) -> (Option<&str>, &str) {
        (self.named.domain.as_deref(), self.gateway.settings.default_domain.as_str())
    }

    /// The live domain that Host names, or the default one.
    pub(super) async fn domain(&self) -> Result<Container, Trouble> {
        let (host, fallback) = self.domains();
        let located = self.gateway.metadata.locate(host, fallback, None).await.told()?;
        let located = located.ok_or_else(|| trouble("NoSuchDomain", "The default domain is not there."))?;
        self.note.domain(&located.domain.name);
        Ok(located.domain)
    }

    /// Passes if the authorisation spec that SCSP may have stored with an object leaves `access` to the caller: what is
    /// reserved there is not open here.
    pub(super) fn authorize(&self, access: Access, found: &Found) -> Result<(), Trouble> {
        check(access, Protected::from(found), &self.principal, false).told()
    }

    /// Passes unless it is a policy or an access list that lets somebody in who does not say who they are: AWS opens some calls
    /// to nobody.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn need_name(&self, place: &Place, to: &str) -> Result<(), Trouble> {
        match place.opened && self.principal.is_anonymous() {
            true => Err(denied(format!("Anonymous users cannot {to}. Please authenticate."))),
            false => Ok(()),
        }
    }

    /// As [`Exchange::authorize`], for a bucket.
    pub(super) fn authorize_in(&self, access: Access, place: &Place) -> Result<(), Trouble> {
        check(access, Protected::bucket(&place.domain, &place.bucket), &self.principal, false).told()
    }

    /// How the spec of an object is evaluated that a write meets.
    pub(super) fn spec(&self, access: Access, place: &Place) -> SpecCheck {
        let (domain, bucket) = ((place.domain.id, place.domain.name.as_str()), &place.bucket);
        spec_check(access, self.principal.clone(), false, domain, (bucket.id, &bucket.name))
    }
}

/// Passes if what `principal` signed without Host can mean nothing else than what it meant: Host chooses the domain, and a URL
/// of version 2 or a form says nothing of it. Whoever is at home in one domain reaches no other; anybody else the default one.
///
/// # Errors
/// `AccessDenied`.
pub(super) async fn bound(gateway: &Gateway, principal: &Principal, named: &Named) -> Result<(), Trouble> {
    let at_home = match principal.scope() {
        Scope::Domain(_) | Scope::Bucket { domain: Some(_), .. } => true,
        Scope::Cluster | Scope::Account | Scope::Bucket { domain: None, .. } => false,
    };
    let Some(domain) = named.domain.as_deref().filter(|_| !at_home) else { return Ok(()) };
    let found = gateway.metadata.domain_named(domain).await.told()?;
    let other = domain != gateway.settings.default_domain.as_str();
    match found.is_some_and(|found| found.state == State::Live) && other {
        true => Err(denied(
            "This signature says nothing of the domain. Please use AWS4-HMAC-SHA256 with a signed host.",
        )),
        false => Ok(()),
    }
}

/// Passes if `bucket` belongs to whom the caller expects.
pub(super) fn expect_owner(bucket: &Container, owner: Option<&str>) -> Result<(), Trouble> {
    expected(bucket.owner.as_deref(), owner)
}

/// As [`expect_owner`], of a bucket that belongs to `is`.
pub(super) fn expected(is: Option<&str>, owner: Option<&str>) -> Result<(), Trouble> {
    match owner {
        Some(owner) if is != Some(owner) => Err(denied("Access Denied")),
        Some(_) | None => Ok(()),
    }
}
