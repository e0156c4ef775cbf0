/** PROTOCOL §2: sequence numbers, and the order in which requests of one connection take effect. */
import type { Case } from '../case.ts';
import type { Client } from '../client.ts';
import { expectEqual, expectStatus, fail, jsonObject } from '../expect.ts';
import type { Reply } from '../wire/message.ts';

/** A group of which the tree's owner is a member, and an object whose acl takes a right from that group. */
async function groupDependent(owner: Client): Promise<string> {
  const object = `${owner.user}/dependent`;
  await owner.given(object, { data: 'secret', acl: { groups: { barred: ['not-read-data'] } } });
  return object;
}

function at(replies: readonly Reply[], index: number): Reply {
  return replies[index] ?? fail(`a reply ${index}`, 'none');
}

function statuses(replies: readonly Reply[]): number[] {
  return replies.map((reply) => reply.status);
}

export const sequences: readonly Case[] = [
  {
    id: 'sequence-range',
    covers: ['F5', 'F13'],
    section: '2',
    title: 'sequence numbers go from 1 to 2^53-1, and come back as they were sent',
    async run(t) {
      const connection = await t.negotiate();
      for (const sequence of [1_000_000, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
        expectStatus(await connection.request('LIST', `alice@${t.domain}/`, { sequence }), 401, String(sequence));
      }
    },
  },
  {
    id: 'sequence-malformed',
    covers: ['F5'],
    section: '2',
    title: 'what is no decimal number from 1 to 2^53-1 is no sequence number',
    async run(t) {
      const numbers = [
        '0',
        '-1',
        '1.5',
        'x',
        '9007199254740992',
        '1e3',
        '0x10',
        '99999999999999999999',
        '',
        '+5',
        '１',
        'NaN',
      ];
      for (const number of numbers) {
        const connection = await t.open();
        connection.send(`SELECT alice@${t.domain}/a ${number}\r\n`);
        const digits = /^\d{1,15}$/.test(number) ? Number(number) : 0;
        expectStatus(await connection.response(digits, 0), 400, JSON.stringify(number));
        await connection.close();
      }
    },
  },
  {
    id: 'sequence-duplicate',
    covers: ['F13'],
    section: '2',
    title: 'a sequence number that is in flight already gets 400 with that number, and the first one its answer',
    async run(t) {
      const alice = await t.shared('alice');
      let resource = await t.folder(alice);
      const connection = await t.login(alice.account);
      const chain = Array.from({ length: 24 }, (_, index) => {
        resource += `/${index}`;
        return { resource, sequence: 300 + index };
      });
      const sent = chain.map(({ resource, sequence }) => connection.request('CREATE', resource, { sequence }));
      const duplicate = connection.request('CREATE', `${resource}/other`, { sequence: 323 });
      const last = statuses([...(await Promise.all(sent)), await duplicate]).slice(-2);
      expectEqual(last.toSorted(), [201, 400], 'the two answers with that number');
      expectStatus(await connection.request('LIST', resource, { sequence: 323 }), 200, 'the number is free again');
    },
  },
  {
    id: 'sequence-many-in-flight',
    covers: ['F13'],
    section: '2',
    title: 'many requests in flight: each gets exactly one response, its own',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const names = Array.from({ length: 40 }, (_, index) => `${folder}/${index}`);
      const created = names.map((name, index) => alice.connection.request('CREATE', name, { body: { data: index } }));
      expectEqual(new Set(statuses(await Promise.all(created))), new Set([201]), 'statuses of the CREATEs');
      const views = await Promise.all(names.map((name) => alice.connection.request('SELECT', name)));
      expectEqual(
        views.map((view) => jsonObject(view)['data']),
        names.map((_, index) => index),
        'data by request',
      );
    },
  },
  {
    id: 'sequence-beyond-the-limit',
    covers: ['F13'],
    section: '4',
    title: 'requests beyond the announced number in flight are held, not refused',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const connection = await t.login(alice.account);
      const count = Math.min(t.limits.requests * 4, 1000);
      const replies = Array.from({ length: count }, () => connection.request('SELECT', folder));
      expectEqual(new Set(statuses(await Promise.all(replies))), new Set([200]), `statuses of ${count} SELECTs`);
    },
  },
  {
    id: 'order-create-chain',
    covers: ['F13', 'F27'],
    section: '2',
    title: 'CREATE a, CREATE a/b, SELECT a/b, UPDATE, SELECT, DELETE a, SELECT a/b may be pipelined',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const { connection } = alice;
      for (let round = 0; round < 5; round += 1) {
        const a = `${folder}/${round}`;
        const replies = await Promise.all([
          connection.request('CREATE', a, { body: { data: 1 } }),
          connection.request('CREATE', `${a}/b`, { body: { data: 2 } }),
          connection.request('SELECT', `${a}/b`),
          connection.request('UPDATE', a, { body: { data: 3 } }),
          connection.request('SELECT', a),
          connection.request('DELETE', a),
          connection.request('SELECT', `${a}/b`),
          connection.request('LIST', folder),
        ]);
        expectEqual(statuses(replies), [201, 201, 200, 204, 200, 204, 404, 200], 'statuses in the order sent');
        expectEqual(jsonObject(at(replies, 4))['data'], 3, 'data after the UPDATE');
      }
    },
  },
  {
    id: 'order-updates',
    covers: ['F13', 'F28'],
    section: '2',
    title: 'pipelined changes of one object take effect in the order sent',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const { connection } = alice;
      const updates = Array.from({ length: 20 }, (_, index) =>
        connection.request('UPDATE', folder, { body: { data: index } }),
      );
      const view = connection.request('SELECT', folder);
      expectEqual(new Set(statuses(await Promise.all(updates))), new Set([204]), 'statuses');
      expectEqual(jsonObject(await view)['data'], 19, 'data in the end');
    },
  },
  {
    id: 'order-write-read',
    covers: ['F13', 'F31', 'F32'],
    section: '2',
    title: 'a READ sees the WRITEs sent before it and none sent after it',
    async run(t) {
      const alice = await t.shared('alice');
      const folder = await t.folder(alice);
      const { connection } = alice;
      const write = (body: string) => connection.request('WRITE', folder, { body });
      const [, first, , second] = await Promise.all([
        write('one'),
        connection.request('READ', folder),
        write('two'),
        connection.request('READ', folder),
        connection.request('DELETE', folder),
      ]);
      expectEqual([first.body.toString(), second.body.toString()], ['one', 'two'], 'the files');
    },
  },
  {
    id: 'order-acl',
    covers: ['F13', 'F46'],
    section: '2',
    title: 'a change of an ancestor’s acl counts for the requests sent after it',
    async run(t) {
      const [alice, bob] = await Promise.all([t.shared('alice'), t.shared('bob')]);
      const rights = ['read-data', 'read-acl', 'write-acl'];
      const folder = await t.folder(alice, { acl: { users: { [bob.user]: rights } } });
      await alice.given(`${folder}/a`, { data: 'secret' });
      const { connection } = bob;
      const replies = await Promise.all([
        connection.request('SELECT', `${folder}/a`),
        connection.request('UPDATE', folder, { body: { acl: { users: { [bob.user]: ['write-acl'] } } } }),
        connection.request('SELECT', `${folder}/a`),
        connection.request('UPDATE', folder, { body: { acl: { users: { [bob.user]: rights } } } }),
        connection.request('SELECT', `${folder}/a`),
      ]);
      expectEqual(statuses(replies), [200, 204, 403, 204, 200], 'statuses in the order sent');
    },
  },
  {
    id: 'order-groups',
    covers: ['F13', 'F42'],
    section: '2',
    title: 'a change of config/groups counts for the requests sent after it, anywhere in the tree',
    async run(t) {
      const alice = await t.fresh();
      const object = await groupDependent(alice);
      const groups = `${alice.user}/config/groups`;
      const { connection } = alice;
      const replies = await Promise.all([
        connection.request('SELECT', object),
        connection.request('UPDATE', groups, { body: { data: { barred: [alice.user] } } }),
        connection.request('SELECT', object),
        connection.request('UPDATE', groups, { body: { data: { barred: null } } }),
        connection.request('SELECT', object),
      ]);
      expectEqual(statuses(replies), [200, 204, 200, 204, 200], 'statuses');
      const shown = [0, 2, 4].map((index) => jsonObject(at(replies, index))['data']);
      expectEqual(shown, ['secret', undefined, 'secret'], 'data shown before, as a member, and after');
    },
  },
];
