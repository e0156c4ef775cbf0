import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { PLAIN_COST } from '../src/arrivals.ts';
import { startGateway, type TestGateway } from './harness.ts';
import { binary } from './proxy-headers.ts';
import { RawConnection } from './raw-connection.ts';

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

interface Paced extends TestGateway {
  /** Lets so much time go by; none does else. */
  pass(milliseconds: number): void;
  waiting(): Promise<number>;
}

/** Lets one connection in at once, and one per second. */
async function startPaced(waiting: number, environment: Record<string, string> = {}): Promise<Paced> {
  let now = 0;
  const one = environment['FOSP_TLS_CERT'] === undefined ? PLAIN_COST : 1;
  const gateway = await startGateway({
    environment,
    limits: { arrivals: { perSecond: one, burst: one }, arrivalsWaiting: waiting, arrivalsSeconds: 10 },
    clock: () => now,
  });
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { ...gateway, pass, waiting: () => gateway.metric('fosp_gateway_arrivals_waiting') };
}

/** A connection that comes, and what it has come to. */
function knock(url: string, from: string, trusted?: string): { outcome: string; readonly opened: Promise<string> } {
  const open = WireClient.open(url, { from, ...(trusted === undefined ? {} : { trusted }) });
  const opened = open.then(
    () => 'in',
    (error: Error) => error.message,
  );
  const visitor = { outcome: 'waits', opened };
  void opened.then((outcome) => {
    visitor.outcome = outcome;
  });
  return visitor;
}

describe('connections that come all at once', () => {
  it('F24 are let in at the pace, each address in its turn, and work like any other', async () => {
    const gateway = await startPaced(10);
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    const many = [];
    for (let count = 1; count <= 3; count++) {
      many.push(knock(gateway.url, '127.0.0.1'));
      await expect.poll(gateway.waiting).toBe(count);
    }
    const session = TestSession.open(gateway.url, 'bob', { from: '127.0.0.2' });
    await expect.poll(gateway.waiting).toBe(4);
    gateway.pass(1000);
    expect(await many[0]?.opened).toBe('in');
    gateway.pass(1000);
    const bob = await session;
    await bob.succeed('CONNECT', '*', { body: { version: '0.1' } });
    await bob.succeed('AUTHENTICATE', '*', { body: { name: 'bob', password: 'anything' } });
    expect(many.map(({ outcome }) => outcome)).toEqual(['in', 'waits', 'waits']);
    expect(await gateway.metric('fosp_gateway_arrivals_delayed_total')).toBe(4);
    gateway.pass(1000);
    expect(await many[1]?.opened).toBe('in');
  });

  it('F24 are answered 503 where too many wait, the newest of whoever has most there', async () => {
    const gateway = await startPaced(3);
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    const first = [knock(gateway.url, '127.0.0.1'), knock(gateway.url, '127.0.0.1')];
    await expect.poll(gateway.waiting).toBe(2);
    const third = knock(gateway.url, '127.0.0.1');
    await expect.poll(gateway.waiting).toBe(3);
    const other = knock(gateway.url, '127.0.0.2');
    expect(await third.opened).toContain('503');
    expect([...first, other].map(({ outcome }) => outcome)).toEqual(['waits', 'waits', 'waits']);
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="crowded"}')).toBe(1);
    const raw = await RawConnection.open(Number(new URL(gateway.url).port));
    raw.write(UPGRADE);
    await raw.closed;
    expect(raw.received).toContain('Retry-After: 5');
  });

  it('F24 are answered 503 themselves where too many wait and none has more there than they', async () => {
    const gateway = await startPaced(2);
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    const first = knock(gateway.url, '127.0.0.1');
    await expect.poll(gateway.waiting).toBe(1);
    const second = knock(gateway.url, '127.0.0.2');
    await expect.poll(gateway.waiting).toBe(2);
    const third = knock(gateway.url, '127.0.0.3');
    expect(await third.opened).toContain('503');
    expect([first, second].map(({ outcome }) => outcome)).toEqual(['waits', 'waits']);
    gateway.pass(1000);
    expect(await first.opened).toBe('in');
    gateway.pass(1000);
    expect(await second.opened).toBe('in');
  });

  it('F24 are closed there before a TLS handshake was made for them; who waited makes theirs', async () => {
    const gateway = await startPaced(1, {
      FOSP_TLS_CERT: fixture('localhost.pem'),
      FOSP_TLS_KEY: fixture('localhost-key.pem'),
    });
    const trusted = readFileSync(fixture('localhost.pem'), 'utf8');
    const url = gateway.secureUrl;
    expect(await knock(url, '127.0.0.1', trusted).opened).toBe('in');
    const waits = knock(url, '127.0.0.1', trusted);
    await expect.poll(gateway.waiting).toBe(1);
    expect(await knock(url, '127.0.0.1', trusted).opened).not.toBe('in');
    expect(waits.outcome).toBe('waits');
    gateway.pass(1000);
    expect(await waits.opened).toBe('in');
  });

  it('F24 are answered 503 where they have waited for too long, and those who gave up are in nobody’s way', async () => {
    const gateway = await startPaced(10);
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    const early = knock(gateway.url, '127.0.0.1');
    await expect.poll(gateway.waiting).toBe(1);
    const gone = await RawConnection.open(Number(new URL(gateway.url).port));
    gone.write(UPGRADE);
    await expect.poll(gateway.waiting).toBe(2);
    gone.socket.end();
    await expect.poll(gateway.waiting).toBe(1);
    gateway.pass(10_001);
    expect(await early.opened).toContain('503');
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="crowded"}')).toBe(1);
  });

  it('F24 are closed where more comes than is sent before one is let in', async () => {
    const gateway = await startPaced(10);
    expect(await knock(gateway.url, '127.0.0.1').opened).toBe('in');
    const flooding = await RawConnection.open(Number(new URL(gateway.url).port));
    flooding.write(Buffer.alloc(100_000, 'a'));
    await flooding.closed;
    expect(flooding.received).toBe('');
    expect(await gateway.waiting()).toBe(0);
  });

  it('F24 wait behind a load balancer in the line of the address that it tells', async () => {
    const gateway = await startPaced(10, { FOSP_PROXIES: '127.0.0.1' });
    const port = Number(new URL(gateway.url).port);
    const come = async () => {
      const connection = await RawConnection.open(port);
      connection.write(Buffer.concat([binary(), Buffer.from(UPGRADE)]));
      return connection;
    };
    const first = await come();
    await expect.poll(() => first.received).toContain('101 Switching Protocols');
    const waiting = [await come(), await come()];
    await expect.poll(gateway.waiting).toBe(2);
    const other = knock(gateway.url, '127.0.0.2');
    await expect.poll(gateway.waiting).toBe(3);
    gateway.pass(1000);
    await expect.poll(() => waiting.filter(({ received }) => received.includes('101 Switching')).length).toBe(1);
    gateway.pass(1000);
    expect(await other.opened).toBe('in');
    await gateway.service.drain();
    await Promise.all(waiting.map(({ closed }) => closed));
  });
});
