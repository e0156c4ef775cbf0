/** PROTOCOL §1, first half: WebSocket, frames, and bytes that must come through as they were sent. */
import type { Case } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat, json } from '../expect.ts';
import { encodeRequest } from '../wire/message.ts';
import { RawSocket, UPGRADE } from '../wire/raw-socket.ts';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

export const transport: readonly Case[] = [
  {
    id: 'transport-any-path',
    covers: ['F1', 'F4'],
    section: '1',
    title: 'a WebSocket opens at any HTTP path',
    async run(t) {
      for (const path of ['/', '/fosp', '/some/where?else=1']) {
        const connection = await t.open({ path });
        const reply = await connection.request('CONNECT', '*', { body: { version: '0.1' } });
        expectStatus(reply, 200, `CONNECT at ${path}`);
      }
    },
  },
  {
    id: 'transport-subprotocol-echoed',
    covers: ['F1', 'S1'],
    section: '1',
    title: 'the subprotocol fosp is echoed when offered',
    async run(t) {
      for (const subprotocols of [['fosp'], ['chat', 'fosp']]) {
        const { socket } = await t.open({ subprotocols });
        expectEqual(socket.protocol, 'fosp', `the subprotocol chosen from ${subprotocols.join(', ')}`);
      }
    },
  },
  {
    id: 'transport-subprotocol-optional',
    covers: ['F1'],
    section: '1',
    title: 'the subprotocol is never required, and none is echoed that was not offered',
    async run(t) {
      for (const offer of [[], ['Sec-WebSocket-Protocol: chat']]) {
        const raw = await RawSocket.dial(t.url, t.timeoutMs);
        const answer = await raw.http(['GET / HTTP/1.1', ...UPGRADE, ...offer]);
        raw.destroy();
        expectEqual(answer.status, 101, `the HTTP status when offering ${offer.join() || 'nothing'}`);
        expectEqual(answer.headers.get('sec-websocket-protocol'), undefined, 'the subprotocol');
      }
    },
  },
  {
    id: 'transport-ping',
    covers: ['F1'],
    section: '1',
    title: 'a WebSocket ping is answered with its payload',
    async run(t) {
      const { socket } = await t.open();
      const pong = new Promise<string>((resolve) => socket.once('pong', (data) => resolve(data.toString())));
      socket.ping('tick');
      const late = new Promise<string>((resolve) => setTimeout(resolve, t.timeoutMs, 'nothing').unref());
      expectEqual(await Promise.race([pong, late]), 'tick', 'the payload of the pong');
    },
  },
  {
    id: 'transport-close-handshake',
    covers: ['F1'],
    section: '1',
    title: 'a close by the client is answered',
    async run(t) {
      const connection = await t.negotiate();
      connection.socket.close(1000);
      expectEqual((await connection.closing()).code, 1000, 'the close code that comes back');
    },
  },
  {
    id: 'transport-fragments',
    covers: ['F1'],
    section: '1',
    title: 'a WebSocket message in fragments is one message',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account);
      const message = encodeRequest(`CREATE ${folder}/pieces 77`, { body: { data: 'grüße' } });
      connection.send(message.subarray(0, 1), { fin: false });
      for (let at = 1; at < message.length; at += 7)
        connection.socket.send(message.subarray(at, at + 7), { fin: false });
      connection.socket.send('', { fin: true });
      expectStatus(await connection.response(77), 201);
      expectEqual((await alice.seen(`${folder}/pieces`)).data, 'grüße', 'data');
    },
  },
  {
    id: 'transport-one-request-per-message',
    covers: ['F1'],
    section: '1',
    title: 'two requests in one WebSocket message are not two messages',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account);
      connection.send(`LIST ${folder} 501\r\n\r\nCREATE ${folder}/second 502\r\n\r\n{}`);
      await connection.response(501);
      expectStatus(await connection.request('LIST', folder, { sequence: 503 }), 200);
      expectEqual(json(await alice.list(folder)), [], 'children');
    },
  },
  {
    id: 'transport-request-in-binary-frame',
    covers: ['F2'],
    section: '1',
    title: 'requests are accepted in binary frames, and answered in text frames',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const { name, password } = alice.account;
      const connection = await t.open();
      const frame = 'binary';
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' }, frame }), 200);
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password }, frame }), 200);
      expectStatus(await connection.request('CREATE', `${folder}/a`, { body: { data: 1 }, frame }), 201);
      expectStatus(await connection.request('SELECT', `${folder}/a`, { frame }), 200);
      expectStatus(await connection.request('DELETE', `${folder}/a`, { frame }), 204);
    },
  },
  ...(['text', 'binary'] as const).map(
    (frame): Case => ({
      id: `transport-write-${frame}`,
      covers: ['F2', 'F3'],
      section: '1',
      title: `every byte of a WRITE in a ${frame} frame comes back${frame === 'text' ? ' [compat]' : ''}`,
      async run(t) {
        const alice = await t.shared('alice');
        const folder = await t.folder(alice);
        for (const file of [EVERY_BYTE, Buffer.from('\r\n\r\nafter'), Buffer.from([0, 13, 10, 13, 10, 0xc3, 0x28])]) {
          expectStatus(await alice.request('WRITE', folder, { body: file, frame }), 204);
          const read = expectStatus(await alice.read(folder), 200);
          expectEqual(read.body.toString('hex'), file.toString('hex'), 'the bytes read');
        }
      },
    }),
  ),
  {
    id: 'transport-read-empty',
    covers: ['F2', 'F32'],
    section: '1',
    title: 'an empty READ result is a text frame without a body [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, undefined);
      const read = expectStatus(await alice.read(folder), 200);
      expectEqual([read.frame, read.body.length], ['text', 0], 'frame and length');
    },
  },
  {
    id: 'transport-read-frames',
    covers: ['F2', 'F32'],
    section: '1',
    title: 'a READ body is a binary frame, also where the file is text; everything else is text [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      await alice.written(folder, 'plain text');
      const frames = [];
      for (const type of ['READ', 'SELECT', 'LIST']) frames.push((await alice.request(type, folder)).frame);
      frames.push((await alice.read(`${folder}/missing`)).frame, (await alice.update(folder, { data: 2 })).frame);
      expectEqual(
        frames,
        ['binary', 'text', 'text', 'text', 'text'],
        'frames of READ, SELECT, LIST, failed READ, UPDATE',
      );
    },
  },
  {
    id: 'transport-head-not-utf8',
    covers: ['F3'],
    section: '1',
    title: 'a head that is not UTF-8 gets 400, in text and in binary frames, and the connection stays',
    async run(t) {
      const connection = await t.negotiate();
      for (const frame of ['text', 'binary'] as const) {
        const head = Buffer.from('SELECT al\xffice@x/a 9\r\n', 'latin1');
        connection.send(head, { frame });
        expectStatus(await connection.response(9, 0), 400);
      }
      expectStatus(await connection.request('SELECT', `nobody@${t.domain}/a`, { sequence: 10 }), 401, 'still served');
    },
  },
  {
    id: 'transport-body-not-utf8',
    covers: ['F3'],
    section: '1',
    title: 'a JSON body that is not UTF-8 gets 400, in text and in binary frames, and the connection stays',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const frame of ['text', 'binary'] as const) {
        for (const bytes of ['{"data":"\xff"}', '{"data":"\xc3"}', '{"data":"\xed\xa0\x80"}', '{"data":"\xc0\xaf"}']) {
          const body = Buffer.from(bytes, 'latin1');
          expectStatus(await alice.request('CREATE', `${folder}/a`, { body, frame }), 400, bytes);
        }
      }
      expectStatus(await alice.create(`${folder}/a`, '{"data":"\u{1F407} ü"}'), 201);
      expectThat(
        bodyText(await alice.select(`${folder}/a`)).includes('\u{1F407} ü'),
        'the text as it was sent',
        'another',
      );
    },
  },
  {
    id: 'transport-never-empty',
    covers: ['F1'],
    section: '1',
    title: 'no answer is an empty WebSocket message, and an empty message is a bad message',
    async run(t) {
      const connection = await t.negotiate();
      connection.send('');
      expectStatus(await connection.response(0), 400);
      expectStatus(await connection.request('LIST', `nobody@${t.domain}/`), 401, 'still served');
    },
  },
];
