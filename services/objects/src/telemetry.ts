import { DELAY_BUCKETS, type Log, type Metrics } from '@fosp/runtime';
import type { OutboxBacklog } from './store/store.ts';

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  cacheHit(): void;
  cacheMiss(): void;
  /** An event went to the stream `changes`, so many milliseconds after it was written. */
  relayed(milliseconds: number): void;
  /** Will be tried again, and the tree's later events wait for it. */
  relayFailed(tree: string, error: unknown): void;
  sweepFailed(error: unknown): void;
  registered(user: string): void;
  removed(user: string): void;
  passwordChanged(user: string): void;
  stateSet(user: string, state: string): void;
  loginFailed(user: string, address: string): void;
  /** Over its number of wrong passwords or registrations per minute. */
  refused(what: 'login' | 'registration', address: string): void;
}

export function createTelemetry(log: Log, metrics: Metrics): Telemetry {
  const reads = metrics.counters('fosp_objects_reads_total', 'Reads, by whether the cache had the object.', ['cache']);
  const [hits, misses] = [reads.with({ cache: 'hit' }), reads.with({ cache: 'miss' })];
  const relayed = metrics.counter('fosp_objects_events_relayed_total', 'Events handed to the stream of changes.');
  const delays = metrics.histogram(
    'fosp_objects_relay_seconds',
    'From the commit of a change until the stream of changes had it.',
    DELAY_BUCKETS,
  );
  const relayFailures = metrics.counter('fosp_objects_relay_failures_total', 'Events to be relayed once more.');
  const logins = metrics.counter('fosp_objects_login_failures_total', 'Wrong names and passwords.');
  const refused = metrics.counters('fosp_objects_refused_total', 'Refused for too many failures or registrations.', [
    'what',
  ]);
  const refusals = { login: refused.with({ what: 'login' }), registration: refused.with({ what: 'registration' }) };
  return {
    cacheHit: () => hits.add(),
    cacheMiss: () => misses.add(),
    relayed(milliseconds) {
      relayed.add();
      delays.observe(milliseconds / 1000);
    },
    relayFailed(tree, error) {
      relayFailures.add();
      log.warn({ tree, error }, 'an event could not be relayed; will try again');
    },
    sweepFailed: (error) => log.warn({ error }, 'could not look for what may be dropped; will try again'),
    registered: (user) => log.info({ user }, 'account created'),
    removed: (user) => log.info({ user }, 'account removed'),
    passwordChanged: (user) => log.info({ user }, 'password changed'),
    stateSet: (user, state) => log.info({ user, state }, 'account enabled or disabled'),
    loginFailed(user, address) {
      logins.add();
      log.info({ user, address }, 'wrong name or password');
    },
    refused(what, address) {
      refusals[what].add();
      log.warn({ address, what }, 'too many of these from one address or for one account');
    },
  };
}

/** Levels, asked for when metrics are read. */
export interface ObjectsLevels {
  readonly outbox: () => Promise<OutboxBacklog>;
  /** Events up to which that counts. */
  readonly outboxCounted: number;
  /** Trees whose events are on their way to the stream. */
  readonly relaying: () => number;
}

export function addLevels(metrics: Metrics, { outbox, outboxCounted, relaying }: ObjectsLevels): void {
  const asked = metrics.asked(outbox);
  metrics.gauge(
    'fosp_objects_outbox_events',
    `Changes in the outbox of the database, which all processes share; counted up to ${outboxCounted}.`,
    async () => (await asked.latest())?.events,
  );
  metrics.gauge(
    'fosp_objects_outbox_oldest_seconds',
    'Age of the oldest of them, by the clock of the database; 0 without any. In a cluster the trees with waiting changes are looked at in the order of their names, a thousand of them at most.',
    async () => {
      const backlog = await asked.latest();
      return backlog && backlog.oldestAge / 1000;
    },
  );
  metrics.gauge('fosp_objects_relaying_trees', 'Trees whose changes this process hands to the stream.', relaying);
}

/** Of a cache in this process. */
export function addCacheLevel(metrics: Metrics, bytes: () => number): void {
  metrics.gauge('fosp_objects_cache_bytes', 'Memory that the cache takes, where it is in this process.', bytes);
}
