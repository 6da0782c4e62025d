//! Finding the object, or the version of it, that a request speaks of.

use crate::objects::SpecCheck;
use crate::scsp::authorization::{Access, spec_check};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::request::Target;
use ::access::Action;
use lifecycle::{ContainerId, Refusal, Right, VersionId};
use metadata::{Found, Sought};

impl Exchange<'_> {
    /// The argument `version`: an entity tag, in quotes or bare.
    ///
    /// # Errors
    /// 400 for anything else.
    pub(super) fn version(&self) -> Result<Option<VersionId>, Trouble> {
        let Some(text) = self.asked.query.get("version") else { return Ok(None) };
        text.trim_matches('"').parse().map(Some).map_err(|_| {
            Trouble::new(
                400,
                "BadArgument",
                format!(
                    "The argument version cannot be {text:?}: it is an entity tag of 32 hexadecimal digits."
                ),
            )
        })
    }

    /// The object, or the version that the argument `version` names, if the caller holds `right` there. `bytes`: with its
    /// bytes, if those lie in the database.
    ///
    /// # Errors
    /// 404; where a delete marker hides the object, with the marker's entity tag.
    pub(super) async fn object(&self, right: Right, bytes: bool) -> Result<Found, Trouble> {
        let version = self.version()?;
        let found = match version {
            None => self.current(right, bytes).await?,
            Some(version) => self.one_version(version, bytes).await?.ok_or_else(Trouble::not_found),
        };
        match &found {
            Ok(found) => {
                let action = match right {
                    Right::Read => Action::GetObject,
                    Right::Delete | Right::DeleteVersion => Action::DeleteObject,
                    _ => Action::PutObject,
                };
                let action = if version.is_some() { action.of_version() } else { action };
                self.permit_found(right, action, found).await?;
                if found.version.marker {
                    return Err(Refusal::NoSuchObject { marker: Some(found.version.id) }.into());
                }
            }
            // Whoever may do nothing here learns nothing of what is not here.
            Err(_) => self.principal.require_somewhere(right)?,
        }
        found
    }

    async fn current(&self, right: Right, bytes: bool) -> Result<Result<Found, Trouble>, Trouble> {
        let metadata = &self.gateway.metadata;
        let (host, fallback) = self.domains();
        let hidden = |marker: VersionId| Trouble::refused(&Refusal::NoSuchObject { marker: Some(marker) });
        Ok(match &self.asked.target {
            Target::Object(bucket, name) => {
                let sought =
                    metadata.find_named(host, fallback, bucket.as_str(), name.as_str(), bytes).await?;
                match sought {
                    Sought::Found(found) => Ok(*found),
                    Sought::Nothing => Err(Trouble::not_found()),
                    Sought::Hidden { contents } => {
                        let marker = metadata.marker(contents, name.as_str()).await?;
                        Err(marker.map_or_else(Trouble::not_found, |marker| hidden(marker.id)))
                    }
                }
            }
            Target::Uuid(uuid) => match metadata.find_uuid(uuid, bytes).await? {
                Some(found) => Ok(found),
                None => {
                    let marker = metadata.alias_marker(uuid).await?;
                    Err(marker.map_or_else(Trouble::not_found, |found| hidden(found.version.id)))
                }
            },
            Target::Child(name) => {
                // Access to what lies in a removed context is the operator's alone.
                self.principal.require(Right::Admin, None, None)?;
                let cid = self.asked.query.get("cid").unwrap_or_default();
                let cid: ContainerId = cid.parse().map_err(|bad| Trouble::bad_request("BadCid", &bad))?;
                metadata.find_in(cid, name, bytes).await?.ok_or_else(Trouble::not_found)
            }
            Target::Root | Target::Bucket(_) => {
                self.principal.require_somewhere(right)?;
                Err(Trouble::not_found())
            }
        })
    }

    async fn one_version(&self, version: VersionId, bytes: bool) -> Result<Option<Found>, Trouble> {
        let metadata = &self.gateway.metadata;
        Ok(match &self.asked.target {
            Target::Object(bucket, name) => {
                metadata.find_version(self.domains(), bucket.as_str(), name.as_str(), version, bytes).await?
            }
            Target::Uuid(uuid) => metadata.find_uuid_version(uuid, version, bytes).await?,
            Target::Root | Target::Bucket(_) | Target::Child(_) => {
                return Err(Trouble::new(
                    400,
                    "BadArgument",
                    "The argument version is for named and alias objects.",
                ));
            }
        })
    }

    /// How an object's own authorisation spec is evaluated for this caller, where one is met.
    ///
    /// # Errors
    /// 400 for an argument `admin` that is neither yes nor no.
    pub(super) fn spec(
        &self,
        access: Access,
        domain: (ContainerId, &str),
        bucket: (ContainerId, &str),
    ) -> Result<SpecCheck, Trouble> {
        Ok(spec_check(access, self.principal.clone(), self.asked.flag("admin")?, domain, bucket))
    }

    /// Whether the caller may shorten or drop a guard: where the installation lets everybody, or as a cluster
    /// administrator who says so.
    ///
    /// # Errors
    /// 400 for an argument `admin` that is neither yes nor no.
    pub(super) fn may_shorten_guard(&self) -> Result<bool, Trouble> {
        let lax = !self.gateway.settings.lifepoint.strict_guard;
        Ok(lax || (self.asked.flag("admin")? && self.principal.is_cluster_administrator()))
    }
}
