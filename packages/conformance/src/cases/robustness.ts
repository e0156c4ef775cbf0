/** What no server may fall over: mutated messages, hostile JSON, clients that leave in the middle. */
import type { Case, Context } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat, Failure } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';
import { describe, encodeRequest, type Reply } from '../wire/message.ts';
import { mutate } from './mutations.ts';

const ROUNDS = 12;
const PER_ROUND = 30;
/** Codes with which a server may answer nonsense: bad messages, policy, size, overload. */
const NAMED_CODES = [1002, 1008, 1009, 1013];

/** Messages as a client in that folder might send them; mutated ones stay within a tree of the case's own. */
function messagesOf(folder: string, user: string): Buffer[] {
  const subscriptions = { [user]: { events: ['created'], depth: -1 } };
  const object = {
    type: 'a/b',
    data: { a: [1, 2.5, 'x', null] },
    acl: { users: { [user]: ['read-data'] } },
    subscriptions,
  };
  return [
    encodeRequest(`SELECT ${folder} 11`),
    encodeRequest(`LIST ${folder} 12`, { headers: { 'X-Note': 'a note' } }),
    encodeRequest(`CREATE ${folder}/a 13`, { body: object }),
    encodeRequest(`UPDATE ${folder} 14`, { body: object }),
    encodeRequest(`DELETE ${folder}/a 15`),
    encodeRequest(`WRITE ${folder} 16`, { headers: { 'Content-Type': 'a/b', 'File-Name': 'a%20b' }, body: 'a\0b' }),
    encodeRequest(`READ ${folder} 17`),
    encodeRequest('CONNECT * 18', { body: { version: '0.1' } }),
    encodeRequest('AUTHENTICATE * 19', { body: { name: 'nobody-at-all', password: 'x' } }),
    encodeRequest(`UPDATED ${folder}`, { body: object }),
    encodeRequest('SUCCEEDED 200 20'),
  ];
}

/** The server still answers on that connection, or has closed it with a code that says why. */
async function expectServedOrClosed(connection: Connection, resource: string, hint: () => string): Promise<void> {
  const answer = connection.request('LIST', resource, { sequence: 900_000_001 });
  const reply: Reply | undefined = await answer.catch(() => undefined);
  if (reply) {
    expectThat(reply.status !== 500, 'any answer but 500', `${describe(reply)} after ${hint()}`);
    return;
  }
  if (connection.isOpen) throw new Failure('an answer or a close', `neither, after ${hint()}`);
  const { code } = await connection.closing();
  expectThat(NAMED_CODES.includes(code), `a close with ${NAMED_CODES.join(', ')}`, `${code} after ${hint()}`);
}

async function fuzz(t: Context, open: () => Promise<Connection>, messages: readonly Buffer[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const connection = await open();
    connection.lenient = true;
    const sent: Buffer[] = [];
    for (let count = 0; count < PER_ROUND && connection.isOpen; count += 1) {
      const message = mutate(t.random.pick(messages), t.random);
      sent.push(message);
      connection.send(message, { frame: t.random.pick(['text', 'binary']) });
    }
    const hint = () =>
      `round ${round}, messages in hex: ${sent
        .map((message) => message.toString('hex'))
        .join(' ')
        .slice(-2000)}`;
    await expectServedOrClosed(connection, `nobody@${t.domain}`, hint);
    await connection.close();
  }
  await t.negotiate();
}

function nested(depth: number, open: string, close: string): string {
  return open.repeat(depth) + close.repeat(depth);
}

