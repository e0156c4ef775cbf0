/** The statements of relaying, and of what is swept afterwards. Those of sweeping look at all trees, by an index. */
import type { Statement } from './connection.ts';

/** Rows dropped in one transaction of a sweep. */
export const SWEPT_AT_ONCE = 2_000;

function statement(name: string, text: string): Statement {
  return { name, text: text.replace(/\s+/g, ' ').trim() };
}

const WAITING = 'FROM outbox WHERE tree = $1 AND relayed IS NULL';

/** Among whose events the oldest is looked for. */
const TREES_COUNTED = 1_000;

/** Milliseconds. */
const AGE = 'coalesce(greatest(extract(epoch FROM clock_timestamp() - added) * 1000, 0), 0)::bigint';

export const OUTBOX = {
  /** limit. From tree to tree along the key, whatever the number of their events; not those that are being relayed. */
  waiting: statement(
    'waiting',
    `WITH RECURSIVE found (tree) AS (
       (SELECT tree FROM outbox WHERE relayed IS NULL ORDER BY tree LIMIT 1)
       UNION ALL SELECT (SELECT tree FROM outbox WHERE relayed IS NULL AND tree > found.tree ORDER BY tree LIMIT 1)
       FROM found WHERE tree IS NOT NULL)
     SELECT tree FROM found WHERE tree IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM relays WHERE relays.tree = found.tree AND expires > clock_timestamp()) LIMIT $1`,
  ),
  /** tree, holder, milliseconds. One row where the lease is ours now; none where there is nothing to relay. */
  lease: statement(
    'lease',
    `INSERT INTO relays AS held (tree, holder, expires)
       SELECT $1, $2, clock_timestamp() + $3::integer * interval '1 millisecond' WHERE EXISTS (SELECT 1 ${WAITING})
     ON CONFLICT (tree) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
       WHERE held.holder = excluded.holder OR held.expires < clock_timestamp()`,
  ),
  /** tree, holder */
  release: statement('release', 'DELETE FROM relays WHERE tree = $1 AND holder = $2'),
  /** tree, limit */
  events: statement(
    'events',
    `SELECT sequence, event, path, body, paged, ${AGE} ${WAITING} ORDER BY sequence LIMIT $2`,
  ),
  /** limit. Its first event is the oldest of a tree; from tree to tree as `waiting` goes. */
  backlog: statement(
    'backlog',
    `WITH RECURSIVE first (tree, added, place) AS (
       (SELECT tree, added, 1 FROM outbox WHERE relayed IS NULL ORDER BY tree, sequence LIMIT 1)
       UNION ALL SELECT next.tree, next.added, place + 1 FROM first, LATERAL (
         SELECT tree, added FROM outbox WHERE relayed IS NULL AND tree > first.tree ORDER BY tree, sequence LIMIT 1
       ) AS next WHERE place < ${TREES_COUNTED})
     SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox WHERE relayed IS NULL ORDER BY tree, sequence LIMIT $1) AS counted),
       coalesce((SELECT max(${AGE}) FROM first), 0)`,
  ),
  /** tree */
  hasEvents: statement('hasEvents', `SELECT 1 ${WAITING} LIMIT 1`),
  /** tree, sequence */
  drop: statement('drop', 'DELETE FROM outbox WHERE tree = $1 AND sequence <= $2 AND NOT paged'),
  /** tree, sequence, now */
  keepPaged: statement(
    'keepPaged',
    'UPDATE outbox SET relayed = $3 WHERE tree = $1 AND sequence <= $2 AND paged AND relayed IS NULL',
  ),

  /** tree, sequence */
  paged: statement('paged', 'SELECT event, path FROM outbox WHERE tree = $1 AND sequence = $2 AND paged'),
  /** tree, path, user before, sequence, limit */
  subscribersAsOf: statement(
    'subscribersAsOf',
    `(SELECT "user", events, depth FROM subscriptions
       WHERE tree = $1 AND path = $2 AND "user" > $3 AND began <= $4 ORDER BY "user" LIMIT $5)
     UNION ALL (SELECT "user", events, depth FROM ended_subscriptions
       WHERE tree = $1 AND path = $2 AND "user" > $3 AND began <= $4 AND ended > $4 ORDER BY "user" LIMIT $5)
     ORDER BY "user" LIMIT $5`,
  ),
  /** tree, sequence, first path, limit */
  deleted: statement(
    'deleted',
    'SELECT path, owner, acl FROM deleted_objects WHERE tree = $1 AND sequence = $2 AND path >= $3 ORDER BY path LIMIT $4',
  ),
};

export const SWEEP = {
  /** time. Another process takes another. */
  oldest: statement(
    'oldest',
    `SELECT tree, sequence FROM outbox WHERE relayed IS NOT NULL AND relayed < $1
     ORDER BY relayed LIMIT 1 FOR UPDATE SKIP LOCKED`,
  ),
  /** tree, sequence */
  dropObjects: statement(
    'dropObjects',
    `DELETE FROM deleted_objects WHERE tree = $1 AND sequence = $2 AND path IN
      (SELECT path FROM deleted_objects WHERE tree = $1 AND sequence = $2 LIMIT ${SWEPT_AT_ONCE})`,
  ),
  /** tree, sequence. Another event of the tree needs what was in force at its sequence. */
  dropSubscriptions: statement(
    'dropEndedSubscriptions',
    `DELETE FROM ended_subscriptions WHERE tree = $1 AND (path, "user", ended) IN
      (SELECT path, "user", ended FROM ended_subscriptions AS gone WHERE tree = $1 AND NOT EXISTS
        (SELECT 1 FROM outbox WHERE tree = $1 AND sequence <> $2 AND paged AND gone.began <= sequence AND gone.ended > sequence)
       LIMIT ${SWEPT_AT_ONCE})`,
  ),
  /** tree, sequence */
  dropEvent: statement('dropEvent', 'DELETE FROM outbox WHERE tree = $1 AND sequence = $2'),
};

const removable = (state: string, before: string) =>
  `SELECT tree, key FROM files WHERE state = '${state}' AND state <> 'live' AND since < ${before}
   ORDER BY since LIMIT $1 FOR UPDATE SKIP LOCKED`;

export const FILES = {
  /** limit, now, dead before, pending before. What another process claims at this moment is left to it. */
  claim: statement(
    'claim',
    `WITH dead AS (${removable('dead', '$3')}), abandoned AS (${removable('claimed', '$3')}),
       pending AS (${removable('pending', '$4')}),
       chosen AS (SELECT * FROM dead UNION ALL SELECT * FROM abandoned UNION ALL SELECT * FROM pending LIMIT $1)
     UPDATE files SET state = 'claimed', since = $2 FROM chosen
     WHERE files.tree = chosen.tree AND files.key = chosen.key RETURNING files.key`,
  ),
  /** keys */
  forget: statement('forget', "DELETE FROM files WHERE key = ANY ($1) AND state = 'claimed'"),
  /** keys */
  known: statement('known', 'SELECT key FROM files WHERE key = ANY ($1)'),
};

export const SECRETS = {
  /** name, value */
  add: statement('addSecret', 'INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING'),
  /** name */
  get: statement('secret', 'SELECT value FROM secrets WHERE name = $1'),
};
