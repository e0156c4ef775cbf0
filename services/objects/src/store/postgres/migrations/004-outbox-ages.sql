-- When an event was written, so that whoever looks on sees how long the oldest waits. Rows from before have no time, and
-- count as written now. The default comes after the column, or it would be computed for each row there is.
ALTER TABLE outbox ADD COLUMN added timestamptz;
ALTER TABLE outbox ALTER COLUMN added SET DEFAULT clock_timestamp();
