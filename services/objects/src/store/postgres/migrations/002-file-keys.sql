-- concurrent: rows are written meanwhile
-- Whether a key is known at all is asked without its tree; what is claimed is found by the same index.
DROP INDEX CONCURRENTLY IF EXISTS files_keys;
CREATE INDEX CONCURRENTLY files_keys ON files (key);
DROP INDEX CONCURRENTLY IF EXISTS files_claimed;
