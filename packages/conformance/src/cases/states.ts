/** PROTOCOL §3: what each state of a connection allows, and CONNECT. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';
import { isRecord } from '../wire/strict.ts';

const VERSION = { version: '0.1' };

export const states: readonly Case[] = [
  {
    id: 'state-opened',
    covers: ['F16', 'F17'],
    section: '3',
    title: 'before CONNECT every other request gets 424, has no effect, and CONNECT is still possible',
    async run(t) {
      const account = (await t.shared('alice')).account;
      const folder = await t.folder(await t.shared('alice'));
      const connection = await t.open();
      const { name, password } = account;
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password } }), 424);
      expectStatus(await connection.request('REGISTER', '*', { body: { name: t.name('n'), password } }), 424);
      for (const type of ['SELECT', 'CREATE', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE']) {
        expectStatus(await connection.request(type, folder, { body: '{}' }), 424, type);
      }
      expectStatus(await connection.request('CONNECT', '*', { body: VERSION }), 200);
      expectStatus(await connection.request('LIST', folder), 401, 'the early AUTHENTICATE had no effect');
    },
  },
  {
    id: 'state-negotiated',
    covers: ['F25'],
    section: '3',
    title: 'before AUTHENTICATE every request on an object gets 401, whether the object exists or not',
    async run(t) {
      const folder = await t.folder(await t.shared('alice'));
      const connection = await t.negotiate();
      for (const type of ['SELECT', 'CREATE', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE']) {
        for (const resource of [folder, `${folder}/missing`, `nobody-here@${t.domain}/a`]) {
          expectStatus(await connection.request(type, resource, { body: '{}' }), 401, `${type} ${resource}`);
        }
      }
    },
  },
  {
    id: 'connect-response',
    covers: ['F16'],
    section: '3',
    title: 'CONNECT’s response names version, domain, extensions, mechanisms, registration and limits',
    async run(t) {
      const connection = await t.open();
      const body = jsonObject(expectStatus(await connection.request('CONNECT', '*', { body: VERSION }), 200));
      expectEqual(body['version'], '0.1', 'version');
      expectEqual(body['domain'], t.domain.toLowerCase(), 'domain');
      for (const field of ['extensions', 'mechanisms']) {
        const list = body[field];
        expectThat(
          Array.isArray(list) && list.every((entry) => typeof entry === 'string'),
          `${field}: a list of strings`,
          list,
        );
      }
      expectThat(typeof body['registration'] === 'boolean', 'registration: true or false', body['registration']);
      const limits = isRecord(body['limits']) ? body['limits'] : {};
      for (const field of ['object', 'acl', 'attachment', 'message', 'requests']) {
        expectThat(
          Number.isInteger(limits[field]) && Number(limits[field]) > 0,
          `limits.${field}: a positive integer`,
          limits,
        );
      }
      expectEqual(limits['message'], Number(limits['attachment']) + 16 * 1024, 'limits.message, attachment + 16 KiB');
    },
  },
  {
    id: 'connect-version',
    covers: ['F18'],
    section: '3',
    title: 'another version gets 505 with the versions that are spoken, and the connection stays usable',
    async run(t) {
      const connection = await t.open();
      for (const version of ['0.0', '2.0', '', '0.1.1']) {
        const reply = expectStatus(await connection.request('CONNECT', '*', { body: { version } }), 505, version);
        const { versions } = jsonObject(reply);
        expectThat(Array.isArray(versions) && versions.includes('0.1'), 'versions: a list with "0.1"', versions);
      }
      expectStatus(await connection.request('LIST', `a@${t.domain}/`), 424, 'not negotiated');
      expectStatus(await connection.request('CONNECT', '*', { body: VERSION }), 200);
    },
  },
  {
    id: 'connect-malformed',
    covers: ['F16'],
    section: '3',
    title: 'a CONNECT body that is no JSON object is malformed',
    async run(t) {
      const connection = await t.open();
      for (const body of ['{', '[]', '"0.1"', 'null', '{"version":"0.1"} x', '{"version":0.1,}']) {
        expectStatus(await connection.request('CONNECT', '*', { body }), 400, body);
      }
      for (const body of [undefined, '{}', '{"version":1}', '{"version":["0.1"]}']) {
        expectStatus(await connection.request('CONNECT', '*', { body }), [400, 505], body);
      }
      expectStatus(await connection.request('CONNECT', '*', { body: VERSION }), 200, 'still usable');
    },
  },
  {
    id: 'connect-domain',
    covers: ['B17'],
    section: '3',
    title: 'CONNECT may name the domain',
    async run(t) {
      const connection = await t.open();
      const reply = await connection.request('CONNECT', '*', { body: { ...VERSION, domain: t.domain } });
      expectEqual(jsonObject(expectStatus(reply, 200))['domain'], t.domain.toLowerCase(), 'domain');
    },
  },
  {
    id: 'connect-unknown-extension',
    covers: ['F15', 'F16'],
    section: '10',
    title: 'naming an extension that nobody knows does no harm',
    async run(t) {
      const connection = await t.open();
      const body = { ...VERSION, extensions: ['no-such-extension'] };
      const { extensions } = jsonObject(expectStatus(await connection.request('CONNECT', '*', { body }), 200));
      expectThat(
        Array.isArray(extensions) && !extensions.includes('no-such-extension'),
        'extensions without it',
        extensions,
      );
    },
  },
];
