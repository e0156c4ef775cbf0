/**
 * Whether the database can be reached: asked now and then on a connection of its own, so that it is known while nothing is
 * asked of the store, and nothing but the database itself is judged.
 */
import type { Health } from '@fosp/runtime';
import type { Connection } from './connection.ts';
import type { PoolName, PostgresTelemetry } from './telemetry.ts';

export interface ReachOptions {
  /** Milliseconds between two looks. */
  readonly probeInterval: number;
  readonly onTrouble: (what: string, error?: unknown) => void;
  readonly health: Pick<Health, 'obstruct'>;
  readonly telemetry: Pick<PostgresTelemetry, 'opened' | 'lost'>;
}

/** Connects for one of the pools, or for probes. */
export type OpenFor = (pool: PoolName | undefined) => Promise<Connection>;

/** What a standby answers is no: it takes no writes. */
const PROBE = { name: 'probe', text: 'SELECT pg_is_in_recovery()' };

export class Reach {
  readonly #open: OpenFor;
  readonly #options: ReachOptions;
  readonly #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #probing: Promise<void> | undefined;
  #failure: string | undefined;
  #isClosed = false;
  #clear: (() => void) | undefined;

  constructor(open: OpenFor, options: ReachOptions) {
    this.#open = open;
    this.#options = options;
    this.#timer = setInterval(() => this.#probe(), options.probeInterval).unref();
  }

  /** Why the database is of no use at the moment; undefined where it is, as far as is known. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Opens a connection, and learns from it. Throws `DatabaseFailure`. */
  async open(pool: PoolName): Promise<Connection> {
    const { telemetry } = this.#options;
    try {
      const connection = await this.#open(pool);
      telemetry.opened();
      void connection.lost.then(() => {
        telemetry.lost();
        // One is lost: look at once whether more is.
        this.#probe();
      });
      return connection;
    } catch (error) {
      this.#away(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#probing;
    await this.#connection?.close();
  }

  #probe(): void {
    if (this.#isClosed) {
      return;
    }
    this.#probing ??= this.#probeOnce().finally(() => {
      this.#probing = undefined;
    });
  }

  async #probeOnce(): Promise<void> {
    try {
      if (this.#connection === undefined || this.#connection.isLost) {
        this.#connection = await this.#open(undefined);
      }
      const { rows } = await this.#connection.run(PROBE, []);
      if (rows[0]?.[0] === true) {
        this.#connection.destroy('it is a standby');
        throw new Error('the database is a standby, which takes no writes');
      }
      this.#back();
    } catch (error) {
      this.#away(error);
    }
  }

  #away(error: unknown): void {
    if (this.#failure === undefined) {
      this.#clear = this.#options.health.obstruct('the database cannot be reached');
      this.#options.onTrouble('The database cannot be reached', error);
    }
    this.#failure = error instanceof Error ? error.message : String(error);
  }

  #back(): void {
    if (this.#failure !== undefined) {
      this.#failure = undefined;
      this.#clear?.();
      this.#options.onTrouble('The database can be reached again');
    }
  }
}
