-- What falls due at the same moment, as a whole day of objects does at midnight, is met in the order of its ids: a page of it is
-- one walk, and does not sort all of the rest.
DROP INDEX versions_expiring;
CREATE INDEX versions_expiring ON versions (expires_at, id) WHERE state = 'live' AND expires_at IS NOT NULL;
