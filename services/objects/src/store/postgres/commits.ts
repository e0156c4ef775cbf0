/**
 * Lone writes on their way to the database. Those that come while others are being committed share the next transaction, and so
 * one packet and one sync of the log; they share nothing else:
 *
 * - None waits for a lock (see `LONE_WRITES`): where somebody else has its tree, it alone changes nothing.
 * - Where one fails, all run again, each in a transaction of its own: only its own failure is told to anybody.
 * - Where the answer is lost with the connection, the outcome of each is unknown, and said to be.
 *
 * Whatever waits for a transaction was not begun: it may be refused.
 */
import { detached } from '@fosp/runtime';
import { UnknownOutcome } from '../unknown-outcome.ts';
import type { Connection, Result, Statement, Value } from './connection.ts';
import { DatabaseFailure, Overload } from './failures.ts';
import type { Pool } from './pool.ts';

/** A statement that changes one object and takes the tree's next number; or changes nothing where another write came before. */
export type LoneStatement = readonly [Statement, readonly Value[]];

/** Statements in one transaction, and the characters they may have together; one alone may have more. */
const MOST = 64;
const MOST_CHARACTERS = 1024 * 1024;

export interface CommitsOptions {
  /** Transactions under way at most. */
  readonly atOnce: number;
  /** Statements that wait for one, at most. */
  readonly waiting: number;
  /** Milliseconds that a statement waits for one. */
  readonly patience: number;
}

interface Entry {
  readonly statement: LoneStatement;
  readonly characters: number;
  readonly resolve: (isDone: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting extends Entry {
  /** Whether it shares its transaction with nobody, as it ran in one that failed. */
  readonly isAlone: boolean;
  readonly timer: NodeJS.Timeout;
}

export class Commits {
  readonly #pool: Pool;
  readonly #options: CommitsOptions;
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  #isScheduled = false;

  /** @param pool of connections for nothing else, which are so many as transactions may be under way */
  constructor(pool: Pool, options: CommitsOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** Statements that wait for a transaction. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * False where another write came before it, or has the tree. Throws `UnknownOutcome`, `Overload`, and what `Pool.with`
   * throws.
   */
  add(statement: LoneStatement): Promise<boolean> {
    const { waiting } = this.#options;
    if (this.#waiting.size >= waiting) {
      return Promise.reject(new Overload(`${waiting} small writes wait for the database already`));
    }
    return new Promise((resolve, reject) => {
      this.#wait({ statement, characters: charactersIn(statement), resolve, reject });
      if (!this.#isScheduled) {
        this.#isScheduled = true;
        // All that the same packet sets off comes along.
        detached(() =>
          process.nextTick(() => {
            this.#isScheduled = false;
            this.#begin();
          }),
        );
      }
    });
  }

  #wait(entry: Entry, isAlone = false): void {
    const { patience } = this.#options;
    const giveUp = () => {
      this.#waiting.delete(waiting);
      entry.reject(new Overload(`No transaction for small writes began for ${patience} ms`));
    };
    const waiting: Waiting = { ...entry, isAlone, timer: setTimeout(giveUp, patience) };
    this.#waiting.add(waiting);
  }

  #begin(): void {
    while (this.#running < this.#options.atOnce && this.#waiting.size > 0) {
      this.#running++;
      void this.#commit(this.#next()).then(() => {
        this.#running--;
        this.#begin();
      });
    }
  }

  #next(): Waiting[] {
    const next: Waiting[] = [];
    let characters = 0;
    for (const waiting of this.#waiting) {
      characters += waiting.characters;
      const isFull = next.length === MOST || characters > MOST_CHARACTERS;
      if (next.length > 0 && (isFull || waiting.isAlone || next[0]?.isAlone)) {
        break;
      }
      clearTimeout(waiting.timer);
      this.#waiting.delete(waiting);
      next.push(waiting);
    }
    return next;
  }

  /** Never rejects. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const statements = batch.map(({ statement }) => statement);
      const results = await this.#pool.with((connection) => run(connection, statements));
      for (const [at, { resolve }] of batch.entries()) {
        resolve(results[at]?.count === 1);
      }
    } catch (error) {
      const isOfOne = batch.length > 1 && !concernsAll(error);
      for (const one of batch) {
        if (isOfOne) {
          this.#wait(one, true);
        } else {
          one.reject(error);
        }
      }
    }
  }
}

/** Whether it is no statement's own failure. */
function concernsAll(error: unknown): boolean {
  return error instanceof DatabaseFailure ? error.isLost : error instanceof UnknownOutcome || error instanceof Overload;
}

async function run(connection: Connection, statements: readonly LoneStatement[]): Promise<Result[]> {
  if (connection.isLost) {
    throw await connection.lost;
  }
  try {
    return await connection.runTogether(statements);
  } catch (error) {
    throw error instanceof DatabaseFailure && error.isLost ? new UnknownOutcome(error) : error;
  }
}

function charactersIn([, values]: LoneStatement): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
}
