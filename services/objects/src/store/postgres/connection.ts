/**
 * One connection to the database. The only file that knows the driver.
 *
 * Statements are sent as they come, without waiting for the answers of earlier ones (pipelining), and those of one turn of
 * the event loop in one packet. The server runs them in order, each seeing what the ones before it did. Named statements are
 * parsed once per connection.
 *
 * A connection is lost when it breaks, when the server says that it ends it, or when no answer comes for `patience`. All
 * statements without an answer then fail, and it is never used again.
 */
import { Client, DatabaseError } from 'pg';
import { DatabaseFailure } from './failures.ts';

/** A statement with `$1` … for its values. */
export interface Statement {
  /** Unique among all statements. */
  readonly name: string;
  readonly text: string;
}

export type Value = string | number | boolean | null | Uint8Array | readonly string[];

/** Texts, numbers (also for `bigint`), booleans, bytes and nulls. */
export type Row = readonly unknown[];

export interface Result {
  /** First word of the command's tag, such as `COMMIT` or `ROLLBACK`. */
  readonly command: string;
  readonly rows: readonly Row[];
  /** Rows changed or read. */
  readonly count: number;
}

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
}

const BOOL = 16;
const BYTEA = 17;
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23]);

export class Connection {
  readonly #client: Client;
  readonly #patience: number;
  readonly #lost = Promise.withResolvers<DatabaseFailure>();
  #failure: DatabaseFailure | undefined;
  #unanswered = 0;
  #isCorked = false;
  #watch: NodeJS.Timeout | undefined;

  private constructor(client: Client, patience: number) {
    this.#client = client;
    this.#patience = patience;
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
      // Each statement is planned once: none depends on its values for a good plan.
      options: '-c plan_cache_mode=force_generic_plan -c jit=off',
      keepAlive: true,
      pipeline: true,
      types: { getTypeParser: parserOf },
    });
    const connection = new Connection(client, patience);
    try {
      await client.connect();
    } catch (error) {
      client.connection.stream.destroy();
      throw failureOf(error);
    }
    return connection;
  }

  get isLost(): boolean {
    return this.#failure !== undefined;
  }

  /** Statements without an answer. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Resolves when it is lost. */
  get lost(): Promise<DatabaseFailure> {
    return this.#lost.promise;
  }

  /** Throws `DatabaseFailure`. */
  run({ name, text }: Statement, values: readonly Value[]): Promise<Result> {
    return this.#send({ name, text, values: values.map(sendable), rowMode: 'array' });
  }

  /** A command without values, parsed each time; several where they are separated by semicolons. Throws `DatabaseFailure`. */
  command(text: string): Promise<Result> {
    return this.#send({ text, rowMode: 'array' });
  }

  /** Ends it after the answers that are due. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  /** Ends it at once. */
  destroy(reason: string): void {
    this.#lose(new Error(reason));
  }

  async #send(query: { name?: string; text: string; values?: unknown[]; rowMode: 'array' }): Promise<Result> {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
    this.#cork();
    this.#unanswered++;
    this.#expectAnswer();
    try {
      const { command, rows, rowCount } = await this.#client.query<unknown[]>(query);
      return { command, rows, count: rowCount ?? 0 };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.isLost) {
        this.#lose(failure);
      }
      throw failure;
    } finally {
      this.#unanswered--;
      this.#expectAnswer();
    }
  }

  /** What is sent in this turn goes out together. */
  #cork(): void {
    if (!this.#isCorked) {
      const { stream } = this.#client.connection;
      this.#isCorked = true;
      stream.cork();
      setImmediate(() => {
        this.#isCorked = false;
        stream.uncork();
      });
    }
  }

  #expectAnswer(): void {
    if (this.#unanswered === 0) {
      clearTimeout(this.#watch);
      this.#watch = undefined;
    } else if (this.#watch === undefined) {
      const late = () => this.#lose(new Error(`no answer in ${this.#patience} ms`));
      this.#watch = setTimeout(late, this.#patience).unref();
    } else {
      this.#watch.refresh();
    }
  }

  #lose(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = error instanceof DatabaseFailure && error.isLost ? error : lostBy(error);
      clearTimeout(this.#watch);
      this.#client.connection.stream.destroy();
      this.#lost.resolve(this.#failure);
    }
  }
}

function sendable(value: Value): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

function parserOf(type: number): (text: string) => unknown {
  if (NUMBERS.has(type)) {
    return Number;
  }
  if (type === BOOL) {
    return (text) => text === 't';
  }
  return type === BYTEA ? (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')) : (text) => text;
}

/** With these the server ends a connection, never lets it begin, or has become a standby, whose address may soon be another's. */
const ENDS_CONNECTION = /^(08|25006|25P03|28|3D|53300|57P)/;

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
