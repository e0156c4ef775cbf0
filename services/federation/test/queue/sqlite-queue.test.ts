import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { NotificationFile } from '../../src/queue/sqlite/notification-file.ts';
import { ALICE, Federation, REALWORLD, SISTER } from '../harness.ts';
import { TestPeer, until } from '../test-peer.ts';
import { acknowledge, idOf, take, tell } from './telling.ts';

const ABSENT = { FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:1` };
const LINE = { own: 'wonderland.lit', domain: REALWORLD };
const DAY = 24 * 3600 * 1000;

describe('notifications for other domains, kept in a file', () => {
  it('F59 outlive the process, keep their order and numbers, and go when they are acknowledged', async () => {
    await using folder = await temporaryDirectory();
    {
      await using federation = await Federation.start({ folder: folder.path, environment: ABSENT });
      for (let sequence = 1; sequence <= 100; sequence++) {
        await tell(federation, sequence, {}, `{"data":${sequence}}`);
      }
      await tell(federation, 1, { user: 'x@other.example' });
      // One that comes again counts once.
      await tell(federation, 100, {}, '{"data":100}');
    }
    await using peer = await TestPeer.start();
    let highest = 0;
    {
      await using federation = await Federation.start({ folder: folder.path, peer, limits: { window: 7 } });
      const link = await peer.link();
      const messages = await take(link, 7);
      expect(messages.map(({ body }) => body.toString())).toEqual(
        [1, 2, 3, 4, 5, 6, 7].map((data) => `{"data":${data}}`),
      );
      await acknowledge(link, idOf(messages[4] ?? fail()));
      const more = await take(link, 5);
      highest = Math.max(...more.map(idOf));
      expect(more.map(({ body }) => body.toString())).toEqual([8, 9, 10, 11, 12].map((data) => `{"data":${data}}`));
      expect(federation.lines.some(({ msg }) => String(msg).includes('cannot be read'))).toBe(false);
    }
    await using federation = await Federation.start({ folder: folder.path, peer });
    const link = await peer.link();
    const rest = await take(link, 95);
    expect(rest[0]?.body.toString()).toBe('{"data":6}');
    expect(rest.at(-1)?.body.toString()).toBe('{"data":100}');
    const ids = rest.map(idOf);
    expect(ids[6]).toBe(highest);
    await acknowledge(link, ids.at(-1) ?? 0);
    await tell(federation, 101);
    expect(idOf(await link.next())).toBeGreaterThan(ids.at(-1) ?? 0);
  });

  it('are told once they are on the disk, since the number of one that is lost is another one’s', async () => {
    await using folder = await temporaryDirectory();
    const common = { tree: ALICE, path: '/a', event: 'UPDATED', user: SISTER, source: ALICE, part: '0' } as const;
    const file = new NotificationFile(folder.path, Date.now());
    const add = (sequence: string) =>
      file.add([{ domain: REALWORLD, headers: { ...common, sequence }, body: new Uint8Array(1) }], Date.now());
    const read = () => file.read(LINE, 0, { count: 10, bytes: 1000 }).map((each) => each.headers.sequence);
    add('1');
    expect(read()).toEqual([]);
    const first = file.durable();
    add('2');
    await first;
    expect(read()).toEqual(['1']);
    await file.durable();
    expect(read()).toEqual(['1', '2']);
    await file.close();
    const again = new NotificationFile(folder.path, Date.now());
    expect(again.read(LINE, 0, { count: 10, bytes: 1000 })).toHaveLength(2);
    await again.close();
  });

  it('have numbers above those of a file that was lost', async () => {
    await using peer = await TestPeer.start();
    const ids: number[] = [];
    for (let count = 0; count < 2; count++) {
      await using folder = await temporaryDirectory();
      await using federation = await Federation.start({ folder: folder.path, peer });
      for (let sequence = 1; sequence <= 20; sequence++) {
        await tell(federation, sequence);
      }
      ids.push(...(await take(await peer.link(), 20)).map(idOf));
    }
    expect(ids).toEqual([...ids].sort((one, other) => one - other));
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });

  it('are those of a file from before lines were of one domain of ours, too', async () => {
    await using folder = await temporaryDirectory();
    const before = new DatabaseSync(join(folder.path, 'federation.sqlite'));
    before.exec(
      'CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, breaking INTEGER NOT NULL) STRICT',
    );
    before.exec(
      readFileSync(new URL('../../src/queue/sqlite/queue-migrations/001-notifications.sql', import.meta.url), 'utf8'),
    );
    before.exec("INSERT INTO migrations VALUES (1, '001-notifications.sql', 1)");
    const common = { path: '/a', event: 'UPDATED', user: SISTER, source: ALICE, part: '0' };
    const owns = ['wonderland.lit', 'formerly.example', 'looking-glass.lit', 'wonderland.lit'];
    for (const [at, own] of owns.entries()) {
      const headers = JSON.stringify({ ...common, tree: `alice@${own}`, sequence: String(at) });
      before
        .prepare('INSERT INTO notifications (domain, id, headers, body, appended) VALUES (?, ?, ?, ?, ?)')
        .run(REALWORLD, String(at), headers, Buffer.from(`{"data":${at}}`), Date.now());
    }
    before.close();
    await using peer = await TestPeer.start();
    const environment = { FOSP_DOMAIN: 'wonderland.lit,looking-glass.lit' };
    await using federation = await Federation.start({ folder: folder.path, peer, environment });
    const told: string[][] = [];
    for (let count = 0; count < 2; count++) {
      const link = await peer.link();
      const first = await link.next();
      const isOfTwo = first.words[0] === 'alice@wonderland.lit/a';
      const messages = [first, ...(await take(link, isOfTwo ? 1 : 0))];
      told.push(messages.map(({ body }) => body.toString()));
    }
    expect(told.sort()).toEqual([['{"data":0}', '{"data":3}'], ['{"data":2}']]);
    expect(await federation.metric('fosp_federation_notifications_total{what="not-ours"}')).toBe(1);
  });

  it('are bounded per domain: the oldest go', async () => {
    await using folder = await temporaryDirectory();
    await using peer = await TestPeer.start({ logIn: () => ({ status: 503 }) });
    await using federation = await Federation.start({ folder: folder.path, peer, queueLimits: { queued: 10 } });
    for (let sequence = 1; sequence <= 25; sequence++) {
      await tell(federation, sequence, {}, `{"data":${sequence}}`);
    }
    await tell(federation, 1, { user: 'x@other.example' });
    await until(
      async () => (await federation.metric('fosp_federation_notifications_total{what="too-many"}')) === 15,
      'fifteen to be dropped',
    );
    peer.behaviour = { ...peer.behaviour, logIn: () => ({ status: 200 }) };
    let link = await peer.link();
    let first = await link.next().catch(() => undefined);
    while (first === undefined) {
      link = await peer.link();
      first = await link.next().catch(() => undefined);
    }
    expect(first).toMatchObject({ headers: { To: SISTER } });
    expect(first.body.toString()).toBe('{"data":16}');
  });

  it('go when they are too old, whether anybody tried to send them or not', async () => {
    let now = Date.now();
    await using folder = await temporaryDirectory();
    const wanted = { folder: folder.path, environment: ABSENT, clock: () => now };
    {
      await using federation = await Federation.start(wanted);
      await tell(federation, 1);
      now += 6 * DAY;
      await tell(federation, 2);
    }
    now += 2 * DAY;
    await using federation = await Federation.start(wanted);
    expect(await federation.metric('fosp_federation_notifications_total{what="expired"}')).toBe(1);
  });
});

function fail(): never {
  throw new Error('There is none.');
}
