//! The configuration, in the words of those who work by it.

use crate::config::{self, Config};
use gateway::http::Limits;
use gateway::{
    Anonymous, LifepointSettings, LockedDelete, Ownership, PolicySettings, S3Settings, ScspSettings, Settings,
};

pub(super) fn of_the_doors(config: &Config) -> Settings {
    Settings {
        cluster: config.cluster.name.clone(),
        default_domain: config.cluster.default_domain.clone(),
        inline_max: config.blobs.inline_max,
        recursive_delete_delay: config.health.recursive_delete_delay,
        object_delete_delay: config.health.object_delete_delay,
        deletion_memory: config.health.deletion_memory,
        upload_expiry: config.health.upload_expiry,
        purge_waited_for: gateway::PURGE_WAITED_FOR,
        drain_timeout: config.health.drain_timeout,
        claim_lease: config.health.claim_lease,
        event_targets: config.events.targets.iter().map(|target| target.name.clone()).collect(),
        lifepoint: LifepointSettings {
            strict: config.lifepoint.strict,
            strict_guard: config.lifepoint.strict_guard,
        },
        policy: PolicySettings { versioning: config.policy.versioning, lifecycle: config.policy.lifecycle },
        s3: S3Settings {
            object_ownership: match config.s3.object_ownership {
                config::ObjectOwnership::ObjectWriter => Ownership::ObjectWriter,
                config::ObjectOwnership::BucketOwnerPreferred => Ownership::BucketOwnerPreferred,
                config::ObjectOwnership::BucketOwnerEnforced => Ownership::BucketOwnerEnforced,
            },
        },
        scsp: ScspSettings {
            auto_recursive_delete: config.scsp.auto_recursive_delete,
            gateway_mode: config.scsp.recursive_mode == config::RecursiveMode::Gateway,
            explicit_context_create: config.scsp.require_explicit_context_create,
            allow_put_create: config.scsp.allow_put_create,
            auto_content_md5_computation: config.scsp.auto_content_md5_computation,
            require_alias_arg: config.scsp.require_alias_arg,
            locked_delete: match config.scsp.locked_delete {
                config::LockedDelete::Forbid => LockedDelete::Forbid,
                config::LockedDelete::Marker => LockedDelete::Marker,
            },
        },
        brake: lifecycle::brake::Brake {
            share: config.health.brake_share,
            objects: config.health.brake_objects,
            min_objects: config.health.brake_min_objects,
            min_bytes: config.health.brake_min_bytes,
        },
    }
}

pub(super) fn of_the_processor(config: &Config, role: &'static str) -> health_processor::Settings {
    let health = &config.health;
    health_processor::Settings {
        interval: health.interval,
        batch: health.batch,
        concurrency: health.concurrency,
        object_delete_delay: health.object_delete_delay,
        deletion_memory: health.deletion_memory,
        staged_expiry: health.staged_expiry,
        drain_timeout: health.drain_timeout,
        lease: health.claim_lease,
        brake_share: health.brake_share,
        brake_objects: health.brake_objects,
        brake_min_objects: health.brake_min_objects,
        brake_min_bytes: health.brake_min_bytes,
        scrub_rate: health.scrub_rate,
        scrub_period: health.scrub_period,
        destroy_orphans: health.destroy_orphans,
        node: config.cluster.node.clone(),
        role,
        ..health_processor::Settings::default()
    }
}

pub(super) fn of_the_member(config: &Config, role: &'static str) -> metadata::MemberSettings {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    metadata::MemberSettings {
        node: config.cluster.node.clone(),
        role,
        address: (role != "health-processor").then(|| format!("{scheme}://{}", config.listen.admin)),
        lease: config.cluster.lease,
        heartbeat: config.cluster.heartbeat,
        margin: config.cluster.margin,
        drain_timeout: config.health.drain_timeout,
        notifications: config.cluster.notifications,
    }
}

pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        header_deadline: config.limits.header_deadline,
        body_idle: config.limits.body_idle,
        connections: config.limits.connections,
        per_peer: config.limits.per_peer,
        in_flight: config.limits.in_flight,
        purge_revisions: config.limits.purge_revisions,
        shutdown: config.limits.shutdown,
        ..Limits::default()
    }
}

pub(super) fn anonymous(config: &Config) -> Anonymous {
    match config.auth.anonymous {
        config::Anonymous::None => Anonymous::None,
        config::Anonymous::Read => Anonymous::Read,
        config::Anonymous::Full => Anonymous::Full,
    }
}

/// The root key of the environment, if it sets one.
pub(super) fn environment_key(config: &Config) -> Option<(String, metadata::Secret)> {
    config.auth.root.as_ref().map(|root| (root.key.clone(), metadata::Secret::new(root.secret.expose())))
}

pub(super) fn reserve(reserve: config::Reserve) -> blobs::Reserve {
    match reserve {
        config::Reserve::Percent(percent) => blobs::Reserve::Percent(percent),
        config::Reserve::Bytes(bytes) => blobs::Reserve::Bytes(bytes),
    }
}
