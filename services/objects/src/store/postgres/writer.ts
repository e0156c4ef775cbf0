/**
 * All writes of this process. Those of one tree run one after the other; those that come while one runs share the next
 * transaction, up to `batch`. Trees share nothing but connections. Other processes are kept out by the lock on the tree's row.
 *
 * Invariants:
 * - Nobody is told that anything was done before the database said that it committed. Where that answer is lost, the outcome
 *   is unknown, and said to be.
 * - A write that fails after it changed something undoes its whole transaction, whose other writes then run again one by one.
 * - What failed through no fault of the write, and surely left nothing behind, is tried again up to `attempts` times.
 *
 * A transaction is two round trips where its write reads once: the lock and that read are sent together (the read runs once
 * the lock is held), and so are all changes and the COMMIT. Small writes that are few take no lock at all (`LoneWrite`); where
 * another process writes to their tree at the same time, they and what comes in the next moments do.
 */
import { isFospError } from '@fosp/protocol';
import { detached } from '@fosp/runtime';
import type { TreeTransaction, WriteHint } from '../store.ts';
import { UnknownOutcome } from '../unknown-outcome.ts';
import type { Commits } from './commits.ts';
import type { Connection } from './connection.ts';
import { DatabaseFailure, isPassing, isRepeatable, Overload, unavailable, unknownOutcome } from './failures.ts';
import { LoneWrite } from './lone-write.ts';
import type { Pool, SharedConnections } from './pool.ts';
import { rollBack, Sequence, Session } from './session.ts';
import { COMMANDS, WRITES } from './statements.ts';
import { PostgresTransaction } from './transaction.ts';

export interface WriterOptions {
  /** Writes in one transaction. */
  readonly batch: number;
  /** Writes that wait; more are refused with 503. */
  readonly waitingWrites: number;
  /** Times that a transaction is tried. */
  readonly attempts: number;
  /** Milliseconds before another attempt, for this number of failures. */
  readonly pause: (failures: number) => number;
  /** Seconds after which who was refused may come back. */
  readonly retryAfter: number;
  /** Told of writes that are refused since too much waits. */
  readonly refused: (writes: number) => void;
}

export interface WriterConnections {
  /** Each with one transaction at a time. */
  readonly writing: Pool;
  readonly reading: SharedConnections;
  /** Of lone writes. */
  readonly commits: Commits;
}

interface Job {
  readonly isSmall: boolean;
  /** Resolves to what tells the caller how it went. */
  readonly run: (tx: TreeTransaction) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/** The tree has no row to be locked yet. */
class NoTree extends Error {}

/** Up to so many small writes of a tree are cheaper one by one, among those of other trees, than together under the lock. */
const FEW = 4;

/** Milliseconds for which small writes to a tree take its lock too, once one was overtaken. */
const CONTESTED = 1_000;

export class Writer {
  readonly #connections: WriterConnections;
  readonly #options: WriterOptions;
  /** Trees with writes, and those that wait for the running transaction. */
  readonly #trees = new Map<string, Job[]>();
  /** Trees that another process writes to as well. */
  readonly #contested = new Set<string>();
  #waiting = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(connections: WriterConnections, options: WriterOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** Writes that wait for others to their tree. */
  get waiting(): number {
    return this.#waiting;
  }

