/** PROTOCOL §1: limits on size, and what is due before AUTHENTICATE. */
import type { Case, Context } from '../case.ts';
import { expectEqual, expectStatus } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';
import { encodeRequest } from '../wire/message.ts';

const KIB = 1024;
/** An object of about that many bytes. */
function objectOf(bytes: number): { data: string } {
  return { data: 'x'.repeat(bytes - 16) };
}

function aclOf(bytes: number, domain: string): Record<string, unknown> {
  const users: Record<string, string[]> = {};
  for (let index = 0; JSON.stringify(users).length < bytes; index += 1)
    users[`someone${index}@${domain}`] = ['read-data'];
  return { acl: { users } };
}

/** Sends what is over the message limit; expects 413 where the head could be read, then a close with 1009. */
async function overTheLimit(connection: Connection, message: Buffer, sequence: number | undefined): Promise<void> {
  connection.lenient = true;
  const answer = sequence === undefined ? undefined : connection.response(sequence);
  connection.send(message, { frame: 'binary' });
  if (answer) expectStatus(await answer, 413, 'the head was readable');
  expectEqual((await connection.closing()).code, 1009, 'the close code');
}

function sizeLimit(t: Context, bytes: number): void {
  if (bytes > t.maxBytes) t.skip(`would send ${bytes} bytes, more than the ${t.maxBytes} allowed for this run`);
}

export const limits: readonly Case[] = [
  {
    id: 'limit-object',
    covers: ['F27'],
    section: '1',
    title: 'over the object limit: 413 only, for CREATE and UPDATE; under it: accepted',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const { object } = t.limits;
      sizeLimit(t, 2 * object);
      expectStatus(await alice.create(`${folder}/large`, objectOf(object + KIB)), 413);
      expectStatus(await alice.select(`${folder}/large`), 404, 'nothing was created');
      expectStatus(await alice.create(`${folder}/fits`, objectOf(object - 2 * KIB)), 201);
      expectStatus(await alice.update(`${folder}/fits`, objectOf(object + KIB)), 413);
      expectStatus(await alice.update(`${folder}/fits`, objectOf(object - 3 * KIB)), 204);
    },
  },
  {
    id: 'limit-object-merged',
    covers: ['F28'],
    section: '4',
    title: 'a patch that would make the object too large gets 413 and changes nothing',
    async run(t) {
      const alice = await t.shared('alice');
      const half = 'x'.repeat(Math.floor(t.limits.object * 0.6));
      const folder = await t.folder(alice, { data: { first: half } });
      expectStatus(await alice.update(folder, { data: { second: half } }), 413);
      expectEqual(Object.keys((await alice.seen(folder)).data as object), ['first'], 'members of data');
    },
  },
  {
    id: 'limit-acl',
    covers: ['F43'],
    section: '1',
    title: 'over the acl limit: 413 only; under it: accepted',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      expectStatus(await alice.create(`${folder}/large`, aclOf(t.limits.acl + KIB, t.domain)), 413);
      expectStatus(await alice.update(folder, aclOf(t.limits.acl + KIB, t.domain)), 413);
      expectStatus(await alice.create(`${folder}/fits`, aclOf(t.limits.acl - KIB, t.domain)), 201);
    },
  },
  {
    id: 'limit-attachment',
    covers: ['F31'],
    section: '4',
    title: 'a file over the attachment limit gets 413 and the old one stays',
    slow: true,
    async run(t) {
      sizeLimit(t, t.limits.attachment + KIB);
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'old');
      const connection = await t.login(alice.account);
      const body = Buffer.alloc(t.limits.attachment + KIB);
      expectStatus(await connection.request('WRITE', folder, { body }), 413);
      expectStatus(await connection.request('LIST', folder), 200, 'still served');
      expectEqual((await alice.read(folder)).body.toString(), 'old', 'the file');
    },
  },
  {
    id: 'limit-message',
    covers: ['F1'],
    section: '1',
    title: 'over the message limit: 413 as the head is readable, then close with 1009',
    slow: true,
    async run(t) {
      sizeLimit(t, t.limits.message + KIB);
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account);
      const message = encodeRequest(`WRITE ${folder} 900`, { body: Buffer.alloc(t.limits.message + KIB) });
      await overTheLimit(connection, message, 900);
      expectStatus(await alice.read(folder), 404, 'no file was written');
    },
  },
  {
    id: 'limit-before-login',
    covers: ['F1', 'F25'],
    section: '1',
    title: 'before AUTHENTICATE a message over 16 KiB gets 413, then close with 1009',
    async run(t) {
      const opened = await t.open();
      const padding = ' '.repeat(18 * KIB);
      await overTheLimit(opened, encodeRequest('CONNECT * 1', { body: `{"version":"0.1"}${padding}` }), 1);
      const negotiated = await t.negotiate();
      await overTheLimit(negotiated, encodeRequest('REGISTER * 900', { body: `{"name":"x"}${padding}` }), 900);
    },
  },
  {
    id: 'limit-before-login-fits',
    covers: ['F1'],
    section: '1',
    title: 'before AUTHENTICATE a message of nearly 16 KiB is accepted, after it more',
    async run(t) {
      const { name, password } = (await t.shared('alice')).account;
      const folder = await t.folder(await t.shared('alice'));
      const connection = await t.open();
      const padding = ' '.repeat(15 * KIB);
      expectStatus(await connection.request('CONNECT', '*', { body: `{"version":"0.1"}${padding}` }), 200);
      const login = `${JSON.stringify({ name, password })}${padding}`;
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: login }), 200);
      expectStatus(await connection.request('CREATE', `${folder}/more`, { body: objectOf(64 * KIB) }), 201);
    },
  },
  {
    id: 'login-due',
    covers: ['F22'],
    section: '1',
    title: 'a connection that does not log in within 30 s is closed',
    slow: true,
    async run(t) {
      const connections = await Promise.all([t.open(), t.negotiate()]);
      await Promise.all(connections.map((connection) => connection.closing(45_000)));
    },
  },
];
