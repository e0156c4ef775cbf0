/** PROTOCOL §1: messages that cannot be parsed, and how many of them a connection survives. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';

/** None of them ends in what could be taken for a sequence number. */
const BAD_HEADS = [
  'NONSENSE',
  'SELECT',
  'SELECT alice@x',
  'FETCH * one',
  '{"json":true}',
  '',
  'GET / HTTP/1.1',
  'LIST  x y',
];

async function sendBadMessages(connection: Connection, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    connection.send(`${BAD_HEADS[index % BAD_HEADS.length]}\r\n`);
    expectStatus(await connection.response(0), 400, `bad message ${index + 1}`);
  }
}

export const badMessages: readonly Case[] = [
  {
    id: 'bad-message-answered',
    covers: ['F9', 'F14'],
    section: '1',
    title: 'a message that cannot be parsed gets FAILED 400 with a message, and the connection stays',
    async run(t) {
      const connection = await t.open();
      await sendBadMessages(connection, 8);
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200, 'still served');
    },
  },
  {
    id: 'bad-message-sequence',
    covers: ['F9'],
    section: '1',
    title: 'a bad message with a readable sequence number is answered with that number',
    async run(t) {
      const connection = await t.open();
      connection.send('SELECT nobody 4711\r\n');
      expectStatus(await connection.response(4711), 400, 'no @ in the resource');
      connection.send(`SELECT nobody@${t.domain}/a/../b 4712\r\n`);
      const reply = expectStatus(await connection.response(4712), 400, '.. in the path');
      expectThat(
        String(jsonObject(reply)['message']).length > 3,
        'a message that says what is wrong',
        reply.body.toString(),
      );
    },
  },
  {
    id: 'bad-message-tenth',
    covers: ['F9'],
    section: '1',
    title: 'the tenth bad message is answered, then the connection closes with 1002',
    async run(t) {
      const connection = await t.open();
      await sendBadMessages(connection, 10);
      expectEqual((await connection.closing()).code, 1002, 'the close code');
    },
  },
  {
    id: 'bad-message-nine',
    covers: ['F9'],
    section: '1',
    title: 'bad messages count from the opening on, through CONNECT and AUTHENTICATE',
    async run(t) {
      const { name, password } = (await t.shared('alice')).account;
      const connection = await t.open();
      await sendBadMessages(connection, 3);
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200);
      await sendBadMessages(connection, 3);
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password } }), 200);
      await sendBadMessages(connection, 3);
      expectStatus(await connection.request('LIST', `${name}@${t.domain}`), 200, 'after nine');
      await sendBadMessages(connection, 1);
      expectEqual((await connection.closing()).code, 1002, 'the close code after the tenth');
    },
  },
  {
    id: 'bad-message-sequence-counts',
    covers: ['F9'],
    section: '1',
    title: 'a 400 for a sequence number counts as a bad message',
    async run(t) {
      const connection = await t.negotiate();
      connection.lenient = true;
      for (let index = 0; index < 10; index += 1) connection.send(`LIST nobody@${t.domain}/ x\r\n`);
      expectEqual((await connection.closing()).code, 1002, 'the close code');
    },
  },
  {
    id: 'bad-body-does-not-count',
    covers: ['F9'],
    section: '1',
    title: 'bad bodies do not count',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account);
      for (let index = 0; index < 12; index += 1) {
        expectStatus(await connection.request('CREATE', `${folder}/a`, { body: '{"data":' }), 400);
      }
      expectStatus(await connection.request('CREATE', `${folder}/a`, { body: '{}' }), 201, 'still served');
    },
  },
  {
    id: 'refusals-do-not-count',
    covers: ['F9', 'F17', 'F25'],
    section: '1',
    title: 'a 424 or 401 is no bad message',
    async run(t) {
      const connection = await t.open();
      for (let index = 0; index < 12; index += 1) expectStatus(await connection.request('LIST', `a@${t.domain}/`), 424);
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200);
      for (let index = 0; index < 12; index += 1) expectStatus(await connection.request('LIST', `a@${t.domain}/`), 401);
    },
  },
  {
    id: 'client-notification-bad',
    covers: ['F9', 'F7'],
    section: '9',
    title: 'a notification sent by a client is dropped and counts as a bad message',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 'before' });
      const connection = await t.login(alice.account);
      connection.lenient = true;
      connection.send(`UPDATED ${folder}\r\n\r\n{"data":"after"}`);
      expectStatus(await connection.request('LIST', folder, { sequence: 42 }), 200, 'still served');
      expectEqual((await alice.seen(folder)).data, 'before', 'data');
      for (let index = 0; index < 9; index += 1) connection.send(`UPDATED ${folder}\r\n\r\n{"data":"after"}`);
      expectEqual((await connection.closing()).code, 1002, 'the close code after ten');
    },
  },
  {
    id: 'client-response-harmless',
    covers: ['F9'],
    section: '1',
    title: 'a response that a client sends unasked harms nobody',
    async run(t) {
      const connection = await t.negotiate();
      connection.lenient = true;
      for (const line of ['SUCCEEDED 200 1', 'SUCCEDED 200 2', 'FAILED 400 3']) connection.send(`${line}\r\n`);
      expectStatus(await connection.request('LIST', `nobody@${t.domain}/`, { sequence: 42 }), 401, 'still served');
    },
  },
];
