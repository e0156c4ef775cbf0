/**
 * A server of another domain with the habits of older programs, as PROTOCOL marks them: one link for everything, text frames
 * whatever the body is, `User` with the bare name alone, one more CRLF behind a head without headers, no extension named.
 */
import { randomBytes } from 'node:crypto';
import { OBJECTS } from '@fosp/bus';
import { WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { TestFileStore } from './file-store.ts';
import { startGateway } from './harness.ts';

async function start() {
  const gateway = await startGateway();
  await FederationStandIn.serve(gateway.bus);
  const wire = await WireClient.open(gateway.url, { protocols: ['fosp'] });
  const ask = async (message: string | Buffer) => {
    wire.send(message);
    return wire.next();
  };
  expect((await ask('CONNECT * 1\r\n\r\n{"version":"0.1"}')).bytes.toString()).toMatch(/^SUCCEEDED 200 1\r\n/);
  const claimed = await ask('AUTHENTICATE * 2\r\n\r\n{"type":"server","domain":"realworld.lit"}');
  expect(claimed.bytes.toString()).toBe('SUCCEEDED 200 2\r\n\r\n{"domain":"realworld.lit"}');
  return { gateway, wire, ask };
}

describe('a server with the habits of older ones', () => {
  it('F61 F70 asks for its users, and finds what it looks for in the responses', async () => {
    const { gateway, ask } = await start();
    await gateway.bus.serve(
      OBJECTS.select,
      async ({ fields }) => ({ fields: {}, body: Buffer.from(`{"owner":"${fields.user}"}`) }),
      { concurrency: 1 },
    );
    const { bytes, binary } = await ask('SELECT alice@wonderland.lit/ 3\r\nUser: sister\r\n\r\n');
    expect(bytes.toString()).toBe(
      'SUCCEEDED 200 3\r\nTo: sister@realworld.lit\r\nUser: sister@realworld.lit\r\n\r\n{"owner":"sister@realworld.lit"}',
    );
    expect(binary).toBe(false);
  });

  it('F3 F31 F32 sends files as raw bytes in text frames, and gets them back', async () => {
    const { gateway, ask } = await start();
    const store = await TestFileStore.serve(gateway.bus);
    const file = Buffer.concat([Buffer.from([0xff, 0, 13, 10, 13, 10, 0xc3, 0x28]), randomBytes(100_000)]);
    const head = Buffer.from('WRITE alice@wonderland.lit/a 3\r\nUser: sister\r\nContent-Type: image/png\r\n\r\n');
    expect((await ask(Buffer.concat([head, file]))).bytes.toString()).toMatch(/^SUCCEEDED 204 3\r\n/);
    expect(store.files.get('/a')?.bytes.equals(file)).toBe(true);
    expect(store.files.get('/a')?.fields['user']).toBe('sister@realworld.lit');
    const read = await ask('READ alice@wonderland.lit/a 4\r\nUser: sister\r\n\r\n');
    const answer = read.bytes.subarray(0, read.bytes.length - file.length).toString();
    expect(answer).toMatch(/^SUCCEEDED 200 4\r\n(?:[A-Z][A-Za-z-]*: [^\r]+\r\n)+\r\n$/);
    expect(read.bytes.subarray(-file.length).equals(file)).toBe(true);
    expect(read.binary).toBe(true);
  });

  it('F59 tells our users over the same link, by User alone', async () => {
    const { gateway, wire, ask } = await start();
    const alice = await gateway.logIn('alice');
    wire.send('CREATED sister@realworld.lit/social\r\nUser: alice\r\n\r\n{"data":"tea"}');
    wire.send('DELETED sister@realworld.lit/social\r\nUser: alice@wonderland.lit\r\n\r\n');
    const told = await alice.notifications.take(2);
    expect(told.map(({ event, resource, headers, body }) => [event, resource, headers, body.toString()])).toEqual([
      ['CREATED', 'sister@realworld.lit/social', {}, '{"data":"tea"}'],
      ['DELETED', 'sister@realworld.lit/social', {}, ''],
    ]);
    // Nothing else came back over the link.
    expect((await ask('LIST queen@elsewhere.lit/ 9\r\nUser: sister\r\n')).bytes.toString()).toMatch(
      /^FAILED 421 9\r\n/,
    );
  });
});
