-- breaking: the first schema
-- Every key begins with the tree, so that a distributed database can shard by it. Texts compare by their bytes.

-- Its row is the lock that makes the writes of a tree serial. Updated in place: nothing but its key is indexed.
CREATE TABLE trees (
  tree text COLLATE "C" PRIMARY KEY,
  sequence bigint NOT NULL
) WITH (fillfactor = 50);

-- Subtrees are ranges of the key. The root's path is empty, and it has no parent.
CREATE TABLE objects (
  tree text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  parent text COLLATE "C",
  name text COLLATE "C" NOT NULL,
  owner text NOT NULL,
  btime text NOT NULL,
  mtime text NOT NULL,
  version bigint NOT NULL,
  incarnation bigint NOT NULL,
  subscribers bigint NOT NULL,
  file text,
  acl text,
  type text,
  attachment text,
  data text,
  PRIMARY KEY (tree, path)
) WITH (fillfactor = 85);
-- By name, not by path: the longest path and its parent's together are more than an entry of an index may have.
CREATE INDEX objects_children ON objects (tree, parent, name);

CREATE TABLE subscriptions (
  tree text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  "user" text COLLATE "C" NOT NULL,
  events integer NOT NULL,
  depth bigint NOT NULL,
  began bigint NOT NULL,
  PRIMARY KEY (tree, path, "user")
);

-- In force for events from `began` on, but not from `ended` on.
CREATE TABLE ended_subscriptions (
  tree text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  "user" text COLLATE "C" NOT NULL,
  events integer NOT NULL,
  depth bigint NOT NULL,
  began bigint NOT NULL,
  ended bigint NOT NULL,
  PRIMARY KEY (tree, path, "user", ended)
);

-- What the deletion of this sequence removed, and the ancestors it was removed from.
CREATE TABLE deleted_objects (
  tree text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  path text COLLATE "C" NOT NULL,
  owner text NOT NULL,
  acl text,
  PRIMARY KEY (tree, sequence, path)
);

CREATE TABLE outbox (
  tree text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  event text NOT NULL,
  path text COLLATE "C" NOT NULL,
  body text NOT NULL,
  paged boolean NOT NULL,
  -- Milliseconds since the epoch.
  relayed bigint,
  PRIMARY KEY (tree, sequence)
);
CREATE INDEX outbox_relayed ON outbox (relayed) WHERE relayed IS NOT NULL;
CREATE INDEX outbox_paged ON outbox (tree, sequence) WHERE paged;

-- Who relays a tree's events, and until when others leave them alone, by the clock of the database.
CREATE TABLE relays (
  tree text COLLATE "C" PRIMARY KEY,
  holder text NOT NULL,
  expires timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE files (
  tree text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  state text NOT NULL,
  -- Milliseconds since the epoch.
  since bigint NOT NULL,
  path text COLLATE "C" NOT NULL,
  incarnation bigint NOT NULL,
  size bigint,
  checksum text,
  PRIMARY KEY (tree, key)
);
CREATE INDEX files_to_sweep ON files (state, since) WHERE state <> 'live';
CREATE INDEX files_claimed ON files (key) WHERE state = 'claimed';

CREATE TABLE accounts (
  "user" text COLLATE "C" PRIMARY KEY,
  salt text NOT NULL,
  memory integer NOT NULL,
  passes integer NOT NULL,
  parallelism integer NOT NULL,
  secret_hash bytea NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL
);

CREATE TABLE secrets (
  name text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL
);
