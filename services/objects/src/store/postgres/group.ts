/**
 * Statements that go to the server in one packet and are answered in one: the extended protocol's messages of each, and one
 * Sync. In a transaction they are part of it; elsewhere they are a transaction of their own. The first that fails ends the
 * group: those after it are not run.
 *
 * The driver hands over the messages of the server one by one; it would put a Sync after every statement, which costs both
 * sides a packet and a turn of their loops each. What is known of a statement (that it is parsed, and what its columns are)
 * is kept per connection.
 */
import { DatabaseFailure, SKIPPED } from './failures.ts';

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

export interface Step {
  readonly statement: Statement;
  readonly values: readonly Value[];
  readonly resolve: (result: Result) => void;
  readonly reject: (failure: DatabaseFailure) => void;
}

type Parser = (text: string) => unknown;

/** The columns of the statements that a connection has parsed, by name. */
export type Known = Map<string, readonly Parser[]>;

/** What the driver offers for sending. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  close(message: { type: string; name: string }, more: boolean): void;
  parse(query: { name: string; text: string; types: string[] }, more: boolean): void;
  bind(config: { statement: string; values: (Buffer | string | null)[] }, more: boolean): void;
  describe(message: { type: string; name: string }, more: boolean): void;
  execute(config: null, more: boolean): void;
  sync(): void;
}

const BOOL = 16;
const BYTEA = 17;
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23]);

/** Called by the driver; see its `Submittable`. */
export class Group {
  readonly #steps: readonly Step[];
  readonly #known: Known;
  readonly #failureOf: (error: unknown) => DatabaseFailure;
  readonly #done: (lost: DatabaseFailure | undefined) => void;
  readonly #results: Result[] = [];
  readonly #isNew: boolean[];
  #parsers: readonly Parser[] | undefined;
  #rows: Row[] = [];

  constructor(
    steps: readonly Step[],
    known: Known,
    on: {
      readonly failureOf: (error: unknown) => DatabaseFailure;
      /** Called once, before the steps are told. */
      readonly done: (lost: DatabaseFailure | undefined) => void;
    },
  ) {
    this.#steps = steps;
    this.#known = known;
    this.#failureOf = on.failureOf;
    this.#done = on.done;
    const seen = new Set<string>();
    this.#isNew = steps.map(({ statement: { name } }) => {
      const isNew = !known.has(name) && !seen.has(name);
      seen.add(name);
      return isNew;
    });
  }

  submit(wire: Wire): null {
    wire.stream.cork();
    for (const [index, { statement, values }] of this.#steps.entries()) {
      const { name, text } = statement;
      const isNew = this.#isNew[index] === true;
      if (isNew) {
        // A group that failed may have left it behind.
        wire.close({ type: 'S', name }, true);
        wire.parse({ name, text, types: [] }, true);
      }
      wire.bind({ statement: name, values: values.map(sendable) }, true);
      if (isNew) {
        wire.describe({ type: 'P', name: '' }, true);
      }
      wire.execute(null, true);
    }
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly dataTypeID: number }[] }): void {
    this.#parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const parsers = this.#parsers ?? this.#known.get(this.#current?.statement.name ?? '') ?? [];
    this.#rows.push(fields.map((text, column) => (text === null ? null : (parsers[column]?.(text) ?? text))));
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const name = this.#current?.statement.name;
    if (name !== undefined && this.#isNew[this.#results.length]) {
      this.#known.set(name, this.#parsers ?? []);
    }
    const words = text.split(' ');
    const count = Number(words.at(-1));
    this.#results.push({ command: words[0] ?? '', rows: this.#rows, count: Number.isNaN(count) ? 0 : count });
    this.#rows = [];
    this.#parsers = undefined;
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handlePortalSuspended(): void {}

  handleCopyInResponse(): void {}

  handleReadyForQuery(): void {
    this.#done(undefined);
    for (const [index, result] of this.#results.entries()) {
      this.#steps[index]?.resolve(result);
    }
  }

  /** Nothing is told before all is known: outside of a transaction, what came before the failure is undone. */
  handleError(error: unknown): void {
    const failure = this.#failureOf(error);
    const failed = this.#results.length;
    this.#done(failure.isLost ? failure : undefined);
    const skipped = failure.isLost ? failure : new DatabaseFailure('skipped', { code: SKIPPED, cause: failure });
    // The one that failed comes first, so that whoever sent them all learns of it before its consequences.
    this.#steps[failed]?.reject(failure);
    for (const step of this.#steps.filter((_, index) => index !== failed)) {
      step.reject(skipped);
    }
  }

  /** The step whose answer comes now. */
  get #current(): Step | undefined {
    return this.#steps[this.#results.length];
  }
}

function sendable(value: Value): Buffer | string | null {
  if (value === null || typeof value === 'string') {
    return value;
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value);
  }
  return typeof value === 'object' ? arrayOf(value) : String(value);
}

/** An array of texts as Postgres reads it. */
function arrayOf(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function parserOf(type: number): Parser {
  if (NUMBERS.has(type)) {
    return Number;
  }
  if (type === BOOL) {
    return (text) => text === 't';
  }
  return type === BYTEA ? (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex')) : (text) => text;
}
