/** PROTOCOL §4: UPDATE, a JSON Merge Patch on the object. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';
import type { Body } from '../wire/message.ts';
import { clockPasses } from './clock.ts';

/** RFC 7396, appendix A, with objects and lists as targets: target, patch, result. */
const MERGES: readonly [unknown, unknown, unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, 'bar', 'bar'],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ['text', { a: 1 }, { a: 1 }],
  [{ a: 1 }, {}, { a: 1 }],
];

export const requestsUpdate: readonly Case[] = [
  {
    id: 'update',
    covers: ['F28', 'F38'],
    section: '4',
    title: 'UPDATE gives 204, changes what it names, keeps the rest, sets mtime and keeps btime',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: { a: 1, b: 2 }, type: 'x/y' });
      const before = await alice.seen(folder);
      await clockPasses(alice, folder, before.mtime);
      expectStatus(await alice.update(folder, { data: { a: 10 } }), 204);
      const after = await alice.seen(folder);
      expectThat(Date.parse(after.mtime ?? '') > Date.parse(before.mtime ?? ''), 'a later mtime', after);
      expectEqual([after.btime, after.type], [before.btime, 'x/y'], 'btime and type');
      expectEqual(after.data, { a: 10, b: 2 }, 'data');
    },
  },
  ...MERGES.map(
    ([target, patch, result], index): Case => ({
      id: `update-merge-${index + 1}`,
      covers: ['F28'],
      section: '4',
      title: `merge patch: ${JSON.stringify(target)} with ${JSON.stringify(patch)} is ${JSON.stringify(result)}`,
      async run(t) {
        const alice = await t.shared('alice');
        const folder = await t.folder(alice, { data: target });
        expectStatus(await alice.update(folder, { data: patch }), 204);
        expectEqual((await alice.seen(folder)).data, result, 'data');
      },
    }),
  ),
  {
    id: 'update-null-removes',
    covers: ['F28'],
    section: '4',
    title: 'null removes a field, and what was removed is left out, never null [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const subscriptions = { [alice.user]: { events: ['created'], depth: 0 } };
      const folder = await t.folder(alice, {
        data: { a: 1 },
        type: 'x/y',
        acl: { other: ['read-data'] },
        subscriptions,
      });
      expectStatus(await alice.update(folder, { data: null, type: null, acl: null, subscriptions: null }), 204);
      expectEqual(Object.keys(await alice.seen(folder)).toSorted(), ['btime', 'mtime', 'owner'], 'the fields');
    },
  },
  {
    id: 'update-null-removes-entries',
    covers: ['F28', 'F43', 'F52'],
    section: '4',
    title: 'null removes one entry of acl or subscriptions and leaves the others',
    async run(t) {
      const alice = await t.shared('alice');
      const [one, other] = [`one@${t.domain}`, `other@${t.domain}`];
      const entry = { events: ['created'], depth: 0 };
      const folder = await t.folder(alice, {
        acl: { users: { [one]: ['read-data'], [other]: ['read-acl'] }, other: ['read-data'] },
        subscriptions: { [one]: entry, [other]: entry },
      });
      const patch = { acl: { users: { [one]: null }, other: null }, subscriptions: { [one]: null } };
      expectStatus(await alice.update(folder, patch), 204);
      const view = await alice.seen(folder);
      expectEqual(view.acl, { users: { [other]: ['read-acl'] } }, 'acl');
      expectEqual(view.subscriptions, { [other]: entry }, 'subscriptions');
    },
  },
  {
    id: 'update-changes-nothing',
    covers: ['F28', 'F38'],
    section: '4',
    title: 'an UPDATE that changes nothing gives 204, keeps mtime, and causes no event',
    async run(t) {
      const alice = await t.shared('alice');
      const subscriptions = { [alice.user]: { events: ['updated'], depth: 0 } };
      const acl = { other: ['read-data'] };
      const folder = await t.folder(alice, { data: { a: [1, { b: 2 }] }, type: 'x/y', acl, subscriptions });
      const before = await alice.seen(folder);
      const observation = await t.observe(alice, folder, [alice]);
      await clockPasses(alice, folder, before.mtime);
      const nothing = [
        {},
        { data: {} },
        { data: { a: [1, { b: 2 }] } },
        { type: 'x/y' },
        { acl },
        { acl: {} },
        { subscriptions },
        { attachment: {} },
        { data: { z: null } },
        { attachment: null },
        { owner: 'x', btime: '0001-01-01T00:00:00Z', mtime: '0001-01-01T00:00:00Z' },
      ];
      for (const patch of nothing) {
        expectStatus(await alice.update(folder, patch), 204, JSON.stringify(patch));
        expectEqual(await alice.seen(folder), before, `the object after ${JSON.stringify(patch)}`);
      }
      expectEqual(await observation.events(alice), [], 'notifications');
    },
  },
  {
    id: 'update-nothing-needs-no-right',
    covers: ['F28', 'F48'],
    section: '4',
    title: '"acl":{}, "attachment":{} and zero dates need no right and are no error [compat]',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, {
        data: 1,
        acl: { users: { [bob.user]: ['read-data', 'not-write-data'] } },
      });
      const habit = {
        owner: '',
        btime: '0001-01-01T00:00:00Z',
        mtime: '0001-01-01T00:00:00Z',
        acl: {},
        subscriptions: {},
        attachment: {},
      };
      for (const patch of [{ acl: {} }, { attachment: {} }, { subscriptions: {} }, habit, {}]) {
        expectStatus(await bob.update(folder, patch), 204, JSON.stringify(patch));
      }
      expectStatus(await bob.update(folder, { ...habit, data: 2 }), 403, 'data does change');
      await alice.changed(folder, { acl: { users: { [bob.user]: ['write-data'] } } });
      expectStatus(await bob.update(folder, { ...habit, data: 2 }), 204, 'with the right to write data alone');
    },
  },
  {
    id: 'update-all-or-nothing',
    covers: ['F28', 'F34', 'F48'],
    section: '4',
    title: 'an UPDATE that needs a right its sender does not have changes nothing at all',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { data: 1, acl: { users: { [bob.user]: ['write-data'] } } });
      const before = await alice.seen(folder);
      const own = { [bob.user]: { events: ['created'], depth: 0 } };
      for (const patch of [
        { data: 2, acl: { other: ['read-data'] } },
        { data: 2, subscriptions: own },
      ]) {
        expectStatus(await bob.update(folder, patch), 403, JSON.stringify(patch));
        expectEqual(await alice.seen(folder), before, 'the object');
      }
    },
  },
  {
    id: 'update-concurrent',
    covers: ['F28'],
    section: '4',
    title: 'patches of different members by several connections at once are all kept',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: {} });
      const connections = [alice.connection, ...(await Promise.all([t.login(alice.account), t.login(alice.account)]))];
      const names = Array.from({ length: 30 }, (_, index) => `m${index}`);
      const updates = names.map((name, index) =>
        (connections[index % 3] ?? alice.connection).request('UPDATE', folder, { body: { data: { [name]: index } } }),
      );
      for (const reply of await Promise.all(updates)) expectStatus(reply, 204);
      expectEqual(
        Object.keys((await alice.seen(folder)).data as object).toSorted(),
        names.toSorted(),
        'members of data',
      );
    },
  },
  {
    id: 'update-no-guessing',
    covers: ['F28', 'F48'],
    section: '4',
    title:
      'who may neither read nor write a field gets 403 for it, whether it would change or not; what says nothing is free',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const entry = { events: ['created'], depth: 1 };
      const object = { type: 'x/y', data: { pin: 1234 }, subscriptions: { [alice.user]: entry } };
      const acl = { users: { [bob.user]: ['write-attachment', 'read-children'] } };
      const folder = await t.folder(alice, { ...object, acl });
      const guesses: readonly [right: Body, wrong: Body][] = [
        [{ data: object.data }, { data: { pin: 1235 } }],
        [{ data: { other: null } }, { data: { pin: null } }],
        [{ type: 'x/y' }, { type: 'x/z' }],
        [{ acl }, { acl: { users: { [bob.user]: ['write-attachment'] } } }],
        [{ acl: { users: { [`nobody@${t.domain}`]: null } } }, { acl: { users: { [bob.user]: null } } }],
        [{ subscriptions: object.subscriptions }, { subscriptions: { [alice.user]: { ...entry, depth: 2 } } }],
        [{ subscriptions: { [bob.user]: null } }, { subscriptions: { [alice.user]: null } }],
      ];
      for (const [right, wrong] of guesses) {
        const refusals = [right, wrong].map(async (body) => {
          const reply = expectStatus(await bob.update(folder, body), 403, JSON.stringify(body));
          return jsonObject(reply)['message'];
        });
        const [hit, miss] = await Promise.all(refusals);
        expectEqual(hit, miss, `the message for a right guess, ${JSON.stringify(right)}`);
      }
      const nothing = { acl: {}, attachment: {}, subscriptions: {}, btime: '0001-01-01T00:00:00Z' };
      expectStatus(await bob.update(folder, nothing), 204);
    },
  },
];
