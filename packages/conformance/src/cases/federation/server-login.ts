/** PROTOCOL §9: who is not let in as a server. */
import { randomBytes } from 'node:crypto';
import type { Case, Context } from '../../case.ts';
import { expectEqual, expectStatus, fail, json } from '../../expect.ts';
import type { Connection } from '../../wire/connection.ts';
import type { Reply } from '../../wire/message.ts';
import { isRecord } from '../../wire/strict.ts';

const SERVER = { isLink: true };

/** The answer to a claim over a connection of its own. */
async function claim(t: Context, domain: string): Promise<{ connection: Connection; reply: Reply }> {
  const connection = await t.negotiate(SERVER);
  return { connection, reply: await connection.request('AUTHENTICATE', '*', { body: { type: 'server', domain } }) };
}

async function expectClosed(connection: Connection, reply: Reply): Promise<void> {
  const { code } = await connection.closing();
  if (code === 1000) fail(`a close that says why the link ends after ${reply.status}`, `a close with ${code}`);
}

/** Skips a case where the machine that runs it is one of the peer's servers. */
function expectRefused(t: Context, reply: Reply): void {
  if (reply.status === 200) t.skip(`this machine's address proves that it is a server of ${t.peer.domain}`);
  expectStatus(reply, 403);
}

/** On one server alone. */
export const serverLogin: readonly Case[] = [
  {
    id: 'server-login-nowhere',
    covers: ['F63', 'F64'],
    section: '9',
    title: 'a server of a domain that does not exist is refused, and its link closed',
    async run(t) {
      const { connection, reply } = await claim(t, 'no-such-domain.invalid');
      expectStatus(reply, [403, 504]);
      await expectClosed(connection, reply);
    },
  },
  {
    id: 'server-login-own-domain',
    covers: ['F63', 'F64'],
    section: '9',
    title: 'nobody is believed to be a server of the domain that is asked, wherever they come from',
    async run(t) {
      const { connection, reply } = await claim(t, t.domain);
      expectStatus(reply, 403);
      await expectClosed(connection, reply);
    },
  },
  {
    id: 'server-login-malformed',
    covers: ['F63', 'F34'],
    section: '9',
    title: 'a server that does not say of which domain it is gets 400',
    async run(t) {
      for (const domain of [undefined, 7, '', 'no domain']) {
        const connection = await t.negotiate(SERVER);
        const reply = await connection.request('AUTHENTICATE', '*', { body: { type: 'server', domain } });
        expectStatus(reply, [400, 403], `"domain": ${JSON.stringify(domain)}`);
        if (reply.status === 403) continue;
        expectStatus(await connection.request('SELECT', `alice@${t.domain}`), 401, 'still nobody');
      }
    },
  },
];

/** With the server of another domain, in whose name nobody here may speak. */
export const peerLogin: readonly Case[] = [
  {
    id: 'server-login-unproven',
    covers: ['F63', 'F64'],
    section: '9',
    needs: 'peer',
    title: 'a login as a server of the other domain that proves nothing gets 403, and the link is closed',
    async run(t) {
      const { connection, reply } = await claim(t, t.peer.domain);
      expectRefused(t, reply);
      await expectClosed(connection, reply);
    },
  },
  {
    id: 'server-login-wrong-key',
    covers: ['F63', 'F64'],
    section: '9',
    needs: 'peer',
    title: 'a key that is none of the other domain’s proves nothing',
    async run(t) {
      const connection = await t.open(SERVER);
      const greeting = json(await connection.request('CONNECT', '*', { body: { version: '0.1' } }));
      if (!isRecord(greeting) || typeof greeting['nonce'] !== 'string') t.skip('no nonce was given');
      const body = { type: 'server', domain: t.peer.domain, key: randomBytes(32).toString('base64url') };
      const reply = await connection.request('AUTHENTICATE', '*', { body });
      expectRefused(t, reply);
      await expectClosed(connection, reply);
    },
  },
  {
    id: 'server-login-verify',
    covers: ['F63'],
    section: '9',
    needs: 'peer',
    title: 'VERIFY of a key that was never given says 403',
    async run(t) {
      const connection = await t.negotiate(SERVER);
      const body = { from: t.domain, to: t.peer.domain, nonce: 'bm9uY2U', key: randomBytes(32).toString('base64url') };
      expectStatus(await connection.request('VERIFY', '*', { body }), [400, 403]);
      const foreign = { ...body, from: t.peer.domain, to: t.domain };
      expectStatus(await connection.request('VERIFY', '*', { body: foreign }), [400, 403, 421], 'not ours to say');
    },
  },
  {
    id: 'server-login-before',
    covers: ['F64', 'F60'],
    section: '3',
    needs: 'peer',
    title: 'who is no server yet asks in nobody’s name',
    async run(t) {
      const [host, guest] = await Promise.all([t.shared('alice'), t.peer.shared('alice')]);
      const folder = await t.folder(host, { acl: { users: { [guest.user]: ['read-data'] } }, data: 1 });
      const connection = await t.negotiate(SERVER);
      for (const name of ['From', 'User']) {
        const reply = await connection.request('SELECT', folder, { headers: { [name]: guest.user } });
        expectStatus(reply, 401, `with ${name}`);
      }
      const stranger = await t.login((await t.shared('bob')).account);
      const reply = await stranger.request('SELECT', folder, { headers: { From: guest.user, User: guest.user } });
      expectEqual(reply.status, 403, 'the status for a client that says From');
    },
  },
];
