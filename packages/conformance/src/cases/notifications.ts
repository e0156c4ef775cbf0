/** PROTOCOL §6: which change notifies whom. */
import type { Case } from '../case.ts';
import type { Client } from '../client.ts';
import { expectEqual, expectStatus } from '../expect.ts';

const ALL = ['created', 'updated', 'deleted'];

/** What a change of `folder/a` causes, by name of the change. */
const CHANGES: readonly [string, string, (owner: Client, a: string) => Promise<unknown>][] = [
  ['UPDATE', 'UPDATED', (owner, a) => owner.changed(a, { data: 'new' })],
  ['UPDATE of acl', 'UPDATED', (owner, a) => owner.changed(a, { acl: { groups: { x: ['read-acl'] } } })],
  ['WRITE', 'UPDATED', (owner, a) => owner.written(a, 'file')],
  ['WRITE over a file', 'UPDATED', (owner, a) => owner.written(a, 'another')],
  ['UPDATE of attachment', 'UPDATED', (owner, a) => owner.changed(a, { attachment: { name: 'x' } })],
  ['UPDATE removing the file', 'UPDATED', (owner, a) => owner.changed(a, { attachment: null })],
  ['DELETE', 'DELETED', async (owner, a) => expectStatus(await owner.remove(a), 204)],
];

