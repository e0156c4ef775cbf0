/** PROTOCOL §3: CONNECT and AUTHENTICATE, and what each state of a connection allows. */
import type { Case } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';
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
  {
    id: 'authenticate',
    covers: ['F22'],
    section: '3',
    title: 'AUTHENTICATE takes the name with or without @domain, in any case, and answers with the user',
    async run(t) {
      const { account, user } = await t.shared('alice');
      const { name, password } = account;
      for (const spelled of [name, user, name.toUpperCase(), `${name}@${t.domain.toUpperCase()}`]) {
        const connection = await t.negotiate();
        const reply = await connection.request('AUTHENTICATE', '*', { body: { name: spelled, password } });
        expectEqual(jsonObject(expectStatus(reply, 200, spelled))['user'], user, 'user');
      }
    },
  },
  {
    id: 'authenticate-wrong',
    covers: ['F24'],
    section: '3',
    title: 'wrong name and wrong password alike get 401; the connection stays, unauthenticated, and may try again',
    async run(t) {
      const { account, user } = await t.shared('alice');
      const connection = await t.negotiate();
      const wrongPassword = await connection.request('AUTHENTICATE', '*', {
        body: { name: account.name, password: 'wrong' },
      });
      const nobody = t.name('n');
      const wrongName = await connection.request('AUTHENTICATE', '*', { body: { name: nobody, password: 'wrong' } });
      expectStatus(wrongPassword, 401);
      expectStatus(wrongName, 401);
      const messages = [
        bodyText(wrongName).replaceAll(nobody, '…'),
        bodyText(wrongPassword).replaceAll(account.name, '…'),
      ];
      expectEqual(messages[0], messages[1], 'the body for a wrong name, as for a wrong password');
      expectStatus(await connection.request('LIST', user), 401, 'unauthenticated');
      const { name, password } = account;
      expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password } }), 200);
    },
  },
  {
    id: 'authenticate-same-time',
    covers: ['F24'],
    section: '3',
    title: 'a wrong name takes about as long to refuse as a wrong password',
    async run(t) {
      const { account } = await t.shared('dave');
      const connection = await t.negotiate();
      const refuse = async (name: string) => {
        const started = performance.now();
        const reply = await connection.request('AUTHENTICATE', '*', { body: { name, password: 'wrong' } });
        if (reply.status === 429) t.skip('the server limits login failures');
        return performance.now() - started;
      };
      const known: number[] = [];
      const unknown: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        known.push(await refuse(account.name));
        unknown.push(await refuse(t.name('n')));
      }
      const [one, other] = [Math.min(...known), Math.min(...unknown)];
      const alike = Math.abs(one - other) < 20 || Math.max(one, other) / Math.min(one, other) < 4;
      expectThat(
        alike,
        'the best of five tries to be of one order',
        `${one} ms for a wrong password, ${other} ms for a wrong name`,
      );
    },
  },
  {
    id: 'authenticate-malformed',
    covers: ['F22', 'F23'],
    section: '3',
    title: 'an AUTHENTICATE body that is not {name, password} is refused, and nobody is logged in',
    async run(t) {
      const { account, user } = await t.shared('alice');
      const connection = await t.negotiate();
      for (const body of ['{', '[]', 'null', '']) {
        expectStatus(await connection.request('AUTHENTICATE', '*', { body }), 400, body);
      }
      const { name, password } = account;
      const bodies = [
        {},
        { name },
        { password },
        { name: 1, password },
        { name, password: 1 },
        { name, password: null },
        { name: [name], password },
      ];
      for (const body of bodies)
        expectStatus(await connection.request('AUTHENTICATE', '*', { body }), 400, JSON.stringify(body));
      expectStatus(await connection.request('LIST', user), 401, 'unauthenticated');
    },
  },
  {
    id: 'authenticate-twice',
    covers: ['F22'],
    section: '3',
    title: 'a second AUTHENTICATE on an authenticated connection gets 400, and the user stays the same',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const connection = await t.login(alice.account);
      for (const { account } of [alice, bob]) {
        const { name, password } = account;
        expectStatus(await connection.request('AUTHENTICATE', '*', { body: { name, password } }), 400);
      }
      expectStatus(await connection.request('LIST', alice.user), 200, 'still Alice');
    },
  },
  {
    id: 'authenticate-notified',
    covers: ['F22', 'F58'],
    section: '3',
    title: 'once AUTHENTICATE has succeeded, notifications are sure to arrive',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { subscriptions: { [alice.user]: { events: ['updated'], depth: 0 } } });
      for (let round = 0; round < 4; round += 1) {
        const connection = await t.login(alice.account);
        const heard = new Promise<string>((resolve) => {
          connection.listen((notice) => notice.resource === folder && resolve(notice.body.toString()));
        });
        expectStatus(await alice.update(folder, { data: `round ${round}` }), 204);
        const late = new Promise<string>((resolve) => setTimeout(resolve, t.timeoutMs, 'nothing').unref());
        const came = await Promise.race([heard, late]);
        expectThat(came.includes(`round ${round}`), 'the notification about a change right after the login', came);
        await connection.close();
      }
    },
  },
];
