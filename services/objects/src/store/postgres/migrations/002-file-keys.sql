-- Whether a key is known at all is asked without its tree; what is claimed is found by the same index.
CREATE INDEX files_keys ON files (key);
DROP INDEX files_claimed;
