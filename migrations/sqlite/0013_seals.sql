-- What a bucket's owner has forbidden in it for good, how many versions of a name it keeps, and purges that are found by their
-- number in its ledger.

ALTER TABLE buckets ADD COLUMN sealed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN deny_delete BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN deny_purge BIGINT NOT NULL DEFAULT 0;
-- NULL: all of them
ALTER TABLE buckets ADD COLUMN max_per_name BIGINT;

CREATE INDEX purge_jobs_number ON purge_jobs (bucket_id, purge_seq);
