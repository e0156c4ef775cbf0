/**
 * One connection to the database. The only file that knows the driver.
 *
 * Statements that are set off by one event, or come while others are at the server, go out together (see `Group`); the
 * server runs them in order, each seeing what the ones before it did.
 *
 * A connection is lost when it breaks, when the server says that it ends it, or when no answer comes for `patience`. All
 * statements without an answer then fail, and it is never used again.
 */
import { activeSpan, detached, type HistogramCell, traced } from '@fosp/runtime';
import { Client, DatabaseError } from 'pg';
import { DatabaseFailure } from './failures.ts';
import { Group, type Known, type Result, type Statement, type Step, type Value } from './group.ts';
import { statementSpan } from './spans.ts';

export type { Result, Row, Statement, Value } from './group.ts';

export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly application: string;
  /** Milliseconds to connect in. */
  readonly connectTimeout: number;
  /** Milliseconds after which the server gives up one statement. */
  readonly statementTimeout: number;
  /** Milliseconds that a statement waits for a lock. */
  readonly lockTimeout: number;
  /** Milliseconds without any answer, after which the connection is taken for lost; longer than `statementTimeout`. */
  readonly patience: number;
  /** Told how many seconds the answer to statements that went together took. */
  readonly roundTrips?: HistogramCell | undefined;
}

/** Statements sent together. */
const GROUP = 64;

/** With these the server ends a connection, never lets it begin, or has become a standby, whose address may soon be another's. */
const ENDS_CONNECTION = /^(08|25006|25P03|28|3D|53300|57P)/;

export class Connection {
  readonly #client: Client;
  readonly #patience: number;
  readonly #roundTrips: HistogramCell | undefined;
  readonly #lost = Promise.withResolvers<DatabaseFailure>();
  readonly #known: Known = new Map();
  /** What waits to be sent; what came together stays together. */
  #waiting: Step[][] = [];
  #isBusy = false;
  #isScheduled = false;
  #failure: DatabaseFailure | undefined;
  #watch: NodeJS.Timeout | undefined;

  private constructor(client: Client, { patience, roundTrips }: ConnectionOptions) {
    this.#client = client;
    this.#patience = patience;
    this.#roundTrips = roundTrips;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('the connection ended')));
  }

  /** Throws `DatabaseFailure`. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { url, application, connectTimeout, statementTimeout, lockTimeout, patience } = options;
    const client = new Client({
      connectionString: url,
      application_name: application,
      connectionTimeoutMillis: connectTimeout,
      statement_timeout: statementTimeout,
      lock_timeout: lockTimeout,
      // A pod that vanished in the middle of a write would hold its tree's lock.
      idle_in_transaction_session_timeout: patience,
      // Each statement is planned once, for any values: by an index, however small its tables are at that moment.
      options: '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off',
      keepAlive: true,
    });
    const connection = new Connection(client, options);
    try {
      // It is kept, and used for others.
      await detached(() => client.connect());
    } catch (error) {
      client.connection.stream.destroy();
      throw failureOf(error);
    }
    return connection;
  }

  get isLost(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when it is lost. */
  get lost(): Promise<DatabaseFailure> {
    return this.#lost.promise;
  }

  /**
   * Runs a statement in the connection's transaction or, where there is none, perhaps in one with others that came with it:
   * if one of those fails, this one does with the code 25P02. Throws `DatabaseFailure`.
   */
  run(statement: Statement, values: readonly Value[]): Promise<Result> {
    return activeSpan() === undefined
      ? this.#run(statement, values)
      : traced(statementSpan(statement.name), () => this.#run(statement, values));
  }

  #run(statement: Statement, values: readonly Value[]): Promise<Result> {
    return new Promise((resolve, reject) => {
      const step = { statement, values, resolve, reject };
      const last = this.#waiting.at(-1);
      if (last !== undefined && !SEALED.has(last) && last.length < GROUP) {
        last.push(step);
      } else {
        this.#waiting.push([step]);
      }
      this.#schedule();
    });
  }

  /** Runs statements in one transaction that nobody else has part in. Throws `DatabaseFailure`. */
  runTogether(statements: readonly (readonly [Statement, readonly Value[]])[]): Promise<Result[]> {
    const steps: Step[] = [];
    const results = statements.map(
      ([statement, values]) =>
        new Promise<Result>((resolve, reject) => {
          steps.push({ statement, values, resolve, reject });
        }),
    );
    SEALED.add(steps);
    this.#waiting.push(steps);
    this.#schedule();
    return Promise.all(results);
  }

  /** Runs SQL without values, several statements where semicolons are between them; while nothing else is asked of it. */
  async script(sql: string): Promise<void> {
    try {
      await this.#client.query(sql);
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Ends it; nothing is to be waiting. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  /** Ends it at once. */
  destroy(reason: string): void {
    this.#lose(new Error(reason));
  }

  #schedule(): void {
    if (this.#failure !== undefined) {
      this.#abandon(this.#failure);
    } else if (!this.#isBusy && !this.#isScheduled) {
      this.#isScheduled = true;
      // After all that goes on by itself, and so what one packet or one other answer set off.
      process.nextTick(() => this.#flush());
    }
  }

  #flush(): void {
    this.#isScheduled = false;
    const steps = this.#isBusy || this.isLost ? undefined : this.#waiting.shift();
    if (steps === undefined) {
      return;
    }
    this.#isBusy = true;
    const sent = performance.now();
    const late = () => this.#lose(new Error(`no answer in ${this.#patience} ms`));
    this.#watch = setTimeout(late, this.#patience).unref();
    const done = (lost: DatabaseFailure | undefined) => {
      clearTimeout(this.#watch);
      this.#roundTrips?.observe((performance.now() - sent) / 1000);
      this.#isBusy = false;
      if (lost !== undefined) {
        this.#lose(lost);
      } else if (this.#waiting.length > 0) {
        this.#schedule();
      }
    };
    this.#client.query(new Group(steps, this.#known, { failureOf, done }));
  }

  #lose(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = error instanceof DatabaseFailure && error.isLost ? error : lostBy(error);
      clearTimeout(this.#watch);
      this.#client.connection.stream.destroy();
      this.#lost.resolve(this.#failure);
      this.#abandon(this.#failure);
    }
  }

  #abandon(failure: DatabaseFailure): void {
    for (const { reject } of this.#waiting.splice(0).flat()) {
      reject(failure);
    }
  }
}

/** Groups to which nothing is added. */
const SEALED = new WeakSet<readonly Step[]>();

/** What is no error of the server, or one with which it ends the connection, means that this is lost. */
function failureOf(error: unknown): DatabaseFailure {
  if (error instanceof DatabaseFailure) {
    return error;
  }
  if (error instanceof DatabaseError && error.code !== undefined && !ENDS_CONNECTION.test(error.code)) {
    return new DatabaseFailure(error.message, { code: error.code, cause: error });
  }
  return lostBy(error);
}

function lostBy(error: unknown): DatabaseFailure {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return new DatabaseFailure(`The connection to the database is lost: ${message}`, { cause: error });
}
