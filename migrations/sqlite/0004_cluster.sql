-- Several gateways, one truth: members with a lease and a fencing token, and the epoch at which each container went.
-- A binary that does not know these tables cannot tell that it is alive any more, and so purges nothing.

-- The last heartbeat of each boot of each machine: how a clock that ran ahead is found out.
CREATE TABLE clocks (
    node TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    beat_at BIGINT NOT NULL,
    beat_boot BIGINT NOT NULL,
    PRIMARY KEY (node, boot_id)
);
INSERT INTO clocks (node, boot_id, beat_at, beat_boot)
    SELECT node, boot_id, MAX(beat_at), MAX(beat_boot) FROM members GROUP BY node, boot_id;
DROP TABLE members;

-- One row for each run of a process. Times are the database's.
CREATE TABLE members (
    id BLOB NOT NULL PRIMARY KEY,
    -- the fencing token; the larger one is the younger
    incarnation BIGINT NOT NULL,
    node TEXT NOT NULL,
    role TEXT NOT NULL,
    address TEXT,
    standing TEXT NOT NULL CHECK (standing IN ('active', 'fenced', 'left')),
    registered_epoch BIGINT NOT NULL,
    observed_epoch BIGINT NOT NULL,
    drained_epoch BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    beat_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    -- what it still does in containers that were removed, as JSON
    holdouts TEXT NOT NULL,
    -- the names of the blobs that it reads, as of observed_epoch
    reads TEXT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT
);
-- Of two processes that call themselves the same, one is active.
CREATE UNIQUE INDEX members_active ON members (node, role) WHERE standing = 'active';

ALTER TABLE installation ADD COLUMN last_incarnation BIGINT NOT NULL DEFAULT 0;

-- The epoch of the removal that the barrier asks about; NULL where a container went before there were members.
ALTER TABLE domains ADD COLUMN removed_epoch BIGINT;
ALTER TABLE buckets ADD COLUMN removed_epoch BIGINT;
ALTER TABLE contents ADD COLUMN removed_epoch BIGINT;
-- How often a container was changed, removed and restored.
ALTER TABLE domains ADD COLUMN meta_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN meta_version BIGINT NOT NULL DEFAULT 0;
