-- Whether whoever writes into a bucket may let what is older go with it.

ALTER TABLE buckets ADD COLUMN allow_rollup BIGINT NOT NULL DEFAULT 0;
