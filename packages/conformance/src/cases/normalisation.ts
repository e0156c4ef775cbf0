/** PROTOCOL §2, resource ids: what is equal, and how it is shown. */
import { domainToASCII, domainToUnicode } from 'node:url';
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, json } from '../expect.ts';

export const normalisation: readonly Case[] = [
  {
    id: 'resource-escapes-kept',
    covers: ['F10', 'F30'],
    section: '2',
    title: 'escapes are kept as sent, hex upper-cased: %2f is %2F, and %41 is not A',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.given(`${folder}/a%2fb`);
      await alice.given(`${folder}/%41`, { data: 'escaped' });
      await alice.given(`${folder}/A`, { data: 'plain' });
      expectEqual(json(await alice.list(folder)), ['%41', 'A', 'a%2Fb'], 'children');
      expectStatus(await alice.select(`${folder}/a%2Fb`), 200);
      expectStatus(await alice.create(`${folder}/a%2Fb`), 409, 'the same object');
      expectEqual((await alice.seen(`${folder}/%41`)).data, 'escaped', 'data of %41');
    },
  },
  {
    id: 'resource-path-nfc',
    covers: ['F11'],
    section: '2',
    title: 'path parts are compared and shown in NFC',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const pairs: readonly [string, string][] = [
        ['e\u0301', '\u00e9'],
        ['\u1100\u1161', '\uac00'],
        ['\u2126', '\u03a9'],
        ['q\u0307\u0323', 'q\u0323\u0307'],
      ];
      for (const [sent, normal] of pairs) {
        await alice.given(`${folder}/${sent}`, { data: normal });
        expectEqual((await alice.seen(`${folder}/${normal}`)).data, normal, 'data by the normal spelling');
        expectEqual((await alice.seen(`${folder}/${sent}`)).data, normal, 'data by the other spelling');
        expectStatus(await alice.create(`${folder}/${normal}`), 409, 'the same object');
      }
      expectEqual(json(await alice.list(folder)), pairs.map(([, normal]) => normal).toSorted(), 'children');
    },
  },
  {
    id: 'resource-user-normalised',
    covers: ['F10', 'F11'],
    section: '2',
    title: 'user name and domain: upper case, full width, trailing dot are the same tree',
    async run(t) {
      const alice = await t.shared('alice');
      const { name } = alice.account;
      const folder = await t.folder(alice, { data: 1 });
      const path = folder.slice(alice.user.length);
      const wide = name.replace(/^[!-~]/, (first) => String.fromCodePoint((first.codePointAt(0) ?? 0) + 0xfee0));
      const users = [
        `${name.toUpperCase()}@${t.domain}`,
        `${name}@${t.domain.toUpperCase()}`,
        `${name}@${t.domain}.`,
        `${wide}@${t.domain}`,
      ];
      for (const user of users) expectStatus(await alice.select(user + path), 200, user);
      expectStatus(await alice.create(`${users[0]}${path}/a`), 201);
      expectEqual((await alice.seen(`${folder}/a`)).owner, alice.user, 'the owner');
    },
  },
  {
    id: 'resource-domain-idna',
    covers: ['F11'],
    section: '2',
    title: 'A-label and U-label are the same domain',
    async run(t) {
      const [ascii, unicode] = [domainToASCII(t.domain), domainToUnicode(t.domain)];
      if (ascii === unicode) t.skip('the domain is not an internationalised one');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const path = folder.slice(alice.user.length);
      for (const domain of [ascii, unicode])
        expectStatus(await alice.select(`${alice.account.name}@${domain}${path}`), 200, domain);
    },
  },
  {
    id: 'resource-trailing-slash',
    covers: ['F10'],
    section: '2',
    title: 'one trailing slash is dropped; user@domain/ is the root',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      expectStatus(await alice.create(`${folder}/a/`, { data: 1 }), 201);
      expectEqual(json(await alice.list(`${folder}/`)), ['a'], 'children');
      expectStatus(await alice.select(`${folder}/a`), 200);
      expectStatus(await alice.update(`${folder}/a/`, { data: 2 }), 204);
      expectStatus(await alice.remove(`${folder}/a/`), 204);
      const [root, slashed] = [await alice.seen(alice.user), await alice.seen(`${alice.user}/`)];
      expectEqual(slashed.btime, root.btime, 'btime of the root by either spelling');
    },
  },
];
