-- With all rows in it, this index was taken to find objects by tree and path too while the planner held the table for small:
-- that reads the whole tree. So it has only rows with a parent, which such statements do not ask for.
DROP INDEX objects_children;
CREATE INDEX objects_children ON objects (tree, parent, name) WHERE parent IS NOT NULL;
