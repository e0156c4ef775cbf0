/** Transports over one real server, each test with a prefix of its own, behind a network that can be cut. */
import { randomUUID } from 'node:crypto';
import { connectNats, type NatsOptions, type NatsTransport } from '@fosp/bus/nats';
import { type NatsServer, startProxy, type TcpProxy } from '@fosp/testkit';

/** A link breaks where a test breaks it, not where this machine stands still. */
const PING_INTERVAL = 60_000;

export function freshPrefix(): string {
  return `t${randomUUID().slice(0, 8)}_`;
}

export function connectTo(port: number, options: Partial<NatsOptions> = {}): Promise<NatsTransport> {
  return connectNats({
    url: `nats://127.0.0.1:${port}`,
    pingInterval: PING_INTERVAL,
    reconnectPause: 50,
    ...options,
    reader: { retryPause: 1, savePause: 10, ...options.reader },
  });
}

export interface Proxied extends AsyncDisposable {
  readonly transport: NatsTransport;
  readonly proxy: TcpProxy;
}

/** A transport whose link the test can cut. */
export async function connectThroughProxy(server: NatsServer, options: Partial<NatsOptions>): Promise<Proxied> {
  const proxy = await startProxy(server.port);
  const transport = await connectTo(proxy.port, options);
  return {
    transport,
    proxy,
    async [Symbol.asyncDispose]() {
      proxy.resume();
      await transport.drain();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
