/** PROTOCOL §4, §10: the values of headers are judged with the head, before anything else. */
import type { Case } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat } from '../expect.ts';

const BAD_FILE_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'File-Name': '%E4' },
  { 'File-Name': '100%' },
  { 'File-Name': 'x'.repeat(1025) },
  { 'File-Name': 'ä'.repeat(171) },
  { 'Content-Type': 'a: b' },
  { 'Content-Type': 'x'.repeat(5000) },
];

const BAD_BY_TYPE: readonly (readonly [string, string, string])[] = [
  ['SELECT', 'If-Match', '12'],
  ['UPDATE', 'If-None-Match', '"1" "2"'],
  ['LIST', 'Limit', '0'],
  ['LIST', 'Limit', 'all'],
  ['LIST', 'After', '%E4'],
  ['LIST', 'After', 'a%2Fb'],
];

export const headChecks: readonly Case[] = [
  {
    id: 'head-file-headers',
    covers: ['F11', 'F34', 'F40'],
    section: '4',
    title:
      'a File-Name or Content-Type that could not be sent back gets 400 naming it, also without a right, and writes nothing',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice);
      await alice.written(folder, 'old', { 'File-Name': 'grin' });
      for (const client of [alice, bob]) {
        for (const headers of BAD_FILE_HEADERS) {
          const [name = ''] = Object.keys(headers);
          const reply = expectStatus(await client.write(folder, 'new', headers), 400, JSON.stringify(headers));
          expectThat(bodyText(reply).includes(name), `a message that names ${name}`, bodyText(reply));
        }
      }
      expectEqual((await alice.read(folder)).body.toString(), 'old', 'the file');
      await alice.written(folder, 'new', { 'File-Name': 'x'.repeat(1024), 'Content-Type': 'a/b' });
      expectEqual((await alice.read(folder)).headers.get('File-Name')?.length, 1024, 'length of the longest name');
    },
  },
  {
    id: 'head-extension-headers',
    covers: ['F34', 'K12'],
    section: '10',
    title:
      'etag, page: a malformed If-Match, If-None-Match, Limit or After gets 400 naming it, also without a right; it is no bad message',
    async run(t) {
      t.needs('etag');
      t.needs('page');
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice);
      const connection = await t.login(bob.account, { extensions: ['etag', 'page'] });
      for (let round = 0; round < 2; round += 1) {
        for (const [type, name, value] of BAD_BY_TYPE) {
          const reply = await connection.request(type, folder, { headers: { [name]: value } });
          expectStatus(reply, 400, `${type} with ${name}: ${value}`);
          expectThat(bodyText(reply).includes(name), `a message that names ${name}`, bodyText(reply));
        }
      }
      expectStatus(
        await connection.request('SELECT', folder, { headers: { Limit: '0' } }),
        403,
        'where it means nothing',
      );
    },
  },
];
