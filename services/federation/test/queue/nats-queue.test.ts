import { connectNats } from '@fosp/bus/nats';
import { natsInstalled, startNats } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Federation, REALWORLD } from '../harness.ts';
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

  it('F59 F68 are bounded per domain by what they take up, also where that is not told by their number', async () => {
    await using nats = await startNats();
    await using peer = await TestPeer.start({ logIn: () => ({ status: 503 }) });
    const transport = await connectNats({ url: nats.url, appendTimeout: 60_000 });
    const limits = { queuedBytes: 100_000, weighSeconds: 0.05 };
    await using federation = await Federation.start({ peer, transport, limits });
    const body = (data: number) => JSON.stringify({ data, more: 'x'.repeat(9_950) });
    for (let sequence = 1; sequence <= 40; sequence++) {
      await tell(federation, sequence, {}, body(sequence));
      await tell(federation, sequence, { user: 'x@other.example' });
    }
    const left = () => federation.bus.queueLength(REALWORLD);
    await until(async () => (await left()) <= 10, 'no more to wait than may');
    const kept = await left();
    expect(kept).toBeGreaterThan(5);
    expect(await federation.bus.queueLength('other.example')).toBe(40);
    const dropped = { 'too-many': 40 - kept };
    await until(async () => (await federation.statusOf(REALWORLD))?.dropped['too-many'] !== undefined, 'it to be told');
    expect(await federation.statusOf(REALWORLD)).toMatchObject({ queued: kept, dropped });
    peer.behaviour = { ...peer.behaviour, logIn: () => ({ status: 200 }) };
    const told: number[] = [];
    for (let link = await peer.link(); told.length < kept; ) {
      const message = await nextOf(link);
      if (message === undefined) {
        link = await peer.link();
      } else {
        told.push(JSON.parse(message.body.toString()).data);
      }
    }
    expect(told).toEqual(Array.from({ length: kept }, (_, at) => 41 - kept + at));
    await federation.drain();
    await transport.drain();
  });
});

/** `undefined` where the link ended. */
function nextOf(link: PeerLink): Promise<PeerMessage | undefined> {
  return link.messages.next(60_000).catch(() => undefined);
}
