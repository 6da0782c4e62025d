-- Delete markers that go by themselves, with all that is under them.

-- microseconds after which a marker that still hides its object goes; NULL: never
ALTER TABLE buckets ADD COLUMN marker_ttl BIGINT;
CREATE INDEX buckets_marker_ttl ON buckets (id) WHERE marker_ttl IS NOT NULL;
CREATE INDEX versions_markers ON versions (contents_id, created_at, id) WHERE state = 'live' AND marker = 1;
