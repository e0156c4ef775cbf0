/**
 * The connection to Redis, Redis Cluster or Valkey: the only file that knows the driver.
 *
 * Nothing waits for a server that does not answer: commands fail at once while there is no connection, and after their
 * patience otherwise. A command that failed may still be carried out, even much later; whoever sends it must not mind.
 */
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Metrics, type SpanDetails, traced } from '@fosp/runtime';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Breaker } from './breaker.ts';
import { addRedisLevels, createRedisTelemetry, type RedisRequest, type RequestCells } from './telemetry.ts';

export interface RedisLinkOptions {
  /** `redis://user:password@host:port/0`, or `rediss:` for TLS; nodes of a Redis Cluster, separated by commas. */
  readonly url: string;
  /** Milliseconds to wait for an answer that would only make things faster; 25. */
  readonly patience?: number;
  /** Milliseconds to wait for one that a success or a limit depends on; 500. */
  readonly confirmPatience?: number;
  /** Milliseconds before Redis is tried again once it does not answer: the first pause, and the longest; 100, 2,000. */
  readonly pause?: number;
  readonly longestPause?: number;
  /** Told when Redis is left alone by what only makes things faster, and why, and when it is used again. */
  readonly told?: (state: 'open' | 'closed', failure?: unknown) => void;
  readonly metrics?: Metrics;
  /** The same of what a limit depends on. */
  readonly toldOfLimits?: (state: 'open' | 'closed', failure?: unknown) => void;
}

const DEFAULTS = { patience: 25, confirmPatience: 500, pause: 100, longestPause: 2_000 };
const UNTOLD = { told: () => undefined, toldOfLimits: () => undefined };

const CONNECT_TIMEOUT = 2_000;

const [MGET, SET, SCRIPT] = [span('MGET'), span('SET'), span('EVALSHA')];

function span(name: string): SpanDetails {
  return { name, kind: 'client', attributes: { 'db.system.name': 'redis', 'db.operation.name': name } };
}

/** A Lua script. All its keys share a hash tag. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

export interface RedisLink {
  /** Whether asking is worth while: it answers, and in time. */
  readonly isUsable: boolean;
  mget(keys: string[]): Promise<(string | null)[]>;
  run(script: Script, keys: string[], values: (string | number)[]): Promise<unknown>;
  /** The same of `runPatiently`, which may be worth while where it is too slow for the others. */
  readonly isUsableForLimits: boolean;
  /** Waits for longer than the others: for what more than speed depends on. */
  runPatiently(script: Script, keys: string[], values: (string | number)[]): Promise<unknown>;
  /** Waits for longer than the others, and asks even while asking is not worth while. `life` in milliseconds. */
  confirmSet(key: string, value: string, life: number): Promise<void>;
  close(): Promise<void>;
}

/** A socket that can be told to collect what it is to send. */
type Sending = Pick<Duplex, 'cork' | 'uncork'>;

/** What of the driver is used. */
interface Driver {
  mget(keys: string[]): Promise<(string | null)[]>;
  set(key: string, value: string, unit: 'PX', life: number): Promise<unknown>;
  evalsha(sha: string, keys: number, ...values: (string | number)[]): Promise<unknown>;
  eval(lua: string, keys: number, ...values: (string | number)[]): Promise<unknown>;
  ping(): Promise<unknown>;
  disconnect(): void;
}

/** Connects in the background, and again whenever the connection is lost. */
export function openRedisLink(options: RedisLinkOptions): RedisLink {
  return new DriverLink({ ...DEFAULTS, ...UNTOLD, metrics: new Metrics(), ...options });
}

/** How one kind of request is carried out. */
interface Way {
  /** Milliseconds. */
  readonly patience: number;
  readonly breaker: Breaker;
  readonly cells: RequestCells;
}

class DriverLink implements RedisLink {
  readonly #driver: Driver;
  readonly #ways: Readonly<Record<RedisRequest, Way>>;
  readonly #breaker: Breaker;
  /** Of what waits patiently: that Redis is too slow for reads says nothing of it. */
  readonly #patientBreaker: Breaker;
  readonly #sockets: () => readonly Sending[];
  #isCollecting = false;

