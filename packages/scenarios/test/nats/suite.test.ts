import { type BusEnds, transportSuite } from '@fosp/bus/suite';
import { type NatsServer, natsInstalled, startNats } from '@fosp/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';

describe.skipIf(!natsInstalled())('over a real nats-server', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  const makeEnds = async (): Promise<BusEnds> => {
    const prefix = freshPrefix();
    const proxied = await connectThroughProxy(server, { prefix });
    const other = await connectTo(server.port, { prefix });
    return {
      one: proxied.transport,
      other,
      breakLink: async () => proxied.proxy.cut(),
      async close() {
        await Promise.all([proxied[Symbol.asyncDispose](), other.drain()]);
      },
    };
  };

  transportSuite('NATS', makeEnds, { linkBreaks: true });
});
