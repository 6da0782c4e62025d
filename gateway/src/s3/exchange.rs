//! What an operation is given, and how it finds what a request names.

use super::error::{Told, Trouble, denied, no_such_bucket, trouble};
use super::target::Named;
use super::trail::Note;
use super::wire::Broken;
use crate::auth::Scope;
use crate::objects::SpecCheck;
use crate::scsp::authorization::{Access, Protected, check, spec_check};
use crate::{Gateway, Principal};
use http::{Extensions, HeaderMap};
use lifecycle::{ContainerId, Right, State, Versioning};
use metadata::{Container, Found};
use s3s::{S3Request, TrailingHeaders};
use std::sync::Arc;

/// A request on its way through an operation.
pub(super) struct Exchange<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) principal: Principal,
    pub(super) named: Arc<Named>,
    pub(super) note: Arc<Note>,
    pub(super) headers: HeaderMap,
    /// What comes behind a body that is sent in chunks.
    pub(super) trailers: Option<TrailingHeaders>,
    /// Why the body did not arrive, once that is known.
    pub(super) broken: Broken,
}

/// A live bucket and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) domain: Container,
    pub(super) bucket: Container,
    pub(super) contents: ContainerId,
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
        let S3Request { input, headers, mut extensions, .. } = request;
        Ok((Exchange::begin(gateway, headers, &mut extensions)?, input))
    }

    pub(super) fn begin(
        gateway: &'a Gateway,
        headers: HeaderMap,
        extensions: &mut Extensions,
    ) -> Result<Self, Trouble> {
        let lost = || trouble("InternalError", "The request lost its sender on the way.");
        Ok(Exchange {
            gateway,
            principal: extensions.remove::<Principal>().ok_or_else(lost)?,
            named: extensions.remove::<Arc<Named>>().ok_or_else(lost)?,
            note: extensions.remove::<Arc<Note>>().ok_or_else(lost)?,
            headers,
            trailers: None,
            broken: extensions.remove::<Broken>().ok_or_else(lost)?,
        })
    }

    /// With what comes behind the body.
    pub(super) fn with_trailers(self, trailers: Option<TrailingHeaders>) -> Self {
        Exchange { trailers, ..self }
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

    /// The live bucket of this name, if the caller holds `right` in it. Whoever holds it nowhere learns nothing of what is
    /// not here.
    pub(super) async fn bucket(&self, name: &str, right: Right) -> Result<Place, Trouble> {
        let (host, fallback) = self.domains();
        let located = self.gateway.metadata.locate(host, fallback, Some(name)).await.told()?;
        let found = located.and_then(|located| {
            let contents = located.bucket.as_ref()?.contents?;
            Some(Place { domain: located.domain, bucket: located.bucket?, contents })
        });
        let Some(place) = found else {
            self.principal.require_somewhere(right).told()?;
            return Err(no_such_bucket());
        };
        self.note.domain(&place.domain.name);
        self.principal.require(right, Some(place.domain.id), Some(place.bucket.id)).told()?;
        Ok(place)
    }

    /// As [`Exchange::bucket`], where the caller may say whose it must be.
    pub(super) async fn bucket_of(
        &self,
        name: &str,
        right: Right,
        owner: Option<&str>,
    ) -> Result<Place, Trouble> {
        let place = self.bucket(name, right).await?;
        expect_owner(&place.bucket, owner)?;
        Ok(place)
    }

    /// Passes if the authorisation spec that SCSP may have stored with an object leaves `access` to the caller: what is
    /// reserved there is not open here.
    pub(super) fn authorize(&self, access: Access, found: &Found) -> Result<(), Trouble> {
        check(access, Protected::from(found), &self.principal, false).told()
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
    match owner {
        Some(owner) if bucket.owner.as_deref() != Some(owner) => Err(denied("Access Denied")),
        Some(_) | None => Ok(()),
    }
}
