-- What S3 keeps beside an object: its tags and the checksum that was declared for it, each as the door encodes it.

ALTER TABLE versions ADD COLUMN tags TEXT;
-- of a part that waits for its upload too
ALTER TABLE versions ADD COLUMN checksum TEXT;
-- of a part, once its upload has become an object
ALTER TABLE blobs ADD COLUMN checksum TEXT;
ALTER TABLE uploads ADD COLUMN tags TEXT;
ALTER TABLE uploads ADD COLUMN checksum TEXT;
ALTER TABLE buckets ADD COLUMN tags TEXT;

-- Open uploads in the order in which they are listed, without those that have become objects and are only remembered.
DROP INDEX uploads_name;
CREATE INDEX uploads_open ON uploads (contents_id, name, id) WHERE completed IS NULL;
CREATE INDEX uploads_contents ON uploads (contents_id);
