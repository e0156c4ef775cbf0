-- Whose the tree is: what one domain of ours has to tell another one is a line of its own. Made of what is there already, so that a
-- program from before may go on with this file.
ALTER TABLE notifications ADD COLUMN own TEXT
  GENERATED ALWAYS AS (substr(json_extract(headers, '$.tree'), instr(json_extract(headers, '$.tree'), '@') + 1)) VIRTUAL;

CREATE INDEX notifications_by_line ON notifications (domain, own, position);
DROP INDEX notifications_by_domain;
