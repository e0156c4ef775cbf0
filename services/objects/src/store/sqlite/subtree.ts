/** Statements that mean an object and all below it. Each is as many ranges of an index as it needs. */
import type { SQLInputValue } from 'node:sqlite';
import type { Database, Query, Row } from './database.ts';

/** The two halves in which the path of an object is stored. */
export interface Key {
  readonly parent: string;
  readonly name: string;
}

/** The root has a parent that no object has. */
const ABOVE_ROOT = '.';

export function keyOf(path: string): Key {
  if (path === '') {
    return { parent: ABOVE_ROOT, name: '' };
  }
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** The path of an object, from its two halves. */
export const PATH_SQL = `CASE parent WHEN '${ABOVE_ROOT}' THEN '' ELSE parent || '/' || name END`;

type Values = Readonly<Record<string, SQLInputValue>>;

/** A condition that an index answers, and its values. */
interface Range {
  readonly sql: string;
  readonly values: Values;
}

/** `0` follows `/`: all that begins with `path/` lies between the two. */
const OBJECT_RANGES = {
  all: 'tree = :tree',
  self: 'tree = :tree AND parent = :parent AND name = :name',
  children: 'tree = :tree AND parent = :path',
  below: "tree = :tree AND parent >= :path || '/' AND parent < :path || '0'",
};

const PATH_RANGES = {
  all: 'tree = :tree',
  self: 'tree = :tree AND path = :path',
  below: "tree = :tree AND path >= :path || '/' AND path < :path || '0'",
};

function objectRanges(tree: string, path: string): Range[] {
  if (path === '') {
    return [{ sql: OBJECT_RANGES.all, values: { tree } }];
  }
  return [
    { sql: OBJECT_RANGES.self, values: { tree, ...keyOf(path) } },
    { sql: OBJECT_RANGES.children, values: { tree, path } },
    { sql: OBJECT_RANGES.below, values: { tree, path } },
  ];
}

function pathRanges(tree: string, path: string): Range[] {
  if (path === '') {
    return [{ sql: PATH_RANGES.all, values: { tree } }];
  }
  return [
    { sql: PATH_RANGES.self, values: { tree, path } },
    { sql: PATH_RANGES.below, values: { tree, path } },
  ];
}

/** One statement over a subtree, prepared for each kind of range. */
export class SubtreeQuery {
  readonly #queries: ReadonlyMap<string, Query>;
  readonly #rangesOf: (tree: string, path: string) => Range[];

  /** `over` says how the table keeps paths: in two halves, or whole. `sql` puts the condition in its place. */
  constructor(database: Database, over: 'halves' | 'paths', sql: (condition: string) => string) {
    const conditions = Object.values(over === 'halves' ? OBJECT_RANGES : PATH_RANGES);
    this.#queries = new Map(conditions.map((condition) => [condition, database.prepare(sql(condition))]));
    this.#rangesOf = over === 'halves' ? objectRanges : pathRanges;
  }

  /** Runs it on each range, with more values by name. Returns the number of rows changed. */
  run(tree: string, path: string, more: Values = {}): number {
    let changed = 0;
    for (const { sql, values } of this.#rangesOf(tree, path)) {
      changed += this.#query(sql).runNamed({ ...values, ...more });
    }
    return changed;
  }

  /** Up to `limit` rows, in no order; the statement ends with `LIMIT :limit`. */
  rows(tree: string, path: string, limit: number): Row[] {
    const rows: Row[] = [];
    for (const { sql, values } of this.#rangesOf(tree, path)) {
      rows.push(...this.#query(sql).rowsNamed({ ...values, limit: limit - rows.length }));
    }
    return rows;
  }

  #query(condition: string): Query {
    const query = this.#queries.get(condition);
    if (query === undefined) {
      throw new TypeError(`No statement for ${condition}`);
    }
    return query;
  }
}
