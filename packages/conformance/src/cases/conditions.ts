/** PROTOCOL §4, §10: when conditions on tags are judged, and to whom tags are told. Skipped where `etag` is not announced. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus } from '../expect.ts';
import { etagOf } from './extensions.ts';

export const conditions: readonly Case[] = [
  {
    id: 'etag-order',
    covers: ['S10', 'F34'],
    section: '4',
    title: 'etag: conditions come after a missing right (403), and before 409 and 405',
    async run(t) {
      t.needs('etag');
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const acl = { users: { [bob.user]: ['write-attachment'] } };
      const folder = await t.folder(alice, { data: 1, acl });
      await alice.given(`${folder}/a`);
      const owner = await t.login(alice.account, { extensions: ['etag'] });
      const other = await t.login(bob.account, { extensions: ['etag'] });
      const names = expectStatus(await owner.request('LIST', folder), 200).headers.get('ETag') ?? '';
      for (const value of ['*', '"other"', names, await etagOf(owner, folder)]) {
        for (const name of ['If-Match', 'If-None-Match']) {
          for (const [type, resource, body] of [
            ['SELECT', folder, undefined],
            ['LIST', folder, undefined],
            ['READ', folder, undefined],
            ['UPDATE', folder, { data: 2 }],
            ['CREATE', `${folder}/a`, {}],
            ['DELETE', `${folder}/a`, undefined],
          ] as const) {
            const reply = await other.request(type, resource, { body, headers: { [name]: value } });
            expectStatus(reply, 403, `${type} with ${name}: ${value}`);
          }
        }
      }
      const noneThere = { headers: { 'If-None-Match': '*' } };
      expectStatus(await owner.request('CREATE', `${folder}/a`, noneThere), 412);
      expectStatus(await owner.request('CREATE', `${folder}/a`, { headers: { 'If-Match': '*' } }), 409);
      expectStatus(await owner.request('DELETE', `${alice.user}/`, noneThere), 412);
    },
  },
  {
    id: 'etag-hidden',
    covers: ['S10', 'F48'],
    section: '10',
    title: 'etag: who holds no read right is told no tag, and names none; * still says that there is an object',
    async run(t) {
      t.needs('etag');
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { data: 1, acl: { users: { [bob.user]: ['write-data'] } } });
      const other = await t.login(bob.account, { extensions: ['etag'] });
      for (const body of [{}, { data: 2 }]) {
        const reply = expectStatus(await other.request('UPDATE', folder, { body }), 204);
        expectEqual(reply.headers.has('ETag'), false, 'a header ETag');
      }
      const tag = await etagOf(await t.login(alice.account, { extensions: ['etag'] }), folder);
      const update = (headers: Record<string, string>) => other.request('UPDATE', folder, { body: {}, headers });
      expectStatus(await update({ 'If-Match': tag }), 412);
      expectStatus(await update({ 'If-None-Match': tag }), 204);
      expectStatus(await update({ 'If-Match': '*' }), 204);
      expectStatus(await update({ 'If-None-Match': '*' }), 412);
    },
  },
];
