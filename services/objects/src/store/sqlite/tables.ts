/** The prepared statements of writes. */

import { bytesAt, numberAt, optionalNumberAt, optionalTextAt, textAt, wordAt } from '../cells.ts';
import { ACCOUNT_STATES, type Account, FILE_STATES, type FileRecord, type SubtreeObject } from '../store.ts';
import { type Database, NOW, type Query, type Row } from './database.ts';
import { Rows } from './rows.ts';
import { PATH_SQL, SubtreeQuery } from './subtree.ts';

export class Tables {
  readonly rows: Rows;
  readonly saveSequence: Query;
  readonly insertObject: Query;
  readonly replaceObject: Query;
  readonly addSubscription: Query;
  readonly dropSubscription: Query;
  readonly keepSubscription: Query;
  readonly countSubscribers: Query;
  readonly addEvent: Query;
  readonly firstPaged: Query;
  readonly keepObject: Query;
  readonly putFile: Query;
  readonly putAccount: Query;
  readonly removeAccount: Query;
  readonly subtreeObjects: SubtreeQuery;
  readonly subtreeSubscriptions: SubtreeQuery;
  readonly keepObjects: SubtreeQuery;
  readonly keepSubscriptions: SubtreeQuery;
  readonly dropSubscriptions: SubtreeQuery;
  readonly killFiles: SubtreeQuery;
  readonly removeObjects: SubtreeQuery;
  readonly #sequence: Query;
  readonly #file: Query;
  readonly #account: Query;

  constructor(database: Database) {
    const one = 'WHERE tree = ? AND parent = ? AND name = ?';
    const subscription = 'WHERE tree = ? AND path = ? AND user = ?';
    this.rows = new Rows(database);
    this.#sequence = database.prepare('SELECT sequence FROM trees WHERE tree = ?');
    this.saveSequence = database.prepare('INSERT OR REPLACE INTO trees (tree, sequence) VALUES (?, ?)');
    this.insertObject = database.prepare(
      `INSERT INTO objects (tree, parent, name, owner, btime, mtime, version, incarnation, subscribers, file, acl, type, attachment, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.replaceObject = database.prepare(
      `UPDATE objects SET mtime = ?, version = ?, file = ?, acl = ?, type = ?, attachment = ?, data = ? ${one}`,
    );
    this.addSubscription = database.prepare(
      'INSERT OR REPLACE INTO subscriptions (tree, path, user, events, depth, began) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.dropSubscription = database.prepare(`DELETE FROM subscriptions ${subscription}`);
    const keepSubscription = (ended: string, where: string) =>
      `INSERT INTO ended_subscriptions SELECT tree, path, user, events, depth, began, ${ended} FROM subscriptions ${where}`;
    this.keepSubscription = database.prepare(keepSubscription('?', subscription));
    this.countSubscribers = database.prepare(`UPDATE objects SET subscribers = subscribers + ? ${one}`);
    this.addEvent = database.prepare(
      `INSERT INTO outbox (tree, sequence, event, path, body, paged, added) VALUES (?, ?, ?, ?, ?, ?, ${NOW})`,
    );
    this.firstPaged = database.prepare('SELECT 1 FROM outbox WHERE tree = ? AND paged = 1 LIMIT 1');
    const keepObject = (version: string, where: string) =>
      `INSERT INTO deleted_objects SELECT tree, ${version}, ${PATH_SQL}, owner, acl FROM objects ${where}`;
    this.keepObject = database.prepare(keepObject('?', one));
    this.#file = database.prepare(
      'SELECT key, state, tree, path, incarnation, size, checksum FROM files WHERE key = ?',
    );
    this.putFile = database.prepare(
      'INSERT OR REPLACE INTO files (key, state, since, tree, path, incarnation, size, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#account = database.prepare(
      'SELECT salt, memory, passes, parallelism, secret_hash, version, state FROM accounts WHERE user = ?',
    );
    this.putAccount = database.prepare('INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
    this.removeAccount = database.prepare('DELETE FROM accounts WHERE user = ?');

    const halves = (sql: (where: string) => string) => new SubtreeQuery(database, 'halves', sql);
    const paths = (sql: (where: string) => string) => new SubtreeQuery(database, 'paths', sql);
    this.subtreeObjects = halves((where) => `SELECT ${PATH_SQL}, owner, acl FROM objects WHERE ${where} LIMIT :limit`);
    this.subtreeSubscriptions = paths(
      (where) => `SELECT user, events, depth, path FROM subscriptions WHERE ${where} LIMIT :limit`,
    );
    this.keepObjects = halves((where) => keepObject(':version', `WHERE ${where}`));
    this.keepSubscriptions = paths((where) => keepSubscription(':ended', `WHERE ${where}`));
    this.dropSubscriptions = paths((where) => `DELETE FROM subscriptions WHERE ${where}`);
    this.killFiles = halves(
      (where) => `UPDATE files SET state = 'dead', since = :now
        WHERE key IN (SELECT file FROM objects WHERE ${where} AND file IS NOT NULL)`,
    );
    this.removeObjects = halves((where) => `DELETE FROM objects WHERE ${where}`);
  }

  /** The tree's last number; 0 where it never had one. */
  sequence(tree: string): number {
    const row = this.#sequence.row(tree);
    return row === undefined ? 0 : numberAt(row, 0);
  }

  file(key: string): FileRecord | undefined {
    const row = this.#file.row(key);
    return (
      row && {
        key: textAt(row, 0),
        state: wordAt(row, 1, FILE_STATES),
        tree: textAt(row, 2),
        path: textAt(row, 3),
        incarnation: numberAt(row, 4),
        size: optionalNumberAt(row, 5),
        checksum: optionalTextAt(row, 6),
      }
    );
  }

  account(user: string): Account | undefined {
    const row = this.#account.row(user);
    return (
      row && {
        salt: textAt(row, 0),
        memory: numberAt(row, 1),
        passes: numberAt(row, 2),
        parallelism: numberAt(row, 3),
        secretHash: bytesAt(row, 4),
        version: numberAt(row, 5),
        state: wordAt(row, 6, ACCOUNT_STATES),
      }
    );
  }
}

/** `path`, `owner`, `acl`. */
export function subtreeObjectOf(row: Row): SubtreeObject {
  return { path: textAt(row, 0), owner: textAt(row, 1), acl: optionalTextAt(row, 2) };
}
