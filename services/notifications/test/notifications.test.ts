import { type Bus, type ChangeEvent, type FanOutPage, OBJECTS, partitionOf } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, aclOf, BOB, changedObject, DATE, notifications, QUEEN, row, updated, WONDERLAND } from './service.ts';

describe('who is told, and what', () => {
  it('F54 F56 F57 shows each subscriber what they may read, and nothing to who may read nothing', async () => {
    await using test = await notifications();
    const [alice, bob, queen, mallory] = await Promise.all(
      [ALICE, BOB, QUEEN, `mallory@${WONDERLAND}`].map(test.listen),
    );
    const acl = aclOf({ [ALICE]: ['read-data', 'read-acl'], [BOB]: ['read-data'], [QUEEN]: ['read-children'] });
    const rows = [row(ALICE), row(BOB), row(QUEEN), row(`mallory@${WONDERLAND}`)];

    await test.append(ALICE, 1, updated(acl, rows));

    const head = `UPDATED ${ALICE}/a\r\n\r\n{"owner":"${ALICE}","btime":"${DATE}","mtime":"${DATE}"`;
    expect((await alice?.next())?.text).toBe(`${head},"acl":${acl},"data":1.10}`);
    expect((await bob?.next())?.text).toBe(`${head},"data":1.10}`);
    expect((await queen?.next())?.text).toBe(`${head}}`);
    expect(mallory?.size).toBe(0);
  });

  it('F54 tells each user once, however many of their subscriptions fit', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    await test.append(ALICE, 1, updated(aclOf({ [BOB]: ['read-data'] }), [row(BOB), row(BOB, '', -1)]));
    await bob.next();
    expect(bob.size).toBe(0);
  });

  it('encodes once what many may see alike', async () => {
    await using test = await notifications();
    const [bob, queen] = await Promise.all([test.listen(BOB), test.listen(QUEEN)]);
    const acl = aclOf({ [BOB]: ['read-data'], [QUEEN]: ['read-data', 'write-data'] });
    await test.append(ALICE, 1, updated(acl, [row(BOB), row(QUEEN)]));
    expect((await bob.next()).bytes).toBe((await queen.next()).bytes);
  });

  it('F42 counts the groups of the tree', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    const acl = aclOf({}, { friends: ['read-data'] });
    await test.append(ALICE, 1, updated(acl, [row(BOB)], { groups: JSON.stringify({ friends: [BOB] }) }));
    expect((await bob.next()).text).toContain('"data":1.10');
  });

  it('F51 shows subscriptions to who may read them: all, or only their own where they are many', async () => {
    await using test = await notifications();
    const [bob, queen, alice] = await Promise.all([test.listen(BOB), test.listen(QUEEN), test.listen(ALICE)]);
    const acl = aclOf({ [BOB]: ['read-subscriptions'], [QUEEN]: ['read-subscriptions'], [ALICE]: ['read-data'] });
    const rows = [row(BOB), row(QUEEN, '', 1), row(ALICE)];
    const all = changedObject({ acl, shown: [row(BOB), row(ALICE)] });
    const many = changedObject({ acl });
    await test.append(ALICE, 1, updated(acl, rows, { objects: [all] }));
    await test.append(ALICE, 2, updated(acl, rows, { objects: [many] }));

    const entry = '{"events":["created","updated","deleted"],"depth":0}';
    const both = `"subscriptions":{"${BOB}":${entry},"${ALICE}":${entry}}`;
    expect((await bob.next()).text).toContain(both);
    expect((await queen.next()).text).toContain(both);
    expect((await alice.next()).text).not.toContain('subscriptions');
    expect((await bob.next()).text).toContain(`"subscriptions":{"${BOB}":${entry}}`);
    expect((await queen.next()).text).not.toContain('subscriptions');
    expect((await alice.next()).text).not.toContain('subscriptions');
  });

  it('F55 F56 tells of each object of a deleted subtree, without a body, to who could read it', async () => {
    await using test = await notifications();
    const [bob, queen] = await Promise.all([test.listen(BOB), test.listen(QUEEN)]);
    const acl = aclOf({ [BOB]: ['read-data'] });
    const secret = aclOf({ [BOB]: ['not-read-data'], [QUEEN]: ['read-acl'] });
    const objects = [
      { path: '/a', owner: ALICE, levels: [acl, null] },
      { path: '/a/b', owner: ALICE, levels: [null, acl, null] },
      { path: '/a/c', owner: ALICE, levels: [secret, acl, null] },
    ];
    const subscriptions = [row(BOB, '', -1), row(QUEEN, '', -1)];
    await test.append(ALICE, 4, { event: 'DELETED', user: QUEEN, objects, subscriptions });

    const source = { event: 'notification', tree: ALICE, sequence: '4', source: QUEEN };
    expect(await bob.take(2)).toMatchObject([
      { text: `DELETED ${ALICE}/a\r\n`, headers: { ...source, part: '0' } },
      { text: `DELETED ${ALICE}/a/b\r\n`, headers: { ...source, part: '1' } },
    ]);
    expect(await queen.next()).toMatchObject({ text: `DELETED ${ALICE}/a/c\r\n`, headers: { ...source, part: '2' } });
    expect(bob.size + queen.size).toBe(0);
  });
});

