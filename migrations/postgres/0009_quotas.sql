-- How much buckets and accounts may hold.

-- As `objects=N bytes=N counting=WORD`; NULL: as much as there is room for.
ALTER TABLE buckets ADD COLUMN quota TEXT COLLATE "C";
-- The account whose quota the bucket counts to; NULL: its owner has none.
ALTER TABLE buckets ADD COLUMN quota_account TEXT COLLATE "C";
ALTER TABLE accounts ADD COLUMN quota TEXT COLLATE "C";

-- The buckets of an account.
CREATE INDEX buckets_owner ON buckets (owner, name) WHERE owner IS NOT NULL;
