/** PROTOCOL §10: etag, resume, password. Skipped where the server does not announce them. */
import type { Case, Context } from '../case.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';

interface PasswordChange {
  readonly connection: Connection;
  readonly old: string;
  readonly password: string;
}

export async function etagOf(connection: Connection, resource: string): Promise<string> {
  const reply = expectStatus(await connection.request('SELECT', resource), 200);
  const etag = reply.headers.get('ETag') ?? '';
  expectThat(etag !== '', 'a header ETag', reply.head);
  return etag;
}

async function tokenFor(t: Context, body: { name: string; password: string }): Promise<string> {
  const connection = await t.negotiate({ extensions: ['resume'] });
  const { token } = jsonObject(expectStatus(await connection.request('AUTHENTICATE', '*', { body }), 200));
  expectThat(typeof token === 'string' && token !== '', 'a token in the body of AUTHENTICATE’s response', token);
  return String(token);
}

async function byToken(t: Context, token: string): ReturnType<Connection['request']> {
  const connection = await t.negotiate({ extensions: ['resume'] });
  return connection.request('AUTHENTICATE', '*', { body: { token } });
}

/** Changes the password for the time of `during`: an account that was lent to the run keeps its own. */
async function withPassword(change: PasswordChange, during: () => Promise<void>): Promise<void> {
  const { connection, old, password } = change;
  expectStatus(await connection.request('REGISTER', '*', { body: { old, password } }), 200, 'changing the password');
  try {
    await during();
  } finally {
    const back = await connection.request('REGISTER', '*', { body: { old: password, password: old } });
    expectStatus(back, 200, 'changing the password back');
  }
}

