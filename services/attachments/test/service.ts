/** The service, with a test in the place of `objects`: `rows` is what that would keep. */
import { randomBytes } from 'node:crypto';
import { ATTACHMENTS, Bus, type BusSubscription, InProcessTransport, OBJECTS } from '@fosp/bus';
import type { Health } from '@fosp/runtime';
import { createLog, Metrics } from '@fosp/runtime';
import { ALICE } from '@fosp/testkit';
import { type AttachmentsOptions, createAttachmentsService, type FileStore } from '../src/index.ts';

export const OBJECT = { user: ALICE, tree: ALICE, path: '/pictures/hat' };

export type Rows = Map<string, 'pending' | 'live' | 'claimed'>;

export interface ServiceOptions {
  readonly options?: AttachmentsOptions;
  readonly clock?: () => number;
  readonly health?: Pick<Health, 'obstruct'>;
}

export type TestService = Awaited<ReturnType<typeof serviceWith>>;

export async function serviceWith(store: FileStore, options: ServiceOptions = {}) {
  const bus = new Bus(new InProcessTransport());
  const objects = await TestObjects.serve(bus);
  const metrics = new Metrics();
  const log = await createLog({ name: 'test', level: 'silent' });
  const service = createAttachmentsService({ bus, log, metrics, store: () => store, ...options });
  await service.start();
  return {
    ...{ bus, service, objects, rows: objects.rows },
    metric: async (name: string) => {
      const line = (await metrics.text()).body.split('\n').find((text) => text.startsWith(`${name} `));
      return Number(line?.split(' ')[1]);
    },
    /** A ticket for bytes that were PUT. */
    upload: async (body: Uint8Array): Promise<string> => {
      const { fields } = await bus.call(ATTACHMENTS.write, { ...OBJECT, size: String(body.length) });
      const { status } = await fetch(fields.url, { method: 'PUT', body: Buffer.from(body) });
      if (status !== 200 && status !== 201) {
        throw new Error(`PUT was answered ${status}`);
      }
      return fields.ticket;
    },
    [Symbol.asyncDispose]: () => service.drain(),
  };
}

export class TestObjects {
  readonly rows: Rows = new Map();
  /** Keys that were given out, in order. */
  readonly given: string[] = [];
  readonly asked: { call: string; fields: Record<string, string | undefined> }[] = [];
  /** What every judgement comes to, where it is set. */
  refusal: Error | undefined;
  /** Of the file that is read. */
  readonly file = { size: '100000', 'content-type': 'image/png', etag: '"7"' };

  static async serve(bus: Bus): Promise<TestObjects> {
    const objects = new TestObjects();
    await Promise.all([...objects.#judging(bus), ...objects.#sweeping(bus)]);
    return objects;
  }

  #judge(call: string, fields: object): void {
    this.asked.push({ call, fields: { ...fields } });
    if (this.refusal !== undefined) {
      throw this.refusal;
    }
  }

  #judging(bus: Bus): Promise<BusSubscription>[] {
    const options = { concurrency: 1_000 };
    const begin = async (fields: object) => {
      this.#judge('begin', fields);
      const key = randomBytes(16).toString('hex');
      this.given.push(key);
      this.rows.set(key, 'pending');
      return { fields: { key, incarnation: 'life.1' } };
    };
    const open = async (fields: object) => {
      this.#judge('open', fields);
      const [key = ''] = this.rows.keys();
      return { fields: { ...this.file, key } };
    };
    const commit = async (fields: { readonly key: string }) => {
      this.#judge('commit', fields);
      if (this.rows.get(fields.key) === 'pending') {
        this.rows.set(fields.key, 'live');
      }
      return { fields: { etag: '"7"' } };
    };
    return [
      bus.serve(OBJECTS.beginFile, ({ fields }) => begin(fields), options),
      bus.serve(OBJECTS.openFile, ({ fields }) => open(fields), options),
      bus.serve(OBJECTS.commitFile, ({ fields }) => commit(fields), options),
    ];
  }

  #sweeping(bus: Bus): Promise<BusSubscription>[] {
    const options = { concurrency: 10 };
    const claim = async (limit: number) => {
      const pending = [...this.rows].filter(([, state]) => state === 'pending').map(([key]) => key);
      const claimed = pending.slice(0, limit);
      for (const key of claimed) {
        this.rows.set(key, 'claimed');
      }
      return { fields: {}, body: Buffer.from(JSON.stringify(claimed)) };
    };
    const forget = async (keys: readonly string[]) => {
      for (const key of keys) {
        this.rows.delete(key);
      }
      return { fields: {} };
    };
    const lost = async (keys: readonly string[]) => {
      this.#judge('lost', {});
      const given = new Set(this.given);
      const answer = keys.filter((key) => given.has(key) && !this.rows.has(key));
      return { fields: {}, body: Buffer.from(JSON.stringify(answer)) };
    };
    return [
      bus.serve(OBJECTS.claimFiles, ({ fields }) => claim(Number(fields.limit)), options),
      bus.serve(OBJECTS.forgetFiles, ({ body }) => forget(keysIn(body)), options),
      bus.serve(OBJECTS.lostFiles, ({ body }) => lost(keysIn(body)), options),
    ];
  }
}

function keysIn(body: Uint8Array): string[] {
  return JSON.parse(Buffer.from(body).toString());
}
