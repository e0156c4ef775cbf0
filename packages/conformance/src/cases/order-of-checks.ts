/** PROTOCOL §4: the order of checks: head 400, 424, 401, 421/504, body 413/400, no right at all 403, 404/412, missing right 403, conditions 412/304, 405/409. */
import type { Case, Context } from '../case.ts';
import type { Client } from '../client.ts';
import { expectStatus } from '../expect.ts';

interface Stage {
  readonly alice: Client;
  readonly bob: Client;
  /** Bob may read children here, nothing else. */
  readonly folder: string;
  /** Bob may do nothing here. */
  readonly closed: string;
}

async function stage(t: Context): Promise<Stage> {
  const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
  const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['read-children'] } } });
  const closed = await t.folder(alice);
  await alice.given(`${folder}/a`);
  await alice.given(`${closed}/a`);
  return { alice, bob, folder, closed };
}

const BAD_JSON = '{"data":';
const ALL = ['SELECT', 'CREATE', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE'];
const body = (type: string, text = '{"type":"x/y"}') =>
  ['CREATE', 'UPDATE', 'WRITE'].includes(type) ? text : undefined;

export const orderOfChecks: readonly Case[] = [
  {
    id: 'checks-head-first',
    covers: ['F17', 'F34'],
    section: '4',
    title: 'a bad head (400) comes before 424 and 401',
    async run(t) {
      const bad = `alice@${t.domain}/a//b`;
      expectStatus(await (await t.open()).request('LIST', bad), 400);
      expectStatus(await (await t.negotiate()).request('LIST', bad), 400);
    },
  },
  {
    id: 'checks-state-before-body',
    covers: ['F17', 'F25', 'F34'],
    section: '4',
    title: '424 and 401 come before a bad body (400)',
    async run(t) {
      const resource = `alice@${t.domain}/a`;
      const connection = await t.open();
      expectStatus(await connection.request('CREATE', resource, { body: BAD_JSON }), 424);
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200);
      expectStatus(await connection.request('CREATE', resource, { body: BAD_JSON }), 401);
      expectStatus(await connection.request('UPDATE', resource, { body: '{"acl":{"unknown":[]}}' }), 401);
    },
  },
  {
    id: 'checks-body-before-rights',
    covers: ['F34'],
    section: '4',
    title: 'a bad body (400) or one too large (413) comes before no right (403), 404, 409 and 412',
    async run(t) {
      const { alice, bob, folder, closed } = await stage(t);
      const large = { data: 'x'.repeat(t.limits.object + 2048) };
      const acl = { acl: { other: Array(Math.ceil(t.limits.acl / 12)).fill('read-data') } };
      for (const [client, resource] of [
        [bob, closed],
        [bob, `${closed}/missing/b`],
        [alice, `${folder}/missing/b`],
        [alice, folder],
      ] as const) {
        for (const type of ['CREATE', 'UPDATE']) {
          for (const text of [BAD_JSON, '{"colour":"red"}', '{"type":1}']) {
            expectStatus(await client.request(type, resource, { body: text }), 400, `${type} ${text}`);
          }
          expectStatus(await client.request(type, resource, { body: large }), 413, `${type} of a large object`);
          expectStatus(await client.request(type, resource, { body: acl }), 413, `${type} of a large acl`);
        }
      }
      const groups = `${alice.user}/config/groups`;
      expectStatus(await bob.request('UPDATE', groups, { body: '{"data":{"court":"queen"}}' }), 400, 'no groups');
    },
  },
  {
    id: 'checks-no-right-at-all',
    covers: ['F34', 'F46'],
    section: '4',
    title: 'who holds no right at all gets 403, whether the object exists or not',
    async run(t) {
      const { bob, closed } = await stage(t);
      for (const type of ALL) {
        for (const resource of [`${closed}/a`, `${closed}/missing`, `${closed}/missing/below`, `${closed}/a/missing`]) {
          expectStatus(await bob.request(type, resource, { body: body(type) }), 403, `${type} ${resource}`);
        }
      }
    },
  },
  {
    id: 'checks-nobodys-tree',
    covers: ['F34', 'F46'],
    section: '4',
    title: 'in the tree of a user who does not exist everything gets 403',
    async run(t) {
      const bob = await t.shared('bob');
      const nobody = `${t.name('nobody')}@${t.domain}`;
      for (const type of ALL) {
        for (const resource of [`${nobody}/a`, `${nobody}/config/groups`]) {
          expectStatus(await bob.request(type, resource, { body: body(type) }), 403, `${type} ${resource}`);
        }
      }
      for (const type of ['SELECT', 'LIST', 'READ'])
        expectStatus(await bob.request(type, `${nobody}/`), 403, `${type} of the root`);
    },
  },
  {
    id: 'checks-missing-before-right',
    covers: ['F34'],
    section: '4',
    title: 'who holds some right on the nearest existing ancestor learns 404, also without the right that is needed',
    async run(t) {
      const { bob, folder } = await stage(t);
      for (const type of ['SELECT', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE']) {
        for (const resource of [`${folder}/missing`, `${folder}/missing/below`]) {
          expectStatus(await bob.request(type, resource, { body: body(type) }), 404, `${type} ${resource}`);
        }
      }
    },
  },
  {
    id: 'checks-missing-parent-before-right',
    covers: ['F34'],
    section: '4',
    title: 'a missing parent (412) comes before a missing right (403)',
    async run(t) {
      const { bob, folder } = await stage(t);
      expectStatus(await bob.create(`${folder}/missing/a`, { data: 1 }), 412);
      expectStatus(await bob.create(`${folder}/missing/a/b`, { data: 1 }), 412);
    },
  },
  {
    id: 'checks-right-before-conflict',
    covers: ['F34'],
    section: '4',
    title: 'a missing right (403) comes before 409, and before the 405 for a root',
    async run(t) {
      const { alice, bob, folder } = await stage(t);
      expectStatus(await bob.create(`${folder}/a`), 403, 'exists, but Bob may not write children');
      expectStatus(await alice.create(`${folder}/a`), 409);
      expectStatus(await bob.remove(alice.user), 403, 'the root of another');
    },
  },
  {
    id: 'checks-parent-counts-as-self',
    covers: ['F34', 'F49'],
    section: '4',
    title: 'for CREATE and DELETE the rights on the parent count, not those on the object',
    async run(t) {
      const { alice, bob, folder, closed } = await stage(t);
      await alice.changed(`${closed}/a`, {
        acl: { users: { [bob.user]: ['read-data', 'delete-children', 'write-children'] } },
      });
      expectStatus(await bob.select(`${closed}/a`), 200);
      expectStatus(await bob.remove(`${closed}/a`), 403, 'no right at all on the parent');
      expectStatus(await bob.create(`${closed}/a`), 403, 'no right at all on the parent');
      await alice.changed(folder, { acl: { users: { [bob.user]: ['write-children', 'delete-children'] } } });
      await alice.changed(`${folder}/a`, {
        acl: { users: { [bob.user]: ['not-write-children', 'not-delete-children'] } },
      });
      expectStatus(await bob.create(`${folder}/a/below`), 403);
      expectStatus(await bob.create(`${folder}/a`), 409);
      expectStatus(await bob.remove(`${folder}/a`), 204);
      expectStatus(await bob.remove(`${folder}/a`), 404, 'gone, and Bob has rights on the parent');
    },
  },
];
