/**
 * Connections, opened when they are needed and kept.
 *
 * `Pool` lends each to one borrower at a time, for transactions; who waits longer than `patience`, or behind more than
 * `waiting` others, is refused. `SharedConnections` sends the single statements of many over few connections. Neither hands
 * out a connection that is known to be lost; the next one who needs one opens it.
 */
import type { Connection, Result, Statement, Value } from './connection.ts';
import { type DatabaseFailure, isRepeatable, isSkipped, Overload } from './failures.ts';
import type { PoolLevels } from './telemetry.ts';

export type Open = () => Promise<Connection>;

export interface PoolOptions {
  /** Connections at most. */
  readonly connections: number;
  /** Who waits for one, at most. */
  readonly waiting: number;
  /** Milliseconds that one waits. */
  readonly patience: number;
}

interface Waiter {
  readonly give: (connection: Promise<Connection>) => void;
  readonly timer: NodeJS.Timeout;
}

export class Pool {
  readonly #open: Open;
  readonly #options: PoolOptions;
  /** The one used last comes last. */
  #idle: Connection[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Lent, idle, or being opened. */
  #count = 0;
  #isClosed = false;

  constructor(open: Open, options: PoolOptions) {
    this.#open = open;
    this.#options = options;
  }

  get levels(): PoolLevels {
    const idle = this.#idle.length;
    return { limit: this.#options.connections, inUse: this.#count - idle, idle, waiting: this.#waiters.size };
  }

  /** Lends a connection to `use`, which leaves no transaction open on it. Throws `Overload`, `DatabaseFailure`. */
  async with<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take();
    try {
      return await use(connection);
    } finally {
      this.#giveBack(connection);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  #take(): Promise<Connection> {
    const { connections, waiting, patience } = this.#options;
    // The one used last: its statements are warm, and those not needed can be seen to be idle.
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      return Promise.resolve(idle);
    }
    if (this.#count < connections) {
      return this.#add();
    }
    if (this.#waiters.size >= waiting) {
      return Promise.reject(new Overload(`${waiting} wait for a connection to the database already`));
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiters.delete(waiter);
        reject(new Overload(`No connection to the database was free for ${patience} ms`));
      };
      const waiter: Waiter = { give: resolve, timer: setTimeout(giveUp, patience) };
      this.#waiters.add(waiter);
    });
  }

  async #add(): Promise<Connection> {
    this.#count++;
    try {
      const connection = await this.#open();
      void connection.lost.then(() => this.#remove(connection));
      return connection;
    } catch (error) {
      this.#count--;
      this.#serveNext();
      throw error;
    }
  }

  #giveBack(connection: Connection): void {
    if (connection.isLost) {
      // Seen to by `#remove`.
      return;
    }
    const waiter = this.#nextWaiter();
    if (waiter !== undefined) {
      waiter.give(Promise.resolve(connection));
    } else if (this.#isClosed) {
      void connection.close();
    } else {
      this.#idle.push(connection);
    }
  }

  #remove(connection: Connection): void {
    this.#idle = this.#idle.filter((idle) => idle !== connection);
    this.#count--;
    this.#serveNext();
  }

  /** Opens a connection for the next who waits. */
  #serveNext(): void {
    const waiter = this.#nextWaiter();
    waiter?.give(this.#add());
  }

  #nextWaiter(): Waiter | undefined {
    const [waiter] = this.#waiters;
    if (waiter !== undefined) {
      this.#waiters.delete(waiter);
      clearTimeout(waiter.timer);
    }
    return waiter;
  }
}

/** What only reads may be tried again on another connection, once. */
export async function persistently<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isRepeatable(error)) {
      throw error;
    }
    return read();
  }
}

/** Statements without an answer on one connection, before the next one gets any. */
const FULL = 32;

const NOTHING: Result = { command: '', rows: [], count: 0 };

export interface SharedOptions {
  readonly connections: number;
  /** Statements without an answer, over all connections, at most. */
  readonly waiting: number;
}

export class SharedConnections {
  readonly #open: Open;
  readonly #options: SharedOptions;
  readonly #slots: (Promise<Connection> | undefined)[];
  readonly #unanswered: number[];
  #waiting = 0;

  constructor(open: Open, options: SharedOptions) {
    this.#open = open;
    this.#options = options;
    this.#slots = Array.from({ length: options.connections }, () => undefined);
    this.#unanswered = this.#slots.map(() => 0);
  }

  get levels(): PoolLevels {
    const inUse = this.#unanswered.filter((statements) => statements > 0).length;
    const open = this.#slots.filter((slot) => slot !== undefined).length;
    return { limit: this.#slots.length, inUse, idle: Math.max(0, open - inUse), waiting: this.#waiting };
  }

  /** Runs a statement that only reads. Throws `Overload`, `DatabaseFailure`. */
  async run(statement: Statement, values: readonly Value[]): Promise<Result> {
    try {
      return await this.#on((connection) => connection.run(statement, values));
    } catch (error) {
      if (!isRepeatable(error) && !isSkipped(error)) {
        throw error;
      }
      // Alone, so that nothing but its own failure can keep it.
      const [result] = await this.together([[statement, values]]);
      return result ?? NOTHING;
    }
  }

  /** Runs statements in a transaction of their own. Throws as `run`. */
  together(statements: readonly (readonly [Statement, readonly Value[]])[]): Promise<Result[]> {
    return this.#on((connection) => connection.runTogether(statements));
  }

  async close(): Promise<void> {
    const closed = this.#slots.map(async (slot) => (await slot?.catch(() => undefined))?.close());
    await Promise.all(closed);
  }

  async #on<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#options.waiting) {
      throw new Overload(`${this.#waiting} reads wait for the database already`);
    }
    const index = this.#next();
    this.#waiting++;
    this.#unanswered[index] = (this.#unanswered[index] ?? 0) + 1;
    try {
      return await use(await this.#connection(index));
    } finally {
      this.#waiting--;
      this.#unanswered[index] = (this.#unanswered[index] ?? 0) - 1;
    }
  }

  /** The first that is not full: statements that travel together cost less. */
  #next(): number {
    const first = this.#unanswered.findIndex((statements) => statements < FULL);
    return first >= 0 ? first : this.#unanswered.indexOf(Math.min(...this.#unanswered));
  }

  #connection(index: number): Promise<Connection> {
    const opened = this.#slots[index];
    if (opened !== undefined) {
      return opened;
    }
    const opening = this.#open();
    const forget = (_reason: DatabaseFailure) => {
      if (this.#slots[index] === opening) {
        this.#slots[index] = undefined;
      }
    };
    this.#slots[index] = opening;
    opening.then((connection) => connection.lost.then(forget), forget);
    return opening;
  }
}
