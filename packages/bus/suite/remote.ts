/** What `Bus` makes of a transport for other domains. */
import { isFospError } from '@fosp/protocol';
import { expect } from 'vitest';
import {
  Bus,
  type BusFailure,
  FEDERATION,
  type RemoteLine,
  type RemoteNotification,
  type RemoteNotificationHeaders,
} from '../src/index.ts';
import { Inbox, type MakeEnds, onEnds, signal } from './ends.ts';

const PLACE = 'réalworld.lit';
const NOTHING = { fields: {} };

export function remoteTests(makeEnds: MakeEnds): void {
  places(makeEnds);
  queues(makeEnds);
  nudges(makeEnds);
  questions(makeEnds);
}

function places(makeEnds: MakeEnds): void {
  onEnds('a call at a place reaches who serves it there, and nobody else', makeEnds, async (ends) => {
    const [one, other] = [new Bus(ends.one), new Bus(ends.other)];
    for (const place of [PLACE, 'wonderland.lit', 'wonderland']) {
      await other.serveAt(FEDERATION.peer, place, async () => ({ ...NOTHING, body: Buffer.from(place) }), {
        concurrency: 10,
      });
    }
    for (const place of [PLACE, 'wonderland.lit', 'wonderland']) {
      const reply = await one.askAt(FEDERATION.peer, place, {});
      expect(Buffer.from(reply?.body ?? []).toString()).toBe(place);
    }
    await expect(one.call(FEDERATION.peer, {})).rejects.toMatchObject({ code: 'unavailable' });
  });

  onEnds('a call at a place that nobody serves is undefined, and all else an error', makeEnds, async (ends) => {
    const failures: BusFailure[] = [];
    const [one, other] = [new Bus(ends.one), new Bus(ends.other, { log: (failure) => failures.push(failure) })];
    expect(await one.askAt(FEDERATION.retry, PLACE, {})).toBeUndefined();
    const release = signal();
    const begun = signal();
    let fails = false;
    const served = await other.serveAt(
      FEDERATION.retry,
      PLACE,
      async () => {
        if (fails) {
          throw new Error('a secret');
        }
        begun.reach();
        await release.reached;
        return NOTHING;
      },
      { concurrency: 1 },
    );
    const running = one.askAt(FEDERATION.retry, PLACE, {});
    await begun.reached;
    await expect(one.askAt(FEDERATION.retry, PLACE, {})).rejects.toMatchObject({ code: 'unavailable' });
    const late = { deadline: Date.now() - 1 };
    await expect(one.askAt(FEDERATION.retry, PLACE, {}, undefined, late)).rejects.toMatchObject({ code: 'timeout' });
    release.reach();
    expect(await running).toMatchObject(NOTHING);
    fails = true;
    const failed = await one.askAt(FEDERATION.retry, PLACE, {}).catch((error: unknown) => error);
    expect(isFospError(failed) && failed.code).toBe('internal');
    expect(failures).toHaveLength(1);
    await served.stop();
    expect(await one.askAt(FEDERATION.retry, PLACE, {})).toBeUndefined();
  });
}

const TREE = 'älice@wonderland.lit';
const LINE = { own: 'wonderland.lit', domain: PLACE };

function headersOf(sequence: number, more: Partial<RemoteNotificationHeaders> = {}): RemoteNotificationHeaders {
  const rest = { tree: TREE, path: '/ä b', event: 'UPDATED', source: TREE, part: '0', user: `bob@${PLACE}` } as const;
  return { ...rest, sequence: String(sequence), ...more };
}

/** Where the queue is this process's, it keeps what it has only until it is acknowledged. */
function append(bus: Bus, domain: string, headers: RemoteNotificationHeaders): Promise<void> {
  const appended = bus.appendRemote(domain, headers, Buffer.from(`{"data":${headers.sequence}}`));
  appended.catch(() => undefined);
  return appended;
}

