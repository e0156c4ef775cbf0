/** PROTOCOL §6: what a notification shows to whom, over which connections, in which order. */
import type { Case, Context } from '../case.ts';
import type { Client } from '../client.ts';
import { expectEqual, expectStatus, expectThat } from '../expect.ts';
import type { Notice } from '../wire/message.ts';

const ALL = ['created', 'updated', 'deleted'];

function everyEvent(...clients: readonly Client[]): Record<string, unknown> {
  return Object.fromEntries(clients.map(({ user }) => [user, { events: ALL, depth: -1 }]));
}

function bodies(notices: readonly Notice[]): unknown[] {
  return notices.map(({ body }) => (body.length === 0 ? 'nothing' : JSON.parse(body.toString())));
}

function cast(t: Context): Promise<[Client, Client, Client, Client]> {
  return Promise.all([t.shared('alice'), t.shared('bob'), t.shared('carol'), t.shared('dave')]);
}

export const notificationViews: readonly Case[] = [
  {
    id: 'notify-view-of-each',
    covers: ['F51', 'F57'],
    section: '6',
    title: 'each receiver gets the object as SELECT shows it to them; who may read nothing gets nothing',
    async run(t) {
      const [alice, bob, carol, dave] = await cast(t);
      const users = { [bob.user]: ['read-data'], [carol.user]: ['read-acl'], [dave.user]: ['write-data'] };
      const folder = await t.folder(alice, { acl: { users }, subscriptions: everyEvent(alice, bob, carol, dave) });
      const observation = await t.observe(alice, folder, [alice, bob, carol, dave]);
      await alice.given(`${folder}/a`, { data: 'secret', type: 'x/y', acl: { groups: { g: ['read-data'] } } });
      for (const client of [alice, bob, carol]) {
        const heard = bodies(await observation.notices(client));
        expectEqual(heard, [await client.seen(`${folder}/a`)], 'the body, as SELECT shows it to the same user');
      }
      await alice.written(`${folder}/a`, 'file', { 'Content-Type': 'text/plain' });
      for (const client of [alice, bob, carol]) {
        expectEqual(
          bodies(await observation.notices(client)),
          [await client.seen(`${folder}/a`)],
          'the body after WRITE',
        );
      }
      expectEqual(await observation.events(dave), [], 'notifications for who may not read');
    },
  },
  {
    id: 'notify-rights-after-change',
    covers: ['F57'],
    section: '6',
    title: 'rights at the moment of the change count: losing them is not heard, gaining them is',
    async run(t) {
      const [alice, bob] = await cast(t);
      const folder = await t.folder(alice, { data: 1, subscriptions: everyEvent(bob) });
      const observation = await t.observe(alice, folder, [bob]);
      await alice.changed(folder, { acl: { users: { [bob.user]: ['read-data'] } } });
      expectEqual(await observation.events(bob), ['UPDATED /'], 'notifications of the grant');
      await alice.changed(folder, { data: 2, acl: { users: { [bob.user]: null } } });
      await alice.changed(folder, { data: 3 });
      expectEqual(await observation.events(bob), [], 'notifications after the grant was taken back');
    },
  },
  {
    id: 'notify-view-of-the-moment',
    covers: ['F57'],
    section: '6',
    title: 'each notification shows the object as it was at its change, not later',
    async run(t) {
      const [alice, bob] = await cast(t);
      const acl = { users: { [bob.user]: ['read-data'] } };
      const folder = await t.folder(alice, { data: 0, acl, subscriptions: everyEvent(bob) });
      const observation = await t.observe(alice, folder, [bob]);
      const updates = Array.from({ length: 20 }, (_, index) =>
        alice.connection.request('UPDATE', folder, { body: { data: index + 1 } }),
      );
      for (const reply of await Promise.all(updates)) expectStatus(reply, 204);
      const heard = (await observation.notices(bob)).map(({ body }) => JSON.parse(body.toString()).data);
      expectEqual(
        heard,
        Array.from({ length: 20 }, (_, index) => index + 1),
        'data, in the order of the changes',
      );
    },
  },
  {
    id: 'notify-deleted',
    covers: ['F29', 'F55', 'F56'],
    section: '6',
    title: 'a DELETE gives a DELETED without body for every object of the subtree',
    async run(t) {
      const [alice, bob] = await cast(t);
      const acl = { users: { [bob.user]: ['read-data'] } };
      const folder = await t.folder(alice, { acl, subscriptions: everyEvent(bob) });
      for (const path of ['/a', '/a/b', '/a/b/c', '/a/d', '/a-not']) await alice.given(folder + path);
      const observation = await t.observe(alice, folder, [bob]);
      expectStatus(await alice.remove(`${folder}/a`), 204);
      const heard = await observation.notices(bob);
      expectEqual(
        heard.map(({ event, resource }) => `${event} ${resource.slice(folder.length)}`).toSorted(),
        ['/a', '/a/b', '/a/b/c', '/a/d'].map((path) => `DELETED ${path}`),
        'notifications',
      );
      expectEqual(new Set(bodies(heard)), new Set(['nothing']), 'bodies');
    },
  },
  {
    id: 'notify-deleted-rights-before',
    covers: ['F55', 'F57'],
    section: '6',
    title: 'for DELETED the rights and subscriptions before the deletion count, object by object',
    async run(t) {
      const [alice, bob] = await cast(t);
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['read-data'] } } });
      await alice.given(`${folder}/a`, { subscriptions: everyEvent(bob) });
      await alice.given(`${folder}/a/hidden`, { acl: { users: { [bob.user]: ['not-read-data'] } } });
      await alice.given(`${folder}/a/hidden/shown`, { acl: { users: { [bob.user]: ['read-acl'] } } });
      const observation = await t.observe(alice, folder, [bob]);
      expectStatus(await alice.remove(`${folder}/a`), 204);
      expectEqual(
        (await observation.events(bob)).toSorted(),
        ['DELETED /a', 'DELETED /a/hidden/shown'],
        'notifications',
      );
    },
  },
  {
    id: 'notify-all-connections',
    covers: ['F58'],
    section: '6',
    title: 'all connections of a user are notified, the causing one included',
    async run(t) {
      const [alice] = await cast(t);
      const folder = await t.folder(alice, { subscriptions: everyEvent(alice) });
      const connections = [alice.connection, ...(await Promise.all([t.login(alice.account), t.login(alice.account)]))];
      const heard = connections.map(
        (connection) =>
          new Promise<string>((resolve) => {
            connection.listen((notice) => notice.resource === `${folder}/a` && resolve(notice.event));
          }),
      );
      await alice.given(`${folder}/a`);
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error('not every connection of the user was notified')), t.timeoutMs).unref();
      });
      expectEqual(
        await Promise.race([Promise.all(heard), late]),
        ['CREATED', 'CREATED', 'CREATED'],
        'what the connections heard',
      );
    },
  },
  {
    id: 'notify-order-of-the-tree',
    covers: ['F54', 'F55'],
    section: '6',
    title: 'notifications on one tree arrive in the order of the changes, over all its objects',
    async run(t) {
      const [alice, bob] = await cast(t);
      const acl = { users: { [bob.user]: ['read-data'] } };
      const folder = await t.folder(alice, { acl, subscriptions: everyEvent(bob) });
      const observation = await t.observe(alice, folder, [bob]);
      const expected: string[] = [];
      for (let index = 0; index < 15; index += 1) {
        await alice.given(`${folder}/${index}`);
        await alice.changed(`${folder}/${Math.floor(index / 2)}`, { data: index });
        await alice.changed(folder, { data: index });
        expected.push(`CREATED /${index}`, `UPDATED /${Math.floor(index / 2)}`, 'UPDATED /');
      }
      expectEqual(await observation.events(bob), expected, 'notifications in the order of the changes');
    },
  },
  {
    id: 'notify-across-trees',
    covers: ['F54', 'F58'],
    section: '6',
    title: 'a change that somebody else causes in my tree is notified like my own',
    async run(t) {
      const [alice, bob, carol] = await cast(t);
      const acl = { users: { [bob.user]: ['write-data', 'write-children'], [carol.user]: ['read-data'] } };
      const folder = await t.folder(alice, { acl, subscriptions: everyEvent(alice, carol) });
      const observation = await t.observe(alice, folder, [alice, bob, carol]);
      expectStatus(await bob.create(`${folder}/of-bob`), 201);
      expectStatus(await bob.update(folder, { data: 'by Bob' }), 204);
      for (const client of [alice, carol]) {
        expectEqual(await observation.events(client), ['CREATED /of-bob', 'UPDATED /'], 'notifications');
      }
      expectEqual(await observation.events(bob), [], 'notifications for Bob, who is not subscribed');
    },
  },
  {
    id: 'notify-ids-normalised',
    covers: ['F11', 'F7'],
    section: '6',
    title: 'the id in a notification is normalised, whatever the causing request spelled',
    async run(t) {
      const [alice] = await cast(t);
      const folder = await t.folder(alice, { subscriptions: everyEvent(alice) });
      const observation = await t.observe(alice, folder, [alice]);
      const shouted = `${alice.account.name.toUpperCase()}@${t.domain.toUpperCase()}.${folder.slice(alice.user.length)}`;
      expectStatus(await alice.create(`${shouted}/e\u0301%2f/`), 201);
      expectStatus(await alice.update(`${shouted}/`, { data: 1 }), 204);
      expectEqual(await observation.events(alice), ['CREATED /\u00e9%2F', 'UPDATED /'], 'notifications');
    },
  },
  {
    id: 'notify-numbers-keep-digits',
    covers: ['F56'],
    section: '4',
    title: 'numbers keep their digits in notifications too',
    async run(t) {
      const [alice] = await cast(t);
      const folder = await t.folder(alice, { subscriptions: everyEvent(alice) });
      const observation = await t.observe(alice, folder, [alice]);
      await alice.changed(folder, '{"data":[12345678901234567890,1.10]}');
      const [notice] = await observation.notices(alice);
      const text = notice?.body.toString().replaceAll(/\s/g, '') ?? '';
      expectThat(text.includes('[12345678901234567890,1.10]'), 'the digits as they were sent', text);
    },
  },
];
