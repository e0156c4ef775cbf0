/** PROTOCOL §3: AUTHENTICATE. */
import type { Case } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat, jsonObject } from '../expect.ts';

export const authentication: readonly Case[] = [
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
    title: 'a wrong name, also one that cannot exist, takes about as long to refuse as a wrong password',
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
      const impossible: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        known.push(await refuse(account.name));
        unknown.push(await refuse(t.name('n')));
        impossible.push(await refuse(`${t.name('n')}@other.example`));
      }
      for (const others of [unknown, impossible]) {
        const [one, other] = [Math.min(...known), Math.min(...others)];
        const alike = Math.abs(one - other) < 20 || Math.max(one, other) / Math.min(one, other) < 4;
        expectThat(
          alike,
          'the best of five tries to be of one order',
          `${one} ms for a wrong password, ${other} ms for a wrong name`,
        );
      }
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
