import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  balancerInstalled,
  PASSWORD,
  ServerProcess,
  startBalancer,
  TestSession,
  temporaryDirectory,
  WireClient,
} from '@fosp/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';

const FIXTURES = new URL('../../../services/gateway/test/fixtures/', import.meta.url);
const CERTIFICATE = fileURLToPath(new URL('localhost.pem', FIXTURES));
const TRUSTED = readFileSync(CERTIFICATE, 'utf8');
/** Windows of a minute begin when they begin: in two of them that follow each other, so many may pass at most. */
const MOST = 4;

interface Behind {
  readonly server: ServerProcess;
  /** Through HAProxy. */
  readonly url: string;
  readonly secureUrl: string;
}

/** A server that believes HAProxy, which connects from 127.0.0.1; clients come from other addresses. */
async function startBehindHaproxy(options: { readonly proxyProtocol: boolean }): Promise<Behind> {
  const directory = await temporaryDirectory();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  const server = await ServerProcess.start({
    dataDirectory: directory.path,
    environment: {
      FOSP_PROXIES: '127.0.0.1',
      FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: String(MOST / 2),
      FOSP_WSS_PORT: '0',
      FOSP_TLS_CERT: CERTIFICATE,
      FOSP_TLS_KEY: fileURLToPath(new URL('localhost-key.pem', FIXTURES)),
    },
  });
  onTestFinished(async () => {
    await server.kill();
  });
  const adminPort = Number(new URL(server.admin).port);
  const securePort = Number(server.lines.find((line) => line['wssPort'] !== undefined)?.['wssPort']);
  const urls: string[] = [];
  for (const port of [Number(new URL(server.url).port), securePort]) {
    const balancer = await startBalancer([{ port, adminPort }], options);
    onTestFinished(() => balancer[Symbol.asyncDispose]());
    urls.push(balancer.url);
  }
  const [url = '', secureUrl = ''] = urls;
  return { server, url, secureUrl: secureUrl.replace('ws:', 'wss:') };
}

let names = 0;

/** The status of a registration by a client at this address. */
async function register(url: string, from: string): Promise<number> {
  const session = await TestSession.open(url, 'somebody', { from, trusted: TRUSTED });
  await session.succeed('CONNECT', '*', { body: { version: '0.1' } });
  const { status } = await session.request('REGISTER', '*', { body: { name: `user-${++names}`, password: PASSWORD } });
  await session.close();
  return status;
}

describe.skipIf(!balancerInstalled())('behind HAProxy', () => {
  it('F19 each client has the limit of registrations for itself, over ws and wss', async () => {
    const { url, secureUrl } = await startBehindHaproxy({ proxyProtocol: true });
    for (const [at, way] of [url, secureUrl].entries()) {
      const statuses = [];
      while (statuses.at(-1) !== 429 && statuses.length <= MOST) {
        statuses.push(await register(way, `127.0.${at}.2`));
      }
      expect(statuses.slice(0, 2)).toEqual([201, 201]);
      expect(statuses.at(-1)).toBe(429);
      expect(await register(way, `127.0.${at}.3`)).toBe(201);
    }
    // The same client the other way.
    expect(await register(secureUrl, '127.0.0.3')).toBe(201);
  });

  it('F17 nobody gets through where it sends no header, and the log says why', async () => {
    const { server, url, secureUrl } = await startBehindHaproxy({ proxyProtocol: false });
    await expect(WireClient.open(url)).rejects.toThrow();
    await expect(WireClient.open(secureUrl, { trusted: TRUSTED })).rejects.toThrow();
    const warnings = () => server.lines.filter(({ msg }) => String(msg).includes('FOSP_PROXIES'));
    await expect.poll(warnings).toMatchObject([{ proxy: '127.0.0.1' }, { proxy: '127.0.0.1' }]);
    // Whoever comes from elsewhere needs none.
    expect(await register(server.url, '127.0.0.2')).toBe(201);
  });
});
