/** PROTOCOL §4 and §7: files, their names and types. */
import type { Case } from '../case.ts';
import { expectEqual, expectNamed, expectStatus, expectThat } from '../expect.ts';
import { clockPasses } from './clock.ts';

/** Name as it is, name percent-encoded. */
const NAMES: readonly [string, string][] = [
  ['tea.txt', 'tea.txt'],
  ['mad hatter’s tea.txt', 'mad%20hatter%E2%80%99s%20tea.txt'],
  ['grüße/世界 🐇.txt', 'gr%C3%BC%C3%9Fe%2F%E4%B8%96%E7%95%8C%20%F0%9F%90%87.txt'],
  ['100% "quoted"; a=b, c: d', '100%25%20%22quoted%22%3B%20a%3Db%2C%20c%3A%20d'],
  ['lower case escapes é', 'lower%20case%20escapes%20%c3%a9'],
];

export const attachments: readonly Case[] = [
  {
    id: 'attachment',
    covers: ['F31', 'F32', 'F40'],
    section: '7',
    title: 'WRITE sets attachment {name, size, mime-type}, READ gives the file with Content-Type and File-Name',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 1 });
      const headers = { 'Content-Type': 'image/png', 'File-Name': 'cat.png' };
      const reply = expectStatus(await alice.write(folder, 'grin', headers), 204);
      expectEqual(reply.body.length, 0, 'length of the answer’s body');
      expectEqual(
        (await alice.seen(folder)).attachment,
        { name: 'cat.png', size: 4, 'mime-type': 'image/png' },
        'attachment',
      );
      const read = expectStatus(await alice.read(folder), 200);
      expectEqual(read.body.toString(), 'grin', 'the file');
      expectEqual(
        [read.headers.get('Content-Type'), read.headers.get('File-Name')],
        ['image/png', 'cat.png'],
        'headers',
      );
      expectEqual((await alice.seen(folder)).data, 1, 'data, untouched');
    },
  },
  {
    id: 'attachment-bare',
    covers: ['F31', 'F40'],
    section: '7',
    title: 'without headers the size alone is known, and READ names no file',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'grin');
      const { attachment } = await alice.seen(folder);
      expectEqual([attachment?.['size'], attachment?.['name']], [4, undefined], 'size and name');
      expectEqual((await alice.read(folder)).headers.get('File-Name'), undefined, 'File-Name');
    },
  },
  {
    id: 'attachment-empty',
    covers: ['F31', 'F40'],
    section: '4',
    title: 'a file may be empty, size 0, by an absent or an empty body',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const body of [undefined, '']) {
        await alice.written(folder, 'not empty');
        expectStatus(await alice.write(folder, body), 204);
        expectEqual((await alice.seen(folder)).attachment?.['size'], 0, 'size');
        expectEqual(expectStatus(await alice.read(folder), 200).body.length, 0, 'length read');
      }
    },
  },
  {
    id: 'attachment-names',
    covers: ['F11', 'F40'],
    section: '4',
    title: 'File-Name is percent-encoded UTF-8 both ways; attachment.name is the decoded name',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const [name, encoded] of NAMES) {
        await alice.written(folder, 'x', { 'File-Name': encoded });
        expectEqual((await alice.seen(folder)).attachment?.['name'], name, 'attachment.name');
        const sent = (await alice.read(folder)).headers.get('File-Name') ?? '';
        expectEqual(decodeURIComponent(sent), name, 'File-Name, decoded');
      }
    },
  },
  {
    id: 'attachment-name-limits',
    covers: ['F40', 'F70'],
    section: '4',
    title:
      'a name of 1,024 bytes, percent-encoded, and a type of 255 characters are read; longer ones get 400, naming the field',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const headers = { 'File-Name': '%C3%A9'.repeat(170) + 'n'.repeat(4), 'Content-Type': `a/${'b'.repeat(253)}` };
      await alice.written(folder, 'x', headers);
      const read = expectStatus(await alice.read(folder), 200);
      const sent = Object.keys(headers).map((name) => read.headers.get(name));
      expectEqual(sent, Object.values(headers), 'File-Name and Content-Type');
      const before = await alice.seen(folder);
      expectNamed(await alice.update(folder, { attachment: { name: 'n'.repeat(1025) } }), 400, ['attachment.name']);
      expectNamed(await alice.update(folder, { attachment: { 'mime-type': 'b'.repeat(256) } }), 400, ['mime-type']);
      expectStatus(await alice.write(folder, 'y', { 'File-Name': 'n'.repeat(1025) }), 400);
      expectStatus(await alice.write(folder, 'y', { 'Content-Type': 'b'.repeat(256) }), 400);
      expectEqual(await alice.seen(folder), before, 'the object');
    },
  },
  {
    id: 'attachment-names-by-update',
    covers: ['F40'],
    section: '4',
    title: 'name and mime-type, also spelled type, may be set by UPDATE; size may not [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'grin', { 'Content-Type': 'a/b', 'File-Name': 'old' });
      await alice.changed(folder, { attachment: { name: 'neu: ü.txt', size: 999 } });
      expectEqual(
        (await alice.seen(folder)).attachment,
        { name: 'neu: ü.txt', size: 4, 'mime-type': 'a/b' },
        'attachment',
      );
      await alice.changed(folder, { attachment: { 'mime-type': 'c/d' } });
      expectEqual((await alice.seen(folder)).attachment?.['mime-type'], 'c/d', 'mime-type');
      await alice.changed(folder, { attachment: { type: 'e/f' } });
      expectEqual(
        (await alice.seen(folder)).attachment,
        { name: 'neu: ü.txt', size: 4, 'mime-type': 'e/f' },
        'attachment',
      );
      const read = await alice.read(folder);
      expectEqual(read.headers.get('Content-Type'), 'e/f', 'Content-Type');
      expectEqual(decodeURIComponent(read.headers.get('File-Name') ?? ''), 'neu: ü.txt', 'File-Name, decoded');
    },
  },
  {
    id: 'attachment-no-header-injection',
    covers: ['F8', 'F40'],
    section: '2',
    title: 'no name or type of a file can put a header of its own, or an unlawful value, into a READ',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'x');
      for (const value of ['a\r\nX-Injected: 1', 'a\nb', 'a: b', 'a\u0000b', ' ', 'ü']) {
        for (const field of ['name', 'mime-type']) {
          expectStatus(
            await alice.update(folder, { attachment: { [field]: value } }),
            [204, 400],
            `${field} ${JSON.stringify(value)}`,
          );
          const read = expectStatus(await alice.read(folder), 200);
          expectThat(
            !read.headers.has('X-Injected') && read.body.toString() === 'x',
            'the file and no injected header',
            read.head,
          );
        }
      }
    },
  },
  {
    id: 'attachment-shapes',
    covers: ['F39', 'F40'],
    section: '4',
    title: 'an attachment name or type that is no string gets 400, also where there is a file',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'x', { 'File-Name': 'a' });
      for (const attachment of [{ name: 1 }, { 'mime-type': [] }, { type: {} }, [], 'x']) {
        expectStatus(await alice.update(folder, { attachment }), 400, JSON.stringify(attachment));
      }
      expectEqual((await alice.seen(folder)).attachment?.['name'], 'a', 'attachment.name');
    },
  },
  {
    id: 'attachment-removed',
    covers: ['F41'],
    section: '4',
    title: 'UPDATE {"attachment":null} removes the file: no field, READ 404',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.written(folder, 'grin', { 'File-Name': 'cat', 'Content-Type': 'a/b' });
      expectStatus(await alice.update(folder, { attachment: null }), 204);
      expectEqual((await alice.seen(folder)).attachment, undefined, 'attachment');
      expectStatus(await alice.read(folder), 404);
      expectStatus(await alice.update(folder, { attachment: { name: 'ghost' } }), 204);
      expectEqual((await alice.seen(folder)).attachment, undefined, 'attachment, ignored where there is no file');
      await alice.written(folder, 'again');
      const { attachment } = await alice.seen(folder);
      expectEqual([attachment?.['name'], attachment?.['size']], [undefined, 5], 'name and size of the new file');
    },
  },
  {
    id: 'attachment-missing',
    covers: ['F34', 'F41'],
    section: '7',
    title: 'READ of an object without a file gets 404',
    async run(t) {
      const alice = await t.shared('alice');
      expectStatus(await alice.read(await t.folder(alice)), 404);
    },
  },
  {
    id: 'attachment-replaced',
    covers: ['F31', 'F38'],
    section: '4',
    title: 'WRITE replaces the whole file, its size too, and moves mtime, not owner',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['write-attachment'] } } });
      await alice.written(folder, 'a rather long file');
      const first = await alice.seen(folder);
      await clockPasses(alice, folder, first.mtime);
      expectStatus(await bob.write(folder, 'short'), 204, 'by Bob');
      const view = await alice.seen(folder);
      expectEqual(
        [view.attachment?.['size'], view.owner, view.btime],
        [5, alice.user, first.btime],
        'size, owner, btime',
      );
      expectThat(Date.parse(view.mtime ?? '') > Date.parse(first.mtime ?? ''), 'a later mtime', view);
      expectEqual((await alice.read(folder)).body.toString(), 'short', 'the file');
    },
  },
];
