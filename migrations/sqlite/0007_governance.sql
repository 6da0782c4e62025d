-- How buckets are governed: accounts and who may do what, locks, what buckets are set to, who is told of changes, quotas.

-- Whom keys and buckets belong to. The id is S3's canonical user id: 64 hex digits.
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE UNIQUE INDEX accounts_name ON accounts (name);
CREATE UNIQUE INDEX accounts_email ON accounts (email) WHERE email IS NOT NULL;
-- NULL: the key belongs to the installation, and is its own owner
ALTER TABLE keys ADD COLUMN account_id TEXT;
ALTER TABLE keys ADD COLUMN disabled_at BIGINT;
CREATE INDEX keys_account ON keys (account_id) WHERE account_id IS NOT NULL;

-- What a bucket is set to, each kind as its door wrote it.
CREATE TABLE bucket_settings (
    bucket_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (bucket_id, kind)
);
-- Which settings of it requests have to look at; NULL: none. It changes with every change to one of these, so whoever has
-- read them once need not read them again.
ALTER TABLE buckets ADD COLUMN access BIGINT;
-- 1: versions can be locked, and are kept for good therefore
ALTER TABLE buckets ADD COLUMN object_lock BIGINT NOT NULL DEFAULT 0;

-- An object's own access list, as the S3 door encodes it; NULL: private.
ALTER TABLE versions ADD COLUMN acl TEXT;
-- S3's retention, which the guard takes in; NULL: none. What the guard says beside it comes from a lifepoint.
ALTER TABLE versions ADD COLUMN lock_mode TEXT;
ALTER TABLE versions ADD COLUMN lock_until BIGINT;
-- As they were declared when the upload began.
ALTER TABLE uploads ADD COLUMN acl TEXT;
ALTER TABLE uploads ADD COLUMN lock_mode TEXT;
ALTER TABLE uploads ADD COLUMN lock_until BIGINT;
ALTER TABLE uploads ADD COLUMN hold BIGINT NOT NULL DEFAULT 0;
