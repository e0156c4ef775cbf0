-- concurrent: rows are written and listed meanwhile
-- With all rows in it, this index was taken to find objects by tree and path too while the planner held the table for small:
-- that reads the whole tree. So it has only rows with a parent, which such statements do not ask for. The new one is built
-- under another name, so that listings have an index all the time.
DROP INDEX CONCURRENTLY IF EXISTS objects_children_with_parent;
CREATE INDEX CONCURRENTLY objects_children_with_parent ON objects (tree, parent, name) WHERE parent IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS objects_children;
ALTER INDEX objects_children_with_parent RENAME TO objects_children;
