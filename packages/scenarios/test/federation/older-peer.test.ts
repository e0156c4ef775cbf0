/**
 * A server of another domain with the habits of older programs, written from the rows of PROTOCOL.md that watching them gave:
 * raw bytes in text frames, `User` alone, with the bare name, one link per direction, no extensions, a CRLF more or less.
 */
import { randomBytes } from 'node:crypto';
import { ALICE, freePort, SISTER, WireClient, type WireConnection, WireServer } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Provider } from '../../src/neighbours.ts';

interface Message {
  readonly start: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type Wire = Pick<WireConnection, 'frames'>;

/** The next message that is no response, or none but responses. */
async function next({ frames }: Wire): Promise<Message> {
  const { bytes } = await frames.next();
  const end = bytes.indexOf('\r\n\r\n');
  const [start = '', ...lines] = bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString()
    .split('\r\n');
  // As older programs read them: exactly two parts, or the header does not count.
  const pairs = lines.map((line) => line.split(': ')).filter(({ length }) => length === 2);
  return {
    start: start.split(' '),
    headers: Object.fromEntries(pairs),
    body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4),
  };
}

/** Accepts the link that is dialled next, and answers what comes first. */
async function accept(server: WireServer): Promise<WireConnection> {
  const link = await server.accepted.next();
  for (const type of ['CONNECT', 'AUTHENTICATE']) {
    const message = await next(link);
    expect(message.start[0]).toBe(type);
    link.send(`SUCCEEDED 200 ${message.start[2]}\r\n\r\n`);
  }
  return link;
}

async function start() {
  const server = await WireServer.start();
  const wonderland = await Provider.start('wonderland.lit', await freePort(), {
    FOSP_FEDERATION_PEERS: `realworld.lit=ws://127.0.0.1:${server.port}`,
  });
  const alice = await wonderland.register('alice');
  return {
    ...{ server, wonderland, alice },
    [Symbol.asyncDispose]: async () => {
      await wonderland[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('an older server of another domain', () => {
  it('F61 F31 F32 is asked for objects and files of its users', async () => {
    await using test = await start();
    const { alice, server } = test;
    const selected = alice.request('SELECT', SISTER);
    const link = await accept(server);
    const select = await next(link);
    expect([select.start.slice(0, 2), select.headers['User']]).toEqual([['SELECT', `${SISTER}/`], ALICE]);
    link.send(`SUCCEEDED 200 ${select.start[2]}\r\nUser: alice\r\n\r\n{"owner":"${SISTER}","data":"tea"}`);
    expect(JSON.parse((await selected).body.toString())).toEqual({ owner: SISTER, data: 'tea' });
    expect((await selected).headers).toEqual({});

    const file = Buffer.concat([Buffer.from([0xff, 13, 10, 13, 10, 0x80]), randomBytes(200_000)]);
    const written = alice.request('WRITE', `${SISTER}/a`, { body: file, binary: true });
    const files = await accept(server);
    const write = await next(files);
    expect(write.body.equals(file)).toBe(true);
    files.send(`SUCCEDED 200 ${write.start[2]}\r\n`);
    expect((await written).status).toBe(204);
    const read = alice.request('READ', `${SISTER}/a`);
    const asked = await next(files);
    const head = Buffer.from(`SUCCEEDED 200 ${asked.start[2]}\r\nContent-Type: image/png\r\n\r\n`);
    files.send(Buffer.concat([head, file]));
    const { body, headers, binary } = await read;
    expect([body.equals(file), headers, binary]).toEqual([true, { 'Content-Type': 'image/png' }, true]);
  });

  it('F59 tells our users, and is told of ours, over the link that either dialled', async () => {
    await using test = await start();
    const { alice, server } = test;
    await alice.succeed('UPDATE', ALICE, {
      body: {
        acl: { users: { [SISTER]: ['data-read'] } },
        subscriptions: { [SISTER]: { events: ['created'], depth: -1 } },
      },
    });
    await alice.succeed('CREATE', `${ALICE}/a`, { body: { data: 'tea' } });
    const link = await accept(server);
    const told = await next(link);
    expect(told.start).toEqual(['CREATED', `${ALICE}/a`]);
    expect(told.headers).toEqual({ To: SISTER, User: SISTER });
    expect(JSON.parse(told.body.toString())).toMatchObject({ owner: ALICE, data: 'tea' });
    // Back over the same link, as some do.
    link.send('UPDATED sister@realworld.lit/b\r\nUser: alice\r\n\r\n{"data":"milk"}');
    const heard = await alice.nextNotification();
    expect([heard.event, heard.resource, heard.headers, heard.body.toString()]).toEqual([
      ...['UPDATED', `${SISTER}/b`],
      ...[{}, '{"data":"milk"}'],
    ]);
    link.send(`UPDATED ${ALICE}/a\r\nUser: alice\r\n\r\n{"data":"forged"}`);
    link.send('CREATED sister@realworld.lit/c\r\nUser: alice@wonderland.lit\r\n');
    expect(await alice.nextNotification()).toMatchObject({ event: 'CREATED', resource: `${SISTER}/c` });
  });

  it('F63 F61 asks for its users over a link that it dials, and over the one that we did', async () => {
    await using test = await start();
    const { alice, server, wonderland } = test;
    const rights = ['data-read', 'data-write', 'attachment-read', 'attachment-write', 'children-write'];
    await alice.succeed('UPDATE', ALICE, { body: { acl: { users: { [SISTER]: rights } } } });
    const inbound = await WireClient.open(wonderland.server.url);
    const ask = async (wire: WireClient | WireConnection, message: string | Buffer) => {
      wire.send(message);
      return next(wire);
    };
    await ask(inbound, 'CONNECT * 1\r\n\r\n{"version":"0.1"}');
    const loggedIn = await ask(inbound, 'AUTHENTICATE * 2\r\n\r\n{"type":"server","domain":"realworld.lit"}');
    expect(loggedIn.start).toEqual(['SUCCEEDED', '200', '2']);

    const answered = alice.request('SELECT', SISTER);
    const outbound = await accept(server);
    outbound.send(`FAILED 403 ${(await next(outbound)).start[2]}\r\n\r\n{"message":"no"}`);
    expect((await answered).status).toBe(403);

    for (const [at, wire] of [inbound, outbound].entries()) {
      const path = `${ALICE}/from-${at}`;
      const file = randomBytes(70_000);
      const created = await ask(wire, `CREATE ${path} 11\r\nUser: sister\r\n\r\n{"data":${at}}`);
      expect([created.start, created.headers['User']]).toEqual([['SUCCEEDED', '201', '11'], SISTER]);
      const head = Buffer.from(`WRITE ${path} 12\r\nUser: sister@realworld.lit\r\n\r\n`);
      expect((await ask(wire, Buffer.concat([head, file]))).start).toEqual(['SUCCEEDED', '204', '12']);
      expect((await ask(wire, `READ ${path} 13\r\nUser: sister\r\n\r\n`)).body.equals(file)).toBe(true);
      expect(await alice.json<{ owner: string; data: number }>('SELECT', path)).toMatchObject({
        owner: SISTER,
        data: at,
      });
      const forwarded = await ask(wire, 'SELECT bob@third.example 14\r\nUser: sister\r\n');
      expect(forwarded.start).toEqual(['FAILED', '421', '14']);
    }
    outbound.send('SELECT alice@wonderland.lit 15\r\nUser: alice@wonderland.lit\r\n');
    expect(await outbound.closed).toMatchObject({ code: 1008 });
    inbound.terminate();
  });
});
