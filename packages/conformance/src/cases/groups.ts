/** PROTOCOL §5, groups: `config/groups` maps groups to users and users to groups, for one tree alone. */
import type { Case, Context } from '../case.ts';
import type { Client } from '../client.ts';
import { expectEqual, expectStatus } from '../expect.ts';

interface Stage {
  readonly alice: Client;
  readonly bob: Client;
  readonly groups: string;
  /** Readable for the group `friends`. */
  readonly object: string;
}

async function stage(t: Context): Promise<Stage> {
  const [alice, bob] = await Promise.all([t.fresh(), t.shared('bob')]);
  const object = await t.folder(alice, { data: 'secret', acl: { groups: { friends: ['read-data'] } } });
  return { alice, bob, groups: `${alice.user}/config/groups`, object };
}

export const groups: readonly Case[] = [
  {
    id: 'groups-take-effect',
    covers: ['F42'],
    section: '5',
    title: 'joining and leaving a group counts from the next request on',
    async run(t) {
      const { alice, bob, groups, object } = await stage(t);
      expectStatus(await bob.select(object), 403, 'before');
      for (const data of [{ friends: [bob.user] }, { friends: null, [bob.user]: ['friends'] }]) {
        await alice.changed(groups, { data });
        expectStatus(await bob.select(object), 200, `a member by ${JSON.stringify(data)}`);
      }
      await alice.changed(groups, { data: { [bob.user]: [] } });
      expectStatus(await bob.select(object), 403, 'after leaving');
    },
  },
  {
    id: 'groups-both-directions',
    covers: ['F42'],
    section: '5',
    title: 'both directions of the mapping add up',
    async run(t) {
      const { alice, bob, groups, object } = await stage(t);
      await alice.changed(groups, { data: { friends: [alice.user], [bob.user]: ['readers', 'friends'] } });
      await alice.changed(object, { acl: { groups: { readers: ['read-acl'] } } });
      const view = await bob.seen(object);
      expectEqual([view.data, view.acl !== undefined], ['secret', true], 'data, and whether acl shows');
    },
  },
  {
    id: 'groups-of-that-tree-alone',
    covers: ['F42'],
    section: '5',
    title: 'groups are valid for their own tree alone',
    async run(t) {
      const [{ alice, bob, groups, object }, carol] = await Promise.all([stage(t), t.fresh()]);
      await carol.changed(`${carol.user}/config/groups`, { data: { friends: [bob.user] } });
      expectStatus(await bob.select(object), 403, 'a friend of Carol');
      await alice.changed(groups, { data: { friends: [bob.user] } });
      expectStatus(await bob.select(object), 200, 'a friend of Alice');
    },
  },
  {
    id: 'groups-normalised',
    covers: ['F11', 'F42'],
    section: '4',
    title: 'user names inside groups are normalised, of any domain',
    async run(t) {
      const { alice, bob, groups, object } = await stage(t);
      const shouted = `${bob.account.name.toUpperCase()}@${t.domain.toUpperCase()}`;
      await alice.changed(groups, { data: { friends: [shouted, 'ZOE@Example.ORG.'] } });
      expectEqual((await alice.seen(groups)).data, { friends: [bob.user, 'zoe@example.org'] }, 'data of config/groups');
      expectStatus(await bob.select(object), 200);
    },
  },
  {
    id: 'groups-malformed',
    covers: ['F42', 'F39'],
    section: '4',
    title: 'an invalid user name inside groups gets 400, and the groups stay',
    async run(t) {
      const { alice, bob, groups, object } = await stage(t);
      await alice.changed(groups, { data: { friends: [bob.user] } });
      for (const data of [
        { friends: ['bob'] },
        { friends: ['-bob@example.org'] },
        { 'b b@example.org': ['friends'] },
        { friends: ['@'] },
      ]) {
        expectStatus(await alice.update(groups, { data }), 400, JSON.stringify(data));
      }
      expectStatus(await bob.select(object), 200, 'still a friend');
    },
  },
  {
    id: 'groups-need-write-acl',
    covers: ['F42', 'F48'],
    section: '5',
    title: 'changing config/groups needs write-acl on it, as well as write-data',
    async run(t) {
      const { alice, bob, groups } = await stage(t);
      const attempt = () => bob.update(groups, { data: { [t.name('group')]: [bob.user] } });
      for (const [rights, status] of [
        [['write-data'], 403],
        [['write-acl'], 403],
        [['write-data', 'write-acl'], 204],
      ] as const) {
        await alice.changed(groups, { acl: { users: { [bob.user]: rights } } });
        expectStatus(await attempt(), status, rights.join(', '));
      }
    },
  },
  {
    id: 'groups-elsewhere-are-data',
    covers: ['F42'],
    section: '5',
    title: 'an object named groups anywhere else is an object like any other',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { groups: { friends: ['read-data'] } } });
      await alice.given(`${folder}/config`);
      await alice.given(`${folder}/config/groups`, { data: { friends: [bob.user], note: 'not a list' } });
      expectStatus(await bob.select(folder), 403);
    },
  },
  {
    id: 'groups-gone',
    covers: ['F42'],
    section: '5',
    title: 'without config/groups nobody is in any group',
    async run(t) {
      const { alice, bob, groups, object } = await stage(t);
      await alice.changed(groups, { data: { friends: [bob.user] } });
      await alice.changed(groups, { data: null });
      expectStatus(await bob.select(object), 403, 'no data');
      await alice.changed(groups, { data: { friends: [bob.user] } });
      expectStatus(await bob.select(object), 200, 'again a friend');
    },
  },
  {
    id: 'foreign-users-in-acl',
    covers: ['F50'],
    section: '5',
    title: 'users of other domains can be granted rights, and subscribed',
    async run(t) {
      const alice = await t.shared('alice');
      const acl = { users: { 'sister@realworld.example': ['read-data'] } };
      const subscriptions = { 'sister@realworld.example': { events: ['created'], depth: 1 } };
      const view = await alice.seen(await t.folder(alice, { acl, subscriptions }));
      expectEqual([view.acl, view.subscriptions], [acl, subscriptions], 'acl and subscriptions');
    },
  },
];
