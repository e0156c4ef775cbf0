/** Discovery as the service has it, with a clock to turn, and a web server to be a domain's. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { createLog, Metrics, parseNetworks } from '@fosp/runtime';
import type { TestCertificate } from '@fosp/testkit';
import { Discovery } from '../../src/discovery/discovery.ts';
import type { DiscoveryOptions } from '../../src/discovery/options.ts';
import { PEERS } from '../../src/discovery/peers.ts';
import { createDiscoveryTelemetry } from '../../src/discovery/telemetry.ts';

export interface Wanted {
  /** Address of a DNS server. */
  readonly dns: string;
  readonly peers?: string;
  readonly privateNetworks?: readonly string[];
  readonly plain?: boolean;
  /** PEM of an authority. */
  readonly authority?: string;
  readonly cacheSeconds?: number;
  readonly lookupSeconds?: number;
  readonly options?: Partial<DiscoveryOptions>;
}

export interface Discovering extends Disposable {
  readonly discovery: Discovery;
  /** Milliseconds. */
  now: number;
  /** Log lines. */
  readonly lines: readonly string[];
}

export async function startDiscovery(wanted: Wanted): Promise<Discovering> {
  const { dns, peers = '', privateNetworks = [], plain = false, authority } = wanted;
  const { cacheSeconds = 300, lookupSeconds = 30, options = {} } = wanted;
  const lines: string[] = [];
  const log = await createLog({ name: 'test', level: 'debug', to: { write: (line) => lines.push(line) } });
  const state = { now: 0 };
  const discovery = new Discovery({
    settings: {
      domains: ['wonderland.lit'],
      peers: PEERS.parse(peers),
      privateNetworks: parseNetworks(privateNetworks),
      plain,
      dnsServers: [dns],
      cacheSeconds,
      lookupSeconds,
      secureContext: authority === undefined ? undefined : createSecureContext({ ca: [authority] }),
    },
    telemetry: createDiscoveryTelemetry(log, new Metrics()),
    clock: () => state.now,
    random: Math.random,
    options,
  });
  return Object.assign(state, { discovery, lines, [Symbol.dispose]: () => discovery.close() });
}

export interface Site extends AsyncDisposable {
  readonly port: number;
  /** Paths asked for. */
  readonly asked: readonly string[];
  /** Connections, whether they came as far as to ask or not. */
  readonly connections: number;
}

export interface SiteAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A web server. Without an answer it takes the request, and says nothing. */
export async function startSite(
  { cert, key }: TestCertificate,
  answer: SiteAnswer | undefined,
  { host = '127.0.0.1', port = 0 } = {},
): Promise<Site> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ cert, key }, (request, response) => {
    asked.push(request.url ?? '');
    if (answer !== undefined) {
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
    }
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get connections() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
