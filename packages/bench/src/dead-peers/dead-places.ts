/** Domains that are dead in all the ways there are: what answers, or does not, where each of them is found. */
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startBrokenDns, WireServer } from '@fosp/testkit';
import { startMeasured } from '../process.ts';

export interface DeadPlaces extends AsyncDisposable {
  /** As many of each kind, as far as that goes. */
  readonly domains: readonly string[];
  /** What a server is to be told so that it finds them. */
  readonly environment: Readonly<Record<string, string>>;
}

const FULL_BACKLOG = fileURLToPath(new URL('full-backlog.ts', import.meta.url));

export async function startDeadPlaces(count: number): Promise<DeadPlaces> {
  await using started = new AsyncDisposableStack();
  const dns = started.use(await startBrokenDns('silent'));
  const full = await startMeasured(FULL_BACKLOG, /(\d+)/);
  started.defer(() => full.kill());
  const mute = started.use(await listen((server) => server.on('connection', (socket) => socket.resume())));
  const closed = await listen();
  await closed[Symbol.asyncDispose]();
  const idle = started.use(await WireServer.start());
  const places: Readonly<Record<string, string | undefined>> = {
    refuses: `ws://127.0.0.1:${closed.port}`,
    drops: `ws://127.0.0.1:${full.ready[1]}`,
    'never-upgrades': `ws://127.0.0.1:${mute.port}`,
    'never-ends-tls': `wss://127.0.0.1:${mute.port}`,
    'never-greets': `ws://127.0.0.1:${idle.port}`,
    'has-no-dns': undefined,
  };
  const kinds = Object.entries(places);
  const all = Array.from({ length: count }, (_, at) => {
    const [kind = '', url] = kinds[at % kinds.length] ?? [];
    return { domain: `${kind}-${at}.example`, url };
  });
  const peers = all.flatMap(({ domain, url }) => (url === undefined ? [] : [`${domain}=${url}`]));
  const kept = started.move();
  return {
    domains: all.map(({ domain }) => domain),
    environment: {
      FOSP_FEDERATION_PEERS: peers.join(),
      FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
      FOSP_DNS_SERVERS: dns.address,
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function listen(
  prepare: (server: Server) => void = () => undefined,
): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  prepare(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    // Its connections end with the servers that made them.
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}
