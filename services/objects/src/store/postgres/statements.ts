/** All statements on trees, by name. Each touches one tree, and finds its rows by an index. */
import { GROUPS_PATH, LIMITS } from '@fosp/protocol';
import type { Statement } from './connection.ts';

/**
 * Subscriptions that come along with a place in a write, per level; those of an object with more are asked for. An event
 * holds about as many.
 */
export const SUBSCRIPTIONS_AT_HAND = 300;

function statement(name: string, text: string): Statement {
  return { name, text: text.replace(/\s+/g, ' ').trim() };
}

/** `0` follows `/`: all that begins with `path/` lies between the two. So also for the root, whose path is empty. */
const SUBTREE = "tree = $1 AND (path = $2 OR (path >= $2 || '/' AND path < $2 || '0'))";
const HAS_PAGED = 'EXISTS (SELECT 1 FROM outbox WHERE tree = $1 AND paged)';

/** JSON of `[user, events, depth]`, in order of user. */
const subscriptionsWhere = (condition: string) =>
  `(SELECT json_agg(json_build_array("user", events, depth) ORDER BY "user") FROM subscriptions AS s
    WHERE s.tree = $1 AND s.path = o.path AND ${condition})`;

/**
 * The rows of a place: see `placeOf`. `$2` are the paths, `$3` is that of the object itself. Each row is looked up by its own
 * key, which no planner can take apart: with `path = ANY ($2)` it reads the whole tree where it holds the table for small.
 */
const place = (subscriptions: string, more = '') =>
  `SELECT path, owner, acl, subscribers, ${subscriptions},
     CASE WHEN path = $3 OR path = '${GROUPS_PATH}' THEN data END,
     CASE WHEN path = $3 THEN type END, CASE WHEN path = $3 THEN attachment END,
     btime, mtime, version, incarnation, file${more}
   FROM unnest($2::text[]) AS asked (place)
   CROSS JOIN LATERAL (SELECT * FROM objects WHERE tree = $1 AND path = place COLLATE "C" OFFSET 0) AS o`;

/** Of the tree's last write, in the rows of `PLACES.numbered`. */
export const NUMBER_COLUMN = 13;

const FEW_SUBSCRIPTIONS = `CASE WHEN subscribers BETWEEN 1 AND ${SUBSCRIPTIONS_AT_HAND}
  THEN ${subscriptionsWhere('true')} END`;

