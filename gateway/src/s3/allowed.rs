//! Whether a call is allowed: on a bucket, on a key in it, on an object that is there. The one place of this door where that is
//! decided, by [`crate::permit`].

use super::actions;
use super::arguments::Arguments;
use super::error::{Told, Trouble, denied, no_such_bucket};
use super::exchange::{Exchange, Place, expect_owner};
use super::facts::{About, Said};
use crate::permit::{self, Spot, Wish};
use ::access::{Action, Level, Object, Settings, Verdict};
use lifecycle::Right;
use metadata::Found;
use std::sync::Arc;

/// What is to be done, and what it is about that neither headers nor target say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) wish: Wish<'a>,
    pub(super) about: About<'a>,
}

impl<'a> Asked<'a> {
    /// An action on a key, or on the bucket itself.
    pub(super) fn of(action: Action, right: Right, key: Option<&'a str>) -> Self {
        let key = key.filter(|_| action.level() == Level::Object);
        Asked { wish: Wish { action, right, key }, about: About::default() }
    }

    /// Of the version that is named, if one is.
    pub(super) fn of_version(mut self, version: Option<&'a str>) -> Self {
        if version.is_some() {
            self.wish.action = self.wish.action.of_version();
        }
        self.about.version = version;
        self
    }

    /// With what it is about.
    pub(super) fn about(self, about: About<'a>) -> Self {
        Asked { about: About { version: self.about.version, ..about }, ..self }
    }
}

impl Place {
    pub(super) fn spot(&self) -> Spot<'_> {
        Spot {
            domain: Some(self.domain.id),
            bucket: self.bucket.id,
            name: &self.bucket.name,
            owner: self.bucket.owner.as_deref(),
            settings: self.settings.as_deref(),
        }
    }
}

impl Exchange<'_> {
    /// What this call asks for, by its own name, of the key that its target names.
    ///
    /// # Errors
    /// `AccessDenied` for a call that nobody has said of what action it is: it is allowed to nobody.
    pub(super) fn asked(&self, right: Right) -> Result<Asked<'_>, Trouble> {
        let action = actions::of(self.note.op().as_str()).ok_or_else(|| denied("Access Denied"))?;
        // However its name is written.
        let of_version = match self.uri.query() {
            None => false,
            query => Arguments::read(query)?.has("versionId"),
        };
        let action = if of_version { action.of_version() } else { action };
        Ok(Asked::of(action, right, self.named.key.as_deref()))
    }

    /// The live bucket of this name, if what this call does there is allowed, by whatever `right` asks for of it or opens it.
    /// A key that may do that nowhere learns nothing of what is not here.
    pub(super) async fn bucket(&self, name: &str, right: Right) -> Result<Place, Trouble> {
        self.place(name, &self.asked(right)?).await
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

    /// The live bucket of this name, if what is asked is allowed there.
    pub(super) async fn place(&self, name: &str, asked: &Asked<'_>) -> Result<Place, Trouble> {
        let mut place = self.located(name, asked.wish.right).await?;
        let verdict = self.verdict(&place, asked, None);
        if !verdict.allows() {
            return Err(denied("Access Denied"));
        }
        place.opened = verdict == Verdict::Opened;
        Ok(place)
    }

    /// The live bucket of this name, whatever is allowed there: to be asked next.
    pub(super) async fn located(&self, name: &str, right: Right) -> Result<Place, Trouble> {
        let (host, fallback) = self.domains();
        let located = self.gateway.metadata.locate(host, fallback, Some(name)).await.told()?;
        let found = located.and_then(|located| {
            let contents = located.bucket.as_ref()?.contents?;
            Some((located.domain, located.bucket?, contents))
        });
        let Some((domain, bucket, contents)) = found else {
            // Whoever has no name may be let into any bucket by what stands there: so there is none to them, as AWS says.
            if !self.principal.is_anonymous() {
                self.principal.require_somewhere(right).told()?;
            }
            return Err(no_such_bucket());
        };
        self.note.domain(&domain.name);
        let settings = self.gateway.auth.gate(bucket.id, &bucket.name, bucket.access).await.told()?;
        Ok(Place { domain, bucket, contents, settings, opened: false })
    }

    /// What becomes of what is asked in `place`. `object`: what is there under the key, where that was looked up.
    pub(super) fn verdict(&self, place: &Place, asked: &Asked<'_>, object: Option<&Found>) -> Verdict {
        self.decided(&place.spot(), asked, object)
    }

    fn decided(&self, spot: &Spot<'_>, asked: &Asked<'_>, found: Option<&Found>) -> Verdict {
        let existing = found.and_then(|found| found.version.tags.as_deref());
        let object = found
            .map(|found| Object { owner: found.version.owner.as_deref(), acl: found.version.acl.as_deref() });
        let said = Said::of(self, asked.about, spot.owner, existing);
        permit::verdict(&self.principal, &asked.wish, spot, object, &said)
    }

    /// Passes if what is asked is allowed of an object that is there.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) async fn allow(&self, asked: &Asked<'_>, found: &Found) -> Result<Verdict, Trouble> {
        let spot = spot(found, None);
        if found.access.is_none() && permit::holds(&self.principal, &asked.wish, &spot) {
            return Ok(Verdict::Right);
        }
        let settings = self.settings_of(found).await?;
        let spot = Spot { settings: settings.as_deref(), ..spot };
        match self.decided(&spot, asked, Some(found)) {
            verdict if verdict.allows() => Ok(verdict),
            _ => Err(denied("Access Denied")),
        }
    }

    /// What the bucket of an object is set to that decides on access.
    pub(super) async fn settings_of(&self, found: &Found) -> Result<Option<Arc<Settings>>, Trouble> {
        self.gateway.auth.gate(found.bucket.0, &found.bucket.1, found.access).await.told()
    }

    /// Passes if whoever asks for an object that is not there may know that: who may do it by their own key, or may list the
    /// bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`, `AccessDenied`.
    pub(super) async fn may_miss(&self, bucket: &str, asked: &Asked<'_>) -> Result<Place, Trouble> {
        let place = self.located(bucket, asked.wish.right).await?;
        let lists = || {
            let listing = Asked::of(Action::ListBucket, Right::Read, None);
            self.verdict(&place, &listing, None).allows()
        };
        match self.verdict(&place, asked, None) {
            Verdict::Right => Ok(place),
            Verdict::Opened | Verdict::Nothing if lists() => Ok(place),
            Verdict::Opened | Verdict::Nothing | Verdict::Denied => Err(denied("Access Denied")),
        }
    }

    /// Passes unless a policy denies also this of what the call does in `place`; where it is not the caller's own key that let
    /// them in, and `opens`, something must allow it as well.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(super) fn also(&self, place: &Place, asked: &Asked<'_>, opens: bool) -> Result<(), Trouble> {
        if place.settings.is_none() && !place.opened {
            return Ok(());
        }
        match self.verdict(place, asked, None) {
            Verdict::Right | Verdict::Opened => Ok(()),
            Verdict::Nothing if !(opens && place.opened) => Ok(()),
            Verdict::Nothing | Verdict::Denied => Err(denied("Access Denied")),
        }
    }
}

fn spot<'a>(found: &'a Found, settings: Option<&'a Settings>) -> Spot<'a> {
    Spot {
        domain: Some(found.domain.0),
        bucket: found.bucket.0,
        name: &found.bucket.1,
        owner: found.bucket_owner.as_deref(),
        settings,
    }
}