  /** See `Store.write`. */
  write<T>(tree: string, work: (tx: TreeTransaction) => Promise<T>, hint?: WriteHint): Promise<T> {
    if (this.#isClosed || this.#waiting >= this.#options.waitingWrites) {
      return Promise.reject(this.#refusal(new Overload(`${this.#waiting} writes wait already`)));
    }
    return new Promise((resolve, reject) => {
      const run = async (tx: TreeTransaction) => {
        const value = await work(tx);
        return () => resolve(value);
      };
      const job = { run, reject, isSmall: hint?.small === true };
      this.#waiting++;
      const jobs = this.#trees.get(tree);
      if (jobs !== undefined) {
        jobs.push(job);
        return;
      }
      this.#trees.set(tree, [job]);
      // All that came in the same packet come along, and later ones too: none of them is what this is done for.
      detached(() => process.nextTick(() => void this.#serve(tree)));
    });
  }

  /** Takes no more writes, and ends those it has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#trees.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
  }

  async #serve(tree: string): Promise<void> {
    for (let jobs = this.#next(tree); jobs.length > 0; jobs = this.#next(tree)) {
      const [first] = jobs;
      const isAlone = jobs.length === 1 && first?.isSmall === true && !this.#contested.has(tree);
      if (!isAlone || !(await this.#alone(tree, first))) {
        await this.#together(tree, jobs);
      }
    }
    this.#trees.delete(tree);
    if (this.#trees.size === 0) {
      this.#onIdle?.();
    }
  }

  #next(tree: string): Job[] {
    const waiting = this.#trees.get(tree) ?? [];
    const isOneByOne = waiting.length <= FEW && waiting[0]?.isSmall === true && !this.#contested.has(tree);
    const jobs = waiting.splice(0, isOneByOne ? 1 : this.#options.batch);
    this.#waiting -= jobs.length;
    return jobs;
  }

  /** Does one write without the lock. False where it is to run again under it. Never rejects. */
  async #alone(tree: string, job: Job): Promise<boolean> {
    const { reading, commits } = this.#connections;
    try {
      const write = new LoneWrite(tree, (statement, values) => reading.run(statement, values));
      const tell = await job.run(write);
      const { statement } = write;
      if (statement !== undefined && !(await commits.add(statement))) {
        this.#contest(tree);
        return false;
      }
      tell();
      return true;
    } catch (error) {
      const isOver =
        error instanceof UnknownOutcome || isFospError(error) || (isPassing(error) && !isRepeatable(error));
      if (isOver) {
        this.#refuse([job], error);
      }
      // Of anything else nothing is left, and if it was no accident it shows again.
      return isOver;
    }
  }

  #contest(tree: string): void {
    if (this.#contested.size === 0) {
      setTimeout(() => this.#contested.clear(), CONTESTED).unref();
    }
    this.#contested.add(tree);
  }

  /** Never rejects. */
  async #together(tree: string, jobs: readonly Job[]): Promise<void> {
    try {
      for (const tell of await this.#persistently(tree, jobs)) {
        tell();
      }
    } catch (error) {
      if (jobs.length === 1 || error instanceof UnknownOutcome || isPassing(error)) {
        this.#refuse(jobs, error);
        return;
      }
      for (const job of jobs) {
        await this.#together(tree, [job]);
      }
    }
  }

  async #persistently(tree: string, jobs: readonly Job[]): Promise<readonly (() => void)[]> {
    const { attempts, pause } = this.#options;
    let isNew = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connections.writing.with((connection) => this.#attempt(connection, tree, { jobs, isNew }));
      } catch (error) {
        if (error instanceof NoTree) {
          isNew = true;
        } else if (attempt >= attempts || !isRepeatable(error)) {
          throw error;
        } else {
          await new Promise((resolve) => setTimeout(resolve, pause(attempt)));
        }
      }
    }
  }

  /** One transaction; what tells the callers of the jobs how they went. Leaves none open. */
  async #attempt(
    connection: Connection,
    tree: string,
    { jobs, isNew }: { readonly jobs: readonly Job[]; readonly isNew: boolean },
  ): Promise<readonly (() => void)[]> {
    const session = new Session(connection);
    let sequence: Sequence | undefined;
    try {
      void session.send(COMMANDS.begin, []);
      if (isNew) {
        void session.send(WRITES.addTree, [tree]);
      }
      const locked = new Sequence(tree, session);
      sequence = locked;
      const { tells, wrote } = await runAll(jobs, () => new PostgresTransaction(tree, session, locked));
      const isLocked = await locked.isLocked();
      if (wrote && !isLocked) {
        throw new NoTree();
      }
      if (wrote) {
        await locked.save();
        await commit(connection, session);
      } else {
        await session.run(COMMANDS.rollBack, []);
        await session.settled();
      }
      return tells;
    } catch (error) {
      await rollBack(connection);
      if (await sequence?.isMissing()) {
        // Whatever went wrong was judged without the lock.
        throw new NoTree();
      }
      throw error instanceof UnknownOutcome ? error : session.rootOf(error);
    }
  }

  #refuse(jobs: readonly Job[], error: unknown): void {
    const refusal = this.#refusal(error, jobs.length);
    for (const job of jobs) {
      job.reject(refusal);
    }
  }

  #refusal(error: unknown, writes = 1): unknown {
    const { refused, retryAfter } = this.#options;
    if (error instanceof Overload) {
      refused(writes);
    }
    if (error instanceof UnknownOutcome) {
      return unknownOutcome(retryAfter, error);
    }
    return isPassing(error) ? unavailable(retryAfter, error) : error;
  }
}

/** Runs them one after the other. Throws where one failed that must be undone. */
async function runAll(
  jobs: readonly Job[],
  begin: () => PostgresTransaction,
): Promise<{ tells: (() => void)[]; wrote: boolean }> {
  const tells: (() => void)[] = [];
  let wrote = false;
  for (const job of jobs) {
    const tx = begin();
    try {
      tells.push(await job.run(tx));
    } catch (error) {
      if (tx.wrote || !isFospError(error)) {
        throw error;
      }
      tells.push(() => job.reject(error));
    }
    wrote ||= tx.wrote;
  }
  return { tells, wrote };
}

/** Throws what failed before, `UnknownOutcome` where the connection is lost with the answer. */
async function commit(connection: Connection, session: Session): Promise<void> {
  if (connection.isLost) {
    throw await connection.lost;
  }
  const committed = session.run(COMMANDS.commit, []).then(
    ({ command }) => command === 'COMMIT',
    (error: unknown) => {
      throw error instanceof DatabaseFailure && error.isLost ? new UnknownOutcome(error) : error;
    },
  );
  committed.catch(() => undefined);
  const settled = session.settled();
  settled.catch(() => undefined);
  // In a transaction that failed, COMMIT undoes it and says so.
  if (!(await committed)) {
    await settled;
    throw new DatabaseFailure('The transaction was undone', { code: '40000' });
  }
  await settled;
}
