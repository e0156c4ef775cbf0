/** PROTOCOL §6, §9: what users of another domain are told, through their server: all of it, in order, as each may see it. */
import type { Case, Context } from '../../case.ts';
import { type Client, sessionOf } from '../../client.ts';
import { expectEqual, expectStatus } from '../../expect.ts';
import type { Notice } from '../../wire/message.ts';
import { ALL_RIGHTS, everyEvent, stage } from './neighbours.ts';

const COUNT = 40;

function bodies(notices: readonly Notice[]): unknown[] {
  return notices.map(({ body }) => (body.length === 0 ? 'nothing' : JSON.parse(body.toString())));
}

/** The same user over a connection of its own. */
async function again(t: Context, { account }: Client): Promise<Client> {
  return t.clientOf(sessionOf(account, [await t.login(account)]));
}

export const remoteNotifications: readonly Case[] = [
  {
    id: 'remote-notified',
    covers: ['F59', 'F55', 'F56'],
    section: '6',
    needs: 'peer',
    title: 'a user of another domain hears of every event once, in the order of the changes',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      expectStatus(await guest.update(folder, { subscriptions: everyEvent(-1, guest) }), 204);
      const observation = await t.observe(host, folder, [guest]);
      const updates = Array.from({ length: COUNT }, (_, at) =>
        host.connection.request('UPDATE', folder, { body: { data: at } }),
      );
      for (const reply of await Promise.all(updates)) expectStatus(reply, 204);
      const told = bodies(await observation.notices(guest)) as { data?: unknown }[];
      const counted = Array.from({ length: COUNT }, (_, at) => at);
      expectEqual(
        told.map(({ data }) => data),
        counted,
        'data, notification by notification',
      );
      await host.given(`${folder}/a`);
      await host.given(`${folder}/a/b`);
      await host.written(`${folder}/a`, 'a file');
      expectStatus(await host.remove(`${folder}/a`), 204);
      const events = await observation.events(guest);
      expectEqual(events.slice(0, 3), ['CREATED /a', 'CREATED /a/b', 'UPDATED /a'], 'events');
      expectEqual(events.slice(3).toSorted(), ['DELETED /a', 'DELETED /a/b'], 'events of the deletion');
    },
  },
  {
    id: 'remote-notified-both',
    covers: ['F59', 'F61'],
    section: '6',
    needs: 'peer',
    title: 'what a user of another domain changes is told to those here and to them',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const other = await t.peer.shared('bob');
      const acl = { users: { [other.user]: ['read-data'] } };
      await host.changed(folder, { acl, subscriptions: everyEvent(1, host, guest, other) });
      const observation = await t.observe(host, folder, [host, guest, other]);
      expectStatus(await guest.create(`${folder}/a`, { data: 1 }), 201);
      expectStatus(await guest.update(`${folder}/a`, { data: 2 }), 204);
      expectStatus(await guest.write(`${folder}/a`, 'a file'), 204);
      expectStatus(await guest.remove(`${folder}/a`), 204);
      for (const client of [host, guest, other]) {
        const events = ['CREATED /a', 'UPDATED /a', 'UPDATED /a', 'DELETED /a'];
        expectEqual(await observation.events(client), events, `events for ${client.user}`);
      }
    },
  },
  {
    id: 'remote-notified-views',
    covers: ['F59', 'F57', 'F51'],
    section: '6',
    needs: 'peer',
    title: 'each user of another domain is shown what they may read; who may read nothing hears nothing',
    async run(t) {
      const host = await t.fresh();
      const [data, acl, group, none] = await Promise.all([
        ...[t.peer.shared('alice'), t.peer.shared('bob'), t.peer.shared('carol'), t.peer.shared('dave')],
      ]);
      await host.changed(`${host.user}/config/groups`, { data: { friends: [group?.user ?? ''] } });
      const everybody = [data, acl, group, none].filter((client) => client !== undefined);
      const users = { [data?.user ?? '']: ['read-data'], [acl?.user ?? '']: ['read-acl'] };
      const rights = {
        users: { ...users, [none?.user ?? '']: ['write-data'] },
        groups: { friends: ['read-attachment'] },
      };
      const folder = await t.folder(host, { acl: rights, subscriptions: everyEvent(-1, ...everybody) });
      const observation = await t.observe(host, folder, everybody);
      await host.given(`${folder}/a`, { data: 'secret', type: 'x/y', acl: { owner: ['read-data'] } });
      await host.written(`${folder}/a`, 'file', { 'Content-Type': 'text/plain' });
      for (const client of everybody.filter((one) => one !== none)) {
        const [created, written, ...more] = bodies(await observation.notices(client));
        expectEqual(more, [], 'further notifications');
        expectEqual(written, await client.seen(`${folder}/a`), 'the body, as SELECT shows it to the same user');
        const { attachment: _, mtime: __, ...before } = written as Record<string, unknown>;
        const { mtime: ___, ...first } = created as Record<string, unknown>;
        expectEqual(first, before, 'the body of CREATED');
      }
      if (none) expectEqual(await observation.events(none), [], 'notifications for who may not read');
    },
  },
  {
    id: 'remote-notified-all-connections',
    covers: ['F58', 'F59'],
    section: '6',
    needs: 'peer',
    title: 'every connection of a user of another domain is told',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const [second, third] = await Promise.all([again(t.peer, guest), again(t.peer, guest)]);
      await host.changed(folder, { subscriptions: everyEvent(0, guest) });
      const observation = await t.observe(host, folder, [guest, second, third]);
      for (let data = 1; data <= 3; data++) await host.changed(folder, { data });
      for (const client of [guest, second, third]) {
        expectEqual(await observation.events(client), Array(3).fill('UPDATED /'), 'events of one connection');
      }
    },
  },
  {
    id: 'remote-notified-depth',
    covers: ['F53', 'F59', 'F52'],
    section: '6',
    needs: 'peer',
    title: 'events and depth of a subscription count for users of another domain',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['read-data']);
      await host.changed(folder, { subscriptions: { [guest.user]: { events: ['CREATED', 'deleted'], depth: 1 } } });
      const observation = await t.observe(host, folder, [guest]);
      for (const path of ['/a', '/a/b', '/c']) await host.given(folder + path);
      await host.changed(`${folder}/a`, { data: 1 });
      expectStatus(await host.remove(`${folder}/c`), 204);
      expectEqual(await observation.events(guest), ['CREATED /a', 'CREATED /c', 'DELETED /c'], 'events');
    },
  },
  {
    id: 'remote-notified-revoked',
    covers: ['F57', 'F59'],
    section: '6',
    needs: 'peer',
    title: 'who loses the right to read, or the subscription, hears nothing any more',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['read-data', 'write-subscriptions']);
      await host.changed(folder, { subscriptions: everyEvent(0, guest) });
      const observation = await t.observe(host, folder, [guest]);
      await host.changed(folder, { acl: { users: { [guest.user]: null } } });
      await host.changed(folder, { data: 1 });
      expectEqual(await observation.events(guest), [], 'events without a right');
      await host.changed(folder, { acl: { users: { [guest.user]: ALL_RIGHTS } } });
      expectEqual(await observation.events(guest), ['UPDATED /'], 'events once the right is back');
      expectStatus(await guest.update(folder, { subscriptions: { [guest.user]: null } }), 204);
      await host.changed(folder, { data: 2 });
      expectEqual(await observation.events(guest), [], 'events without a subscription');
    },
  },
];
