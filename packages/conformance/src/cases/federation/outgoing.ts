/** PROTOCOL §9: what a server asks and tells the servers of another domain: one that knows no extension, as older ones do. */
import type { Case, Context } from '../../case.ts';
import type { Client } from '../../client.ts';
import { expectEqual, expectStatus, expectThat, jsonObject } from '../../expect.ts';
import type { Call } from '../../listener.ts';
import type { Body, Reply } from '../../wire/message.ts';
import { everyEvent } from './neighbours.ts';

const COUNT = 20;
const TIME = '2026-01-01T00:00:00.000Z';

/** Somebody of the domain that is spoken for. */
function guestOf(t: Context): string {
  return `${t.name('guest')}@${t.listener.domain}`;
}

/** The call that a request becomes, which this answers, and what the client gets of that. */
async function asked(
  t: Context,
  client: Client,
  request: { readonly type: string; readonly resource: string; readonly body?: Body | undefined },
  answer: (call: Call) => void,
): Promise<{ call: Call; reply: Reply }> {
  const { type, resource, body } = request;
  const replied = client.request(type, resource, { body });
  const call = await Promise.race([t.listener.next(client.user, t.timeoutMs), replied.then((reply) => early(reply))]);
  answer(call);
  return { call, reply: await replied };
}

function early(reply: Reply): never {
  return expectStatus(reply, 0, 'to be asked before there is an answer') as never;
}

function expectCall(call: Call, type: string, resource: string, user: string): void {
  expectEqual([call.type, call.resource], [type, resource], 'what the other server is asked');
  expectEqual([call.headers.get('From'), call.headers.get('User')], [user, user], 'From and User');
}

