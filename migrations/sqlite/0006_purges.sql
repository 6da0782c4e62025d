-- The purge family: the ledger of purges, who follows it, the order of changes, and ancestry without bodies.

-- How long a path of ancestors is remembered, and how many entries of the ledger are.
ALTER TABLE buckets ADD COLUMN revs_limit BIGINT NOT NULL DEFAULT 1000;
ALTER TABLE buckets ADD COLUMN purged_infos_limit BIGINT NOT NULL DEFAULT 1000;
-- The newest entry of the ledger that is kept no longer, and the newest change that may be missing: whoever has not come
-- past it must begin anew.
ALTER TABLE buckets ADD COLUMN purges_upto BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN changes_upto BIGINT NOT NULL DEFAULT 0;
-- Positions and changes were counted together so far. From now on only what arrives takes a position.
UPDATE buckets SET change_seq = last_seq WHERE change_seq < last_seq;

-- 1: live, and neither the winner nor an ancestor of anything live: the other side of a conflict.
ALTER TABLE versions ADD COLUMN conflict BIGINT NOT NULL DEFAULT 0;
-- The installation where it was written first, and its position there; NULL: here.
ALTER TABLE versions ADD COLUMN origin BLOB;
ALTER TABLE versions ADD COLUMN origin_seq BIGINT;
CREATE INDEX versions_seq ON versions (contents_id, seq) WHERE state = 'live';
CREATE INDEX versions_changes ON versions (contents_id, change_seq) WHERE revision IS NOT NULL;
CREATE INDEX versions_conflicts ON versions (contents_id, name) WHERE state = 'live' AND conflict = 1;

-- Revisions of which no version is left: ids, for telling what a peer has that we have not.
CREATE TABLE ancestry (
    contents_id BLOB NOT NULL,
    name TEXT NOT NULL,
    generation BIGINT NOT NULL,
    revision BLOB NOT NULL,
    parent_revision BLOB,
    marker BIGINT NOT NULL,
    PRIMARY KEY (contents_id, name, generation, revision)
);

-- What was purged: either revisions of a name, or whatever a selector met up to a position.
CREATE TABLE purges (
    bucket_id BLOB NOT NULL,
    purge_seq BIGINT NOT NULL,
    -- the same id with the same content is the same purge
    purge_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    door TEXT NOT NULL,
    actor TEXT NOT NULL,
    name TEXT,
    -- of a name: what was asked for, and what of it was there, each as JSON
    revs TEXT,
    purged TEXT,
    selector TEXT,
    -- nothing that arrived later is meant
    upto_seq BIGINT NOT NULL,
    -- the installation whose positions these are; NULL: this one
    origin BLOB,
    PRIMARY KEY (bucket_id, purge_seq)
);
CREATE UNIQUE INDEX purges_id ON purges (bucket_id, purge_id);
-- What arrives from elsewhere is looked for by its name.
CREATE INDEX purges_names ON purges (bucket_id, name);

-- Who follows the changes and purges of a bucket, and how far each has come; NULL: not yet known.
CREATE TABLE followers (
    bucket_id BLOB NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    change_seq BIGINT,
    purge_seq BIGINT,
    -- what the follower itself wants kept, as it wrote it
    memo TEXT,
    actor TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (bucket_id, id)
);

-- Purges in bulk, each from its acceptance to its end: what was asked, how far it is, what came of it.
CREATE TABLE purge_jobs (
    -- of the deletion that records it
    id BLOB NOT NULL PRIMARY KEY,
    bucket_id BLOB NOT NULL,
    contents_id BLOB NOT NULL,
    purge_seq BIGINT NOT NULL,
    selector TEXT NOT NULL,
    upto_seq BIGINT NOT NULL,
    -- microseconds of grace; NULL: final at once
    grace BIGINT,
    actor TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    memo TEXT NOT NULL,
    looked BIGINT NOT NULL,
    purged BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    protected BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX purge_jobs_running ON purge_jobs (accepted_at, id) WHERE state = 'running';

-- Purges in bulk are recorded beside the removals of containers.
CREATE TABLE deletions_wider (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('domain', 'bucket', 'contents', 'versions')),
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
INSERT INTO deletions_wider SELECT id, kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at,
    purge_after, ended_at, ended_by FROM deletions;
DROP TABLE deletions;
ALTER TABLE deletions_wider RENAME TO deletions;
CREATE INDEX deletions_target ON deletions (target);
CREATE INDEX deletions_time ON deletions (removed_at);
