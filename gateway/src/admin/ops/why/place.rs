//! Where something is: the contents, the bucket and the domain around it, and the record of their removals.

use super::blocks::Around;
use crate::admin::error::Complaint;
use crate::admin::request::Asked;
use lifecycle::{ContainerId, Refusal, State, Time, VersionId};
use metadata::{Container, ContainerKind, DeletionRow};

/// A container around something, with its removal, if it is removed.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) kind: ContainerKind,
    pub(super) id: ContainerId,
    pub(super) name: String,
    pub(super) state: State,
    pub(super) removed_at: Option<Time>,
    pub(super) purge_after: Option<Time>,
    pub(super) removal: Option<DeletionRow>,
}

/// The containers around something, the innermost first. Of a container it is one of them itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) contents: Option<Level>,
    pub(super) bucket: Option<Level>,
    pub(super) domain: Option<Level>,
}

impl Place {
    pub(super) async fn of_version(asked: &Asked<'_>, version: VersionId) -> Result<Place, Complaint> {
        let metadata = &asked.gateway.metadata;
        let (bucket, hidden, contents) = metadata.around(version).await?.ok_or(Refusal::Unknown)?;
        let domain = metadata.domain_of(bucket).await?.ok_or(Refusal::Unknown)?;
        let domain = metadata.container(ContainerKind::Domain, domain).await?;
        let mut place = Place::default();
        if contents != State::Live
            && let Some(id) = metadata.version(version).await?.map(|version| version.contents)
        {
            let removal = metadata.deletion_of(id).await?;
            place.contents = Some(Level {
                kind: ContainerKind::Contents,
                id,
                name: String::new(),
                state: contents,
                removed_at: removal.as_ref().map(|removal| removal.removed_at),
                purge_after: removal.as_ref().map(|removal| removal.purge_after),
                removal,
            });
        }
        if !hidden && let Some(bucket) = metadata.container(ContainerKind::Bucket, bucket).await? {
            place.bucket = Some(level(asked, &bucket).await?);
        }
        if let Some(domain) = domain {
            place.domain = Some(level(asked, &domain).await?);
        }
        Ok(place)
    }

    pub(super) async fn of_container(asked: &Asked<'_>, container: &Container) -> Result<Place, Complaint> {
        let mut place = Place::default();
        let own = Some(level(asked, container).await?);
        match container.parent {
            None => place.domain = own,
            Some(domain) => {
                place.bucket = own;
                if let Some(domain) = asked.gateway.metadata.container(ContainerKind::Domain, domain).await? {
                    place.domain = Some(level(asked, &domain).await?);
                }
            }
        }
        Ok(place)
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        [&self.contents, &self.bucket, &self.domain].into_iter().flatten()
    }

    /// The worst state around a version.
    pub(super) fn above(&self) -> State {
        self.levels().fold(State::Live, |state, level| level.state.under(state))
    }

    /// The worst state around contents.
    pub(super) fn above_contents(&self) -> State {
        [&self.bucket, &self.domain]
            .into_iter()
            .flatten()
            .fold(State::Live, |state, level| level.state.under(state))
    }

    /// The worst state around a container that is in its own place: of a bucket, its domain's.
    pub(super) fn above_container(&self) -> State {
        match (&self.bucket, &self.domain) {
            (Some(_), Some(domain)) => domain.state,
            (Some(_), None) | (None, _) => State::Live,
        }
    }

    /// What is not live, the innermost first; `own`: without the container that this is the place of.
    pub(super) fn around(&self, of: Option<ContainerId>) -> Vec<&Level> {
        self.levels().filter(|level| level.state != State::Live && Some(level.id) != of).collect()
    }
}

impl Level {
    /// What to say of it in a sentence.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            ContainerKind::Domain => format!("domain {}", self.name),
            ContainerKind::Bucket => format!("bucket {}", self.name),
            ContainerKind::Contents => "what was taken out of its bucket when that was emptied".to_owned(),
        }
    }

    pub(super) fn blocks(&self) -> Around {
        Around {
            name: self.shown(),
            state: self.state,
            removed_at: self.removed_at,
            purge_after: self.purge_after,
        }
    }
}

async fn level(asked: &Asked<'_>, container: &Container) -> Result<Level, Complaint> {
    let removal = match container.state {
        State::Live | State::Staged => None,
        State::Removed | State::Purging | State::Purged | State::Forgotten => {
            asked.gateway.metadata.deletion_of(container.id).await?
        }
    };
    Ok(Level {
        kind: container.kind,
        id: container.id,
        name: container.name.clone(),
        state: container.state,
        removed_at: container.removed_at,
        purge_after: container.purge_after,
        removal,
    })
}
