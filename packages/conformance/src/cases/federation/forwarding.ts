/** PROTOCOL §9: requests of a user of another domain, which their server forwards: as if it were their own server's tree. */
import type { Case } from '../../case.ts';
import type { Client } from '../../client.ts';
import { expectEqual, expectStatus, expectThat, json } from '../../expect.ts';
import type { Body } from '../../wire/message.ts';
import { ALL_RIGHTS, stage } from './neighbours.ts';

const COUNT = 30;

export const forwarding: readonly Case[] = [
  {
    id: 'forwarded-requests',
    covers: ['F60', 'F61'],
    section: '9',
    needs: 'peer',
    title: 'a user of another domain does by their own server whatever they hold the rights for',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const object = `${folder}/a`;
      expectStatus(await guest.create(object, '{"data":[12345678901234567890,1.10],"type":"x/y"}'), 201);
      const view = expectStatus(await guest.select(object), 200).body.toString();
      expectThat(view.includes('[12345678901234567890,1.10]'), 'the data, digit by digit', view);
      const { owner, data, type } = await host.seen(object);
      expectEqual([owner, type], [guest.user, 'x/y'], 'owner and type');
      expectStatus(await guest.update(object, { type: null, data: 'tea' }), 204);
      expectEqual((await host.seen(object)).data, 'tea', `data, which was ${JSON.stringify(data)}`);
      expectEqual(json(expectStatus(await guest.list(folder), 200)), ['a'], 'LIST');
      expectStatus(await guest.write(object, 'a file'), 204);
      expectEqual(expectStatus(await guest.read(object), 200).body.toString(), 'a file', 'READ');
      expectStatus(await guest.remove(object), 204);
      expectStatus(await host.select(object), 404);
    },
  },
  {
    id: 'forwarded-as-local',
    covers: ['F61', 'F50'],
    section: '9',
    needs: 'peer',
    title: 'every answer is the one that a local user with the same rights gets',
    async run(t) {
      const { host, guest, folder } = await stage(t, []);
      const local = await t.shared('bob');
      await host.changed(folder, {
        acl: { users: { [guest.user]: ALL_RIGHTS, [local.user]: ALL_RIGHTS } },
        data: { tea: 1 },
      });
      await host.given(`${folder}/b`, { data: 'é' });
      await host.given(`${folder}/secret`, { acl: { users: { [guest.user]: HIDDEN, [local.user]: HIDDEN } } });
      await host.written(folder, 'a file', { 'Content-Type': 'text/plain', 'File-Name': 'a%20b.txt' });
      for (const [type, path, body] of QUESTIONS) {
        const [near, far] = await Promise.all(
          [local, guest].map((client) => client.request(type, folder + path, { body })),
        );
        const what = `${type} ${path} ${JSON.stringify(body) ?? ''}`;
        expectEqual(far?.status, near?.status, `${what}: the status that a local user got`);
        expectEqual([...(far?.headers ?? [])], [...(near?.headers ?? [])], `${what}: headers`);
        if (far?.type === 'SUCCEEDED')
          expectThat(far.body.equals(near?.body ?? far.body), `${what}: one body`, far.head);
      }
    },
  },
  {
    id: 'forwarded-statuses',
    covers: ['F61', 'F34'],
    section: '4',
    needs: 'peer',
    title: 'refusals come back as the other server gave them',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      await host.given(`${folder}/here`);
      const refused: readonly [string, string, number, Body?][] = [
        ['SELECT', `${folder}/none`, 404],
        ['DELETE', `${folder}/none`, 404],
        ['READ', folder, 404],
        ['CREATE', `${folder}/here`, 409],
        ['CREATE', `${folder}/none/a`, 412],
        ['UPDATE', folder, 400, { acl: { owner: ['fly'] } }],
        ['UPDATE', folder, 400, '{"data":'],
        ['CREATE', `${folder}/a`, 400, { colour: 1 }],
      ];
      for (const [type, resource, status, body] of refused) {
        expectStatus(await guest.request(type, resource, { body }), status, `${type} ${resource}`);
      }
      // Such mistakes are counted per connection.
      const clumsy = await t.peer.login(guest.account);
      expectStatus(await clumsy.request('SELECT', `${host.user}/../a`), 400, 'SELECT ../a');
      const strangers = [host.user, `${t.name('nobody')}@${t.domain}`, `${t.name('nobody')}@${t.domain}/a`];
      for (const resource of strangers) {
        for (const type of ['SELECT', 'LIST', 'READ', 'CREATE', 'UPDATE', 'DELETE', 'WRITE']) {
          const body = type === 'CREATE' || type === 'UPDATE' ? {} : type === 'WRITE' ? 'a file' : undefined;
          const nothing = type === 'UPDATE' && resource === host.user ? { data: 1 } : body;
          const reply = await guest.request(type, resource, { body: nothing });
          expectStatus(reply, 403, `${type} without any right`);
        }
      }
    },
  },
  {
    id: 'forwarded-in-order',
    covers: ['F13', 'F61'],
    section: '2',
    needs: 'peer',
    title: 'requests on one object take effect in the order sent, and may be pipelined',
    async run(t) {
      const { guest, folder } = await stage(t);
      const send = (type: string, path: string, body?: Body) =>
        guest.connection.request(type, `${folder}/a${path}`, { body });
      const created = [send('CREATE', '', { data: 0 }), send('CREATE', '/b')];
      const updates = Array.from({ length: COUNT }, (_, at) => send('UPDATE', '', { data: at + 1 }));
      const [seen, removed] = [send('SELECT', ''), send('DELETE', '')];
      for (const reply of await Promise.all(created)) expectStatus(reply, 201);
      for (const reply of await Promise.all(updates)) expectStatus(reply, 204);
      expectEqual(JSON.parse((await seen).body.toString()).data, COUNT, 'data after the last UPDATE');
      expectStatus(await removed, 204);
    },
  },
  {
    id: 'forwarded-in-parallel',
    covers: ['F13', 'F61'],
    section: '2',
    needs: 'peer',
    title: 'of many requests at once each gets its own answer',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const other = await t.peer.shared('bob');
      await host.changed(folder, { acl: { users: { [other.user]: ALL_RIGHTS } } });
      const all = async (client: Client, stem: string) => {
        const names = Array.from({ length: COUNT }, (_, at) => `${folder}/${stem}${at}`);
        const made = names.map((name) => client.create(name, { data: name }));
        for (const reply of await Promise.all(made)) expectStatus(reply, 201);
        const views = await Promise.all(names.map((name) => client.seen(name)));
        const expected = names.map((name) => [client.user, name]);
        expectEqual(
          views.map(({ owner, data }) => [owner, data]),
          expected,
          'owners and data',
        );
      };
      await Promise.all([all(guest, 'a'), all(other, 'b')]);
    },
  },
  {
    id: 'forwarded-name-of-another',
    covers: ['F60', 'F65'],
    section: '9',
    needs: 'peer',
    title: 'what a client writes into From, User or To is not believed',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['write-children']);
      for (const [at, name] of ['From', 'User', 'To'].entries()) {
        const headers = { [name]: host.user };
        expectStatus(await guest.request('SELECT', host.user, { headers }), 403, `with ${name}`);
        expectStatus(await guest.request('CREATE', `${folder}/${at}`, { headers, body: {} }), 201);
        expectEqual((await host.seen(`${folder}/${at}`)).owner, guest.user, `owner, with ${name}`);
      }
    },
  },
  {
    id: 'forwarded-normalised',
    covers: ['F11', 'F61'],
    section: '2',
    needs: 'peer',
    title: 'a resource of another domain may be spelled as freely as one of their own',
    async run(t) {
      const { host, guest, folder } = await stage(t, ALL_RIGHTS, { data: 'tea' });
      const [, path = ''] = /^[^/]*(\/.*)$/.exec(folder) ?? [];
      const shouted = `${host.account.name.toUpperCase()}@${t.domain.toUpperCase()}.`;
      for (const resource of [`${shouted}${path}`, `${folder}/`]) {
        expectEqual((await guest.seen(resource)).data, 'tea', resource);
      }
      await host.given(`${folder}/caf\u00e9`, { data: 'coffee' });
      expectEqual((await guest.seen(`${folder}/cafe\u0301`)).data, 'coffee', 'a name that is not in NFC');
    },
  },
  {
    id: 'forwarded-nowhere',
    covers: ['F34', 'F61'],
    section: '8',
    needs: 'peer',
    title: 'a domain that has no server is 504, whatever is asked of it, and costs other domains nothing',
    async run(t) {
      const { guest, folder } = await stage(t);
      const nowhere = 'sister@no-such-domain.invalid/a';
      const asked = ['SELECT', 'LIST', 'READ', 'DELETE'].map((type) => guest.request(type, nowhere));
      asked.push(guest.create(nowhere), guest.update(nowhere, { data: 1 }), guest.write(nowhere, 'a file'));
      expectStatus(await guest.select(folder), 200, 'the other domain, meanwhile');
      for (const reply of await Promise.all(asked)) expectStatus(reply, 504);
    },
  },
  {
    id: 'forwarded-large-object',
    covers: ['F61', 'F34'],
    section: '4',
    needs: 'peer',
    title: 'an object as large as both servers take goes both ways; a larger one is 413',
    async run(t) {
      const { guest, folder } = await stage(t);
      const limit = Math.min(t.limits.object, t.peer.limits.object);
      const data = 'x'.repeat(limit - 1024);
      expectStatus(await guest.create(`${folder}/a`, { data }), 201);
      expectEqual((await guest.seen(`${folder}/a`)).data, data, 'data');
      const most = Math.max(t.limits.object + t.limits.acl, t.peer.limits.object + t.peer.limits.acl);
      expectStatus(await guest.create(`${folder}/b`, { data: 'x'.repeat(most + 1024) }), 413);
      expectStatus(await guest.select(`${folder}/b`), 404);
    },
  },
];

const HIDDEN = ALL_RIGHTS.filter((right) => right.startsWith('read-')).map((right) => `not-${right}`);

/** Type, path below the folder, body. Those that change something change nothing the second time. */
const QUESTIONS: readonly (readonly [string, string, Body?])[] = [
  ['SELECT', ''],
  ['SELECT', '/b'],
  ['SELECT', '/none'],
  ['SELECT', '/secret'],
  ['LIST', ''],
  ['LIST', '/b'],
  ['LIST', '/secret'],
  ['READ', ''],
  ['READ', '/b'],
  ['UPDATE', '', {}],
  ['UPDATE', '', { data: { tea: 1 } }],
  ['UPDATE', '', { data: { tea: 1 }, acl: { users: 7 } }],
  ['UPDATE', '/none', { data: 1 }],
  ['CREATE', '/b', {}],
  ['CREATE', '/none/c', {}],
  ['CREATE', '/d', { subscriptions: 1 }],
  ['DELETE', '/none'],
  ['WRITE', '/none', 'a file'],
];
