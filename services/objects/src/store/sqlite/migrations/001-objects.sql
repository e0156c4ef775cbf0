-- breaking: the first schema
CREATE TABLE trees (
  tree TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A path is kept in two halves: so one index finds an object, lists children in byte order, and spans a subtree. The root
-- has the parent '.', which no path is. A rowid table, since rows are large: keys stay small, and new rows lie together.
CREATE TABLE objects (
  id INTEGER PRIMARY KEY,
  tree TEXT NOT NULL,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  btime TEXT NOT NULL,
  mtime TEXT NOT NULL,
  version INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  subscribers INTEGER NOT NULL,
  file TEXT,
  acl TEXT,
  type TEXT,
  attachment TEXT,
  data TEXT,
  UNIQUE (tree, parent, name)
) STRICT;

CREATE TABLE subscriptions (
  tree TEXT NOT NULL,
  path TEXT NOT NULL,
  user TEXT NOT NULL,
  events INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  began INTEGER NOT NULL,
  PRIMARY KEY (tree, path, user)
) STRICT, WITHOUT ROWID;

-- In force for events from `began` on, but not from `ended` on.
CREATE TABLE ended_subscriptions (
  tree TEXT NOT NULL,
  path TEXT NOT NULL,
  user TEXT NOT NULL,
  events INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  began INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  PRIMARY KEY (tree, path, user, ended)
) STRICT, WITHOUT ROWID;

-- What the deletion of this sequence removed, and the ancestors it was removed from.
CREATE TABLE deleted_objects (
  tree TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  path TEXT NOT NULL,
  owner TEXT NOT NULL,
  acl TEXT,
  PRIMARY KEY (tree, sequence, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  tree TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  event TEXT NOT NULL,
  path TEXT NOT NULL,
  body TEXT NOT NULL,
  paged INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  relayed INTEGER,
  UNIQUE (tree, sequence)
) STRICT;
CREATE INDEX outbox_relayed ON outbox (relayed) WHERE relayed IS NOT NULL;

CREATE TABLE files (
  key TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  -- Milliseconds since the epoch.
  since INTEGER NOT NULL,
  tree TEXT NOT NULL,
  path TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  size INTEGER,
  checksum TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX files_to_sweep ON files (state, since) WHERE state <> 'live';

CREATE TABLE accounts (
  user TEXT PRIMARY KEY,
  salt TEXT NOT NULL,
  memory INTEGER NOT NULL,
  passes INTEGER NOT NULL,
  parallelism INTEGER NOT NULL,
  secret_hash BLOB NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
