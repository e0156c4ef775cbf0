/** PROTOCOL §4: DELETE and LIST. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, json } from '../expect.ts';

export const requestsTree: readonly Case[] = [
  {
    id: 'delete-subtree',
    covers: ['F29', 'F33'],
    section: '4',
    title: 'DELETE removes the object, its whole subtree and their attachments, and nothing beside it',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const path of ['a', 'a/b', 'a/b/c', 'a-b', 'a.b', 'ab', 'a\u{1F407}'])
        await alice.given(`${folder}/${path}`, { data: path });
      await alice.written(`${folder}/a/b`, 'a file');
      expectStatus(await alice.remove(`${folder}/a`), 204);
      for (const path of ['a', 'a/b', 'a/b/c']) expectStatus(await alice.select(`${folder}/${path}`), 404, path);
      expectStatus(await alice.read(`${folder}/a/b`), 404);
      expectEqual(json(await alice.list(folder)), ['a-b', 'a.b', 'ab', 'a\u{1F407}'], 'what is left');
    },
  },
  {
    id: 'delete-and-create-again',
    covers: ['F29', 'F41'],
    section: '4',
    title: 'an object created where one was deleted is new: no children, no file, no acl, no subscriptions',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const subscriptions = { [alice.user]: { events: ['updated'], depth: -1 } };
      await alice.given(`${folder}/a`, { data: 1, acl: { other: ['read-data'] }, subscriptions });
      await alice.given(`${folder}/a/b`);
      await alice.written(`${folder}/a`, 'a file');
      expectStatus(await alice.remove(`${folder}/a`), 204);
      expectStatus(await alice.create(`${folder}/a`), 201);
      expectEqual(Object.keys(await alice.seen(`${folder}/a`)).toSorted(), ['btime', 'mtime', 'owner'], 'the fields');
      expectEqual(json(await alice.list(`${folder}/a`)), [], 'children');
      expectStatus(await alice.read(`${folder}/a`), 404);
    },
  },
  {
    id: 'delete-root',
    covers: ['F29', 'F35'],
    section: '4',
    title: 'a root cannot be deleted: 405',
    async run(t) {
      const alice = await t.fresh();
      for (const root of [alice.user, `${alice.user}/`]) expectStatus(await alice.remove(root), 405);
      expectStatus(await alice.select(alice.user), 200);
    },
  },
  {
    id: 'delete-twice',
    covers: ['F29'],
    section: '4',
    title: 'of several DELETEs of one object at the same time, one succeeds',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.given(`${folder}/a`);
      const other = await t.login(alice.account);
      const tries = [alice.connection, other].map((connection) => connection.request('DELETE', `${folder}/a`));
      const statuses = (await Promise.all(tries)).map((reply) => reply.status);
      expectEqual(statuses.toSorted(), [204, 404], 'statuses');
    },
  },
  {
    id: 'delete-atomic',
    covers: ['F29'],
    section: '4',
    title: 'a subtree goes at once: who has seen its top missing sees none of it',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { other: ['read-data', 'read-children'] } });
      const top = `${folder}/top`;
      await alice.given(top);
      const leaves = Array.from({ length: 40 }, (_, index) => `${top}/${index}`);
      await Promise.all(leaves.map((leaf) => alice.given(leaf)));
      let deleted = false;
      const deletion = alice.remove(top).finally(() => {
        deleted = true;
      });
      const counts = new Set<number>();
      while (!deleted) {
        const listing = await bob.list(top);
        if (expectStatus(listing, [200, 404]).status === 404) break;
        counts.add((json(listing) as string[]).length);
      }
      for (const leaf of leaves) expectStatus(await bob.select(leaf), 404);
      expectStatus(await deletion, 204);
      counts.delete(40);
      expectEqual([...counts], [], 'numbers of children seen other than 40');
    },
  },
  {
    id: 'delete-parent-while-creating',
    covers: ['F29', 'F35'],
    section: '4',
    title: 'no object is left without its parent when CREATE and DELETE meet',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const other = await t.login(alice.account);
      for (let round = 0; round < 10; round += 1) {
        const parent = `${folder}/${round}`;
        await alice.given(parent);
        const creation = other.request('CREATE', `${parent}/child`);
        expectStatus(await alice.remove(parent), 204);
        expectStatus(await creation, [201, 412]);
        expectStatus(await alice.select(`${parent}/child`), 404, 'its parent is gone');
        expectStatus(await alice.create(parent), 201);
        expectEqual(json(await alice.list(parent)), [], 'children of the new parent');
      }
    },
  },
  {
    id: 'list',
    covers: ['F30'],
    section: '4',
    title: 'LIST gives the names of the direct children, in byte order',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      expectEqual(json(expectStatus(await alice.list(folder), 200)), [], 'children of a new object');
      const names = ['b', 'a', 'B', 'a-', 'a.b', '10', '9', 'é', 'z', '\uff5e', '\u{1F407}', '%41', '~'];
      for (const name of names) await alice.given(`${folder}/${name}`);
      await alice.given(`${folder}/a/nested`);
      await alice.given(`${folder}/a/nested/deeper`);
      const inOrder = names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      expectEqual(json(await alice.list(folder)), inOrder, 'children');
      expectEqual(json(await alice.list(`${folder}/a`)), ['nested'], 'children of a');
    },
  },
  {
    id: 'list-many',
    covers: ['F30'],
    section: '4',
    title: 'LIST of many children is complete',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const names = Array.from({ length: 300 }, (_, index) => `child-${String(index).padStart(4, '0')}`);
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(names.slice(at, at + 50).map((name) => alice.given(`${folder}/${name}`)));
      }
      expectEqual(json(await alice.list(folder)), names, 'children');
    },
  },
  {
    id: 'list-shows-what-may-not-be-read',
    covers: ['F30', 'F49'],
    section: '4',
    title: 'LIST needs read-children on the object alone, and names children that may not be read',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['read-children'] } } });
      await alice.given(`${folder}/secret`, { acl: { users: { [bob.user]: ['not-read-children'] } } });
      expectEqual(json(expectStatus(await bob.list(folder), 200)), ['secret'], 'children');
      expectStatus(await bob.list(`${folder}/secret`), 403);
    },
  },
];
