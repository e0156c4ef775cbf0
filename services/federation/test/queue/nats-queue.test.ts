import { connectNats } from '@fosp/bus/nats';
import { natsInstalled, startNats } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Federation } from '../harness.ts';
import { type PeerLink, type PeerMessage, TestPeer, until } from '../test-peer.ts';
import { tell } from './telling.ts';

describe.skipIf(!natsInstalled())('notifications for other domains, kept by NATS', () => {
  it('F59 are bounded per domain: the oldest go, counted, and those of other domains stay', async () => {
    await using nats = await startNats();
    await using peer = await TestPeer.start({ logIn: () => ({ status: 503 }) });
    const transport = await connectNats({ url: nats.url, appendTimeout: 60_000 });
    await using federation = await Federation.start({ peer, transport, limits: { queued: 10 } });
    for (let sequence = 1; sequence <= 25; sequence++) {
      await tell(federation, sequence, {}, `{"data":${sequence}}`);
    }
    for (let sequence = 1; sequence <= 5; sequence++) {
      await tell(federation, sequence, { user: 'x@other.example' });
    }
    const dropped = () => federation.metric('fosp_federation_notifications_total{what="too-many"}');
    await until(async () => (await dropped()) === 15, 'fifteen to be dropped');
    peer.behaviour = { ...peer.behaviour, logIn: () => ({ status: 200 }) };
    const told: string[] = [];
    for (let link = await peer.link(); told.length < 10; ) {
      const message = await nextOf(link);
      if (message === undefined) {
        link = await peer.link();
      } else {
        told.push(message.body.toString());
      }
    }
    expect(told).toEqual(Array.from({ length: 10 }, (_, at) => `{"data":${at + 16}}`));
    expect(await federation.bus.queueLength('other.example')).toBe(5);
    await federation.drain();
    await transport.drain();
  });
});

/** `undefined` where the link ended. */
function nextOf(link: PeerLink): Promise<PeerMessage | undefined> {
  return link.messages.next(60_000).catch(() => undefined);
}
