import type { Bus, RemoteNotificationHeaders } from '@fosp/bus';
import { Inbox } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { ALICE, aclOf, BOB, DATE, notifications, QUEEN, REALWORLD, row, SISTER, updated } from './service.ts';

describe('users of other domains', () => {
  interface Queued {
    readonly domain: string;
    readonly headers: RemoteNotificationHeaders;
    readonly text: string;
  }

  /** Takes what waits for other domains; `before` may hold it up. */
  async function take(bus: Bus, before: (headers: RemoteNotificationHeaders) => Promise<void> = async () => {}) {
    const taken = new Inbox<Queued>('a notification for another domain');
    await bus.consumeAllRemote(async (domain, headers, body) => {
      await before(headers);
      taken.add({ domain, headers, text: Buffer.from(body).toString() });
    });
    return taken;
  }

  const strangers = (count: number) => Array.from({ length: count }, (_, index) => `user${index}@${REALWORLD}`);
  const readableBy = (users: readonly string[]) =>
    updated(
      aclOf(Object.fromEntries(users.map((user) => [user, ['read-data']]))),
      users.map((user) => row(user)),
    );

  it('F59 are told by what waits for their domain, each as they may see it, before the change counts as told', async () => {
    await using test = await notifications();
    const [bob, sister] = await Promise.all([test.listen(BOB), test.listen(SISTER)]);
    const release = Promise.withResolvers<void>();
    const taken = await take(test.bus, () => release.promise);
    const log: string[] = [];
    const acl = aclOf({ [BOB]: ['read-data'], [SISTER]: ['read-data'], 'x@third.lit': ['read-acl'] });
    const rows = [row(BOB), row(SISTER), row('x@third.lit'), row('y@third.lit')];
    const told = test.append(ALICE, 7, updated(acl, rows)).then(() => log.push('told'));
    await bob.next();
    log.push('not yet');
    release.resolve();
    await told;
    expect(log).toEqual(['not yet', 'told']);
    const meta = `{"owner":"${ALICE}","btime":"${DATE}","mtime":"${DATE}"`;
    const headers = { tree: ALICE, path: '/a', event: 'UPDATED', source: ALICE, sequence: '7', part: '0' };
    const [first, second] = (await taken.take(2)).toSorted((a, b) => (a.domain < b.domain ? -1 : 1));
    expect(first).toEqual({ domain: REALWORLD, headers: { ...headers, user: SISTER }, text: `${meta},"data":1.10}` });
    expect(second).toMatchObject({
      domain: 'third.lit',
      headers: { user: 'x@third.lit' },
      text: `${meta},"acl":${acl}}`,
    });
    expect([taken.size, sister.size]).toEqual([0, 0]);
    const metrics = (await test.metrics.text()).body;
    expect(metrics).toContain('fosp_notifications_remote_total 2');
    expect(metrics).toContain('fosp_notifications_remote_dropped_total 0');
  });

  it('F55 F59 are told of the objects of a deleted subtree in order, without a body', async () => {
    await using test = await notifications();
    const taken = await take(test.bus);
    const acl = aclOf({ [SISTER]: ['read-data'] });
    const objects = Array.from({ length: 50 }, (_, index) => ({ path: `/a/${index}`, owner: ALICE, levels: [acl] }));
    await test.append(ALICE, 4, { event: 'DELETED', user: QUEEN, objects, subscriptions: [row(SISTER, '', -1)] });
    await test.append(ALICE, 5, updated(acl, [row(SISTER)]));
    const told = await taken.take(51);
    expect(told.slice(0, 50).map(({ headers, text }) => [headers.path, headers.part, text])).toEqual(
      objects.map(({ path }, index) => [path, String(index), '']),
    );
    expect(told[0]?.headers).toMatchObject({ event: 'DELETED', source: QUEEN, sequence: '4' });
    expect(told[50]?.headers).toMatchObject({ event: 'UPDATED', sequence: '5', part: '0' });
  });

  it('are many on their way at once, but not all', async () => {
    await using test = await notifications({ appendsAtOnce: 8 });
    let most = 0;
    let running = 0;
    const taken = await take(test.bus, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    await test.append(ALICE, 1, readableBy(strangers(200)));
    expect(new Set((await taken.take(200)).map(({ headers }) => headers.user))).toEqual(new Set(strangers(200)));
    expect(most).toBe(8);
  });

  it('are told each once where the queue could not take all at first', async () => {
    await using test = await notifications({ waitingMessages: 5 });
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const taken = await take(test.bus, () => {
      begun.resolve();
      return release.promise;
    });
    const change = test.append(ALICE, 1, readableBy(strangers(40)));
    await begun.promise;
    release.resolve();
    await change;
    const told = (await taken.take(40)).map(({ headers }) => headers.user);
    expect(told.toSorted()).toEqual(strangers(40).toSorted());
    expect(taken.size).toBe(0);
    expect(Number(/failures_total (\d+)/.exec((await test.metrics.text()).body)?.[1])).toBeGreaterThan(0);
  });

  it('have whoever talks to their domain nudged, now and then', async () => {
    let now = 1_000_000;
    await using test = await notifications({ clock: () => now, nudgePause: 1000, nudgedDomains: 2 });
    await take(test.bus);
    const nudged = new Inbox<string>('a nudge');
    await test.bus.onNudge((domain) => nudged.add(domain));
    let sequence = 0;
    const tell = (...users: string[]) => test.append(ALICE, ++sequence, readableBy(users));
    await tell(...strangers(20));
    await tell(...strangers(3), 'x@third.lit');
    now += 999;
    await tell(SISTER);
    now += 1;
    await tell(SISTER, 'x@third.lit');
    await tell('x@fourth.lit', 'x@fifth.lit', 'x@third.lit');
    test.bus.nudge('the end', 'heard');
    const heard = await nudged.take(7);
    expect(heard).toEqual([
      ...[REALWORLD, 'third.lit', REALWORLD, 'third.lit'],
      // More domains than are remembered: the third was forgotten.
      ...['fourth.lit', 'fifth.lit', 'third.lit'],
    ]);
    expect(await nudged.next()).toBe('the end');
  });

  it('are not told where federation is off, which is counted', async () => {
    await using test = await notifications({ federation: false });
    const taken = await take(test.bus);
    const bob = await test.listen(BOB);
    await test.append(ALICE, 1, readableBy([BOB, SISTER]));
    await bob.next();
    expect(taken.size).toBe(0);
    expect((await test.metrics.text()).body).toContain('fosp_notifications_remote_dropped_total 1');
  });
});
