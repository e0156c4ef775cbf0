import { fospError, isFospError } from '@fosp/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Bus,
  type BusFailure,
  type CallContext,
  CHANGE_PARTITIONS,
  type ChangeEvent,
  InProcessTransport,
  OBJECTS,
  partitionOf,
} from '../src/index.ts';

const ON_OBJECT = { user: 'alice@wonderland.lit', tree: 'alice@wonderland.lit', path: '' };
const NOTHING = { fields: {} };

let transport: InProcessTransport;
let failures: BusFailure[];
let bus: Bus;

beforeEach(() => {
  transport = new InProcessTransport({ stream: { retryPause: 1 } });
  failures = [];
  bus = new Bus(transport, { log: (failure) => failures.push(failure), readRetryPause: 300 });
});

afterEach(() => bus.drain());

describe('calls', () => {
  it('carry fields, bytes, deadline and request id to the handler and its answer back', async () => {
    const context: CallContext = { deadline: Date.now() + 5_000, requestId: 'request-1' };
    const seen: unknown[] = [];
    await bus.serve(
      OBJECTS.create,
      async (call) => {
        seen.push(call);
        return { fields: { etag: '"7"' }, body: new Uint8Array([4, 5]) };
      },
      { concurrency: 1 },
    );
    const reply = await bus.call(OBJECTS.create, { ...ON_OBJECT, 'if-match': '"6"' }, new Uint8Array([1, 2]), context);
    expect(seen).toEqual([{ fields: { ...ON_OBJECT, 'if-match': '"6"' }, body: new Uint8Array([1, 2]), context }]);
    expect(reply).toEqual({ fields: { etag: '"7"' }, body: new Uint8Array([4, 5]) });
  });

  it.each([
    [undefined, 1_000_000 + OBJECTS.select.timeout],
    [1_000_500, 1_000_500],
    [9_000_000, 1_000_000 + OBJECTS.select.timeout],
  ])('have the deadline of their context (%s), never later than their type allows', async (deadline, expected) => {
    const fixed = new InProcessTransport({ clock: () => 1_000_000 });
    const fixedBus = new Bus(fixed, { clock: () => 1_000_000 });
    const deadlines: number[] = [];
    await fixedBus.serve(
      OBJECTS.select,
      async ({ context }) => {
        deadlines.push(context.deadline);
        return NOTHING;
      },
      { concurrency: 1 },
    );
    await fixedBus.call(OBJECTS.select, ON_OBJECT, undefined, deadline === undefined ? {} : { deadline });
    expect(deadlines).toEqual([expected]);
  });

  it('near a tree go to nobody who could begin with a part in part only', async () => {
    await bus.serve(OBJECTS.create, async () => ({ fields: { etag: 'anybody' } }), { concurrency: 1 });
    const near = async () => ({ fields: { etag: 'near' } });
    const broken = Promise.reject(new Error('no link'));
    broken.catch(() => undefined);
    const taken = await bus.takeParts((part) => [bus.serveAt(OBJECTS.create, part, near, { concurrency: 1 }), broken]);
    const etagOf = async () => (await bus.callNear(OBJECTS.create, ON_OBJECT.tree, ON_OBJECT)).fields.etag;
    await expect.poll(etagOf).toBe('anybody');
    await taken.stop();
  });

  it('near a tree go to whoever has its part, and to anybody where nobody has, or is too busy', async () => {
    const etagOf = async () => (await bus.callNear(OBJECTS.create, ON_OBJECT.tree, ON_OBJECT)).fields.etag;
    const anybody = async () => ({ fields: { etag: 'anybody' } });
    await bus.serve(OBJECTS.create, anybody, { concurrency: 1 });
    expect(await etagOf()).toBe('anybody');
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    const near = async () => {
      await held[calls++]?.promise;
      return { fields: { etag: 'near' } };
    };
    const taken = await bus.takeParts((part) => [bus.serveAt(OBJECTS.create, part, near, { concurrency: 1 })]);
    const first = etagOf();
    expect(await etagOf()).toBe('anybody');
    held[0]?.resolve();
    expect(await first).toBe('near');
    const last = etagOf();
    const stopped = taken.stop();
    held[1]?.resolve();
    await stopped;
    expect(await last).toBe('near');
    expect(await etagOf()).toBe('anybody');
    expect(calls).toBe(2);
  });

  it('get ids of their own where they are no part of a request', async () => {
    const ids = new Set<string>();
    await bus.serve(
      OBJECTS.select,
      async ({ context }) => {
        ids.add(context.requestId);
        return NOTHING;
      },
      { concurrency: 10 },
    );
    await Promise.all([1, 2, 3].map(() => bus.call(OBJECTS.select, ON_OBJECT)));
    expect(ids.size).toBe(3);
  });
});

