/** PROTOCOL §10: the extension page. Skipped where the server does not announce it. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, expectThat, fail, json } from '../expect.ts';
import type { Connection } from '../wire/connection.ts';

const NAMES = ['%2F', '-', 'a', 'a-', 'a.b', 'b c'.replace(' ', '%20'), 'z', 'é', '\uff5e', '\u{1F407}', '~', ':'];

/** All pages of a listing, each with at most that many names. */
async function pagesOf(connection: Connection, resource: string, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  for (let page = 0; page < 100; page += 1) {
    const headers = { Limit: String(limit), ...(after !== undefined && { After: after }) };
    const reply = expectStatus(await connection.request('LIST', resource, { headers }), 200);
    const names = json(reply) as string[];
    pages.push(names);
    after = reply.headers.get('Next');
    if (after === undefined) return pages;
    expectEqual(decodeURIComponent(after), names.at(-1), 'Next, decoded: the last name');
    expectThat(/^[!-~]+$/.test(after), 'a percent-encoded Next', after);
  }
  return fail('an end of the pages', `${pages.length} pages`);
}

export const pages: readonly Case[] = [
  {
    id: 'page',
    covers: ['F30', 'K12'],
    section: '10',
    title: 'page: Limit and After walk through all children, Next is there while there is more',
    async run(t) {
      t.needs('page');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const name of NAMES) await alice.given(`${folder}/${name}`);
      const whole = json(await alice.list(folder)) as string[];
      const connection = await t.login(alice.account, { extensions: ['page'] });
      for (const limit of [1, 5, NAMES.length - 1, NAMES.length, 1000]) {
        const walked = await pagesOf(connection, folder, limit);
        expectEqual(walked.flat(), whole, `children in pages of ${limit}`);
        expectThat(
          walked.slice(0, -1).every((names) => names.length === limit),
          `pages of ${limit}, but the last`,
          walked,
        );
        expectEqual(walked.length, Math.ceil(NAMES.length / limit), 'number of pages');
      }
    },
  },
  {
    id: 'page-empty',
    covers: ['F30'],
    section: '10',
    title: 'page: an object without children has one empty page; After need not be a child',
    async run(t) {
      t.needs('page');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account, { extensions: ['page'] });
      expectEqual(await pagesOf(connection, folder, 10), [[]], 'pages');
      await alice.given(`${folder}/a`);
      await alice.given(`${folder}/c`);
      const reply = await connection.request('LIST', folder, { headers: { After: 'b' } });
      expectEqual(json(expectStatus(reply, 200)), ['c'], 'children after b');
    },
  },
  {
    id: 'page-not-negotiated',
    covers: ['B22'],
    section: '10',
    title: 'page: where CONNECT did not name it, LIST is whole and has no Next',
    async run(t) {
      t.needs('page');
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const name of ['a', 'b', 'c']) await alice.given(`${folder}/${name}`);
      const reply = expectStatus(await alice.request('LIST', folder, { headers: { Limit: '1', After: 'a' } }), 200);
      expectEqual(
        [json(reply), reply.headers.has('Next')],
        [['a', 'b', 'c'], false],
        'children, and whether there is a Next',
      );
    },
  },
];
