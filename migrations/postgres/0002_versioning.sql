-- Versioning, multipart uploads, and tombstones that are found by name.

-- 1: written while its bucket's versioning was not enabled. At most one live version of a name is (S3's null version).
ALTER TABLE versions ADD COLUMN null_version BIGINT NOT NULL DEFAULT 1;
-- since when a later version, or a marker, stands before it
ALTER TABLE versions ADD COLUMN superseded_at BIGINT;
-- and the position at which that happened
ALTER TABLE versions ADD COLUMN superseded_seq BIGINT;
-- how many parts a multipart object was made of; its md5 is then the MD5 of theirs
ALTER TABLE versions ADD COLUMN parts BIGINT;
-- a staged version that is a part of an upload, and which; md5 is known once all of its bytes are durable
ALTER TABLE versions ADD COLUMN upload_id BYTEA;
ALTER TABLE versions ADD COLUMN upload_part BIGINT;
-- the lifecycle rule that expires_at comes from; NULL: a lifepoint
ALTER TABLE versions ADD COLUMN expiry_rule TEXT COLLATE "C";

-- A delete marker is never current: it is a live version with is_current = 0, and the newest of its name. So nothing
-- that hides an object is in what readers and listings walk.
-- As it was, and in the order in which versions are listed: the newest first.
DROP INDEX versions_history;
CREATE INDEX versions_history ON versions (contents_id, name, seq DESC) WHERE state = 'live' AND is_current = 0;
CREATE INDEX versions_null ON versions (contents_id, name)
    WHERE state = 'live' AND is_current = 0 AND null_version = 1;
CREATE INDEX versions_uuid_history ON versions (name, seq) WHERE state = 'live' AND is_current = 0 AND kind <> 'named';
CREATE INDEX versions_parts ON versions (upload_id, upload_part) WHERE upload_id IS NOT NULL AND state = 'staged';
CREATE INDEX versions_dead_names ON versions (contents_id, name, id) WHERE state IN ('purging', 'purged');
CREATE INDEX versions_dead_uuids ON versions (name) WHERE kind <> 'named' AND state IN ('removed', 'purging', 'purged');

-- What a domain or bucket says of itself; NULL: nothing. What is in force stands in buckets.versioning.
ALTER TABLE domains ADD COLUMN versioning_policy TEXT COLLATE "C";
ALTER TABLE buckets ADD COLUMN versioning_policy TEXT COLLATE "C";
-- What was superseded up to this position went when versioning was switched off: it is not shown again, whatever the
-- policy says later. 1: some of it is still to be removed.
ALTER TABLE buckets ADD COLUMN erase_upto BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN erase_history BIGINT NOT NULL DEFAULT 0;
-- Lifecycle: a domain's word on whether rules hold, a bucket's own rules, and those in force (NULL: none). They stand in
-- expires_at of each version; replan > 0: they were changed, and versions are still to be planned anew.
ALTER TABLE domains ADD COLUMN lifecycle_policy TEXT COLLATE "C";
ALTER TABLE buckets ADD COLUMN lifecycle_policy TEXT COLLATE "C";
ALTER TABLE buckets ADD COLUMN lifecycle TEXT COLLATE "C";
ALTER TABLE buckets ADD COLUMN replan BIGINT NOT NULL DEFAULT 0;
CREATE INDEX buckets_replan ON buckets (id) WHERE replan > 0;
CREATE INDEX buckets_erasing ON buckets (id) WHERE erase_history = 1;

-- A multipart upload. Its parts are staged versions that name it.
CREATE TABLE uploads (
    id BYTEA NOT NULL PRIMARY KEY,
    contents_id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('named', 'unnamed', 'alias')),
    name TEXT COLLATE "C" NOT NULL,
    -- what completing does: replace the object, or add to its end
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('replace', 'append')),
    -- for a replacement of something that was there: its version, which must still be current
    replaces BYTEA,
    headers TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    -- promised when it began: its parts go by themselves then
    expires_at BIGINT NOT NULL,
    -- the version it became; kept until expires_at, so that completing twice answers the same
    completed BYTEA
);
CREATE INDEX uploads_name ON uploads (contents_id, name, id);
CREATE INDEX uploads_due ON uploads (expires_at, id);
