//! Finding the domain and bucket that a request names.

use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use ::access::Action;
use lifecycle::{BucketName, ContainerId, Right};
use metadata::{Container, Located};

impl Exchange<'_> {
    /// The domain to look for, and the one to fall back to when Host names none that exists. A domain named by argument
    /// is that one or none.
    pub(super) fn domains(&self) -> (Option<&str>, &str) {
        let default = self.gateway.settings.default_domain.as_str();
        match &self.asked.domain.name {
            Some(name) if self.asked.domain.explicit => (Some(name.as_str()), name.as_str()),
            Some(name) => (Some(name.as_str()), default),
            None => (None, default),
        }
    }

    /// The live domain, with the live bucket of this name if there is one.
    pub(super) async fn locate(&self, bucket: Option<&BucketName>) -> Result<Option<Located>, Trouble> {
        let (host, fallback) = self.domains();
        let located = self.gateway.metadata.locate(host, fallback, bucket.map(BucketName::as_str)).await?;
        if let Some(located) = &located {
            self.trail.located(located);
        }
        Ok(located)
    }

    /// As [`Exchange::locate`], for a write: what is missing is a failed precondition.
    pub(super) async fn locate_to_write(
        &self,
        bucket: Option<&BucketName>,
    ) -> Result<(Located, Target), Trouble> {
        let missing = || match self.principal.require_somewhere(Right::Write) {
            Ok(()) => Trouble::requires_context(
                self.domains().0.unwrap_or(self.domains().1),
                bucket.map(BucketName::as_str),
            ),
            // Whoever may write nowhere learns nothing of what is not here.
            Err(denied) => denied.into(),
        };
        let located = self.locate(bucket).await?.ok_or_else(missing)?;
        let target = match (bucket, &located.bucket) {
            (None, _) => {
                Target { domain: located.domain.id, bucket: located.hidden.0, contents: located.hidden.1 }
            }
            (Some(_), Some(Container { id, contents: Some(contents), .. })) => {
                Target { domain: located.domain.id, bucket: *id, contents: *contents }
            }
            (Some(_), _) => return Err(missing()),
        };
        Ok((located, target))
    }

    /// Passes if the caller may write an object of this name, or one without a name, where [`Exchange::locate_to_write`] led.
    ///
    /// # Errors
    /// 403, or 401 for somebody who gave no credentials.
    pub(super) async fn permit_to_write(
        &self,
        located: &Located,
        target: Target,
        name: Option<&str>,
    ) -> Result<(), Trouble> {
        match &located.bucket {
            Some(bucket) => self.permit(Right::Write, Action::PutObject, bucket.into(), name).await,
            None => Ok(self.principal.require(Right::Write, Some(target.domain), Some(target.bucket))?),
        }
    }
}

/// Where an object goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::scsp) struct Target {
    pub(in crate::scsp) domain: ContainerId,
    pub(in crate::scsp) bucket: ContainerId,
    pub(in crate::scsp) contents: ContainerId,
}
