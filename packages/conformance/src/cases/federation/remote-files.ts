/** PROTOCOL §7, §9: files of another domain's objects, both ways, by the server of whoever reads or writes them. */
import type { Case } from '../../case.ts';
import { expectEqual, expectStatus, expectThat } from '../../expect.ts';
import { everyEvent, stage } from './neighbours.ts';

const MIB = 1024 * 1024;

/** What is no UTF-8 and looks like the end of a head. */
function fileOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, Buffer.from([0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0x80, 0x00, 0x41]));
}

export const remoteFiles: readonly Case[] = [
  {
    id: 'remote-files',
    covers: ['F31', 'F32', 'F61'],
    section: '7',
    needs: 'peer',
    title: 'files go both ways with name and type, empty ones included',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      const headers = { 'Content-Type': 'image/png', 'File-Name': 'caf%C3%A9%20a.png' };
      for (const bytes of [0, 1, 1000, 300_000]) {
        for (const [writer, reader] of [
          [guest, host],
          [host, guest],
        ] as const) {
          const file = fileOf(bytes);
          await writer.written(folder, file, headers);
          const reply = expectStatus(await reader.read(folder), 200, `${bytes} bytes`);
          expectThat(reply.body.equals(file), `${bytes} bytes as they were`, `${reply.body.length} bytes`);
          const told = [reply.headers.get('Content-Type'), reply.headers.get('File-Name')];
          expectEqual(told, Object.values(headers), 'type and name');
          const attachment = { name: 'café a.png', 'mime-type': 'image/png', size: bytes };
          expectEqual((await reader.seen(folder)).attachment, attachment, 'attachment');
        }
      }
    },
  },
  {
    id: 'remote-files-large',
    covers: ['F31', 'F32'],
    section: '7',
    needs: 'peer',
    title: 'several large files at once come back as they were, while other requests are answered',
    async run(t) {
      const { guest, folder } = await stage(t);
      const bytes = Math.min(4 * MIB, t.limits.attachment, t.peer.limits.attachment);
      const names = ['a', 'b', 'c'].map((name) => `${folder}/${name}`);
      for (const name of names) expectStatus(await guest.create(name), 201);
      const written = names.map((name, at) => guest.write(name, fileOf(bytes - at)));
      expectStatus(await guest.select(folder), 200);
      for (const reply of await Promise.all(written)) expectStatus(reply, 204);
      const read = await Promise.all(names.map((name) => guest.read(name)));
      for (const [at, reply] of read.entries()) {
        expectThat(expectStatus(reply, 200).body.equals(fileOf(bytes - at)), 'the same bytes', reply.head);
      }
    },
  },
  {
    id: 'remote-files-rights',
    covers: ['F31', 'F32', 'F50'],
    section: '7',
    needs: 'peer',
    title: 'files need their rights and an object; what is refused changes nothing',
    async run(t) {
      const { host, guest, folder } = await stage(t, ['read-data', 'not-read-attachment', 'not-write-attachment']);
      await host.written(folder, 'the file');
      expectStatus(await guest.read(folder), 403, 'READ');
      for (const bytes of [10, 300_000]) expectStatus(await guest.write(folder, fileOf(bytes)), 403, 'WRITE');
      await host.changed(folder, { acl: { users: { [guest.user]: ['read-attachment', 'write-attachment'] } } });
      expectEqual((await guest.read(folder)).body.toString(), 'the file', 'the file');
      for (const bytes of [10, 300_000]) expectStatus(await guest.write(`${folder}/none`, fileOf(bytes)), 404, 'WRITE');
      expectStatus(await guest.update(folder, { attachment: null }), 204);
      expectStatus(await host.read(folder), 404);
    },
  },
  {
    id: 'remote-files-told',
    covers: ['F55', 'F59', 'F31'],
    section: '7',
    needs: 'peer',
    title: 'a file that a user of another domain writes is an UPDATED that shows it',
    async run(t) {
      const { host, guest, folder } = await stage(t);
      await host.changed(folder, { subscriptions: everyEvent(0, host, guest) });
      const observation = await t.observe(host, folder, [host, guest]);
      await guest.written(folder, fileOf(70_000), { 'File-Name': 'a.bin' });
      for (const client of [host, guest]) {
        const [notice] = await observation.notices(client);
        expectEqual(notice?.event, 'UPDATED', 'event');
        const { attachment } = JSON.parse(notice?.body.toString() ?? '{}');
        expectEqual([attachment?.name, attachment?.size], ['a.bin', 70_000], 'attachment');
      }
    },
  },
];