export const notifications: readonly Case[] = [
  {
    id: 'notify-events',
    covers: ['F7', 'F55'],
    section: '6',
    title: 'CREATE, UPDATE, WRITE, changes of attachment, and DELETE each cause their one event',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const acl = { users: { [bob.user]: ['read-data'] } };
      const folder = await t.folder(alice, { acl, subscriptions: { [bob.user]: { events: ALL, depth: 1 } } });
      const observation = await t.observe(alice, folder, [bob]);
      await alice.given(`${folder}/a`);
      expectEqual(await observation.events(bob), ['CREATED /a'], 'notifications of CREATE');
      for (const [name, event, change] of CHANGES) {
        await change(alice, `${folder}/a`);
        expectEqual(await observation.events(bob), [`${event} /a`], `notifications of ${name}`);
      }
    },
  },
  ...ALL.map(
    (event): Case => ({
      id: `notify-only-${event}`,
      covers: ['F52', 'F54'],
      section: '6',
      title: `who subscribed to ${event} alone hears nothing else, in whichever case it was spelled`,
      async run(t) {
        const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
        const subscription = { events: [event.replace(/^./, (first) => first.toUpperCase())], depth: -1 };
        const acl = { users: { [bob.user]: ['read-data'] } };
        const folder = await t.folder(alice, { acl, subscriptions: { [bob.user]: subscription } });
        const observation = await t.observe(alice, folder, [bob]);
        await alice.given(`${folder}/a`);
        for (const [, , change] of CHANGES) await change(alice, `${folder}/a`);
        const updates = CHANGES.filter(([, name]) => name === 'UPDATED').map(() => 'UPDATED /a');
        const expected = [
          ...(event === 'created' ? ['CREATED /a'] : []),
          ...(event === 'updated' ? updates : []),
          ...(event === 'deleted' ? ['DELETED /a'] : []),
        ];
        expectEqual(await observation.events(bob), expected, 'notifications');
      },
    }),
  ),
  ...[-1, 0, 1, 2, 3].map(
    (depth): Case => ({
      id: `notify-depth-${depth === -1 ? 'unlimited' : depth}`,
      covers: ['F53', 'F54'],
      section: '6',
      title: `depth ${depth}: ${depth === -1 ? 'the whole subtree' : `distances up to ${depth}`}`,
      async run(t) {
        const alice = await t.shared('alice');
        const folder = await t.folder(alice, { subscriptions: { [alice.user]: { events: ALL, depth } } });
        const observation = await t.observe(alice, folder, [alice]);
        const paths = ['', '/a', '/a/b', '/a/b/c', '/a/b/c/d'];
        for (const path of paths.slice(1)) await alice.given(folder + path);
        for (const path of paths) await alice.changed(folder + path, { data: 1 });
        expectStatus(await alice.remove(`${folder}/a`), 204);
        const within = paths.filter((_, distance) => depth === -1 || distance <= depth);
        const below = within.filter((path) => path !== '');
        const heard = await observation.events(alice);
        const [before, deletions] = [
          heard.slice(0, below.length + within.length),
          heard.slice(below.length + within.length),
        ];
        expectEqual(
          before,
          [...below.map((path) => `CREATED ${path}`), ...within.map((path) => `UPDATED ${path || '/'}`)],
          'notifications in order',
        );
        expectEqual(
          deletions.toSorted(),
          below.map((path) => `DELETED ${path}`),
          'notifications of the DELETE',
        );
      },
    }),
  ),
  {
    id: 'notify-from-the-root',
    covers: ['F54'],
    section: '6',
    title: 'subscriptions count up to and including the root, whose id is shown as user@domain/',
    async run(t) {
      const alice = await t.fresh();
      await alice.changed(alice.user, { subscriptions: { [alice.user]: { events: ALL, depth: -1 } } });
      const observation = await t.observe(alice, alice.user, [alice]);
      await alice.changed(alice.user, { data: 1 });
      await alice.given(`${alice.user}/a`);
      await alice.given(`${alice.user}/a/b`);
      expectEqual(await observation.events(alice), ['UPDATED /', 'CREATED /a', 'CREATED /a/b'], 'notifications');
    },
  },
  {
    id: 'notify-once',
    covers: ['F54'],
    section: '6',
    title: 'a user subscribed on several levels gets one notification per event',
    async run(t) {
      const alice = await t.shared('alice');
      const subscriptions = { [alice.user]: { events: ALL, depth: -1 } };
      const folder = await t.folder(alice, { subscriptions });
      await alice.given(`${folder}/a`, { subscriptions });
      const observation = await t.observe(alice, folder, [alice]);
      await alice.given(`${folder}/a/b`, { subscriptions });
      await alice.changed(`${folder}/a/b`, { data: 1 });
      expectStatus(await alice.remove(`${folder}/a/b`), 204);
      expectEqual(await observation.events(alice), ['CREATED /a/b', 'UPDATED /a/b', 'DELETED /a/b'], 'notifications');
    },
  },
  {
    id: 'notify-levels-add-up',
    covers: ['F54'],
    section: '6',
    title: 'a nearer subscription to other events does not hide a farther one',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { subscriptions: { [alice.user]: { events: ['updated'], depth: -1 } } });
      await alice.given(`${folder}/a`, { subscriptions: { [alice.user]: { events: ['deleted'], depth: 0 } } });
      const observation = await t.observe(alice, folder, [alice]);
      await alice.changed(`${folder}/a`, { data: 1 });
      expectStatus(await alice.remove(`${folder}/a`), 204);
      expectEqual(await observation.events(alice), ['UPDATED /a', 'DELETED /a'], 'notifications');
    },
  },
  {
    id: 'notify-not-without-subscription',
    covers: ['F54'],
    section: '6',
    title: 'who is not subscribed hears nothing, the causing user neither',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { other: ['read-data'] } });
      const observation = await t.observe(alice, folder, [alice, bob]);
      await alice.given(`${folder}/a`);
      await alice.changed(`${folder}/a`, { data: 1 });
      expectStatus(await alice.remove(`${folder}/a`), 204);
      expectEqual([await observation.events(alice), await observation.events(bob)], [[], []], 'notifications');
    },
  },
  {
    id: 'notify-not-of-failures',
    covers: ['F55'],
    section: '6',
    title: 'requests that fail cause no event',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { subscriptions: { [alice.user]: { events: ALL, depth: -1 } } });
      const observation = await t.observe(alice, folder, [alice]);
      await alice.create(folder);
      await alice.create(`${folder}/x/y`);
      await alice.update(folder, { type: 1 });
      await alice.remove(`${folder}/missing`);
      await alice.write(`${folder}/missing`, 'file');
      for (const type of ['CREATE', 'UPDATE', 'DELETE', 'WRITE'])
        await bob.request(type, folder, { body: type === 'DELETE' ? undefined : '{}' });
      expectEqual(await observation.events(alice), [], 'notifications');
    },
  },
  {
    id: 'notify-after-the-change',
    covers: ['F54'],
    section: '6',
    title: 'subscriptions as they stand after the change decide: subscribing is heard, unsubscribing is not',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const observation = await t.observe(alice, folder, [alice]);
      const subscriptions = { [alice.user]: { events: ALL, depth: 0 } };
      await alice.changed(folder, { subscriptions });
      expectEqual(await observation.events(alice), ['UPDATED /'], 'notifications of subscribing');
      await alice.changed(folder, { subscriptions: { [alice.user]: null } });
      expectEqual(await observation.events(alice), [], 'notifications of unsubscribing');
      await alice.given(`${folder}/a`, { subscriptions });
      expectEqual(await observation.events(alice), ['CREATED /a'], 'notifications of a CREATE that subscribes');
      expectStatus(await alice.remove(`${folder}/a`), 204);
      expectEqual(
        await observation.events(alice),
        ['DELETED /a'],
        'notifications: before the DELETE it was subscribed',
      );
    },
  },
];
