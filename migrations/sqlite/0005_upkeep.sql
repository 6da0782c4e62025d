-- What looks after the bytes: which of them no row names, and how far they have been read again.

-- Bytes in the store that no row names, since when that is known, and whether they may be destroyed. One entry per name,
-- whether a blob or a temporary file carries it; it goes when the bytes are gone or a row names them after all.
CREATE TABLE orphans (
    name BLOB NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    -- by the store's clock
    modified_at BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    -- when the pass over the store began that met them last
    last_seen_at BIGINT NOT NULL,
    -- since when they may be destroyed; NULL: they may not
    condemned_at BIGINT
);

-- How far a task is that does its work piece by piece, for whoever goes on with it.
ALTER TABLE tasks ADD COLUMN memo TEXT;
