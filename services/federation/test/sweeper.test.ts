/** What waits for other domains, where it cannot be trimmed for one of them. */
import { Bus, InProcessTransport } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { Federation, REALWORLD, serveSign } from './harness.ts';
import { acknowledge, idOf, tell } from './queue/telling.ts';
import { TestPeer, until } from './test-peer.ts';

const STUCK = 'stuck.example';

/** As a server whose purge of one line takes too long. */
class Stuck extends InProcessTransport {
  trims = 0;

  override async trim(): Promise<number> {
    this.trims++;
    throw new Error('timeout');
  }
}

describe('a domain whose queue cannot be trimmed', () => {
  it('F59 leaves others looked after: what waits for one that nobody has is found and told', async () => {
    const transport = new Stuck();
    const bus = new Bus(transport);
    await serveSign(bus);
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({
      environment: { FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${peer.port},${STUCK}=ws://127.0.0.1:1` },
      ...{ transport, limits: { queued: 1 } },
    });
    for (let sequence = 1; sequence <= 3; sequence++) {
      tell(federation, sequence, { user: `x@${STUCK}` });
    }
    await until(() => transport.trims > 0, 'it to be trimmed');

    // Nobody is nudged: whoever looks for what waits is to find it.
    const headers = {
      tree: 'alice@wonderland.lit',
      path: '/a',
      event: 'UPDATED',
      source: 'alice@wonderland.lit',
    } as const;
    const told = federation.bus.appendRemote(
      REALWORLD,
      { ...headers, user: `sister@${REALWORLD}`, sequence: '4', part: '0' },
      Buffer.from('{}'),
    );
    const link = await peer.link();
    await acknowledge(link, idOf(await link.next()));
    await told;
    expect(await federation.metric('fosp_federation_peers')).toBe(2);
  });
});
