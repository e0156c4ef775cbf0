/** PROTOCOL §3: REGISTER, and the tree that comes with an account. */
import type { Case, Context } from '../case.ts';
import { expectEqual, expectStatus, json } from '../expect.ts';

const PASSWORD = 'curiouser-and-curiouser';
const RIGHTS = [
  ...['data', 'acl', 'subscriptions', 'attachment', 'children'].flatMap((field) => [`${field}-read`, `${field}-write`]),
  'children-delete',
];

function needsRegistration(t: Context): void {
  if (!t.greeting.registration) t.skip('registration is closed');
}

export const registration: readonly Case[] = [
  {
    id: 'register',
    covers: ['F19'],
    section: '3',
    title: 'REGISTER gives 201; a taken name, however spelled, 409',
    async run(t) {
      needsRegistration(t);
      const name = t.name('n');
      expectStatus(await t.register({ name, password: PASSWORD }), 201);
      for (const taken of [name, name.toUpperCase()])
        expectStatus(await t.register({ name: taken, password: PASSWORD }), 409, taken);
      await t.login({ name, password: PASSWORD, user: `${name}@${t.domain}` });
    },
  },
  {
    id: 'register-does-not-authenticate',
    covers: ['F19', 'F25'],
    section: '3',
    title: 'REGISTER does not authenticate the connection',
    async run(t) {
      needsRegistration(t);
      const name = t.name('n');
      const connection = await t.negotiate();
      const reply = await connection.request('REGISTER', '*', { body: { name, password: PASSWORD } });
      if (reply.status === 429) t.skip('the server limits registrations');
      expectStatus(reply, 201);
      expectStatus(await connection.request('LIST', `${name}@${t.domain}`), 401);
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password: PASSWORD } }), 200);
    },
  },
  {
    id: 'register-malformed',
    covers: ['F19'],
    section: '3',
    title: 'a REGISTER body that is not {name, password} with a lawful name gets 400',
    async run(t) {
      needsRegistration(t);
      const name = t.name('n');
      const bodies = [
        {},
        { name },
        { password: PASSWORD },
        { name: 7, password: PASSWORD },
        { name, password: 7 },
        { name, password: null },
        [],
        null,
        'x',
      ];
      for (const body of bodies) expectStatus(await t.register(body), 400, JSON.stringify(body));
      for (const bad of ['', '-a', 'a-', 'a b', 'a/b', 'a♥', 'a\u200b', 'a\u0000']) {
        expectStatus(await t.register({ name: bad, password: PASSWORD }), 400, JSON.stringify(bad));
      }
    },
  },
  {
    id: 'register-too-long',
    covers: ['F11', 'F19'],
    section: '2',
    title: 'a name so long that the ids of its objects would be over the limit of 2,048 bytes gets 400',
    async run(t) {
      needsRegistration(t);
      const longest = 2048 - Buffer.byteLength(`@${t.domain}/config/groups`);
      for (const bad of ['é'.repeat(2000), 'é'.repeat(1020), 'a'.repeat(longest + 1)]) {
        expectStatus(await t.register({ name: bad, password: PASSWORD }), 400, `${bad.length} characters`);
      }
    },
  },
  {
    id: 'register-malformed-json',
    covers: ['F19'],
    section: '3',
    title: 'a REGISTER or AUTHENTICATE body that is no JSON gets 400',
    async run(t) {
      needsRegistration(t);
      const connection = await t.negotiate();
      for (const type of ['REGISTER', 'AUTHENTICATE']) {
        for (const body of ['', '{', '{"name":"a" "password":"b"}']) {
          const reply = await connection.request(type, '*', { body });
          if (reply.status !== 429) expectStatus(reply, 400, `${type} ${body}`);
        }
      }
    },
  },
  {
    id: 'register-closed',
    covers: ['F20'],
    section: '3',
    title: 'where registration is switched off, REGISTER gets 403',
    async run(t) {
      if (t.greeting.registration) t.skip('registration is open');
      expectStatus(await t.register({ name: t.name('n'), password: PASSWORD }), 403);
    },
  },
  {
    id: 'register-race',
    covers: ['F19'],
    section: '3',
    title: 'of two REGISTERs of one name at the same time, one wins',
    async run(t) {
      needsRegistration(t);
      const name = t.name('n');
      const tries = [PASSWORD, 'another'].map((password) => t.register({ name, password }));
      const statuses = (await Promise.all(tries)).map((reply) => reply.status);
      expectEqual(statuses.toSorted(), [201, 409], 'the statuses');
    },
  },
  {
    id: 'register-international',
    covers: ['F11', 'F19'],
    section: '3',
    title: 'names of any script can be registered, and are normalised',
    async run(t) {
      needsRegistration(t);
      const suffix = t.name('n');
      const [sent, normal] = [`ЖZoe\u0308愛${suffix}`, `жzoë愛${suffix}`];
      expectStatus(await t.register({ name: sent, password: PASSWORD }), 201);
      const connection = await t.login({ name: sent, password: PASSWORD, user: '' });
      const root = await connection.request('SELECT', `${sent}@${t.domain}`);
      expectStatus(root, 200);
      expectEqual((json(root) as { owner: string }).owner, `${normal}@${t.domain}`, 'the owner of the root');
    },
  },
  {
    id: 'tree-of-a-new-account',
    covers: ['F19', 'F35', 'F36', 'F42'],
    section: '3',
    title: 'a new account has a root, config and config/groups, all its own',
    async run(t) {
      const alice = await t.fresh();
      expectEqual(json(await alice.list(alice.user)), ['config'], 'children of the root');
      expectEqual(json(await alice.list(`${alice.user}/config`)), ['groups'], 'children of config');
      for (const path of ['', '/config', '/config/groups']) {
        const view = await alice.seen(alice.user + path);
        expectEqual(view.owner, alice.user, `owner of ${path || 'the root'}`);
      }
    },
  },
  {
    id: 'root-acl',
    covers: ['F43', 'F44'],
    section: '5',
    title: 'a new tree’s root has acl.owner and acl.users[user] = all rights, in the spelling data-read [compat]',
    async run(t) {
      const alice = await t.fresh();
      const { acl } = await alice.seen(alice.user);
      const users = acl?.['users'] as Record<string, unknown> | undefined;
      for (const [where, rights] of [
        ['owner', acl?.['owner']],
        ['users', users?.[alice.user]],
      ] as const) {
        const sorted = Array.isArray(rights) ? rights.toSorted() : rights;
        expectEqual(sorted, withDelete(sorted), `acl.${where}`);
      }
    },
  },
  {
    id: 'strangers-tree',
    covers: ['F34', 'F46'],
    section: '5',
    title: 'a new tree shows nothing to a stranger',
    async run(t) {
      const [alice, bob] = await Promise.all([t.fresh(), t.shared('bob')]);
      for (const path of ['', '/config', '/config/groups', '/missing']) {
        for (const type of ['SELECT', 'LIST', 'READ', 'UPDATE', 'WRITE', ...(path ? ['CREATE', 'DELETE'] : [])]) {
          const body = ['SELECT', 'LIST', 'READ', 'DELETE'].includes(type) ? undefined : '{}';
          const reply = await bob.request(type, alice.user + path, { body });
          expectStatus(reply, 403, `${type} ${path || 'the root'}`);
        }
      }
    },
  },
];

/** All rights; `delete-children` in either spelling, since no existing client names it the other way. */
function withDelete(shown: unknown): string[] {
  const spelled = Array.isArray(shown) && shown.includes('delete-children') ? 'delete-children' : 'children-delete';
  return [...RIGHTS.slice(0, -1), spelled].toSorted();
}
