-- Who is told of what happens to objects: what happened, and what is to be told to whom.

-- 1: somebody wants to hear of this bucket's objects
ALTER TABLE buckets ADD COLUMN notify BIGINT NOT NULL DEFAULT 0;
-- how much has happened since somebody first wanted to
ALTER TABLE buckets ADD COLUMN notice_seq BIGINT NOT NULL DEFAULT 0;

-- What happened, written by the transaction that made it happen, until it is known who wants to hear of it.
CREATE TABLE notices (
    bucket_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version_id BYTEA NOT NULL,
    null_version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BYTEA,
    parts BIGINT,
    actor TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket_id, seq)
);

-- Messages to a target, until it has taken them.
CREATE TABLE deliveries (
    target TEXT COLLATE "C" NOT NULL,
    bucket_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    -- of a name, a later one is not due before an earlier one
    due_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (target, bucket_id, seq)
);
CREATE INDEX deliveries_due ON deliveries (target, due_at, bucket_id, seq);
CREATE INDEX deliveries_names ON deliveries (target, bucket_id, name, due_at);
CREATE INDEX deliveries_age ON deliveries (at);
