/** PROTOCOL §4: SELECT and CREATE, and whose the fields of an object are. */
import type { Case } from '../case.ts';
import { bodyText, expectEqual, expectStatus, expectThat } from '../expect.ts';

const FORGED = { owner: 'mallory@example.org', btime: '1970-01-01T00:00:00Z', mtime: '0001-01-01T00:00:00Z' };

export const requestsObjects: readonly Case[] = [
  {
    id: 'select',
    covers: ['F26', 'F36', 'F37', 'F38', 'F39'],
    section: '4',
    title: 'SELECT shows the object: owner, btime, mtime, type, data, acl',
    async run(t) {
      const alice = await t.shared('alice');
      const acl = { owner: ['read-data'], other: ['not-read-data'] };
      const folder = await t.folder(alice, { type: 'text/plain', data: 'Just plain text', acl });
      const view = await alice.seen(folder);
      const expected = {
        type: 'text/plain',
        data: 'Just plain text',
        acl,
        owner: alice.user,
        btime: view.btime,
        mtime: view.btime,
      };
      expectEqual(view, expected, 'the object');
    },
  },
  {
    id: 'select-any-data',
    covers: ['F26', 'F39', 'F70'],
    section: '4',
    title: 'data holds any JSON value',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const values = [
        '',
        'text',
        0,
        1.5,
        true,
        false,
        [],
        {},
        [[], {}, [null]],
        { '': '', ключ: ['🐇'], nested: { deep: { er: 1 } } },
        '\u0000\ud83d\udc07"\\/\n',
      ];
      for (const [index, data] of values.entries()) {
        await alice.given(`${folder}/${index}`, { data });
        expectEqual((await alice.seen(`${folder}/${index}`)).data, data, 'data');
      }
    },
  },
  {
    id: 'select-missing',
    covers: ['F34'],
    section: '4',
    title: 'SELECT, UPDATE, DELETE, LIST, READ and WRITE of a missing object get 404',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const type of ['SELECT', 'UPDATE', 'DELETE', 'LIST', 'READ', 'WRITE']) {
        const body = type === 'UPDATE' ? { data: 1 } : undefined;
        expectStatus(await alice.request(type, `${folder}/missing`, { body }), 404, type);
        expectStatus(
          await alice.request(type, `${folder}/missing/below`, { body }),
          404,
          `${type} below a missing object`,
        );
      }
    },
  },
  {
    id: 'create',
    covers: ['F27', 'F36'],
    section: '4',
    title: 'CREATE gives 201 without a body; an empty or absent body is {}',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const [index, body] of [undefined, '', '{}', ' { } ', '\r\n{}\r\n'].entries()) {
        expectStatus(await alice.create(`${folder}/${index}`, body), 201, JSON.stringify(body));
        const view = await alice.seen(`${folder}/${index}`);
        expectEqual(Object.keys(view).toSorted(), ['btime', 'mtime', 'owner'], 'the fields');
      }
    },
  },
  {
    id: 'create-owner',
    covers: ['F36', 'F50'],
    section: '4',
    title: 'the owner of a new object is the requester, in whosever tree, and stays so',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['write-children'] } } });
      expectStatus(await bob.create(`${folder}/of-bob`, { data: 1 }), 201);
      await alice.changed(`${folder}/of-bob`, { data: 2, owner: alice.user });
      expectEqual((await alice.seen(`${folder}/of-bob`)).owner, bob.user, 'the owner');
    },
  },
  {
    id: 'create-refused',
    covers: ['F27', 'F34'],
    section: '4',
    title: 'CREATE of what exists gets 409, below a missing parent 412, and changes nothing',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice, { data: 'first' });
      expectStatus(await alice.create(folder, { data: 'second' }), 409);
      expectEqual((await alice.seen(folder)).data, 'first', 'data');
      expectStatus(await alice.create(`${folder}/a/b`, { data: 1 }), 412);
      expectStatus(await alice.create(`${folder}/a/b/c`, { data: 1 }), 412);
      expectStatus(await alice.select(`${folder}/a`), 404, 'no parent was made up');
    },
  },
  {
    id: 'create-race',
    covers: ['F27'],
    section: '4',
    title: 'of several CREATEs of one object at the same time, one wins',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const others = await Promise.all([t.login(alice.account), t.login(alice.account)]);
      for (let round = 0; round < 5; round += 1) {
        const tries = [alice.connection, ...others].map((connection) =>
          connection.request('CREATE', `${folder}/${round}`),
        );
        const statuses = (await Promise.all(tries)).map((reply) => reply.status);
        expectEqual(statuses.toSorted(), [201, 409, 409], 'statuses');
      }
    },
  },
  {
    id: 'server-fields-ignored',
    covers: ['F36', 'F37', 'F38', 'F39'],
    section: '4',
    title: 'owner, btime, mtime and attachment.size in a body are ignored [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const resource = `${folder}/a`;
      const forged = { ...FORGED, attachment: { size: 99 } };
      await alice.given(resource, { ...forged, data: 1 });
      const created = await alice.seen(resource);
      await alice.changed(resource, { ...forged, data: 2 });
      const updated = await alice.seen(resource);
      for (const view of [created, updated]) {
        expectEqual(view.owner, alice.user, 'owner');
        expectEqual(view.btime, created.btime, 'btime');
        expectThat(
          String(view.btime) > '2000' && String(view.mtime) >= String(view.btime),
          'times of the server',
          view,
        );
        expectEqual(view.attachment, undefined, 'attachment');
      }
    },
  },
  {
    id: 'server-fields-any-shape',
    covers: ['F39'],
    section: '4',
    title: 'owner, btime and mtime are ignored whatever they hold [compat]',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      for (const [index, value] of [null, '', 0, {}, [], 'not a date'].entries()) {
        const body = { owner: value, btime: value, mtime: value, data: index };
        expectStatus(await alice.create(`${folder}/${index}`, body), 201, JSON.stringify(value));
        expectStatus(await alice.update(folder, body), 204, JSON.stringify(value));
      }
    },
  },
  {
    id: 'attachment-without-file-ignored',
    covers: ['F40', 'F41'],
    section: '4',
    title: 'attachment in a body is ignored where there is no file',
    async run(t) {
      const alice = await t.shared('alice');
      const attachment = { name: 'a.txt', size: 3, 'mime-type': 'text/plain' };
      const folder = await t.folder(alice, { attachment });
      expectStatus(await alice.update(folder, { attachment }), 204);
      expectEqual((await alice.seen(folder)).attachment, undefined, 'attachment');
      expectStatus(await alice.read(folder), 404);
    },
  },
  {
    id: 'create-null-is-absent',
    covers: ['F27'],
    section: '4',
    title: 'in a CREATE body null counts as absent',
    async run(t) {
      const alice = await t.shared('alice');
      const nothing = { data: null, type: null, acl: null, subscriptions: null, attachment: null, owner: null };
      const folder = await t.folder(alice, nothing);
      expectEqual(Object.keys(await alice.seen(folder)).toSorted(), ['btime', 'mtime', 'owner'], 'the fields');
    },
  },
  {
    id: 'durable-at-once',
    covers: ['F68'],
    section: '4',
    title: 'a success is seen at once by everybody, over any connection',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { other: ['read-data'] } });
      for (let round = 0; round < 20; round += 1) {
        await alice.changed(folder, { data: round });
        expectEqual((await bob.seen(folder)).data, round, 'what Bob sees after the success');
      }
      await alice.changed(folder, { acl: { other: null } });
      expectStatus(await bob.select(folder), 403, 'the right was taken away');
    },
  },
  {
    id: 'numbers-keep-digits',
    covers: ['F26', 'F39'],
    section: '4',
    title: 'numbers keep their digits',
    async run(t) {
      const alice = await t.shared('alice');
      const numbers = [
        '12345678901234567890',
        '1.10',
        '-0',
        '0.0',
        '1e5',
        '1E+05',
        '-1.50e-07',
        '1e400',
        '0.1000000000000000055511151231257827',
      ];
      const data = `{"list":[${numbers.join(',')}],"one":${numbers[0]}}`;
      const folder = await t.folder(alice, `{"data":${data}}`);
      await alice.changed(folder, '{"data":{"other":2.50},"type":"numbers"}');
      const text = bodyText(expectStatus(await alice.select(folder), 200)).replaceAll(/\s/g, '');
      for (const number of numbers)
        expectThat(new RegExp(`[[,]${number.replaceAll(/[.+]/g, '\\$&')}[\\],]`).test(text), number, text);
      expectThat(text.includes(`"one":${numbers[0]}`) && text.includes('"other":2.50'), 'the members as sent', text);
    },
  },
];
