/** What the server itself knows, beside the transports under test. */

import { within } from '@fosp/testkit';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface LeaseEntry {
  readonly name: string;
  readonly holder: string;
  readonly value: string;
}

export interface Observer extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** Every record of a lease written since, in order. */
  readonly history: readonly LeaseEntry[];
  /** Resolves once the last records of all leases are as wanted. */
  until(what: string, isSo: (leases: ReadonlyMap<string, LeaseEntry>) => boolean): Promise<void>;
}

export async function observe(url: string, prefix: string): Promise<Observer> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  const bucket = await new Kvm(connection).create(`${prefix}leases`);
  const history: LeaseEntry[] = [];
  const leases = new Map<string, LeaseEntry>();
  const waiting = new Set<() => void>();
  const entries = await bucket.watch();
  void (async () => {
    for await (const entry of entries) {
      const lease = { name: entry.key, ...entry.json<{ holder: string; value: string }>() };
      history.push(lease);
      leases.set(lease.name, lease);
      for (const look of waiting) {
        look();
      }
    }
  })();
  return {
    connection,
    manager,
    history,
    async until(what, isSo) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (isSo(leases)) {
          resolve();
        }
      };
      waiting.add(look);
      look();
      await within(promise, what).finally(() => waiting.delete(look));
    },
    async [Symbol.asyncDispose]() {
      entries.stop();
      await connection.close();
    },
  };
}

/** Places where the value of a lease, a number, went back. */
export function steppedBack(history: readonly LeaseEntry[]): LeaseEntry[] {
  const last = new Map<string, number>();
  return history.filter(({ name, value }) => {
    const before = last.get(name) ?? 0;
    last.set(name, Number(value));
    return Number(value) < before;
  });
}
