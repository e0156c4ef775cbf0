/** A server whose traces are off, or whose collector is no use: it is a server like any other. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ALICE, freePort, ServerProcess, TestSession, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCollector } from '../src/collector.ts';

async function startServer(environment: Readonly<Record<string, string>>) {
  const directory = await temporaryDirectory();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return ServerProcess.start({
    dataDirectory: directory.path,
    environment: { FOSP_HASH_MEMORY: '1 MiB', ...environment },
  });
}

/** Some requests, all of which succeed. */
async function use(server: ServerProcess): Promise<void> {
  const alice = await TestSession.register(server.url, ALICE);
  await alice.succeed('CREATE', `${ALICE}/a`, { body: { data: 'tea' } });
  for (let count = 0; count < 50; count++) {
    await alice.succeed('SELECT', `${ALICE}/a`);
  }
}

/** How many spans had this outcome. */
async function spansOf(server: ServerProcess, outcome: string): Promise<number> {
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  return Number(new RegExp(`^fosp_traces_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Takes exports and never answers. */
async function startDeafCollector(): Promise<{ server: Server; url: string }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const QUICK = { OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5' };

describe('a server and its collector', { timeout: 200_000 }, () => {
  it('have nothing to do with each other where traces are off, or none are taken', async () => {
    await using collector = await startCollector();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...QUICK };
    await using off = await startServer({ ...endpoint, OTEL_SDK_DISABLED: 'true' });
    await using none = await startServer({ ...endpoint, OTEL_TRACES_SAMPLER: 'always_off' });
    await Promise.all([use(off), use(none)]);
    expect([await off.stop(), await none.stop()]).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
    expect(collector.connections).toBe(0);
  });

  it('part of the requests is traced as a whole where the ratio says so', async () => {
    await using collector = await startCollector();
    const ratio = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' };
    await using server = await startServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...ratio,
      // All of it is to arrive, however slow this machine is.
      ...{ FOSP_TRACES_FLUSH_SECONDS: '60', FOSP_DRAIN_SECONDS: '80' },
      OTEL_SERVICE_NAME: 'tea',
      OTEL_RESOURCE_ATTRIBUTES: 'a=b%20c',
    });
    await use(server);
    await server.stop();
    const roots = collector.spans.filter(({ parentSpanId, name }) => parentSpanId === '' && name === 'SELECT');
    // 50 that are all alike would be chance of one in 2 ** 49.
    expect(roots.length).toBeGreaterThan(0);
    expect(roots.length).toBeLessThan(50);
    const traces = new Set(collector.spans.map(({ traceId }) => traceId));
    const withRoots = new Set(collector.spans.filter(({ kind, parentSpanId }) => kind === 2 && parentSpanId === ''));
    expect(withRoots.size).toBe(traces.size);
    expect(new Set(collector.spans.map(({ service }) => service))).toEqual(new Set(['tea']));
    expect(collector.texts[0]).toContain('b c');
  });

  it('F61 servers of other domains say what they like of traces, and are believed where we were told to', async () => {
    await using collector = await startCollector();
    const peers = ['realworld.lit', 'looking-glass.lit'].map((domain) => `${domain}=ws://127.0.0.1:1`);
    await using server = await startServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...QUICK,
      FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
      FOSP_FEDERATION_PEERS: peers.join(),
      FOSP_TRACES_PEERS: 'looking-glass.lit',
    });
    const ask = async (domain: string, digit: string) => {
      const link = await TestSession.connect(server.url, domain, { extensions: ['trace'] });
      await link.succeed('AUTHENTICATE', '*', { body: { type: 'server', domain } });
      const Traceparent = `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;
      await link.request('SELECT', ALICE, { headers: { From: `sister@${domain}`, Traceparent } });
    };
    await ask('realworld.lit', '1');
    await ask('looking-glass.lit', '2');
    const requests = await collector.until('both requests', (spans) => {
      const found = spans.filter(({ name, kind }) => name === 'SELECT' && kind === 2);
      return found.length === 2 ? found : undefined;
    });
    const [stranger, friend] = requests;
    expect(stranger).toMatchObject({ parentSpanId: '', traceId: expect.not.stringMatching('1{32}') });
    expect(friend).toMatchObject({ parentSpanId: '2'.repeat(16), traceId: '2'.repeat(32) });
  });

  it('a collector that is not there harms nothing, and what it did not get is counted', async () => {
    const closed = `http://user:hunter2@127.0.0.1:${await freePort()}`;
    await using server = await startServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: closed,
      ...QUICK,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    });
    await use(server);
    await expect.poll(() => spansOf(server, 'failed'), { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(server.lines.filter(({ msg }) => String(msg).includes('traces cannot be sent'))).toHaveLength(1);
    expect(JSON.stringify(server.lines) + server.errors).not.toContain('hunter2');
  });

  it('one that takes spans and never answers holds up no request and no end', async () => {
    const { server: deaf, url } = await startDeafCollector();
    await using server = await startServer({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      ...QUICK,
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      FOSP_TRACES_FLUSH_SECONDS: '1',
    });
    await use(server);
    await expect.poll(() => spansOf(server, 'dropped'), { timeout: 60_000 }).toBeGreaterThan(0);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    deaf.closeAllConnections();
    deaf.close();
  });
});
