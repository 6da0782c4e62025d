-- Lifecycle rules beyond SCSP's: uploads that rules give up, and how far a bucket has been planned anew.

-- When it ends without any rule; NULL: at expires_at.
ALTER TABLE uploads ADD COLUMN own_expiry BIGINT;
-- The lifecycle rule that expires_at comes from; NULL: none.
ALTER TABLE uploads ADD COLUMN expiry_rule TEXT COLLATE "C";

-- The last walk through a bucket whose rules were changed. It goes on where it stopped, whoever carries it on.
CREATE TABLE replans (
    bucket_id BYTEA NOT NULL PRIMARY KEY,
    -- which change of its rules: a walk for an earlier one begins anew
    change BIGINT NOT NULL,
    -- what is behind it: names of current versions, of older ones, or of uploads; and what stands last
    phase BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    upload BYTEA,
    looked BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    stepped_at BIGINT NOT NULL,
    -- when everything was planned
    ended_at BIGINT
);
