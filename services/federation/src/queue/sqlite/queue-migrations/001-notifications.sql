-- breaking: the first schema
-- Positions are never used again. Each is told to another domain as the number of its notification, which must rise for ever:
-- so the first one is made of the time when this file was made (see migrate.ts).
CREATE TABLE notifications (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  domain TEXT NOT NULL,
  id TEXT NOT NULL UNIQUE,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  appended INTEGER NOT NULL
) STRICT;

CREATE INDEX notifications_by_domain ON notifications (domain, position);
