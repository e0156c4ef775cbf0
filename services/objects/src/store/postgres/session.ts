/**
 * One database transaction on a connection.
 *
 * What changes something is sent at once and not waited for: the connection keeps the order, so that whatever is read later
 * sees it. What fails shows at the latest at the end, when `Session.settled` throws; `rootOf` has the first failure of all.
 */
import { numberAt } from '../cells.ts';
import type { Soon } from '../store.ts';
import type { Connection, Result, Statement, Value } from './connection.ts';
import { COMMANDS, WRITES } from './statements.ts';

/** Statements on their way, over which a write waits for their answers. */
const SENT_AHEAD = 256;

/** A transaction's connection; knows what went wrong first. */
export class Session {
  readonly #connection: Connection;
  #failure: unknown;
  #hasFailed = false;
  #sent: Promise<unknown>[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** What went wrong before all that is only its consequence. */
  rootOf(error: unknown): unknown {
    return this.#hasFailed ? this.#failure : error;
  }

  async run(statement: Statement, values: readonly Value[]): Promise<Result> {
    return this.#watched(this.#connection.run(statement, values));
  }

  /** Sends it, to be waited for at the end. */
  send(statement: Statement, values: readonly Value[]): Soon<void> {
    return this.#keep(this.run(statement, values));
  }

  /** Throws where anything that was sent failed. */
  async settled(): Promise<void> {
    const sent = this.#sent;
    this.#sent = [];
    await Promise.all(sent);
  }

  #keep(answer: Promise<unknown>): Soon<void> {
    answer.catch(() => undefined);
    this.#sent.push(answer);
    return this.#sent.length < SENT_AHEAD ? undefined : this.settled();
  }

  async #watched(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer;
    } catch (error) {
      if (!this.#hasFailed) {
        this.#hasFailed = true;
        this.#failure = error;
      }
      throw error;
    }
  }
}

/**
 * Undoes a transaction, in a group of its own: in one with a statement that fails it would not be run. A connection whose
 * transaction cannot be undone is given up, which undoes it.
 */
export async function rollBack(connection: Connection): Promise<void> {
  if (!connection.isLost) {
    await connection
      .runTogether([[COMMANDS.rollBack, []]])
      .catch(() => connection.destroy('its transaction could not be undone'));
  }
}

/** The tree's sequence while its row is locked. A transaction that takes no number may still leave a gap. */
export class Sequence {
  readonly #tree: string;
  readonly #session: Session;
  readonly #locked: Promise<number | undefined>;
  #last: number | undefined;

  /** Sends the statement that locks the tree. */
  constructor(tree: string, session: Session) {
    this.#tree = tree;
    this.#session = session;
    this.#locked = session.run(WRITES.lock, [tree]).then(({ rows: [row] }) => (row ? numberAt(row, 0) : undefined));
    this.#locked.catch(() => undefined);
  }

  /** Whether there is a row, which is locked now. */
  async isLocked(): Promise<boolean> {
    return (await this.#locked) !== undefined;
  }

  /** Whether it is known that there is none. */
  isMissing(): Promise<boolean> {
    return this.#locked.then(
      (sequence) => sequence === undefined,
      () => false,
    );
  }

  async next(): Promise<number> {
    // Where there is no row, this transaction is not to be.
    this.#last = this.#last === undefined ? ((await this.#locked) ?? 0) : this.#last + 1;
    return this.#last;
  }

  /** The lock took one number; here are the others. */
  async save(): Promise<void> {
    if (this.#last !== undefined && this.#last !== (await this.#locked)) {
      await this.#session.send(WRITES.saveSequence, [this.#tree, this.#last]);
    }
  }
}