export const robustness: readonly Case[] = [
  {
    id: 'robust-mutations-opened',
    covers: ['F9', 'F17'],
    section: '1',
    title: 'mutated messages before CONNECT: an answer or a named close code, and the next client is served',
    run: (t) => fuzz(t, () => t.open(), messagesOf(`alice@${t.domain}/a`, `alice@${t.domain}`)),
  },
  {
    id: 'robust-mutations-negotiated',
    covers: ['F9', 'F25'],
    section: '1',
    title: 'mutated messages before AUTHENTICATE: an answer or a named close code, and the next client is served',
    run: (t) => fuzz(t, () => t.negotiate(), messagesOf(`alice@${t.domain}/a`, `alice@${t.domain}`)),
  },
  {
    id: 'robust-mutations-authenticated',
    covers: ['F9'],
    section: '1',
    title: 'mutated messages of a user: an answer or a named close code, and the next client is served',
    async run(t) {
      const alice = await t.fresh();
      await fuzz(t, () => t.login(alice.account), messagesOf(`${alice.user}/playground`, alice.user));
      expectStatus(await alice.list(alice.user), 200, 'the tree is still there');
    },
  },
  {
    id: 'robust-deep-json',
    covers: ['F9', 'F39'],
    section: '4',
    title: 'JSON that is nested a hundred thousand deep is refused; ten deep is data',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      expectStatus(await alice.update(folder, `{"data":${nested(10, '[', ']')}}`), 204);
      for (const value of [
        nested(100_000, '[', ']'),
        nested(30_000, '{"a":', '}').replace('}', '1}'),
        '['.repeat(100_000),
      ]) {
        for (const field of ['data', 'acl', 'subscriptions', 'type', 'colour']) {
          expectStatus(await alice.update(folder, `{"${field}":${value}}`), [400, 413], `deep ${field}`);
        }
        expectStatus(await alice.create(`${folder}/a`, value), [400, 413], 'a deep body');
      }
      const connection = await t.open();
      expectStatus(
        await connection.request('CONNECT', '*', { body: `{"version":${nested(5000, '[', ']')}}` }),
        [400, 505],
      );
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200, 'still served');
    },
  },
  {
    id: 'robust-names-of-properties',
    covers: ['F39', 'F45'],
    section: '4',
    title: 'names that mean something in some language mean nothing here',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const names = [
        '__proto__',
        'constructor',
        'toString',
        'hasOwnProperty',
        'prototype',
        '__defineGetter__',
        'null',
        'NaN',
      ];
      const data = `{${names.map((name) => `"${name}":{"a":1}`).join(',')}}`;
      const text = `{"data":${data},"acl":{"groups":{${names.map((name) => `"${name}":["read-data"]`).join(',')}}}}`;
      for (const name of names) {
        expectStatus(await alice.create(`${folder}/${name}`, text), 201, name);
        expectStatus(await alice.update(`${folder}/${name}`, `{"data":{"${name}":{"b":2}}}`), 204, name);
        const shown = bodyText(await alice.select(`${folder}/${name}`)).replaceAll(/\s/g, '');
        for (const member of names)
          expectThat(shown.includes(`"${member}":{"a":1`), `data with the member ${member}`, shown);
      }
      expectEqual((await alice.seen(folder)).data, undefined, 'data of an object that has none');
      const bob = await t.shared('bob');
      expectStatus(await bob.select(`${folder}/constructor`), 403, 'a member of none of these groups');
    },
  },
  {
    id: 'robust-many-members',
    covers: ['F39'],
    section: '4',
    title: 'an object of ten thousand members is data like any other',
    async run(t) {
      const alice = await t.shared('alice');
      const count = Math.min(10_000, Math.floor(t.limits.object / 20));
      const data = Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, index]));
      const folder = await t.folder(alice, { data });
      await alice.changed(folder, { data: { m0: null, [`m${count - 1}`]: 'last' } });
      const shown = (await alice.seen(folder)).data as Record<string, unknown>;
      expectEqual([Object.keys(shown).length, shown[`m${count - 1}`]], [count - 1, 'last'], 'members and the last one');
    },
  },
  {
    id: 'robust-hanging-up',
    covers: ['F13'],
    section: '1',
    title: 'a client that hangs up in the middle of its requests disturbs nobody',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.given(`${folder}/other`);
      for (let round = 0; round < 5; round += 1) {
        const connection = await t.login(alice.account);
        for (let index = 0; index < 30; index += 1)
          connection.send(`UPDATE ${folder} ${index + 1}\r\n\r\n{"data":${index}}`);
        connection.destroy();
        await connection.closed;
      }
      expectStatus(await alice.update(`${folder}/other`, { data: 'after' }), 204);
      expectEqual((await alice.seen(`${folder}/other`)).data, 'after', 'data');
    },
  },
  {
    id: 'robust-large-credentials',
    covers: ['F22'],
    section: '3',
    title: 'names and passwords of ten thousand characters are refused like any other',
    async run(t) {
      const connection = await t.negotiate();
      for (const body of [
        { name: 'a'.repeat(10_000), password: 'x' },
        { name: 'alice', password: 'x'.repeat(10_000) },
      ]) {
        expectStatus(await connection.request('AUTHENTICATE', '*', { body }), [400, 401, 413, 429]);
      }
    },
  },
];
