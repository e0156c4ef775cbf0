/** PROTOCOL §4 and §7: files in motion: large, cut off, replaced while they are read. */
import type { Case } from '../case.ts';
import { expectEqual, expectStatus, expectThat } from '../expect.ts';
import { encodeRequest } from '../wire/message.ts';

const MIB = 1024 * 1024;

function pattern(bytes: number, seed: number): Buffer {
  const file = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) file.writeUInt32LE((at * 2654435761 + seed) >>> 0, Math.min(at, bytes - 4));
  return file;
}

export const transfers: readonly Case[] = [
  {
    id: 'transfer-large',
    covers: ['F3', 'F31', 'F32'],
    section: '7',
    title: 'a file of 5 MiB comes back as it was, also when it was sent in fragments',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const file = pattern(Math.min(5 * MIB, t.limits.attachment), 1);
      await alice.written(folder, file);
      expectThat((await alice.read(folder)).body.equals(file), 'the same bytes', 'others');
      const connection = await t.login(alice.account);
      const message = encodeRequest(`WRITE ${folder} 800`, { body: file });
      connection.send(message.subarray(0, 11), { frame: 'binary', fin: false });
      for (let at = 11; at < message.length; at += 100_000) {
        const part = message.subarray(at, at + 100_000);
        connection.socket.send(part, { binary: true, fin: at + part.length === message.length });
      }
      expectStatus(await connection.response(800), 204);
      expectThat((await connection.request('READ', folder)).body.equals(file), 'the same bytes', 'others');
    },
  },
  {
    id: 'transfer-cut-off',
    covers: ['F31'],
    section: '7',
    title: 'a WRITE that is cut off halfway leaves the old file whole, and no event',
    async run(t) {
      const alice = await t.shared('alice');
      const subscriptions = { [alice.user]: { events: ['updated'], depth: 0 } };
      const folder = await t.folder(alice, { subscriptions });
      await alice.written(folder, 'the old file', { 'File-Name': 'old.txt' });
      const before = await alice.seen(folder);
      const observation = await t.observe(alice, folder, [alice]);
      const connection = await t.login(alice.account);
      connection.send(`WRITE ${folder} 800\r\nFile-Name: new.txt\r\n\r\n`, { fin: false });
      connection.socket.send('x'.repeat(200_000), { fin: false });
      expectEqual((await alice.read(folder)).body.toString(), 'the old file', 'the file while another is under way');
      connection.destroy();
      await connection.closed;
      expectEqual((await alice.read(folder)).body.toString(), 'the old file', 'the file after the cut');
      expectEqual(await alice.seen(folder), before, 'the object');
      expectEqual(await observation.events(alice), [], 'notifications');
    },
  },
  {
    id: 'transfer-read-keeps-version',
    covers: ['F32'],
    section: '2',
    title: 'a READ gives one version whole, whatever replaces or removes the file meanwhile',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const [one, other] = [pattern(2 * MIB, 1), pattern(MIB, 2)];
      await alice.written(folder, one);
      const { connection } = alice;
      const [first, , second, , third] = await Promise.all([
        connection.request('READ', folder),
        connection.request('WRITE', folder, { body: other }),
        connection.request('READ', folder),
        connection.request('UPDATE', folder, { body: { attachment: null } }),
        connection.request('READ', folder),
      ]);
      expectThat(first.body.equals(one), 'the first file whole', `${first.body.length} bytes`);
      expectThat(second.body.equals(other), 'the second file whole', `${second.body.length} bytes`);
      expectStatus(third, 404);
    },
  },
  {
    id: 'transfer-concurrent-writes',
    covers: ['F31'],
    section: '4',
    title: 'of several WRITEs at the same time one wins whole: bytes, size and name belong together',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connections = [alice.connection, ...(await Promise.all([t.login(alice.account), t.login(alice.account)]))];
      const files = connections.map((_, index) => pattern((index + 1) * 100_000, index));
      for (let round = 0; round < 3; round += 1) {
        const writes = connections.map((connection, index) =>
          connection.request('WRITE', folder, { body: files[index] ?? '', headers: { 'File-Name': String(index) } }),
        );
        for (const reply of await Promise.all(writes)) expectStatus(reply, 204);
        const { attachment } = await alice.seen(folder);
        const winner = files[Number(attachment?.['name'])];
        const read = await alice.read(folder);
        expectThat(
          winner !== undefined && read.body.equals(winner),
          `the file ${attachment?.['name']}`,
          `${read.body.length} bytes`,
        );
        expectEqual(attachment?.['size'], read.body.length, 'size');
      }
    },
  },
  {
    id: 'transfer-beside-requests',
    covers: ['F13', 'F31'],
    section: '2',
    title: 'small requests on other objects are answered while a large WRITE is still arriving on another connection',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.given(`${folder}/other`, { data: 1 });
      const connection = await t.login(alice.account);
      connection.send(`WRITE ${folder} 800\r\n\r\n`, { fin: false });
      connection.socket.send('x'.repeat(300_000), { fin: false });
      expectEqual((await alice.seen(`${folder}/other`)).data, 1, 'data');
      expectStatus(await alice.update(`${folder}/other`, { data: 2 }), 204);
      connection.socket.send('end', { fin: true });
      expectStatus(await connection.response(800), 204);
      expectEqual((await alice.read(folder)).body.length, 300_003, 'length of the file');
    },
  },
  {
    id: 'transfer-deleted-meanwhile',
    covers: ['F29', 'F31'],
    section: '7',
    title: 'a WRITE whose object is deleted, or deleted and created again, while it arrives leaves no file there',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      await alice.given(`${folder}/a`);
      const connection = await t.login(alice.account);
      connection.send(`WRITE ${folder}/a 800\r\n\r\n`, { fin: false });
      connection.socket.send('x'.repeat(200_000), { fin: false });
      expectStatus(await alice.remove(`${folder}/a`), 204);
      connection.socket.send('end', { fin: true });
      expectStatus(await connection.response(800), [404, 412]);
      expectStatus(await alice.create(`${folder}/a`), 201);
      expectStatus(await alice.read(`${folder}/a`), 404, 'the new object has no file');
    },
  },
  {
    id: 'transfer-rights-taken-meanwhile',
    covers: ['F31', 'F46'],
    section: '7',
    title: 'after a right to write was taken away, a WRITE sent by its loser changes nothing',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: ['write-attachment'] } } });
      await alice.written(folder, 'old');
      expectStatus(await bob.write(folder, 'by Bob'), 204);
      await alice.changed(folder, { acl: { users: { [bob.user]: null } } });
      expectStatus(await bob.write(folder, 'by Bob, again'), 403);
      expectEqual((await alice.read(folder)).body.toString(), 'by Bob', 'the file');
    },
  },
];
