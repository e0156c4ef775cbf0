/** A running service as others see it: over a real in-process bus, on SQLite in a folder of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ACCOUNTS,
  Bus,
  type BusFailure,
  type CallType,
  CHANGE_PARTITIONS,
  type Change,
  InProcessTransport,
  OBJECTS,
} from '@fosp/bus';
import { isFospError, parseResourceId } from '@fosp/protocol';
import { createLog, Metrics } from '@fosp/runtime';
import { ALICE, BOB, QUEEN, REALWORLD, WONDERLAND } from '@fosp/testkit';
import {
  type Cache,
  createMemoryCache,
  createMemoryCounters,
  createObjectsService,
  type ObjectsLimits,
  openSqliteStore,
  type SqliteStoreOptions,
  type Store,
} from '../src/index.ts';

export { ALICE, BOB, QUEEN, REALWORLD, WONDERLAND };

export interface WorldOptions {
  readonly folder?: string;
  readonly limits?: Partial<ObjectsLimits>;
  readonly store?: Partial<SqliteStoreOptions>;
  /** In place of SQLite. */
  readonly openStore?: () => Promise<Store>;
  readonly wrapStore?: (store: Store) => Store;
  readonly cache?: Cache;
  /** Users with accounts; alice, bob and the queen by default. */
  readonly users?: readonly string[];
  /** Takes the events; by default they are collected in `changes`. */
  readonly onChange?: (change: Change) => Promise<void>;
}

/** What a call came to: `status` 200 where it went well. */
export interface Outcome {
  readonly status: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** What argon2id would have made of a password. */
export function secretOf(password: string): string {
  return Buffer.from(password.padEnd(32, '.')).toString('base64url');
}

export function hashed(password: string) {
  const salt = Buffer.alloc(16, 1).toString('base64url');
  return { salt, memory: '19456', passes: '2', parallelism: '1', secret: secretOf(password) };
}

export async function openWorld(options: WorldOptions = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'fosp-objects-'));
  const time = { now: Date.UTC(2026, 0, 1) };
  const clock = () => time.now;
  const bus = new Bus(new InProcessTransport({ clock }), { clock, log: (failure) => failures.push(failure) });
  const failures: BusFailure[] = [];
  const log = await createLog({ name: 'test', level: 'silent' });
  const opened = (await options.openStore?.()) ?? openSqliteStore({ folder, clock, ...options.store });
  const store = options.wrapStore?.(opened) ?? opened;
  let nextFileKey: string | undefined;
  let fileKeys = 0;
  const cache = options.cache ?? createMemoryCache();
  const counters = createMemoryCounters({ window: 60_000, clock });
  const service = createObjectsService({
    ...{ bus, store, cache, counters, log, clock, metrics: new Metrics(), domains: [WONDERLAND] },
    newFileKey: (mark) => nextFileKey ?? `${++fileKeys}${mark}`,
    limits: { fanOutRetention: 0, ...options.limits },
  });
  const changes: Change[] = [];
  const collect = async (change: Change) => {
    changes.push(change);
  };
  await service.start();
  for (let partition = 0; partition < CHANGE_PARTITIONS; partition++) {
    await bus.consumeChanges(partition, 'test', options.onChange ?? collect);
  }

  async function ask<Q, R extends Outcome['fields']>(type: CallType<Q, R>, fields: Q, body = ''): Promise<Outcome> {
    try {
      const reply = await bus.call(type, fields, Buffer.from(body));
      const fieldsOfReply: Record<string, string | undefined> = { ...reply.fields };
      return { status: 200, message: '', fields: fieldsOfReply, body: Buffer.from(reply.body).toString() };
    } catch (error) {
      if (!isFospError(error)) {
        throw error;
      }
      return { status: error.status, message: error.message, fields: { ...error.headers }, body: '' };
    }
  }

  type More = Readonly<Record<string, string>>;
  const target = (user: string, id: string, more: More = {}) => {
    const { tree, path } = parseResourceId(id);
    return { user, tree, path, ...more };
  };

  let closing: Promise<void> | undefined;
  const world = {
    folder,
    time,
    bus,
    store,
    service,
    changes,
    /** Errors that nobody foresaw. */
    failures,
    ask,
    select: (user: string, id: string, more?: More) => ask(OBJECTS.select, target(user, id, more)),
    list: (user: string, id: string, more?: More) => ask(OBJECTS.list, target(user, id, more)),
    create: (user: string, id: string, body: unknown = '', more?: More) =>
      ask(OBJECTS.create, target(user, id, more), textOf(body)),
    update: (user: string, id: string, body: unknown, more?: More) =>
      ask(OBJECTS.update, target(user, id, more), textOf(body)),
    delete: (user: string, id: string, more?: More) => ask(OBJECTS.delete, target(user, id, more)),
    openFile: (user: string, id: string, more?: More) => ask(OBJECTS.openFile, target(user, id, more)),
    /** The key that it gets is this, where one is named; one at a time. */
    beginFile: (user: string, id: string, key?: string, more?: More) => {
      nextFileKey = key;
      return ask(OBJECTS.beginFile, target(user, id, more));
    },
    commitFile: (user: string, id: string, upload: { key: string; incarnation: string; size?: string } & More) =>
      ask(OBJECTS.commitFile, { size: '5', checksum: 'a'.repeat(64), ...target(user, id), ...upload }),
    /** A whole upload. */
    async write(user: string, id: string, key: string, more: More = {}): Promise<Outcome> {
      const begun = await world.beginFile(user, id, key);
      const { incarnation } = begun.fields;
      return incarnation === undefined ? begun : world.commitFile(user, id, { key, incarnation, ...more });
    },
    register: (user: string, password = 'secret') => ask(ACCOUNTS.register, { user, ...hashed(password) }),
    login: (user: string, password = 'secret', address = '192.0.2.1') =>
      ask(ACCOUNTS.login, { user, address, secret: secretOf(password) }),
    /** Parsed, as this user sees it. */
    async see(user: string, id: string): Promise<Record<string, unknown>> {
      const { status, body, message } = await world.select(user, id);
      if (status !== 200) {
        throw new Error(`SELECT ${id} as ${user}: ${status} ${message}`);
      }
      return JSON.parse(body);
    },
    close(): Promise<void> {
      closing ??= service.drain().then(() => bus.drain());
      return closing;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await world.close();
      if (options.folder === undefined) {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
  for (const user of options.users ?? [ALICE, BOB, QUEEN]) {
    await world.register(user);
  }
  return world;
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** The same store with some of its members replaced. */
export function over<Part extends object>(inner: Part, members: Partial<Part>): Part {
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(Object.hasOwn(members, name) ? members : target, name);
      return typeof member === 'function' ? member.bind(Object.hasOwn(members, name) ? members : target) : member;
    },
  });
}