describe('order and repeats', () => {
  const acl = aclOf({ [BOB]: ['read-data'] });

  it('tells of the changes of a tree in their order', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    const sequences = Array.from({ length: 100 }, (_, index) => index + 1);
    await Promise.all(sequences.map((sequence) => test.append(ALICE, sequence, updated(acl, [row(BOB)]))));
    const told = await bob.take(100);
    expect(told.map(({ headers }) => headers.event === 'notification' && Number(headers.sequence))).toEqual(sequences);
  });

  it('drops a change that is not above the last of its tree', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    const change = updated(acl, [row(BOB)]);
    await test.append(ALICE, 7, change);
    await test.appendAgain(ALICE, 7, change);
    await test.appendAgain(ALICE, 6, change);
    await test.append(QUEEN, 1, change);
    await test.append(ALICE, 8, change);
    const told = await bob.take(3);
    expect(told.map(({ headers }) => headers.event === 'notification' && headers.sequence)).toEqual(['7', '1', '8']);
    expect(bob.size).toBe(0);
  });

  it('remembers a bounded number of trees, those of late', async () => {
    await using test = await notifications({ rememberedTrees: 1 });
    const bob = await test.listen(BOB);
    const change = updated(acl, [row(BOB)]);
    await test.append(ALICE, 7, change);
    await test.append(QUEEN, 1, change);
    await test.appendAgain(QUEEN, 1, change);
    await test.appendAgain(ALICE, 7, change);
    expect(await bob.take(3)).toHaveLength(3);
    expect(bob.size).toBe(0);
  });
});

describe('changes with many subscribers', () => {
  const acl = aclOf({ [BOB]: ['read-data'], [QUEEN]: ['read-data'], [ALICE]: ['read-data'] });
  const many: ChangeEvent = { event: 'UPDATED', user: ALICE, objects: [changedObject({ acl })] };
  const page = (users: readonly string[]): FanOutPage => ({
    objects: [],
    subscriptions: users.map((user) => row(user)),
  });

  /** Serves pages by the number in `after`; `before` may hold an answer up. */
  async function servePages(
    bus: Bus,
    pages: readonly FanOutPage[],
    before: (index: number) => Promise<void> | void = () => {},
  ) {
    await bus.serve(
      OBJECTS.fanOut,
      async ({ fields }) => {
        expect(fields).toMatchObject({ tree: ALICE, sequence: '1' });
        const index = Number(fields.after ?? 0);
        await before(index);
        const next = index + 1 < pages.length ? { next: String(index + 1) } : {};
        return { fields: next, body: Buffer.from(JSON.stringify(pages[index])) };
      },
      { concurrency: 10 },
    );
  }

  it('asks page by page, and lets other trees have their turn between', async () => {
    await using test = await notifications();
    const inboxes = await Promise.all([BOB, QUEEN, ALICE].map(test.listen));
    const order: string[] = [];
    await servePages(test.bus, [page([BOB]), page([QUEEN]), page([ALICE])], async (index) => {
      if (index === 1) {
        await test.append(QUEEN, 1, updated(acl, [row(ALICE)]));
        order.push('another tree');
      }
    });
    await test.append(ALICE, 1, many);
    order.push('the many');
    const [bob, queen, alice] = await Promise.all(inboxes.map((inbox) => inbox.next()));
    expect(order).toEqual(['another tree', 'the many']);
    expect(bob?.headers).toMatchObject({ tree: ALICE, part: '0' });
    expect(queen?.headers).toMatchObject({ tree: ALICE, part: '1' });
    expect(alice?.headers).toMatchObject({ tree: QUEEN });
    expect((await inboxes[2]?.next())?.headers).toMatchObject({ tree: ALICE, part: '2' });
  });

  it('tells of many deleted objects by the pages that bring them', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    const objects = (...names: string[]) => names.map((path) => ({ path, owner: ALICE, levels: [acl] }));
    const subscriptions = [row(BOB, '', -1)];
    await servePages(test.bus, [
      { objects: objects('/a', '/a/b'), subscriptions },
      { objects: objects('/a/c'), subscriptions },
    ]);
    await test.append(ALICE, 1, { event: 'DELETED', user: ALICE, objects: [] });
    const told = await bob.take(3);
    expect(told.map(({ text }) => text.trim())).toEqual(['', '/b', '/c'].map((rest) => `DELETED ${ALICE}/a${rest}`));
    expect(told.map(({ headers }) => headers.event === 'notification' && headers.part)).toEqual(['0', '1', '2']);
  });

  it('begins again, with the same numbers, where a page cannot be had', async () => {
    await using test = await notifications();
    const bob = await test.listen(BOB);
    let failures = 1;
    await servePages(test.bus, [page([BOB]), page([QUEEN])], (index) => {
      if (index === 1 && failures-- > 0) {
        throw fospError('unavailable', 'not now');
      }
    });
    await test.append(ALICE, 1, many);
    const [first, again] = await bob.take(2);
    expect(again).toEqual(first);
    expect((await test.metrics.text()).body).toContain('fosp_notifications_failures_total 1');
  });

  it('shows its operator meanwhile how far it is behind, and how long it took', async () => {
    await using test = await notifications();
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    await servePages(test.bus, [page([BOB])], () => {
      begun.resolve();
      return held.promise;
    });
    const told = test.append(ALICE, 1, many);
    await begun.promise;
    const partition = `{partition="${partitionOf(ALICE)}"}`;
    const { body } = await test.metrics.text();
    expect(body).toContain('fosp_notifications_partitions_owned 16');
    expect(body).toContain(`fosp_notifications_lag_changes${partition} 1`);
    expect(body).toMatch(new RegExp(`^fosp_notifications_lag_seconds${partition} \\d`, 'm'));
    held.resolve();
    await told;
    const after = (await test.metrics.text()).body;
    expect(after).toContain('fosp_notifications_change_seconds_count 1');
    expect(after).toContain('fosp_notifications_delay_seconds_count 1');
  });
});