export const extensions: readonly Case[] = [
  {
    id: 'etag',
    covers: ['S10', 'B22'],
    section: '10',
    title: 'etag: SELECT carries ETag, which changes with the object and not without',
    async run(t) {
      t.needs('etag');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      const connection = await t.login(alice.account, { extensions: ['etag'] });
      const first = await etagOf(connection, folder);
      await alice.changed(folder, { data: 1 });
      expectEqual(await etagOf(connection, folder), first, 'ETag of what did not change');
      await alice.changed(folder, { data: 2 });
      const second = await etagOf(connection, folder);
      await alice.written(folder, 'file');
      const third = await etagOf(connection, folder);
      expectEqual(new Set([first, second, third]).size, 3, 'different ETags after UPDATE and WRITE');
    },
  },
  {
    id: 'etag-if-match',
    covers: ['S10'],
    section: '10',
    title: 'etag: If-Match lets a change through that is based on what is there, else 412 and nothing changes',
    async run(t) {
      t.needs('etag');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      const connection = await t.login(alice.account, { extensions: ['etag'] });
      const stale = await etagOf(connection, folder);
      const update = (etag: string, data: number) =>
        connection.request('UPDATE', folder, { body: { data }, headers: { 'If-Match': etag } });
      expectStatus(await update(stale, 2), 204);
      expectStatus(await update(stale, 3), 412);
      for (const type of ['SELECT', 'READ', 'WRITE', 'LIST']) {
        expectStatus(
          await connection.request(type, folder, { headers: { 'If-Match': stale } }),
          type === 'READ' ? [404, 412] : 412,
          type,
        );
      }
      expectStatus(await connection.request('DELETE', folder, { headers: { 'If-Match': stale } }), 412);
      expectEqual((await alice.seen(folder)).data, 2, 'data');
      expectStatus(await update(await etagOf(connection, folder), 4), 204);
    },
  },
  {
    id: 'etag-if-none-match',
    covers: ['S10'],
    section: '10',
    title: 'etag: If-None-Match gives FAILED 304 without a body while nothing changed',
    async run(t) {
      t.needs('etag');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      const connection = await t.login(alice.account, { extensions: ['etag'] });
      const headers = { 'If-None-Match': await etagOf(connection, folder) };
      const reply = expectStatus(await connection.request('SELECT', folder, { headers }), 304);
      expectEqual([reply.type, reply.body.length], ['FAILED', 0], 'type and length of the body');
      await alice.changed(folder, { data: 2 });
      expectStatus(await connection.request('SELECT', folder, { headers }), 200);
    },
  },
  {
    id: 'etag-not-negotiated',
    covers: ['B22'],
    section: '10',
    title: 'etag: where CONNECT did not name it, no ETag is sent and the conditions are ignored',
    async run(t) {
      t.needs('etag');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      expectEqual((await alice.select(folder)).headers.has('ETag'), false, 'a header ETag');
      const headers = { 'If-Match': '"something else"', 'If-None-Match': '"something"' };
      expectStatus(await alice.request('UPDATE', folder, { body: { data: 2 }, headers }), 204);
      expectStatus(await alice.request('SELECT', folder, { headers }), 200);
    },
  },
  {
    id: 'resume',
    covers: ['F23', 'D6'],
    section: '10',
    title: 'resume: AUTHENTICATE gives a token, which logs in again, more than once',
    async run(t) {
      t.needs('resume');
      const { account, user } = await t.shared('alice');
      const token = await tokenFor(t, account);
      for (let round = 0; round < 2; round += 1) {
        expectEqual(jsonObject(expectStatus(await byToken(t, token), 200))['user'], user, 'user');
      }
    },
  },
  {
    id: 'resume-forged',
    covers: ['F24'],
    section: '10',
    title: 'resume: a token that was changed anywhere is refused',
    async run(t) {
      t.needs('resume');
      const { account } = await t.shared('carol');
      const token = await tokenFor(t, account);
      const middle = Math.floor(token.length / 2);
      const swap = (at: number) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      for (const forged of ['x', token.slice(0, -6), swap(3), swap(middle)]) {
        expectStatus(await byToken(t, forged), [400, 401], forged);
      }
      expectStatus(await byToken(t, ''), [400, 401], 'an empty token');
    },
  },
  {
    id: 'resume-not-negotiated',
    covers: ['B22'],
    section: '10',
    title: 'resume: where CONNECT did not name it, no token is given',
    async run(t) {
      t.needs('resume');
      const { name, password } = (await t.shared('alice')).account;
      const connection = await t.negotiate();
      const reply = await connection.request('AUTHENTICATE', '*', { body: { name, password } });
      expectEqual(jsonObject(expectStatus(reply, 200))['token'], undefined, 'token');
    },
  },
  {
    id: 'password',
    covers: ['F22'],
    section: '10',
    title: 'password: changed with the old one: 200; then only the new one logs in, other connections close with 1008',
    async run(t) {
      t.needs('password');
      const alice = await t.fresh();
      const { name, password: old } = alice.account;
      const password = 'off with their heads';
      const connection = await t.login(alice.account, { extensions: ['password'] });
      await withPassword({ connection, old, password }, async () => {
        expectEqual((await alice.connection.closing()).code, 1008, 'the close code of the other connection');
        expectStatus(await connection.request('LIST', alice.user), 200, 'this connection stays');
        const [before, after] = await Promise.all([t.negotiate(), t.negotiate()]);
        expectStatus(
          await before.request('AUTHENTICATE', '*', { body: { name, password: old } }),
          401,
          'the old password',
        );
        expectStatus(await after.request('AUTHENTICATE', '*', { body: { name, password } }), 200, 'the new password');
      });
    },
  },
  {
    id: 'password-wrong',
    covers: ['F24'],
    section: '10',
    title: 'password: a wrong old one gets 403 and changes nothing',
    async run(t) {
      t.needs('password');
      const { account } = await t.shared('carol');
      const connection = await t.login(account, { extensions: ['password'] });
      expectStatus(
        await connection.request('REGISTER', '*', { body: { old: 'wrong', password: 'x-new-password' } }),
        403,
      );
      await t.login(account);
    },
  },
  {
    id: 'password-kills-tokens',
    covers: ['D6'],
    section: '10',
    title: 'password: the user’s tokens die',
    async run(t) {
      t.needs('password');
      t.needs('resume');
      const { account } = await t.fresh();
      const token = await tokenFor(t, account);
      expectStatus(await byToken(t, token), 200, 'before the change');
      const connection = await t.login(account, { extensions: ['password', 'resume'] });
      await withPassword({ connection, old: account.password, password: 'a new one' }, async () => {
        expectStatus(await byToken(t, token), 401, 'after the change');
      });
    },
  },
];