export const outgoing: readonly Case[] = [
  {
    id: 'outgoing-requests',
    covers: ['F61', 'F63'],
    section: '9',
    needs: 'listener',
    title: 'a request is asked of the other server in the user’s name, after a login, and its answer is the user’s',
    async run(t) {
      const host = await t.fresh();
      const tree = guestOf(t);
      const view = { owner: tree, btime: TIME, mtime: TIME, data: 'tea' };
      const questions: readonly [string, number, (Body | undefined)?, Body?][] = [
        ['SELECT', 200, undefined, view],
        ['LIST', 200, undefined, ['a', 'b']],
        ['CREATE', 201, { data: 12345678901234567890n.toString() }],
        ['UPDATE', 204, { data: null }],
        ['DELETE', 204],
      ];
      for (const [type, status, body, answer] of questions) {
        const resource = `${tree}/a`;
        const headers = { To: host.user, User: host.user };
        const request = { type, resource, body };
        const { call, reply } = await asked(t, host, request, (one) => one.answer(status, { headers, body: answer }));
        expectCall(call, type, resource, host.user);
        expectEqual(call.body.toString(), body === undefined ? '' : JSON.stringify(body), 'the body that was sent on');
        expectStatus(reply, status, type);
        if (answer !== undefined) expectEqual(JSON.parse(reply.body.toString()), answer, 'the answer');
        const [connect = '{}', authenticate = '{}'] = call.link.opening;
        expectEqual(JSON.parse(connect).version, '0.1', 'the version in CONNECT');
        const { type: as, domain } = JSON.parse(authenticate);
        expectEqual([as, domain], ['server', t.domain], 'type and domain in AUTHENTICATE');
      }
    },
  },
  {
    id: 'outgoing-statuses',
    covers: ['F61', 'F34'],
    section: '9',
    needs: 'listener',
    title: 'a refusal of the other server is the user’s, with its message',
    async run(t) {
      const host = await t.fresh();
      for (const status of [400, 403, 404, 405, 409, 412, 413]) {
        const request = { type: 'UPDATE', resource: `${guestOf(t)}/a`, body: {} };
        const body = { message: `because of ${status}` };
        const { reply } = await asked(t, host, request, (call) => call.answer(status, { body }));
        expectEqual(jsonObject(expectStatus(reply, status))['message'], body.message, 'message');
      }
    },
  },
  {
    id: 'outgoing-one-link',
    covers: ['F61', 'F13'],
    section: '9',
    needs: 'listener',
    title: 'all users share one link for messages, and answers may come in any order',
    async run(t) {
      const [one, other] = await Promise.all([t.fresh(), t.fresh()]);
      const tree = guestOf(t);
      const sent = [one, other, one, other].map((client, at) => ({ client, reply: client.list(`${tree}/${at}`) }));
      const calls: Call[] = [];
      for (const { client } of sent) calls.push(await t.listener.next(client.user, t.timeoutMs));
      for (const call of calls.toReversed()) call.answer(200, { body: [call.resource.slice(tree.length + 1)] });
      const lists = await Promise.all(sent.map(async ({ reply }) => JSON.parse((await reply).body.toString())));
      expectEqual(lists, [['0'], ['1'], ['2'], ['3']], 'each answer');
      expectEqual(new Set(calls.map(({ link }) => link.opening)).size, 1, 'links for messages');
    },
  },
  {
    id: 'outgoing-files',
    covers: ['F31', 'F32', 'F61'],
    section: '1',
    needs: 'listener',
    title: 'files go to the other server as raw bytes in one message, and are taken from text frames',
    async run(t) {
      const host = await t.fresh();
      const resource = `${guestOf(t)}/a`;
      const file = Buffer.alloc(200_000, Buffer.from([0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0x80]));
      const written = await asked(t, host, { type: 'WRITE', resource, body: file }, (call) => call.answer(204));
      expectCall(written.call, 'WRITE', resource, host.user);
      expectThat(written.call.body.equals(file), 'the same bytes', `${written.call.body.length} bytes`);
      expectStatus(written.reply, 204);
      for (const frame of ['text', 'binary'] as const) {
        const headers = { 'Content-Type': 'image/png', 'File-Name': 'a%20b.png' };
        const answer = { headers, body: file, frame };
        const { call, reply } = await asked(t, host, { type: 'READ', resource }, (one) => one.answer(200, answer));
        expectCall(call, 'READ', resource, host.user);
        expectThat(expectStatus(reply, 200).body.equals(file), 'the same bytes', `${reply.body.length} bytes`);
        const told = Object.keys(headers).map((name) => reply.headers.get(name));
        expectEqual(told, Object.values(headers), 'type and name');
      }
    },
  },
  {
    id: 'outgoing-notifications',
    covers: ['F59', 'F57', 'F56'],
    section: '9',
    needs: 'listener',
    title: 'users of the other domain are told by their server, in order, each what they may see',
    async run(t) {
      const host = await t.fresh();
      const [data, acl] = [guestOf(t), guestOf(t)];
      const users = { [data]: ['read-data'], [acl]: ['read-acl'] };
      const subscriptions = everyEvent(-1, ...[data, acl].map((user) => ({ user })));
      const folder = await t.folder(host, { acl: { users }, subscriptions });
      await host.given(`${folder}/a`, { data: 0 });
      for (let at = 1; at <= COUNT; at++) await host.changed(`${folder}/a`, { data: at });
      expectStatus(await host.remove(`${folder}/a`), 204);
      for (const [user, field] of [
        [data, 'data'],
        [acl, undefined],
      ] as const) {
        const counted: unknown[] = [];
        expectEqual((await t.listener.next(user, t.timeoutMs)).resource, folder, 'what is told first');
        for (let at = 0; at <= COUNT + 1; at++) {
          const { type, resource, headers, body } = await t.listener.next(user, t.timeoutMs);
          const event = at === 0 ? 'CREATED' : at > COUNT ? 'DELETED' : 'UPDATED';
          expectEqual([type, resource], [event, `${folder}/a`], 'event');
          expectEqual([headers.get('To'), headers.get('User')], [user, user], 'To and User');
          expectEqual(headers.has('Id'), false, 'a header Id, which only servers know that named `ack`');
          if (at <= COUNT) counted.push(JSON.parse(body.toString()).data);
          else expectEqual(body.length, 0, 'bytes in the body of DELETED');
        }
        const all = Array.from({ length: COUNT + 1 }, (_, at) => (field === undefined ? undefined : at));
        expectEqual(counted, all, `data for ${user}`);
      }
    },
  },
];