export const COMMANDS = {
  begin: statement('begin', 'BEGIN ISOLATION LEVEL READ COMMITTED'),
  beginSnapshot: statement('beginSnapshot', 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'),
  commit: statement('commit', 'COMMIT'),
  rollBack: statement('rollBack', 'ROLLBACK'),
};

export const PLACES = {
  /** tree, paths, path */
  look: statement('look', place(FEW_SUBSCRIPTIONS)),
  /** tree, paths, path: the same, and the number of the tree's last write at that moment. */
  numbered: statement('numbered', place(FEW_SUBSCRIPTIONS, ', (SELECT sequence FROM trees WHERE tree = $1)')),
  /** tree, paths, path, reader */
  snapshot: statement(
    'snapshot',
    place(`CASE WHEN path <> $3 OR subscribers = 0 THEN NULL
      WHEN subscribers <= ${LIMITS.subscriptionsShown} THEN ${subscriptionsWhere('true')}
      ELSE ${subscriptionsWhere('s."user" = $4')} END`),
  ),
  /** tree, path, last name, limit */
  names: statement(
    'names',
    'SELECT name FROM objects WHERE tree = $1 AND parent = $2 AND name > $3 ORDER BY name LIMIT $4',
  ),
};

export const WRITES = {
  /** tree. Locks its row, and takes a number at once: cheaper than to lock now and to save later. */
  lock: statement('lock', 'UPDATE trees SET sequence = sequence + 1 WHERE tree = $1 RETURNING sequence'),
  /** tree */
  addTree: statement('addTree', 'INSERT INTO trees (tree, sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING'),
  /** tree, sequence */
  saveSequence: statement('saveSequence', 'UPDATE trees SET sequence = $2 WHERE tree = $1'),

  insert: statement(
    'insert',
    `INSERT INTO objects (tree, path, parent, name, owner, btime, mtime, version, incarnation, subscribers, file, acl, type, attachment, data)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
  ),
  /** All but what an object keeps for life, and its number of subscriptions. */
  replace: statement(
    'replace',
    `UPDATE objects SET mtime = $3, version = $4, file = $5, acl = $6, type = $7, attachment = $8, data = $9
     WHERE tree = $1 AND path = $2`,
  ),

  /** tree, path, limit */
  subscriptions: statement(
    'subscriptions',
    'SELECT "user", events, depth FROM subscriptions WHERE tree = $1 AND path = $2 ORDER BY "user" LIMIT $3',
  ),
  /** tree, path, users */
  subscriptionsOf: statement(
    'subscriptionsOf',
    'SELECT "user", events, depth FROM subscriptions WHERE tree = $1 AND path = $2 AND "user" = ANY ($3) ORDER BY "user"',
  ),
  /** tree, path, user, version, events, depth. What was before is kept where an event may need it. */
  subscribe: statement(
    'subscribe',
    `WITH before AS (SELECT * FROM subscriptions WHERE tree = $1 AND path = $2 AND "user" = $3),
     kept AS (INSERT INTO ended_subscriptions
       SELECT tree, path, "user", events, depth, began, $4::bigint FROM before WHERE ${HAS_PAGED} ON CONFLICT DO NOTHING),
     added AS (INSERT INTO subscriptions (tree, path, "user", events, depth, began) VALUES ($1, $2, $3, $5, $6, $4)
       ON CONFLICT (tree, path, "user") DO UPDATE SET events = $5, depth = $6, began = $4)
     UPDATE objects SET subscribers = subscribers + 1
       WHERE tree = $1 AND path = $2 AND NOT EXISTS (SELECT 1 FROM before)`,
  ),
  /** tree, path, user, version */
  unsubscribe: statement(
    'unsubscribe',
    `WITH before AS (DELETE FROM subscriptions WHERE tree = $1 AND path = $2 AND "user" = $3 RETURNING *),
     kept AS (INSERT INTO ended_subscriptions
       SELECT tree, path, "user", events, depth, began, $4::bigint FROM before WHERE ${HAS_PAGED} ON CONFLICT DO NOTHING)
     UPDATE objects SET subscribers = subscribers - 1 WHERE tree = $1 AND path = $2 AND EXISTS (SELECT 1 FROM before)`,
  ),

  /** tree, path, limit */
  subtree: statement(
    'subtree',
    `SELECT * FROM (SELECT path, owner, acl FROM objects WHERE ${SUBTREE} LIMIT $3) AS found ORDER BY path`,
  ),
  /** tree, path, limit */
  subtreeSubscriptions: statement(
    'subtreeSubscriptions',
    `SELECT "user", events, depth, path FROM subscriptions WHERE ${SUBTREE} LIMIT $3`,
  ),
  /** tree, path, version, paths above it */
  keepObjects: statement(
    'keepObjects',
    `INSERT INTO deleted_objects SELECT tree, $3::bigint, path, owner, acl FROM objects
     WHERE ${SUBTREE} OR (tree = $1 AND path = ANY ($4))`,
  ),
  /** tree, path, version at which they end */
  keepSubscriptions: statement(
    'keepSubscriptions',
    `INSERT INTO ended_subscriptions SELECT tree, path, "user", events, depth, began, $3::bigint FROM subscriptions
     WHERE ${SUBTREE} AND ${HAS_PAGED} ON CONFLICT DO NOTHING`,
  ),
  /** tree, path */
  dropSubscriptions: statement('dropSubscriptions', `DELETE FROM subscriptions WHERE ${SUBTREE}`),
  /** tree, path, now: deletes the objects, whose files die. */
  remove: statement(
    'remove',
    `WITH gone AS (DELETE FROM objects WHERE ${SUBTREE} RETURNING file)
     UPDATE files SET state = 'dead', since = $3 WHERE tree = $1 AND key IN (SELECT file FROM gone WHERE file IS NOT NULL)`,
  ),

  /** tree, sequence, event, path, body, paged */
  addEvent: statement(
    'addEvent',
    'INSERT INTO outbox (tree, sequence, event, path, body, paged) VALUES ($1, $2, $3, $4, $5, $6)',
  ),

  /** tree, key. Locked, since who sweeps does not lock the tree. */
  file: statement(
    'file',
    'SELECT state, path, incarnation, size, checksum FROM files WHERE tree = $1 AND key = $2 FOR UPDATE',
  ),
  putFile: statement(
    'putFile',
    `INSERT INTO files (tree, key, state, since, path, incarnation, size, checksum) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (tree, key) DO UPDATE SET state = $3, since = $4, path = $5, incarnation = $6, size = $7, checksum = $8`,
  ),

  /** user */
  account: statement(
    'account',
    'SELECT salt, memory, passes, parallelism, secret_hash, version, state FROM accounts WHERE "user" = $1',
  ),
  putAccount: statement(
    'putAccount',
    `INSERT INTO accounts ("user", salt, memory, passes, parallelism, secret_hash, version, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ("user") DO UPDATE SET
     salt = $2, memory = $3, passes = $4, parallelism = $5, secret_hash = $6, version = $7, state = $8`,
  ),
  removeAccount: statement('removeAccount', 'DELETE FROM accounts WHERE "user" = $1'),
};

/**
 * One write in one statement: what else it does, it does where this finds that no other write came since number `$2` - 1. It
 * waits for nobody: where another write has the tree at this moment, it finds nothing either.
 */
const TAKEN = `taken AS (UPDATE trees SET sequence = $2 WHERE tree =
   (SELECT tree FROM trees WHERE tree = $1 AND sequence = $2 - 1 FOR UPDATE SKIP LOCKED) RETURNING tree)`;

/** `first` is the parameter of `event`, followed by those of path, body and paged. */
const told = (first: number) =>
  `told AS (INSERT INTO outbox (tree, sequence, event, path, body, paged)
   SELECT $1, $2, $${first}, $${first + 1}, $${first + 2}, $${first + 3} FROM taken)`;

const INSERT_TAKEN = `INSERT INTO objects (tree, path, parent, name, owner, btime, mtime, version, incarnation, subscribers, file, acl, type, attachment, data)
   SELECT $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM taken`;
const REPLACE_TAKEN = `UPDATE objects SET mtime = $4, version = $5, file = $6, acl = $7, type = $8, attachment = $9, data = $10
   FROM taken WHERE objects.tree = $1 AND path = $3`;

/** See `LoneWrite`. tree, number, then as the statement of `WRITES` that is called alike, then the event. */
export const LONE_WRITES = {
  insert: statement('loneInsert', `WITH ${TAKEN} ${INSERT_TAKEN}`),
  insertAndTell: statement('loneInsertAndTell', `WITH ${TAKEN}, ${told(17)} ${INSERT_TAKEN}`),
  replace: statement('loneReplace', `WITH ${TAKEN} ${REPLACE_TAKEN}`),
  replaceAndTell: statement('loneReplaceAndTell', `WITH ${TAKEN}, ${told(11)} ${REPLACE_TAKEN}`),
};
