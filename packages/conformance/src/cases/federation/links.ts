/** PROTOCOL §9: what a server of another domain may ask for, and in whose name, over a link that it opened. */
import type { Case, Context } from '../../case.ts';
import type { Client } from '../../client.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../../expect.ts';
import type { Reply } from '../../wire/message.ts';
import { ALL_RIGHTS } from './neighbours.ts';

interface LinkStage {
  readonly host: Client;
  /** Of the domain that is spoken for; nobody has to be there. */
  readonly guest: string;
  readonly folder: string;
}

async function stage(t: Context, rights: readonly string[] = ALL_RIGHTS): Promise<LinkStage> {
  const host = await t.shared('alice');
  const guest = `${t.name('guest')}@${t.spokenFor}`;
  return { host, guest, folder: await t.folder(host, { data: 'tea', acl: { users: { [guest]: rights } } }) };
}

function expectFor(user: string, reply: Reply): void {
  const named = ['To', 'User'].map((name) => reply.headers.get(name));
  expectEqual(named, [user, user], 'the headers To and User of the answer');
}

export const links: readonly Case[] = [
  {
    id: 'link-requests',
    covers: ['F63', 'F61'],
    section: '9',
    needs: 'link',
    title: 'users are named by From, by User alone, with and without their domain, and answers say for whom they are',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const link = await t.link();
      const [name = ''] = guest.split('@');
      for (const headers of [{ From: guest, User: guest }, { From: guest }, { User: guest }, { User: name }]) {
        const reply = await link.request('SELECT', folder, { headers });
        expectEqual(jsonObject(expectStatus(reply, 200, JSON.stringify(headers)))['data'], 'tea', 'data');
        expectFor(guest, reply);
      }
      const body = { data: 1 };
      const created = await link.request('CREATE', `${folder}/a`, { headers: { From: guest }, body });
      expectFor(guest, expectStatus(created, 201));
      expectEqual((await host.seen(`${folder}/a`)).owner, guest, 'owner');
      expectFor(guest, expectStatus(await link.request('READ', folder, { headers: { From: guest } }), 404));
    },
  },
  {
    id: 'link-rights',
    covers: ['F50', 'F63'],
    section: '5',
    needs: 'link',
    title: 'each user of a link holds their own rights and no others',
    async run(t) {
      const { guest, folder } = await stage(t, ['read-data']);
      const link = await t.link();
      expectStatus(await link.request('SELECT', folder, { headers: { From: guest } }), 200);
      expectStatus(await link.request('UPDATE', folder, { headers: { From: guest }, body: { data: 1 } }), 403);
      const stranger = { From: `stranger@${t.spokenFor}` };
      expectFor(stranger.From, expectStatus(await link.request('SELECT', folder, { headers: stranger }), 403));
    },
  },
  {
    id: 'link-foreign-from',
    covers: ['F65'],
    section: '9',
    needs: 'link',
    title: 'a request in the name of a user of another domain closes the link with 1008, and nothing is done',
    async run(t) {
      const { host, folder } = await stage(t);
      const names = [host.user, `sister@no-such-domain.invalid`, `sister@below.${t.spokenFor}`];
      for (const name of names) {
        for (const header of ['From', 'User']) {
          const link = await t.link();
          link.lenient = true;
          link.send(`UPDATE ${folder} 5\r\n${header}: ${name}\r\n\r\n{"data":"forged"}`);
          const { code } = await link.closing();
          expectEqual(code, 1008, `the close after ${header}: ${name}`);
        }
      }
      expectEqual((await host.seen(folder)).data, 'tea', 'data');
    },
  },
  {
    id: 'link-from-counts',
    covers: ['F65'],
    section: '9',
    needs: 'link',
    title: 'From counts before User',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const link = await t.link();
      link.lenient = true;
      link.send(`UPDATE ${folder} 5\r\nUser: ${guest}\r\nFrom: ${host.user}\r\n\r\n{"data":"forged"}`);
      expectEqual((await link.closing()).code, 1008, 'the close');
      expectEqual((await host.seen(folder)).data, 'tea', 'data');
    },
  },
  {
    id: 'link-not-ours',
    covers: ['F67'],
    section: '9',
    needs: 'link',
    title: 'what a server asks for of a domain that is not this one’s gets 421, and is sent on to nobody',
    async run(t) {
      const { guest } = await stage(t);
      const link = await t.link();
      for (const domain of [t.spokenFor, 'no-such-domain.invalid', `below.${t.domain}`]) {
        for (const type of ['SELECT', 'LIST', 'READ', 'DELETE']) {
          const reply = await link.request(type, `bob@${domain}/a`, { headers: { From: guest } });
          expectStatus(reply, 421, `${type} of ${domain}`);
        }
      }
    },
  },
  {
    id: 'link-mistakes',
    covers: ['F33', 'F68'],
    section: '1',
    needs: 'link',
    title: 'one user’s mistakes get 400 each and do not close the link for others',
    async run(t) {
      const { guest, folder } = await stage(t);
      const link = await t.link();
      const clumsy = { From: `clumsy@${t.spokenFor}` };
      for (let count = 0; count < 15; count++) {
        expectStatus(await link.request('SELECT', `${folder}/../a`, { headers: clumsy }), 400);
      }
      expectStatus(await link.request('SELECT', folder, { headers: { From: guest } }), 200);
    },
  },
  {
    id: 'link-order-per-user',
    covers: ['F13', 'F61'],
    section: '4',
    needs: 'link',
    title: 'on a link order counts per user, and each of many requests gets its own answer',
    async run(t) {
      const { guest, folder } = await stage(t);
      const link = await t.link();
      const headers = { From: guest };
      const created = link.request('CREATE', `${folder}/a`, { headers, body: {} });
      const updates = Array.from({ length: 30 }, (_, at) =>
        link.request('UPDATE', `${folder}/a`, { headers, body: { data: at + 1 } }),
      );
      const seen = link.request('SELECT', `${folder}/a`, { headers });
      expectStatus(await created, 201);
      for (const reply of await Promise.all(updates)) expectStatus(reply, 204);
      expectEqual(jsonObject(await seen)['data'], 30, 'data after the last UPDATE');
    },
  },
  {
    id: 'link-files',
    covers: ['F31', 'F32', 'F63'],
    section: '1',
    needs: 'link',
    title: 'files are raw bytes on a link, in text frames as well when it is another server that sends them',
    async run(t) {
      const { guest, folder } = await stage(t);
      const link = await t.link();
      const headers = { From: guest };
      const file = Buffer.alloc(100_000, Buffer.from([0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0x80]));
      for (const frame of ['text', 'binary'] as const) {
        expectFor(guest, expectStatus(await link.request('WRITE', folder, { headers, body: file, frame }), 204));
        const read = expectStatus(await link.request('READ', folder, { headers }), 200);
        expectThat(read.body.equals(file), 'the same bytes', `${read.body.length} bytes`);
        expectFor(guest, read);
      }
    },
  },
];
