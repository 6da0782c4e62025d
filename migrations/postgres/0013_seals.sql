-- What a bucket's owner has forbidden in it for good, and how many versions of a name it keeps.

ALTER TABLE buckets ADD COLUMN sealed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN deny_delete BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN deny_purge BIGINT NOT NULL DEFAULT 0;
-- NULL: all of them
ALTER TABLE buckets ADD COLUMN max_per_name BIGINT;
