-- Who is told of what happens to objects: what happened, and what is to be told to whom.

-- 1: somebody wants to hear of this bucket's objects
ALTER TABLE buckets ADD COLUMN notify BIGINT NOT NULL DEFAULT 0;
-- how much has happened since somebody first wanted to
ALTER TABLE buckets ADD COLUMN notice_seq BIGINT NOT NULL DEFAULT 0;

-- What happened, written by the transaction that made it happen, until it is known who wants to hear of it.
CREATE TABLE notices (
    bucket_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    name TEXT NOT NULL,
    version_id BLOB NOT NULL,
    null_version BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 BLOB,
    parts BIGINT,
    actor TEXT NOT NULL,
    PRIMARY KEY (bucket_id, seq)
);

-- Messages to a target, until it has taken them.
CREATE TABLE deliveries (
    target TEXT NOT NULL,
    bucket_id BLOB NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- of a name, a later one is not due before an earlier one
    due_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (target, bucket_id, seq)
);
CREATE INDEX deliveries_due ON deliveries (target, due_at, bucket_id, seq);
CREATE INDEX deliveries_names ON deliveries (target, bucket_id, name, due_at);
CREATE INDEX deliveries_age ON deliveries (at);