function queues(makeEnds: MakeEnds): void {
  onEnds('what waits for a domain is fed in order, each notification once', makeEnds, async (ends) => {
    const [one, other] = [new Bus(ends.one), new Bus(ends.other)];
    const appended: Promise<void>[] = [];
    for (let sequence = 1; sequence <= 100; sequence++) {
      appended.push(append(one, PLACE, headersOf(sequence)));
      append(one, PLACE, headersOf(sequence));
      const domain = `other.${sequence % 20}.lit`;
      append(one, domain, headersOf(sequence, { user: `bob@${domain}` }));
    }
    const fed = new Inbox<RemoteNotification>();
    const following = await other.consumeRemote(LINE, { window: 30 }, (notifications) => {
      for (const each of notifications) {
        fed.add(each);
      }
    });
    for (let count = 1; count <= 100; count++) {
      await fed.has(count);
      following.acknowledge(fed.items[count - 1]?.position ?? 0);
    }
    await Promise.all(appended);
    await following.stop();
    expect(fed.items.map(({ headers }) => headers)).toEqual(
      Array.from({ length: 100 }, (_, index) => headersOf(index + 1)),
    );
    expect(Buffer.from(fed.items[41]?.body ?? []).toString()).toBe('{"data":42}');
    expect(await one.queueLength(PLACE)).toBe(0);
    expect(await one.queueLength('other.7.lit')).toBe(5);
    const others = Array.from({ length: 20 }, (_, index) => `other.${index}.lit`);
    expect([...(await other.queueLengths()).keys()].sort()).toEqual(others.sort());
  });

  onEnds('what one domain of ours has to tell waits for nothing that another one has', makeEnds, async (ends) => {
    const [one, other] = [new Bus(ends.one), new Bus(ends.other)];
    const [stuck, flowing] = [LINE, { own: 'looking-glass.lit', domain: PLACE }];
    const appended: Promise<void>[] = [];
    for (let sequence = 1; sequence <= 60; sequence++) {
      append(one, PLACE, headersOf(sequence));
      appended.push(append(one, PLACE, headersOf(sequence, { tree: 'tweedle@looking-glass.lit' })));
    }
    const fed = [new Inbox<RemoteNotification>(), new Inbox<RemoteNotification>()];
    const follow = (line: RemoteLine, inbox?: Inbox<RemoteNotification>) =>
      other.consumeRemote(line, { window: 20 }, (told) => {
        for (const each of told) {
          inbox?.add(each);
        }
      });
    await follow(stuck, fed[0]);
    const following = await follow(flowing, fed[1]);
    for (let count = 10; count <= 60; count += 10) {
      await fed[1]?.has(count);
      following.acknowledge(fed[1]?.items[count - 1]?.position ?? 0);
    }
    await Promise.all(appended);
    await following.stop();
    await fed[0]?.has(20);
    expect(fed[0]?.items).toHaveLength(20);
    expect(await one.lineLengths(PLACE)).toEqual(new Map([[stuck.own, 60]]));
    expect(await one.queueLengths()).toEqual(new Map([[PLACE, new Map([[stuck.own, 60]])]]));
    expect(await one.queueLength(PLACE)).toBe(60);
  });

  onEnds(
    'all that waits can be taken at once: in order per user and tree, retried, and then gone',
    makeEnds,
    async (ends) => {
      const failures: BusFailure[] = [];
      const [one, other] = [new Bus(ends.one), new Bus(ends.other, { log: (failure) => failures.push(failure) })];
      const taken = new Inbox<string>();
      let hasFailed = false;
      const consumed = await other.consumeAllRemote(async (domain, headers, body) => {
        if (headers.sequence === '3' && !hasFailed) {
          hasFailed = true;
          throw new Error('not yet');
        }
        taken.add(`${domain} ${headers.user} ${headers.sequence} ${body.length}`);
      });
      const users = [`bob@${PLACE}`, `eve@${PLACE}`, 'bob@looking-glass.lit'];
      const appended: Promise<void>[] = [];
      for (let sequence = 1; sequence <= 20; sequence++) {
        for (const user of users) {
          appended.push(append(one, user.slice(user.indexOf('@') + 1), headersOf(sequence, { user })));
        }
      }
      await Promise.all([taken.has(60), ...appended]);
      for (const user of users) {
        const domain = user.slice(user.indexOf('@') + 1);
        const sequences = Array.from({ length: 20 }, (_, index) => index + 1);
        expect(taken.items.filter((each) => each.startsWith(`${domain} ${user} `))).toEqual(
          sequences.map((sequence) => `${domain} ${user} ${sequence} ${`{"data":${sequence}}`.length}`),
        );
      }
      expect(failures).toMatchObject([{ id: expect.stringMatching(`^${TREE}/3/0/`) }]);
      await consumed.stop();
      expect(await one.queueLengths()).toEqual(new Map());
    },
  );
}

function nudges(makeEnds: MakeEnds): void {
  onEnds('a nudge reaches all who listen, whatever the domain', makeEnds, async (ends) => {
    const [one, other] = [new Bus(ends.one), new Bus(ends.other, { log: () => {} })];
    const heard = [new Inbox<string>(), new Inbox<string>()];
    await one.onNudge((domain) => heard[0]?.add(domain));
    await other.onNudge(() => {
      throw new Error('a fault');
    });
    await other.onNudge((domain, why) => heard[1]?.add(`${domain} ${why}`));
    one.nudge(PLACE, 'queued');
    one.nudge('looking-glass.lit', 'heard');
    expect(await heard[0]?.has(2)).toEqual([PLACE, 'looking-glass.lit']);
    expect(await heard[1]?.has(2)).toEqual([`${PLACE} queued`, 'looking-glass.lit heard']);
  });
}

function questions(makeEnds: MakeEnds): void {
  onEnds('a question to all is answered by all who do', makeEnds, async (ends) => {
    const failures: unknown[] = [];
    const [one, other] = [new Bus(ends.one), new Bus(ends.other, { log: ({ error }) => failures.push(error) })];
    expect(await one.askAll(FEDERATION.peers, {})).toEqual([]);
    await one.answerAll(FEDERATION.peers, async () => ({ ...NOTHING, body: Buffer.from('one') }));
    const stopped = await other.answerAll(FEDERATION.peers, async () => ({ ...NOTHING, body: Buffer.from('gone') }));
    await stopped.stop();
    await other.answerAll(FEDERATION.peers, async () => ({ ...NOTHING, body: Buffer.from('other') }));
    await other.answerAll(FEDERATION.peers, async () => {
      throw new Error('a fault');
    });
    const replies = await other.askAll(FEDERATION.peers, {});
    expect(replies.map(({ body }) => Buffer.from(body).toString()).sort()).toEqual(['one', 'other']);
    expect(failures).toHaveLength(1);
  });
}