  constructor(options: Required<RedisLinkOptions>) {
    this.#breaker = new Breaker({ ...options, probe: () => this.#within(this.#driver.ping(), options.patience) });
    this.#patientBreaker = new Breaker({
      ...options,
      told: options.toldOfLimits,
      probe: () => this.#within(this.#driver.ping(), options.confirmPatience),
    });
    const { driver, sockets } = connect(options, (error) => this.#breaker.failed(error));
    this.#driver = driver;
    this.#sockets = sockets;
    const { patience, confirmPatience, metrics } = options;
    const [breaker, patient, cells] = [this.#breaker, this.#patientBreaker, createRedisTelemetry(metrics)];
    this.#ways = {
      get: { patience, breaker, cells: cells.get },
      fill: { patience, breaker, cells: cells.fill },
      set: { patience: confirmPatience, breaker, cells: cells.set },
      count: { patience: confirmPatience, breaker: patient, cells: cells.count },
    };
    addRedisLevels(metrics, this);
  }

  get isUsable(): boolean {
    return this.#breaker.isClosed;
  }

  get isUsableForLimits(): boolean {
    return this.#patientBreaker.isClosed;
  }

  mget(keys: string[]): Promise<(string | null)[]> {
    return traced(MGET, () => {
      this.#collect();
      return this.#judged(this.#driver.mget(keys), this.#ways.get);
    });
  }

  run(script: Script, keys: string[], values: (string | number)[]): Promise<unknown> {
    return traced(SCRIPT, () => {
      this.#collect();
      return this.#judged(this.#run(script, keys, values), this.#ways.fill);
    });
  }

  runPatiently(script: Script, keys: string[], values: (string | number)[]): Promise<unknown> {
    return traced(SCRIPT, () => this.#judged(this.#run(script, keys, values), this.#ways.count));
  }

  async confirmSet(key: string, value: string, life: number): Promise<void> {
    await traced(SET, () => {
      this.#collect();
      return this.#judged(this.#driver.set(key, value, 'PX', life), this.#ways.set);
    });
  }

  async close(): Promise<void> {
    this.#breaker.stop();
    this.#patientBreaker.stop();
    this.#driver.disconnect();
  }

  /**
   * What is sent in one turn of the event loop leaves together. The driver's own pipelines cost more than they spare: each is
   * an object with all of some hundred commands.
   */
  #collect(): void {
    if (!this.#isCollecting) {
      this.#isCollecting = true;
      const sockets = this.#sockets();
      for (const socket of sockets) {
        socket.cork();
      }
      setImmediate(() => {
        this.#isCollecting = false;
        for (const socket of sockets) {
          socket.uncork();
        }
      });
    }
  }

  async #run({ lua, sha }: Script, keys: string[], values: (string | number)[]): Promise<unknown> {
    try {
      return await this.#driver.evalsha(sha, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) {
        throw error;
      }
      return this.#driver.eval(lua, keys.length, ...keys, ...values);
    }
  }

  async #judged<T>(answer: Promise<T>, { patience, breaker, cells }: Way): Promise<T> {
    const begun = performance.now();
    try {
      const value = await this.#within(answer, patience);
      breaker.succeeded();
      cells.ok.add();
      return value;
    } catch (error) {
      breaker.failed(error);
      cells.failed.add();
      throw error;
    } finally {
      cells.duration.observe((performance.now() - begun) / 1000);
    }
  }

  #within<T>(answer: Promise<T>, patience: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`Redis did not answer within ${patience} ms`));
      // Where it is this process that was late, the answer lies in the socket, which is read between timers and `late`.
      const timer = setTimeout(() => setImmediate(late), patience);
      const ended = <Outcome>(tell: (outcome: Outcome) => void) => {
        return (outcome: Outcome) => {
          clearTimeout(timer);
          tell(outcome);
        };
      };
      answer.then(ended(resolve), ended(reject));
    });
  }
}

function connect(
  { url, pause, longestPause }: Required<RedisLinkOptions>,
  failed: (error: unknown) => void,
): { driver: Driver; sockets: () => readonly Sending[] } {
  const again = (attempt: number) => Math.min(pause * 2 ** Math.min(attempt - 1, 10), longestPause);
  const common = {
    ...{ autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, connectTimeout: CONNECT_TIMEOUT },
    ...{ noDelay: true, disableClientInfo: true },
  } satisfies RedisOptions;
  const urls = url.split(',');
  const driver =
    urls.length > 1
      ? new Cluster(urls, {
          ...{ redisOptions: common, enableOfflineQueue: false },
          ...{ clusterRetryStrategy: again, scaleReads: 'master' },
        })
      : new Redis(url, { ...common, enableOfflineQueue: false, retryStrategy: again });
  // Every lost connection is told here too; without a listener the driver writes to the console.
  driver.on('error', failed);
  const nodes = () => (driver instanceof Cluster ? driver.nodes('all') : [driver]);
  // A node to which no connection was opened yet has no socket.
  return { driver, sockets: () => nodes().flatMap(({ stream }) => stream ?? []) };
}
