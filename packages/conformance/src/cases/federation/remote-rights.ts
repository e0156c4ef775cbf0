/** PROTOCOL §5, §9: users of another domain hold rights, belong to groups and are shown objects as anybody. */
import type { Case } from '../../case.ts';
import { expectEqual, expectStatus } from '../../expect.ts';
import { everyEvent, stage } from './neighbours.ts';

const READ = ['read-data', 'read-acl', 'read-subscriptions', 'read-attachment'];

export const remoteRights: readonly Case[] = [
  {
    id: 'remote-rights',
    covers: ['F50', 'F47'],
    section: '5',
    needs: 'peer',
    title: 'the rights of a user of another domain are walked up and weighed as those of others',
    async run(t) {
      const { host, guest, folder } = await stage(t, []);
      const rows: readonly [Record<string, unknown>, number][] = [
        [{}, 403],
        [{ users: { [guest.user]: ['read-data'] } }, 200],
        [{ users: { [guest.user]: ['data-read'] } }, 200],
        [{ other: ['read-data'] }, 200],
        [{ others: ['read-data'] }, 200],
        [{ other: ['read-data'], users: { [guest.user]: ['not-read-data'] } }, 403],
        [{ owner: ['read-data'] }, 403],
        [{ users: { [guest.account.name]: undefined, [`${guest.account.name}@${t.domain}`]: ['read-data'] } }, 403],
        [{ users: { [guest.user.toUpperCase()]: ['read-data'] } }, 200],
      ];
      const cleared = { users: null, other: null, others: null, owner: null };
      for (const [acl, status] of rows) {
        await host.changed(folder, { acl: cleared });
        await host.changed(folder, { acl });
        expectStatus(await guest.select(folder), status, JSON.stringify(acl));
      }
    },
  },
  {
    id: 'remote-rights-below',
    covers: ['F47', 'F50'],
    section: '5',
    needs: 'peer',
    title: 'rights hold below where they are given, until a level that sets them otherwise',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['read-data']);
      await host.given(`${folder}/a`);
      await host.given(`${folder}/a/b`, { acl: { users: { [guest.user]: ['not-read-data'] } } });
      await host.given(`${folder}/a/b/c`);
      const seen = [];
      for (const path of ['', '/a', '/a/b', '/a/b/c']) seen.push((await guest.select(folder + path)).status);
      expectEqual(seen, [200, 200, 403, 403], 'statuses of SELECT from the folder down');
      await host.changed(`${folder}/a/b`, { acl: { users: { [guest.user]: null } } });
      expectStatus(await guest.select(`${folder}/a/b/c`), 200);
    },
  },
  {
    id: 'remote-owner',
    covers: ['F36', 'F44'],
    section: '5',
    needs: 'peer',
    title: 'what a user of another domain creates is theirs, and `owner` is them',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['write-children']);
      await host.changed(folder, { acl: { owner: ['read-data', 'write-data'] } });
      expectStatus(await guest.create(`${folder}/a`, { data: 'mine' }), 201);
      expectEqual((await guest.seen(`${folder}/a`)).owner, guest.user, 'owner');
      expectStatus(await guest.update(`${folder}/a`, { data: 'still mine' }), 204);
      expectStatus(await guest.select(folder), 403, 'whose owner is somebody else');
    },
  },
  {
    id: 'remote-view',
    covers: ['F51', 'F50'],
    section: '5',
    needs: 'peer',
    title: 'SELECT shows a user of another domain the fields that they may read, and no others',
    async run(t) {
      const { host, guest, folder } = await stage(t, [], { data: 'tea', type: 'x/y' });
      await host.changed(folder, { subscriptions: everyEvent(0, host) });
      await host.written(folder, 'a file');
      const times = ['btime', 'mtime', 'owner'];
      const shown: Readonly<Record<string, readonly string[]>> = {
        'read-data': ['attachment', 'data', 'type'],
        'read-acl': ['acl'],
        'read-subscriptions': ['subscriptions'],
        'read-attachment': ['attachment'],
        'read-children': [],
      };
      for (const [right, fields] of Object.entries(shown)) {
        await host.changed(folder, { acl: { users: { [guest.user]: [right] } } });
        const view = Object.keys(await guest.seen(folder)).toSorted();
        expectEqual(view, [...times, ...fields].toSorted(), `fields with ${right}`);
      }
      await host.changed(folder, { acl: { users: { [guest.user]: READ } } });
      expectEqual(await guest.seen(folder), await host.seen(folder), 'what its owner sees');
    },
  },
  {
    id: 'remote-group-members',
    covers: ['F42', 'F50'],
    section: '5',
    needs: 'peer',
    title: 'users of another domain join and leave groups, which counts from the next request on',
    async run(t) {
      const [host, guest] = await Promise.all([t.fresh(), t.peer.shared('alice')]);
      const folder = await t.folder(host, {
        data: 1,
        acl: { groups: { friends: ['read-data'], foes: ['not-read-data'] } },
      });
      const groups = `${host.user}/config/groups`;
      expectStatus(await guest.select(folder), 403, 'before');
      for (const data of [{ friends: [guest.user] }, { friends: null, [guest.user]: ['friends'] }]) {
        await host.changed(groups, { data });
        expectStatus(await guest.select(folder), 200, `a member by ${JSON.stringify(data)}`);
      }
      await host.changed(groups, { data: { foes: [guest.user] } });
      expectStatus(await guest.select(folder), 403, 'a foe as well');
      await host.changed(groups, { data: { foes: null } });
      expectStatus(await guest.select(folder), 200, 'no foe any more');
      await host.changed(groups, { data: null });
      expectStatus(await guest.select(folder), 403, 'after leaving');
    },
  },
  {
    id: 'remote-subscription-of-others',
    covers: ['F48', 'F50'],
    section: '5',
    needs: 'peer',
    title: 'without owning the object or the tree a user of another domain changes their own subscription alone',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['read-subscriptions', 'write-subscriptions']);
      expectStatus(await guest.update(folder, { subscriptions: everyEvent(1, guest) }), 204);
      expectEqual((await host.seen(folder)).subscriptions, everyEvent(1, guest), 'subscriptions');
      for (const other of [host.user, `${guest.account.name}x@${t.peer.domain}`]) {
        const subscriptions = { [other]: { events: ['created'], depth: 0 } };
        expectStatus(await guest.update(folder, { subscriptions }), 403, `subscribing ${other}`);
      }
    },
  },
];