describe('errors of a handler', () => {
  it('cross whole where they are made for clients', async () => {
    const error = fospError('too-many', 'slow down: ünïcode\nand lines', {
      headers: { 'Retry-After': '7' },
      body: { limit: { requests: [1, 2] } },
      cause: new Error('kept here'),
    });
    await bus.serve(OBJECTS.update, () => Promise.reject(error), { concurrency: 1 });
    const caught = await bus.call(OBJECTS.update, ON_OBJECT).catch((thrown: unknown) => thrown);
    expect(isFospError(caught)).toBe(true);
    expect(caught).toMatchObject({
      code: 'too-many',
      status: 429,
      message: error.message,
      headers: { 'Retry-After': '7' },
      body: { limit: { requests: [1, 2] } },
    });
    expect(caught).not.toHaveProperty('cause.message');
    expect(failures).toEqual([]);
  });

  it('stay in the log otherwise, under the id that the caller is told', async () => {
    const error = new TypeError('password is hunter2');
    await bus.serve(OBJECTS.update, () => Promise.reject(error), { concurrency: 1 });
    const call = bus.call(OBJECTS.update, ON_OBJECT, undefined, { requestId: 'request-9' });
    await expect(call).rejects.toMatchObject({
      code: 'internal',
      status: 500,
      message: expect.stringContaining('request-9'),
    });
    await expect(call).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') });
    expect(failures).toEqual([{ subject: OBJECTS.update.subject, id: 'request-9', error }]);
  });

  it('count as internal where a newer server sends a code that is not known here', async () => {
    const body = new TextEncoder().encode('{"message":"what is this"}');
    await transport.serve(OBJECTS.update.subject, async () => ({ headers: { 'bus-error': 'teapot' }, body }), {
      concurrency: 1,
    });
    await expect(bus.call(OBJECTS.update, ON_OBJECT)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('a call without an answer', () => {
  it('is unavailable where nobody serves it', async () => {
    const expected = { code: 'unavailable', headers: { 'Retry-After': '1' } };
    await expect(bus.call(OBJECTS.update, ON_OBJECT)).rejects.toMatchObject(expected);
    await expect(bus.call(OBJECTS.select, ON_OBJECT)).rejects.toMatchObject(expected);
  });

  it('is asked once more where it is a read, and only there', async () => {
    const read = bus.call(OBJECTS.select, ON_OBJECT);
    const write = bus.call(OBJECTS.update, ON_OBJECT);
    await bus.serve(OBJECTS.select, async () => ({ fields: { etag: '"1"' } }), { concurrency: 1 });
    await bus.serve(OBJECTS.update, async () => ({ fields: { etag: '"2"' } }), { concurrency: 1 });
    await expect(write).rejects.toMatchObject({ code: 'unavailable' });
    expect((await read).fields).toEqual({ etag: '"1"' });
  });

  it('is a timeout past its deadline', async () => {
    await bus.serve(OBJECTS.select, () => new Promise(() => {}), { concurrency: 1 });
    const call = bus.call(OBJECTS.select, ON_OBJECT, undefined, { deadline: Date.now() + 20 });
    await expect(call).rejects.toMatchObject({ code: 'timeout', status: 408 });
    transport = new InProcessTransport();
    bus = new Bus(transport);
  });

  it('is unavailable where all servers are at their concurrency', async () => {
    const { promise, resolve } = Promise.withResolvers<typeof NOTHING>();
    await bus.serve(OBJECTS.select, () => promise, { concurrency: 1 });
    const running = bus.call(OBJECTS.select, ON_OBJECT);
    await expect(bus.call(OBJECTS.select, ON_OBJECT)).rejects.toMatchObject({ code: 'unavailable' });
    resolve(NOTHING);
    await running;
  });

  it('is unavailable once the bus is drained', async () => {
    await bus.drain();
    await expect(bus.call(OBJECTS.update, ON_OBJECT)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('events', () => {
  it('reach the sessions of their user alone, in order, and survive a listener that throws', async () => {
    const heard: string[] = [];
    await bus.onUser('alice@wonderland.lit', () => {
      throw new Error('a fault');
    });
    await bus.onUser('alice@wonderland.lit', (headers, body) => heard.push(`${headers.event} ${body.length}`));
    await bus.onUser('alice@wonderland.li', () => heard.push('not for this one'));
    const notification = { event: 'notification', tree: 't', sequence: '1', part: '0', source: 's' } as const;
    bus.publishToUser('alice@wonderland.lit', notification, new Uint8Array(3));
    bus.publishToUser('alice@wonderland.lit', { event: 'revoked', except: '' });
    bus.publishToUser('nobody@wonderland.lit', notification);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(['notification 3', 'revoked 0']);
    expect(failures.map(({ id }) => id)).toEqual(['alice@wonderland.lit', 'alice@wonderland.lit']);
  });

  it('of changes come parsed, once each, in the order of their tree; failures are logged', async () => {
    const tree = 'älice@wünderland.lit';
    const event: ChangeEvent = { event: 'CREATED', user: tree, objects: [] };
    const body = new TextEncoder().encode(JSON.stringify(event));
    const handled: unknown[] = [];
    let attempts = 0;
    for (let partition = 0; partition < CHANGE_PARTITIONS; partition++) {
      await bus.consumeChanges(partition, 'notifications', async (change) => {
        if (++attempts === 1) {
          throw new Error('not yet');
        }
        handled.push(change);
      });
    }
    await Promise.all(['1', '2', '2', '3'].map((sequence) => bus.appendChange({ tree, sequence }, body)));
    expect(handled).toEqual(['1', '2', '3'].map((sequence) => ({ tree, sequence, event })));
    expect(failures).toMatchObject([{ id: `${tree}/1`, subject: `changes.${partitionOf(tree)}` }]);
  });
});
