-- The foundation: who we are, containers, versions, blobs, counters, what was deleted, keys, tasks, members.
-- Times are microseconds since 1970 (UTC). Identities are 16 bytes. States are the words of the lifecycle.

CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    -- moved by every change to a container
    epoch BIGINT NOT NULL,
    -- set while purging and forgetting are halted until an operator confirms
    halted_at BIGINT,
    halted_reason TEXT,
    -- what the operator has confirmed the brake may let pass, until then
    released_until BIGINT
);

CREATE TABLE domains (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    etag BLOB NOT NULL,
    headers TEXT NOT NULL,
    owner TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    purge_after BIGINT,
    -- the purge right moved the promise: promises made inside no longer hold it back
    early BIGINT NOT NULL DEFAULT 0,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT,
    actor TEXT,
    reserves_name BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX domains_name ON domains (name) WHERE state = 'live' OR reserves_name = 1;
CREATE INDEX domains_all ON domains (name, id);

CREATE TABLE buckets (
    id BLOB NOT NULL PRIMARY KEY,
    domain_id BLOB NOT NULL REFERENCES domains (id),
    -- what it holds at present
    contents_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- 1: the domain's own bucket of unnamed and alias objects; never listed, removed or counted as a bucket
    hidden BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    etag BLOB NOT NULL,
    headers TEXT NOT NULL,
    owner TEXT,
    versioning TEXT NOT NULL CHECK (versioning IN ('disabled', 'enabled', 'suspended')),
    -- microseconds between removal and purge of an object; NULL: the installation's setting
    object_grace BIGINT,
    last_seq BIGINT NOT NULL,
    change_seq BIGINT NOT NULL,
    purge_seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    purge_after BIGINT,
    early BIGINT NOT NULL DEFAULT 0,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT,
    actor TEXT,
    reserves_name BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX buckets_name ON buckets (domain_id, name) WHERE state = 'live' OR reserves_name = 1;
CREATE INDEX buckets_all ON buckets (domain_id, name, id);

CREATE TABLE contents (
    id BLOB NOT NULL PRIMARY KEY,
    bucket_id BLOB NOT NULL REFERENCES buckets (id),
    state TEXT NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    purge_after BIGINT,
    early BIGINT NOT NULL DEFAULT 0,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT,
    actor TEXT
);
CREATE INDEX contents_bucket ON contents (bucket_id);

-- One row from staged to forgotten.
CREATE TABLE versions (
    id BLOB NOT NULL PRIMARY KEY,
    contents_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('named', 'unnamed', 'alias')),
    name TEXT NOT NULL,
    -- NULL while staged
    seq BIGINT,
    change_seq BIGINT,
    state TEXT NOT NULL CHECK (state IN ('staged', 'live', 'removed', 'purging', 'purged')),
    is_current BIGINT NOT NULL,
    marker BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BLOB,
    generation BIGINT,
    revision BLOB,
    parent_revision BLOB,
    headers TEXT,
    owner TEXT,
    created_at BIGINT NOT NULL,
    -- the guard binds in [guard_from, guard_until); NULL from: always has; hold: until taken off
    guard_from BIGINT,
    guard_until BIGINT,
    hold BIGINT NOT NULL,
    -- absent from then on, swept or not
    expires_at BIGINT,
    removed_at BIGINT,
    purge_after BIGINT,
    -- max(purge_after, guard), NULL under a hold or an endless guard
    due_at BIGINT,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT,
    actor TEXT,
    claim_by BLOB,
    claim_until BIGINT,
    CHECK (is_current = 0 OR state = 'live'),
    CHECK (state <> 'removed' OR (removed_at IS NOT NULL AND purge_after IS NOT NULL)),
    CHECK (claim_by IS NULL OR state = 'purging')
);
-- What readers and listings walk: nothing dead is in it.
CREATE UNIQUE INDEX versions_current ON versions (contents_id, name) WHERE is_current = 1;
-- Unnamed and alias objects are found from any host, by their UUID alone.
CREATE UNIQUE INDEX versions_uuid ON versions (name) WHERE is_current = 1 AND kind <> 'named';
CREATE INDEX versions_history ON versions (contents_id, name, seq) WHERE state = 'live' AND is_current = 0;
CREATE INDEX versions_removed ON versions (contents_id, name, seq) WHERE state = 'removed';
CREATE INDEX versions_due ON versions (contents_id, due_at) WHERE state = 'removed';
CREATE INDEX versions_purging ON versions (contents_id, claim_until) WHERE state = 'purging';
CREATE INDEX versions_staged ON versions (contents_id, created_at) WHERE state = 'staged';
CREATE INDEX versions_expiring ON versions (expires_at) WHERE state = 'live' AND expires_at IS NOT NULL;
CREATE INDEX versions_guarded ON versions (contents_id, guard_until)
    WHERE state IN ('live', 'removed') AND (hold = 1 OR guard_until IS NOT NULL);
CREATE INDEX versions_tombstones ON versions (contents_id, forget_after) WHERE state = 'purged';

-- One row per blob, exactly one owner, for ever.
CREATE TABLE blobs (
    owner BLOB NOT NULL,
    part_no BIGINT NOT NULL,
    name BLOB NOT NULL,
    start BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BLOB,
    format BIGINT NOT NULL,
    place TEXT NOT NULL CHECK (place IN ('inline', 'store')),
    PRIMARY KEY (owner, part_no)
);
CREATE UNIQUE INDEX blobs_name ON blobs (name);

-- Apart from its row, so that scans stay narrow and a change of state copies no bytes.
CREATE TABLE inline_bytes (
    blob BLOB NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
);

CREATE TABLE usage (
    contents_id BLOB NOT NULL,
    state TEXT NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (contents_id, state)
);

-- One row per removal of a container and per emptying: what an operator asks about first.
CREATE TABLE deletions (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('domain', 'bucket', 'contents')),
    target BLOB NOT NULL,
    name TEXT NOT NULL,
    parent BLOB,
    door TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    state TEXT NOT NULL CHECK (state IN ('removed', 'restored', 'purging', 'purged')),
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    purge_after BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX deletions_target ON deletions (target);
CREATE INDEX deletions_time ON deletions (removed_at);

CREATE TABLE events (
    epoch BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    target BLOB NOT NULL,
    name TEXT NOT NULL,
    actor TEXT NOT NULL
);

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    -- sealed with the key file that lies outside the database
    secret BLOB NOT NULL,
    rights TEXT NOT NULL,
    domain_id BLOB,
    bucket_id BLOB,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE tasks (
    name TEXT NOT NULL PRIMARY KEY,
    started_at BIGINT,
    finished_at BIGINT,
    next_at BIGINT,
    report TEXT,
    lease_by BLOB,
    lease_until BIGINT
);

CREATE TABLE members (
    id BLOB NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    role TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    -- wall time, boot time and boot of the last heartbeat: how a clock that ran ahead is found out
    beat_at BIGINT NOT NULL,
    beat_boot BIGINT NOT NULL,
    boot_id TEXT NOT NULL,
    gone_at BIGINT
);
