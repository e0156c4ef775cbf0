/**
 * Lone writes on their way to the database. Those that come while others are being committed share the next transaction, and so
 * one packet and one sync of the log; they share nothing else:
 *
 * - None waits for a lock (see `LONE_WRITES`): where somebody else has its tree, it alone changes nothing.
 * - Where one fails, all run again, each in a transaction of its own: only its own failure is told to anybody.
 * - Where the answer is lost with the connection, the outcome of each is unknown, and said to be.
 */
import { UnknownOutcome } from '../unknown-outcome.ts';
import type { Connection, Result, Statement, Value } from './connection.ts';
import { DatabaseFailure, isPassing } from './failures.ts';
import type { Pool } from './pool.ts';

/** A statement that changes one object and takes the tree's next number; or changes nothing where another write came before. */
export type LoneStatement = readonly [Statement, readonly Value[]];

/** Statements in one transaction, and the characters they may have together; one alone may have more. */
const MOST = 64;
const MOST_CHARACTERS = 1024 * 1024;

interface Waiting {
  readonly statement: LoneStatement;
  readonly characters: number;
  readonly resolve: (isDone: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export class Commits {
  readonly #pool: Pool;
  /** Transactions under way at most. */
  readonly #atOnce: number;
  #waiting: Waiting[] = [];
  #running = 0;
  #isScheduled = false;

  /** @param pool of connections for nothing else, which are so many as transactions may be under way */
  constructor(pool: Pool, atOnce: number) {
    this.#pool = pool;
    this.#atOnce = atOnce;
  }

  /** False where another write came before it, or has the tree. Throws `UnknownOutcome`, and what `Pool.with` throws. */
  add(statement: LoneStatement): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statement, characters: charactersIn(statement), resolve, reject });
      if (!this.#isScheduled) {
        this.#isScheduled = true;
        // All that the same packet sets off comes along.
        process.nextTick(() => {
          this.#isScheduled = false;
          this.#begin();
        });
      }
    });
  }

  #begin(): void {
    while (this.#running < this.#atOnce && this.#waiting.length > 0) {
      this.#running++;
      void this.#commit(this.#next()).then(() => {
        this.#running--;
        this.#begin();
      });
    }
  }

  #next(): Waiting[] {
    let characters = 0;
    const first = this.#waiting.slice(0, MOST);
    const tooMany = first.findIndex((waiting, at) => {
      characters += waiting.characters;
      return at > 0 && characters > MOST_CHARACTERS;
    });
    return this.#waiting.splice(0, tooMany < 0 ? first.length : tooMany);
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
      if (batch.length === 1 || error instanceof UnknownOutcome || isPassing(error)) {
        for (const { reject } of batch) {
          reject(error);
        }
        return;
      }
      for (const one of batch) {
        await this.#commit([one]);
      }
    }
  }
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
