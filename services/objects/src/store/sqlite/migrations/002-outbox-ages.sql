-- When an event was written, in milliseconds since the epoch, so that whoever looks on sees how long the oldest waits. Rows
-- from before have no time, and count as written now.
ALTER TABLE outbox ADD COLUMN added INTEGER;
