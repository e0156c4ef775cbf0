import { type Answer, Bus, OBJECTS } from '@fosp/bus';
import { natsInstalled, startNats } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';

const NOTHING = { headers: {}, body: new Uint8Array(0) };

describe.skipIf(!natsInstalled())('calls over a bad network', () => {
  it('that arrive past their deadline are not begun', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    await using slow = await connectThroughProxy(server, { prefix });
    const caller = await connectTo(server.port, { prefix });
    const begun: string[] = [];
    const serve = async (_: unknown, { requestId }: { readonly requestId: string }) => {
      begun.push(requestId);
      return NOTHING;
    };
    await slow.transport.serve('network.slow', serve, { concurrency: 10 });
    slow.proxy.pause();
    const late = caller.request('network.slow', NOTHING, { deadline: Date.now() + 100, requestId: 'late' });
    await expect(late).rejects.toMatchObject({ code: 'deadline' });
    slow.proxy.resume();
    await caller.request('network.slow', NOTHING, { deadline: Date.now() + 60_000, requestId: 'in time' });
    expect(begun).toEqual(['in time']);
    await caller.drain();
  });

  it('end at once where the link breaks under them, and are refused while it is down', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    await using caller = await connectThroughProxy(server, { prefix });
    const answerer = await connectTo(server.port, { prefix });
    const begun = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<typeof NOTHING>();
    const serve = async () => {
      begun.resolve();
      return released;
    };
    await answerer.serve('network.cut', serve, { concurrency: 10 });
    const context = () => ({ deadline: Date.now() + 100_000, requestId: 'x' });
    const gap = new Promise((resolve) => caller.transport.onGap(resolve));
    const call = caller.transport.request('network.cut', NOTHING, context());
    await begun.promise;
    caller.proxy.refuse();
    await expect(call).rejects.toMatchObject({ code: 'deadline', message: expect.stringContaining('broke') });
    await gap;
    const refused = { code: 'closed' };
    expect(caller.transport.isUp).toBe(false);
    await expect(caller.transport.request('network.cut', NOTHING, context())).rejects.toMatchObject(refused);
    await expect(caller.transport.subscribe('network.talk', () => {})).rejects.toMatchObject(refused);
    await expect(caller.transport.serve('network.b', serve, { concurrency: 1 })).rejects.toMatchObject(refused);
    expect(() => caller.transport.publish('network.talk', NOTHING)).toThrow(expect.objectContaining(refused));
    const append = caller.transport.append('changes', 'changes.1', { ...NOTHING, id: '1' });
    await expect(append).rejects.toMatchObject(refused);
    release(NOTHING);
    await answerer.drain();
  });

  it('end soon where whoever took them died, and not where it is only slow', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    const caller = await connectTo(server.port, { prefix, callSilence: 4_000 });
    await using dying = await connectThroughProxy(server, { prefix });
    const slow = await connectTo(server.port, { prefix, callNotes: 200 });
    const taken = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<typeof NOTHING>();
    const serve = async () => {
      taken.resolve();
      return released;
    };
    await dying.transport.serve('network.dying', serve, { concurrency: 10 });
    await slow.serve('network.slow', () => released, { concurrency: 10 });
    const context = { deadline: Date.now() + 60_000, requestId: 'x' };
    const answered = caller.request('network.slow', NOTHING, context);
    const lost = caller.request('network.dying', NOTHING, context);
    await taken.promise;
    dying.proxy.refuse();
    await expect(lost).rejects.toMatchObject({ code: 'deadline', message: expect.stringContaining('not heard of') });
    release(NOTHING);
    await expect(answered).resolves.toMatchObject({ headers: {} });
    await Promise.all([caller.drain(), slow.drain()]);
  });

  it('that only read are asked of another where whoever took them died', async () => {
    await using server = await startNats();
    const prefix = freshPrefix();
    const caller = new Bus(await connectTo(server.port, { prefix, callSilence: 5_000 }));
    await using dying = await connectThroughProxy(server, { prefix });
    const taken = Promise.withResolvers<void>();
    const serveOnDying = new Bus(dying.transport);
    const { promise: released, resolve: release } = Promise.withResolvers<Answer<{ readonly etag?: string }>>();
    const takeIt = () => {
      taken.resolve();
      return released;
    };
    await serveOnDying.serve(OBJECTS.select, takeIt, { concurrency: 10 });
    await serveOnDying.serve(OBJECTS.update, takeIt, { concurrency: 10 });
    const object = { user: 'a@b', tree: 'a@b', path: '' };
    const read = caller.call(OBJECTS.select, object);
    const written = expect(caller.call(OBJECTS.update, object)).rejects.toMatchObject({ code: 'timeout' });
    await taken.promise;
    dying.proxy.refuse();
    const other = new Bus(await connectTo(server.port, { prefix }));
    const begun: string[] = [];
    const answer = async () => {
      begun.push('again');
      return { fields: {}, body: Buffer.from('here') };
    };
    await other.serve(OBJECTS.select, answer, { concurrency: 10 });
    await other.serve(OBJECTS.update, answer, { concurrency: 10 });
    expect(Buffer.from((await read).body).toString()).toBe('here');
    await written;
    expect(begun).toEqual(['again']);
    release({ fields: {} });
    await Promise.all([caller.drain(), other.drain()]);
  });

  it('that the client refuses to send are told of, and cost nothing else', async () => {
    await using server = await startNats();
    const warned = Promise.withResolvers<string>();
    const transport = await connectTo(server.port, { prefix: '', warn: warned.resolve });
    const heard = Promise.withResolvers<string>();
    await transport.subscribe('network.talk', (_, subject) => heard.resolve(subject));
    transport.publish('', NOTHING);
    transport.publish('network.talk', NOTHING);
    expect(await warned.promise).toContain('A message to "" was not sent');
    expect(await heard.promise).toBe('network.talk');
    await transport.drain();
  });

  it('whose headers are over the bound are refused, and so is what is published with them', async () => {
    await using server = await startNats();
    const transport = await connectTo(server.port, { prefix: freshPrefix() });
    const large = { headers: { name: 'x'.repeat(9 * 1024 * 1024) }, body: new Uint8Array(0) };
    const refused = { code: 'too-large' };
    const context = { deadline: Date.now() + 5_000, requestId: 'x' };
    await expect(transport.request('network.large', large, context)).rejects.toMatchObject(refused);
    expect(() => transport.publish('network.large', large)).toThrow(expect.objectContaining(refused));
    await transport.drain();
  });
});
