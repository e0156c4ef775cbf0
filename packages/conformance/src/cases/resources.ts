/** PROTOCOL §2, resource ids: what is well-formed. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, json } from '../expect.ts';
import { expectResources } from './verdict.ts';

const VALID_NAMES = [
  'a',
  '7',
  '7of9',
  'a_b-c+d.e',
  'ж',
  '愛',
  'zoë',
  'zoe\u0308',
  'straße',
  'ALICE',
  'ａｌｉｃｅ',
  'а\u0301',
  'אליס',
  'constructor',
];
const INVALID_NAMES = [
  '',
  '-a',
  '.a',
  '_a',
  '+a',
  'a-',
  'a.',
  'a_',
  'a+',
  'a♥b',
  'a"b',
  'a,b',
  'a!b',
  'a%41b',
  'a\u200bb',
  'a\u00adb',
  '\u0301a',
  'a\u{1F407}',
  'a:b',
  'a\\b',
];
const FORBIDDEN = [
  '?',
  '#',
  '"',
  '^',
  '`',
  '|',
  '{',
  '}',
  '\u0001',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u3000',
  '\u2028',
  '\u200b',
  '\u200d',
  '\u00ad',
  '\ufeff',
  '\u202e',
  '\u0378',
  '\uffff',
  '\u{1fef}',
];
const ALLOWED = [..."\\<>+*-_;:!~=@[]$&'(),", 'é', 'Ж', '愛', '🐇', 'ﷺ', '½', 'a.', '...', '.a'];

export const resources: readonly Case[] = [
  {
    id: 'resource-user-names',
    covers: ['F10', 'F11'],
    section: '2',
    title: 'user names: letters, marks, digits of any script, and _ - + . inside; one code point is enough',
    run: (t) =>
      expectResources(
        t,
        'well-formed',
        VALID_NAMES.map((name) => `${name}@${t.domain}/a`),
      ),
  },
  {
    id: 'resource-user-names-malformed',
    covers: ['F10'],
    section: '2',
    title: 'user names begin with a letter or digit, end with a letter, mark or digit, and hold no symbols',
    run: (t) =>
      expectResources(
        t,
        'malformed',
        INVALID_NAMES.map((name) => `${name}@${t.domain}/a`),
      ),
  },
  {
    id: 'resource-shapes',
    covers: ['F10'],
    section: '2',
    title: 'a resource is user@domain, or user@domain/path, the domain with or without a trailing dot',
    async run(t) {
      const user = `alice@${t.domain}`;
      await expectResources(t, 'well-formed', [
        user,
        `${user}/`,
        `${user}/a/b`,
        `${user}./a`,
        `${user.toUpperCase()}/a`,
      ]);
      const malformed = [
        'alice',
        'alice@',
        `@${t.domain}`,
        'alice@/a',
        '/a',
        `${user}..`,
        'alice@a..b/c',
        'alice@-/c',
        '**',
        `alice@${t.domain}@b/c`,
      ];
      await expectResources(t, 'malformed', malformed);
    },
  },
  {
    id: 'resource-path-characters',
    covers: ['F10', 'F11'],
    section: '2',
    title: 'path parts: any Unicode but the forbidden, the ABNF’s \\ < > too',
    run: (t) =>
      expectResources(
        t,
        'well-formed',
        ALLOWED.map((part) => `alice@${t.domain}/${part}`),
      ),
  },
  {
    id: 'resource-path-created',
    covers: ['F11', 'F27'],
    section: '2',
    title: 'objects of any lawful name can be created, found and listed',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const part of ALLOWED) expectStatus(await alice.create(`${folder}/${part}`, { data: part }), 201, part);
      for (const part of ALLOWED) expectEqual((await alice.seen(`${folder}/${part}`)).data, part, `data of ${part}`);
      const bytewise = ALLOWED.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      expectEqual(json(await alice.list(folder)), bytewise, 'children in byte order');
    },
  },
  {
    id: 'resource-path-forbidden',
    covers: ['F10'],
    section: '2',
    title: 'path parts: no control, format or unassigned code point, no white space, none of / ? # " ^ ` | { }',
    run: (t) =>
      expectResources(
        t,
        'malformed',
        FORBIDDEN.map((character) => `alice@${t.domain}/a${character}b`),
      ),
  },
  {
    id: 'resource-path-dots',
    covers: ['F10'],
    section: '2',
    title: '., .. and empty parts are malformed',
    async run(t) {
      const paths = ['/.', '/..', '/a/./b', '/a/../b', '/../a', '//', '//a', '/a//b', '/a//', '/./'];
      await expectResources(
        t,
        'malformed',
        paths.map((path) => `alice@${t.domain}${path}`),
      );
    },
  },
  {
    id: 'resource-escapes-malformed',
    covers: ['F10'],
    section: '2',
    title: '% is allowed only as %HH',
    async run(t) {
      await expectResources(
        t,
        'malformed',
        ['%', 'a%', '%4', '%zz', '%4g', '%%41', 'a%2'].map((part) => `alice@${t.domain}/${part}`),
      );
      await expectResources(
        t,
        'well-formed',
        ['%20', '%2f', 'a%C3%A9', '%e2%80%8b'].map((part) => `alice@${t.domain}/${part}`),
      );
    },
  },
  {
    id: 'resource-limits',
    covers: ['F10'],
    section: '2',
    title: 'limits: a part of 255 bytes, 32 parts, a resource of 2,048 bytes',
    async run(t) {
      const user = `alice@${t.domain}`;
      const fill = (bytes: number) => {
        const rest = bytes - Buffer.byteLength(user);
        const whole = `/${'x'.repeat(199)}`.repeat(Math.floor(rest / 200));
        return user + (rest % 200 === 1 ? `${whole}x` : `${whole}/${'x'.repeat(199)}`).slice(0, rest);
      };
      const within = ['x'.repeat(255), 'é'.repeat(127), '/x'.repeat(32).slice(1)].map((path) => `${user}/${path}`);
      await expectResources(t, 'well-formed', [...within, fill(2048)]);
      const beyond = ['x'.repeat(256), 'é'.repeat(128), '/x'.repeat(33).slice(1)].map((path) => `${user}/${path}`);
      await expectResources(t, 'malformed', [...beyond, fill(2049)]);
    },
  },
  {
    id: 'resource-limits-created',
    covers: ['F10', 'F27'],
    section: '2',
    title: 'a chain of 32 parts can be created, and its end be read',
    async run(t) {
      const alice = await t.shared('alice');
      let resource = await t.folder(alice);
      for (let depth = 2; depth <= 32; depth += 1) {
        resource += `/${depth}`;
        await alice.given(resource, { data: depth });
      }
      expectEqual((await alice.seen(resource)).data, 32, 'data at the end');
    },
  },
];
