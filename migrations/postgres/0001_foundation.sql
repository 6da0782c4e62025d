-- The foundation: who we are, containers, versions, blobs, counters, what was deleted, keys, tasks, members.
-- Times are microseconds since 1970 (UTC). Identities are 16 bytes. States are the words of the lifecycle.

CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    -- moved by every change to a container
    epoch BIGINT NOT NULL,
    -- set while purging and forgetting are halted until an operator confirms
    halted_at BIGINT,
    halted_reason TEXT COLLATE "C",
    -- what the operator has confirmed the brake may let pass, until then
    released_until BIGINT
);

CREATE TABLE domains (
    id BYTEA NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    etag BYTEA NOT NULL,
    headers TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    purge_after BIGINT,
    -- the purge right moved the promise: promises made inside no longer hold it back
    early BIGINT NOT NULL DEFAULT 0,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT COLLATE "C",
    actor TEXT COLLATE "C",
    reserves_name BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX domains_name ON domains (name) WHERE state = 'live' OR reserves_name = 1;
CREATE INDEX domains_all ON domains (name, id);

CREATE TABLE buckets (
    id BYTEA NOT NULL PRIMARY KEY,
    domain_id BYTEA NOT NULL REFERENCES domains (id),
    -- what it holds at present
    contents_id BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- 1: the domain's own bucket of unnamed and alias objects; never listed, removed or counted as a bucket
    hidden BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    etag BYTEA NOT NULL,
    headers TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    versioning TEXT COLLATE "C" NOT NULL CHECK (versioning IN ('disabled', 'enabled', 'suspended')),
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
    cause TEXT COLLATE "C",
    actor TEXT COLLATE "C",
    reserves_name BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX buckets_name ON buckets (domain_id, name) WHERE state = 'live' OR reserves_name = 1;
CREATE INDEX buckets_all ON buckets (domain_id, name, id);

CREATE TABLE contents (
    id BYTEA NOT NULL PRIMARY KEY,
    bucket_id BYTEA NOT NULL REFERENCES buckets (id),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('live', 'removed', 'purging', 'purged')),
    created_at BIGINT NOT NULL,
    removed_at BIGINT,
    purge_after BIGINT,
    early BIGINT NOT NULL DEFAULT 0,
    purged_at BIGINT,
    forget_after BIGINT,
    cause TEXT COLLATE "C",
    actor TEXT COLLATE "C"
);
CREATE INDEX contents_bucket ON contents (bucket_id);

-- One row from staged to forgotten.
CREATE TABLE versions (
    id BYTEA NOT NULL PRIMARY KEY,
    contents_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('named', 'unnamed', 'alias')),
    name TEXT COLLATE "C" NOT NULL,
    -- NULL while staged
    seq BIGINT,
    change_seq BIGINT,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('staged', 'live', 'removed', 'purging', 'purged')),
    is_current BIGINT NOT NULL,
    marker BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BYTEA,
    generation BIGINT,
    revision BYTEA,
    parent_revision BYTEA,
    headers TEXT COLLATE "C",
    owner TEXT COLLATE "C",
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
    cause TEXT COLLATE "C",
    actor TEXT COLLATE "C",
    claim_by BYTEA,
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
    owner BYTEA NOT NULL,
    part_no BIGINT NOT NULL,
    name BYTEA NOT NULL,
    start BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BYTEA,
    format BIGINT NOT NULL,
    place TEXT COLLATE "C" NOT NULL CHECK (place IN ('inline', 'store')),
    PRIMARY KEY (owner, part_no)
);
CREATE UNIQUE INDEX blobs_name ON blobs (name);

-- Apart from its row, so that scans stay narrow and a change of state copies no bytes.
CREATE TABLE inline_bytes (
    blob BYTEA NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL
);

CREATE TABLE usage (
    contents_id BYTEA NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (contents_id, state)
);

-- One row per removal of a container and per emptying: what an operator asks about first.
CREATE TABLE deletions (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('domain', 'bucket', 'contents')),
    target BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    parent BYTEA,
    door TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('removed', 'restored', 'purging', 'purged')),
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    removed_at BIGINT NOT NULL,
    purge_after BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT COLLATE "C"
);
CREATE INDEX deletions_target ON deletions (target);
CREATE INDEX deletions_time ON deletions (removed_at);

CREATE TABLE events (
    epoch BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    target BYTEA NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL
);

CREATE TABLE keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- sealed with the key file that lies outside the database
    secret BYTEA NOT NULL,
    rights TEXT COLLATE "C" NOT NULL,
    domain_id BYTEA,
    bucket_id BYTEA,
    label TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE tasks (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    started_at BIGINT,
    finished_at BIGINT,
    next_at BIGINT,
    report TEXT COLLATE "C",
    lease_by BYTEA,
    lease_until BIGINT
);

CREATE TABLE members (
    id BYTEA NOT NULL PRIMARY KEY,
    node TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    -- wall time, boot time and boot of the last heartbeat: how a clock that ran ahead is found out
    beat_at BIGINT NOT NULL,
    beat_boot BIGINT NOT NULL,
    boot_id TEXT COLLATE "C" NOT NULL,
    gone_at BIGINT
);
