//! S3's calls. One file each: decode, call, encode.

pub(super) mod attributes;
pub(super) mod bucket_cors;
pub(super) mod bucket_tagging;
pub(super) mod buckets;
pub(super) mod complete;
pub(super) mod copy;
pub(super) mod create_bucket;
pub(super) mod delete;
pub(super) mod delete_bucket;
pub(super) mod delete_objects;
pub(super) mod list;
pub(super) mod list_parts;
pub(super) mod list_uploads;
pub(super) mod list_versions;
pub(super) mod multipart;
pub(super) mod object_lock;
pub(super) mod object_locks;
pub(super) mod put;
pub(super) mod tagging;
pub(super) mod upload_part;
pub(super) mod upload_part_copy;
pub(super) mod versioning;
