/**
 * The objects service: trees and accounts, the only judge of rights, the only owner of the database.
 *
 *     bus ─► Reading ──► Cache ─► Store          who may see what
 *        ├─► Writing  ┐
 *        ├─► Files    ├─► Transactions ─► Store ─► outbox ─► Relay ─► stream `changes`
 *        ├─► Accounts ┘              └─► Cache
 *        └─► FanOut ──► Store                    whom a large change concerns
 *
 * Lifecycle: `start` takes calls, and relays what a crash left behind. `drain` takes no more calls, ends those it has, lets
 * events arrive for a while, and closes the store.
 */
import { randomBytes } from 'node:crypto';
import type { Bus, BusSubscription } from '@fosp/bus';
import type { Health, Log, Metrics } from '@fosp/runtime';
import { Accounts } from './accounts/accounts.ts';
import { Attempts } from './accounts/attempts.ts';
import type { Cache } from './cache/cache.ts';
import type { Counters } from './counters/counters.ts';
import { DomainKeys } from './domain-keys.ts';
import { FanOut } from './fan-out.ts';
import { Files } from './files.ts';
import { DEFAULT_LIMITS, type ObjectsLimits } from './limits.ts';
import { Policies } from './policies.ts';
import { Reading } from './reading.ts';
import { Relay } from './relay.ts';
import { serve, serveFanOut } from './serve.ts';
import type { Store } from './store/store.ts';
import { addLevels, createTelemetry } from './telemetry.ts';
import { Transactions } from './transactions.ts';
import { Writing } from './writing.ts';

export interface ObjectsDeps {
  readonly bus: Bus;
  /** Closed by `drain`. */
  readonly store: Store;
  readonly cache: Cache;
  /** With a window of one minute. */
  readonly counters: Counters;
  /** Those whose users and trees live here, normalised. */
  readonly domains: readonly string[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits?: Partial<ObjectsLimits>;
  /** Told where nothing can be written any more. */
  readonly health?: Pick<Health, 'obstruct'>;
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number;
  /** From 0 up to 1; `Math.random`. */
  readonly random?: () => number;
  /** A fresh random key of a file, which ends with this mark; 32 hex digits. */
  readonly newFileKey?: (mark: string) => string;
}

/** Of a file's key: those that tell whose it is, and the random ones. */
const MARK_BYTES = 4;
const RANDOM_BYTES = 12;

function freshFileKey(mark: string): string {
  return randomBytes(RANDOM_BYTES).toString('hex') + mark;
}

export interface ObjectsService {
  start(): Promise<void>;
  drain(): Promise<void>;
  /** Resolves once no event is on its way to the stream. */
  settled(): Promise<void>;
}

export function createObjectsService(deps: ObjectsDeps): ObjectsService {
  const { bus, store, cache, counters, log, metrics, clock = Date.now, random = Math.random } = deps;
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const domains = new Set(deps.domains);
  const telemetry = createTelemetry(log, metrics);
  const policies = new Policies(limits.policyCharacters);
  const relay = new Relay({ bus, store, cache, clock, random, limits, telemetry });
  const { outboxCounted } = limits;
  const outbox = () => store.outbox.backlog(outboxCounted);
  addLevels(metrics, { outbox, outboxCounted, relaying: () => relay.trees });
  const transactions = new Transactions({ store, cache, relay, clock });
  const attempts = new Attempts(counters, limits, telemetry);
  const newKey = deps.newFileKey ?? freshFileKey;
  let served: BusSubscription[] = [];
  let fanOut: BusSubscription | undefined;

  return {
    async start() {
      const accounts = await Accounts.open({ bus, store, transactions, attempts, domains, limits, telemetry, clock });
      const reading = new Reading({ store, cache, policies, domains, telemetry, listNames: limits.listNames });
      const writing = new Writing({ transactions, policies, domains, limits });
      const mark = Buffer.from(await store.secret('files')).toString('hex', 0, MARK_BYTES);
      const files = new Files({ store, transactions, policies, domains, limits, mark, newKey, clock });
      const domainKeys = new DomainKeys(store, domains);
      fanOut = await serveFanOut(bus, new FanOut(store, limits), limits.concurrency);
      served = await serve(bus, { reading, writing, files, accounts, domainKeys }, limits.concurrency);
      relay.start();
      store.failed.then((reason) => deps.health?.obstruct(reason));
    },
    async drain() {
      await Promise.all(served.map((subscription) => subscription.stop()));
      await relay.stop();
      await fanOut?.stop();
      await store.close();
    },
    settled: () => relay.settled(),
  };
}
