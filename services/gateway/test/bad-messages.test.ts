import { OBJECTS } from '@fosp/bus';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { HeldCalls, PASSWORD, startGateway } from './harness.ts';

async function answersTo(wire: WireClient, message: string): Promise<string> {
  wire.send(message);
  return (await wire.next()).bytes.toString();
}

describe('messages that cannot be read', () => {
  it('F9 answers each with 400 and its number where there is one, and the tenth is the last', async () => {
    const { url, metric } = await startGateway();
    const wire = await WireClient.open(url);
    expect(await answersTo(wire, 'gibberish')).toMatch(/^FAILED 400 0\r\n/);
    expect(await answersTo(wire, 'SELECT not-an-id 7\r\n')).toMatch(/^FAILED 400 7\r\n/);
    expect(await answersTo(wire, 'SELECT * 8\r\n')).toMatch(/^FAILED 400 8\r\n.*needs a resource/s);
    expect(await answersTo(wire, 'LOOK * 9\r\n')).toMatch(/^FAILED 400 9\r\n/);
    expect(await answersTo(wire, 'CREATED alice@wonderland.lit/a\r\n')).toMatch(/^FAILED 400 0\r\n/);
    expect(await answersTo(wire, 'SUCCEEDED 200 5\r\n')).toMatch(/^FAILED 400 0\r\n/);
    expect(await answersTo(wire, 'CONNECT * 10\r\n\r\n{"version":"0.1"}')).toMatch(/^SUCCEEDED 200 10\r\n/);
    for (let count = 6; count < 10; count++) {
      expect(await answersTo(wire, 'SELECT alice@wonderland.lit minus-one\r\n')).toMatch(/^FAILED 400 0\r\n/);
    }
    expect((await wire.closed).code).toBe(1002);
    expect(await metric('fosp_gateway_bad_messages_total{from="client"}')).toBe(10);
  });

  it('F9 does not count what is wrong with bodies', async () => {
    const { url } = await startGateway();
    const session = await TestSession.open(url);
    for (let count = 0; count < 12; count++) {
      expect((await session.request('CONNECT', '*', { body: '{' })).status).toBe(400);
    }
    await session.succeed('CONNECT', '*', { body: { version: '0.1' } });
  });

  it('F13 refuses a sequence number that is in use, and takes it again once it is answered', async () => {
    const gateway = await startGateway();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const wire = await WireClient.open(gateway.url);
    await answersTo(wire, 'CONNECT * 1\r\n\r\n{"version":"0.1"}');
    await answersTo(wire, `AUTHENTICATE * 2\r\n\r\n${JSON.stringify({ name: 'alice', password: PASSWORD })}`);
    wire.send('SELECT alice@wonderland.lit/a 7\r\n');
    await held.count(1);
    expect(await answersTo(wire, 'SELECT alice@wonderland.lit/b 7\r\n')).toMatch(/^FAILED 400 7\r\n/);
    held.calls[0]?.answer('{}');
    expect((await wire.next()).bytes.toString()).toBe('SUCCEEDED 200 7\r\n\r\n{}');
    wire.send('SELECT alice@wonderland.lit/c 7\r\n');
    await held.count(2);
    expect(held.calls.map(({ path }) => path)).toEqual(['/a', '/c']);
  });

  it('F1 answers 413 and closes with 1009 what is too large before login', async () => {
    const { url } = await startGateway();
    const wire = await WireClient.open(url);
    expect(await answersTo(wire, 'CONNECT * 1\r\n\r\n{"version":"0.1"}')).toContain('SUCCEEDED 200');
    const answer = await answersTo(wire, `REGISTER * 2\r\n\r\n${'x'.repeat(17_000)}`);
    expect(answer).toMatch(/^FAILED 413 2\r\n.*16384 bytes/s);
    expect((await wire.closed).code).toBe(1009);
  });
});
