/** PROTOCOL §2: start lines, headers, bodies. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus } from '../expect.ts';
import { expectHeads } from './verdict.ts';

const TYPES = ['SELECT', 'CREATE', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE'];

export const grammar: readonly Case[] = [
  {
    id: 'grammar-request-types',
    covers: ['F5'],
    section: '2',
    title: 'every request type is known, LIST too',
    async run(t) {
      await expectHeads(
        t,
        'well-formed',
        [...TYPES, 'AUTHENTICATE', 'REGISTER'].map((type) => {
          const resource = TYPES.includes(type) ? `alice@${t.domain}/a` : '*';
          return { message: `${type} ${resource} #\r\n\r\n{}` };
        }),
      );
    },
  },
  {
    id: 'grammar-unknown-type',
    covers: ['F9', 'F15'],
    section: '2',
    title: 'an unknown type is malformed, and the socket survives',
    async run(t) {
      const types = ['FETCH', 'OPTIONS', 'SELECTED', 'CREATEE', 'ЅELECT', '*'];
      await expectHeads(
        t,
        'malformed',
        types.map((type) => ({ message: `${type} alice@${t.domain}/a #\r\n` })),
      );
    },
  },
  {
    id: 'grammar-start-line',
    covers: ['F5', 'F12'],
    section: '2',
    title: 'a start line has a type, a resource and a sequence number, each after one space',
    async run(t) {
      const id = `alice@${t.domain}/a`;
      const lines = [
        `SELECT ${id}`,
        `SELECT  ${id} #`,
        `SELECT ${id} # #`,
        ` SELECT ${id} #`,
        `SELECT\t${id}\t#`,
        'SELECT #',
      ];
      await expectHeads(
        t,
        'malformed',
        lines.map((line) => ({ message: `${line}\r\n` })),
      );
    },
  },
  {
    id: 'grammar-asterisk',
    covers: ['F12'],
    section: '2',
    title: 'requests on an object need a resource',
    async run(t) {
      const connection = await t.login((await t.shared('alice')).account);
      for (const type of TYPES) expectStatus(await connection.request(type, '*', { body: '{}' }), 400, `${type} *`);
    },
  },
  {
    id: 'grammar-head-ends',
    covers: ['F8'],
    section: '2',
    title: 'a head without body may end after its last line, or with one more CRLF [compat]',
    async run(t) {
      const id = `alice@${t.domain}/a`;
      const heads = [
        `SELECT ${id} #\r\n`,
        `SELECT ${id} #\r\n\r\n`,
        `SELECT ${id} #\r\nX-Note: a\r\n`,
        `SELECT ${id} #\r\nX-Note: a\r\n\r\n`,
      ];
      await expectHeads(
        t,
        'well-formed',
        heads.map((message) => ({ message })),
      );
    },
  },
  {
    id: 'grammar-line-ends',
    covers: ['F8'],
    section: '2',
    title: 'a head without any CRLF, or with bare line feeds, is answered and does no harm',
    async run(t) {
      const connection = await t.open();
      for (const [index, end] of ['', '\n', '\n\n', '\r'].entries()) {
        connection.send(`SELECT alice@${t.domain}/a ${index + 1}${end}`);
        expectStatus(await connection.response(index + 1, 0), [400, 424], JSON.stringify(end));
      }
      expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' }, sequence: 50 }), 200);
    },
  },
  {
    id: 'grammar-body-untouched',
    covers: ['F3', 'F8'],
    section: '2',
    title: 'the body is every byte after the first CRLFCRLF',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const file of ['\r\n', '\r\n\r\n', ' x', 'A: b\r\n\r\nc', 'SELECT * 1\r\n', '\u{feff}x', '\0']) {
        await alice.written(folder, file);
        expectEqual((await alice.read(folder)).body.toString(), file, 'the bytes read');
      }
    },
  },
  {
    id: 'grammar-header-case',
    covers: ['F8'],
    section: '2',
    title: 'header keys are case-insensitive, and come back in their own spelling',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const spellings: readonly [string, string][] = [
        ['content-type', 'file-name'],
        ['CONTENT-TYPE', 'FILE-NAME'],
        ['cOnTeNt-TyPe', 'fIlE-nAmE'],
      ];
      for (const [type, name] of spellings) {
        await alice.written(folder, 'x', { [type]: 'text/x-tea', [name]: `${type}.txt` });
        const { headers } = expectStatus(await alice.read(folder), 200);
        expectEqual(
          [headers.get('Content-Type'), headers.get('File-Name')],
          ['text/x-tea', `${type}.txt`],
          'Content-Type, File-Name',
        );
      }
    },
  },
  {
    id: 'grammar-header-values',
    covers: ['F8', 'F15'],
    section: '2',
    title: 'a header value is any Unicode but control characters, and unknown headers are ignored',
    async run(t) {
      const line = (value: string) => ({ message: `SELECT alice@${t.domain}/a #\r\nX-Note: ${value}\r\n` });
      const fine = ['a', 'a b, c', 'alice@wonderland.lit', 'grüße 世界 🐇', 'a: b', '"quoted"; x=1', '\u{a0}', 'a  b'];
      await expectHeads(t, 'well-formed', fine.map(line));
      const control = ['a\u0000b', 'a\tb', 'a\u0007b', 'a\u007fb', 'a\u0085b', 'a\nb', 'a\rb'];
      await expectHeads(t, 'malformed', control.map(line));
    },
  },
  {
    id: 'grammar-header-keys',
    covers: ['F8'],
    section: '2',
    title: 'a header line without a key or without a colon is malformed',
    async run(t) {
      const line = (header: string) => ({ message: `SELECT alice@${t.domain}/a #\r\n${header}\r\n` });
      await expectHeads(t, 'malformed', ['X-Note', ': value', ' X-Note: a', 'X Note: a', 'X\u0000Note: a'].map(line));
    },
  },
  {
    id: 'grammar-header-count',
    covers: ['F8'],
    section: '2',
    title: 'a head has at most 64 headers',
    async run(t) {
      const headers = (count: number) => Array.from({ length: count }, (_, index) => `X-Note-${index}: a\r\n`).join('');
      const message = (count: number) => [
        { name: `${count} headers`, message: `SELECT alice@${t.domain}/a #\r\n${headers(count)}` },
      ];
      await expectHeads(t, 'well-formed', message(64));
      await expectHeads(t, 'malformed', message(65));
    },
  },
  {
    id: 'grammar-head-size',
    covers: ['F8'],
    section: '2',
    title: 'a head has at most 8 KiB',
    async run(t) {
      const head = (bytes: number) => `SELECT alice@${t.domain}/a #\r\nX-Note: ${'x'.repeat(bytes)}\r\n`;
      const message = (bytes: number, end: string) => [
        { name: `a header of ${bytes} bytes`, message: head(bytes) + end },
      ];
      await expectHeads(t, 'well-formed', message(8000 - t.domain.length, ''));
      await expectHeads(t, 'malformed', [...message(8300, ''), ...message(8300, '\r\n'), ...message(12_000, '\r\n{}')]);
    },
  },
  {
    id: 'grammar-head-size-authenticated',
    covers: ['F8'],
    section: '2',
    title: 'a head of a megabyte is malformed, ended or not, and the connection stays',
    async run(t) {
      const connection = await t.login((await t.shared('alice')).account);
      for (const end of ['\r\n', '\r\n\r\n', '']) {
        connection.send(`SELECT alice@${t.domain}/a 70\r\nX-Note: ${'x'.repeat(1024 * 1024)}${end}`);
        expectStatus(await connection.response(70, 0), 400);
      }
      expectStatus(
        await connection.request('LIST', `${(await t.shared('alice')).user}/`, { sequence: 90 }),
        200,
        'still served',
      );
    },
  },
  {
    id: 'grammar-forwarding-headers',
    covers: ['F61', 'F65'],
    section: '9',
    title: 'From, To and User of a client are ignored, and never come back',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { data: 'secret', acl: { users: { [bob.user]: ['write-children'] } } });
      const forged = [
        { From: alice.user },
        { User: alice.user },
        { user: alice.account.name, from: alice.user, To: alice.user },
      ];
      for (const [index, headers] of forged.entries()) {
        expectStatus(await bob.request('SELECT', folder, { headers }), 403, 'Bob is Bob');
        expectStatus(await bob.request('CREATE', `${folder}/${index}`, { headers }), 201);
        expectEqual((await alice.seen(`${folder}/${index}`)).owner, bob.user, 'the owner');
      }
    },
  },
];
