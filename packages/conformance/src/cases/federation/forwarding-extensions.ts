/** PROTOCOL §9, §10: conditions and pages across domains, where both servers announce them. */
import type { Case } from '../../case.ts';
import { expectEqual, expectStatus, expectThat, json } from '../../expect.ts';
import { stage } from './neighbours.ts';

export const forwardingExtensions: readonly Case[] = [
  {
    id: 'forwarded-conditions',
    covers: ['S10', 'F61'],
    section: '10',
    needs: 'peer',
    title: 'etag: tags and conditions pass through, so that of two changes one is refused',
    async run(t) {
      t.needs('etag');
      t.peer.needs('etag');
      const { host, guest, folder } = await stage(t);
      const far = await t.peer.login(guest.account, { extensions: ['etag'] });
      const first = expectStatus(await far.request('SELECT', folder), 200).headers.get('ETag') ?? '';
      expectThat(first !== '', 'a header ETag', 'none');
      expectStatus(await far.request('SELECT', folder, { headers: { 'If-None-Match': first } }), 304);
      await host.changed(folder, { data: 'of the host' });
      const change = { body: { data: 'of the guest' }, headers: { 'If-Match': first } };
      expectStatus(await far.request('UPDATE', folder, change), 412);
      expectEqual((await host.seen(folder)).data, 'of the host', 'data');
      const second = expectStatus(await far.request('SELECT', folder), 200).headers.get('ETag') ?? '';
      const again = { ...change, headers: { 'If-Match': second } };
      expectStatus(await far.request('UPDATE', folder, again), 204);
      expectEqual((await host.seen(folder)).data, 'of the guest', 'data');
    },
  },
  {
    id: 'forwarded-pages',
    covers: ['F30', 'K12', 'F61'],
    section: '10',
    needs: 'peer',
    title: 'page: LIST of another domain’s object comes page by page',
    async run(t) {
      t.needs('page');
      t.peer.needs('page');
      const { host, guest, folder } = await stage(t);
      const names = ['a', 'b%20c', 'd', 'é'];
      for (const name of names) await host.given(`${folder}/${name}`);
      const far = await t.peer.login(guest.account, { extensions: ['page'] });
      const seen: unknown[] = [];
      let after: string | undefined;
      do {
        const headers = { Limit: '2', ...(after !== undefined && { After: after }) };
        const reply = expectStatus(await far.request('LIST', folder, { headers }), 200);
        seen.push(json(reply));
        after = reply.headers.get('Next');
      } while (after !== undefined && seen.length < names.length);
      expectEqual(seen, [names.slice(0, 2), names.slice(2)], 'pages');
    },
  },
];
