import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FEDERATION_STREAMS, STREAMS } from '@fosp/bus';
import { leaseName } from '@fosp/bus/nats';
import { type NatsServer, natsInstalled, startNats } from '@fosp/testkit';
import { RetentionPolicy } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';
import { observe } from './observer.ts';

const MEBIBYTE = 1024 * 1024;
const NANOS_PER_DAY = 24 * 3600 * 1e9;

describe.skipIf(!natsInstalled())('start over NATS', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats({ maxPending: 9 * MEBIBYTE });
  });
  afterAll(() => server.stop());

  it.each([
    [{ maxPayload: MEBIBYTE }, 'has max_payload 1048576; set it to 8388608'],
    [{ jetstream: false }, 'without JetStream'],
  ])('says what to set where the server is not fit: %j', async (options, text) => {
    await using unfit = await startNats(options);
    await expect(connectTo(unfit.port)).rejects.toThrow(text);
  });

  it('says that nobody is there, and no password', async () => {
    const connecting = connectTo(1, { url: 'nats://user:secret@127.0.0.1:1' });
    await expect(connecting).rejects.toThrow('Cannot connect to NATS at nats://127.0.0.1:1');
    await expect(connecting).rejects.toThrow(expect.not.stringContaining('secret'));
  });

  it('tries again where a server is there but does not answer in time', async () => {
    const silent: Socket[] = [];
    const slow = createServer((socket) => {
      if (silent.length < 2) {
        silent.push(socket);
      } else {
        socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket);
      }
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const transport = await connectTo((slow.address() as AddressInfo).port, {
      prefix: freshPrefix(),
      connectAttempts: 100,
      connectTimeout: 1_000,
    });
    expect(transport.isUp).toBe(true);
    expect(silent).toHaveLength(2);
    await transport.drain();
    slow.close();
  });

  it('F59 keeps what waits for other domains for as long as it is told, and says where an older stream does not', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const warnings: string[] = [];
    const days = async (federationDays: number) => {
      const warn = (text: string) => warnings.push(text);
      await (await connectTo(server.port, { prefix, federationDays, warn })).drain();
      return (await observer.manager.streams.info(`${prefix}${FEDERATION_STREAMS[3]}`)).config.max_age / NANOS_PER_DAY;
    };
    expect(await days(30)).toBe(31);
    expect(await days(31)).toBe(31);
    expect(warnings).toEqual([]);
    expect(await days(60)).toBe(31);
    expect(warnings).toEqual([expect.stringContaining('older than 31 days, though FOSP_FEDERATION_QUEUE_DAYS is 60')]);
  });

  it('leaves a stream that is not as it must be, and says what is wrong', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const name = `${prefix}${STREAMS.changes}`;
    await observer.manager.streams.add({ name, subjects: [`${name}.>`], retention: RetentionPolicy.Workqueue });
    await expect(connectTo(server.port, { prefix })).rejects.toThrow(/retention is workqueue and must be limits/);
    expect((await observer.manager.streams.info(name)).config.retention).toBe(RetentionPolicy.Workqueue);
  });

  it('by several at once succeeds for all, again and again', async () => {
    for (let round = 0; round < 50; round++) {
      const prefix = freshPrefix();
      const transports = await Promise.all([1, 2, 3].map(() => connectTo(server.port, { prefix })));
      await Promise.all(transports.map((transport) => transport.drain()));
    }
  });

  it('by several at once makes each stream once, with what is in it kept', async () => {
    const prefix = freshPrefix();
    const transports = await Promise.all([1, 2, 3, 4].map(() => connectTo(server.port, { prefix })));
    await transports[0]?.append('changes', 'changes.1', { headers: {}, body: new Uint8Array(1), id: '1' });
    transports.push(await connectTo(server.port, { prefix }));
    await using observer = await observe(server.url, prefix);
    expect((await observer.manager.streams.info(`${prefix}changes`)).state.messages).toBe(1);
    await Promise.all(transports.map((transport) => transport.drain()));
  });

  it('refuses appends to a full stream as overloaded, and takes them where there is room', async () => {
    const transport = await connectTo(server.port, { prefix: freshPrefix(), streamBytes: 4096 });
    const append = (id: string) =>
      transport.append('changes', 'changes.1', { headers: {}, body: new Uint8Array(3000), id });
    await append('1');
    await expect(append('2')).rejects.toMatchObject({ code: 'overloaded' });
    await transport.drain();
  });

  it('tells a listener that the server gave up on as too slow of the gap', async () => {
    const prefix = freshPrefix();
    await using slow = await connectThroughProxy(server, { prefix });
    const fast = await connectTo(server.port, { prefix });
    const gap = Promise.withResolvers<string>();
    slow.transport.onGap(gap.resolve);
    await slow.transport.subscribe('slow.talk', () => {});
    slow.proxy.pause();
    for (let count = 0; count < 8; count++) {
      fast.publish('slow.talk', { headers: {}, body: new Uint8Array(7 * MEBIBYTE) });
    }
    await fast.drain();
    slow.proxy.resume();
    expect(await gap.promise).toContain('broke');
  });
});

describe.skipIf(!natsInstalled())('a stream that lost its end', () => {
  it('is read on from where it ends, and the loss is told', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const warned = Promise.withResolvers<string>();
    const transport = await connectTo(server.port, { prefix, warn: warned.resolve });
    const ahead = await transport.leases.acquire('audit.changes.1');
    await ahead?.save('1000');
    await ahead?.release();
    await transport.consume('changes', {
      consumer: 'audit',
      subject: 'changes.1',
      key: () => '',
      handler: async () => {},
    });
    expect(await warned.promise).toContain('ends at 0, before 1000');
    await transport.append('changes', 'changes.1', { headers: {}, body: new Uint8Array(1), id: '1' });
    await observer.until('the new message to be handled', (leases) => leases.get('audit.changes.1')?.value === '1');
    await transport.drain();
  });
});

describe.skipIf(!natsInstalled())('the streams for other domains', () => {
  it('keep what waits until it was taken by whoever takes all, and no longer', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    const transport = await connectTo(server.port, { prefix });
    const [stream = ''] = FEDERATION_STREAMS;
    for (const name of ['one', 'two', 'one', 'three']) {
      const id = `${name} ${Math.random()}`;
      await transport.append(stream, `${stream}.${name}`, { headers: {}, body: new Uint8Array(1), id });
    }
    const release = Promise.withResolvers<void>();
    const handled: string[] = [];
    const all = Promise.withResolvers<void>();
    const consumed = await transport.consume(stream, {
      consumer: 'intake',
      subject: `${stream}.>`,
      key: ({ subject }) => subject,
      handler: async ({ subject, position }) => {
        await (position > 2 ? release.promise : undefined);
        if (handled.push(`${subject.slice(stream.length + 1)} ${position}`) === 4) {
          all.resolve();
        }
      },
    });
    await using observer = await observe(server.url, prefix);
    const lease = leaseName({ consumer: 'intake', subject: `${stream}.>` });
    await observer.until('the cursor behind the second', (leases) => leases.get(lease)?.value === '2');
    release.resolve();
    await all.promise;
    await consumed.stop();
    expect(handled.sort()).toEqual(['one 1', 'one 3', 'three 4', 'two 2']);
    expect(await transport.subjects(stream)).toEqual(new Map());
    await transport.drain();
  });
});
