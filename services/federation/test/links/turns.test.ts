/** Turns of domains that are away, from a request to the link. */
import { describe, expect, it } from 'vitest';
import { Federation, REALWORLD } from '../harness.ts';
import { TestPeer, until } from '../test-peer.ts';

const MADE_UP = 200;

/** The next request over each link, of which some end before there is one. */
async function answerAll(peer: TestPeer): Promise<void> {
  for (;;) {
    const link = await peer.link();
    const asked = link.next();
    asked.then(
      (request) => link.answer(request, { status: 200, body: '{}' }),
      () => undefined,
    );
  }
}

describe('a domain that was reached, and is away for a moment', () => {
  it('F68 has its turn before any number of those that never were', { timeout: 120_000 }, async () => {
    await using peer = await TestPeer.start();
    const names = Array.from({ length: MADE_UP }, (_, index) => `made-up-${index}.example`);
    const nowhere = names.map((name) => `${name}=ws://127.0.0.1:1`);
    await using federation = await Federation.start({
      environment: { FOSP_FEDERATION_PEERS: [`${REALWORLD}=ws://127.0.0.1:${peer.port}`, ...nowhere].join(',') },
      limits: { redials: { perSecond: 1, burst: 1 } },
    });
    const answered = federation.forward('SELECT');
    const first = await peer.link();
    first.answer(await first.next(), { status: 200, body: '{}' });
    await answered;

    // After three failures each waits for its turn.
    for (let count = 0; count < 4; count++) {
      await Promise.allSettled(names.map((name) => federation.forward('SELECT', { tree: `x@${name}` })));
    }
    const { greet } = peer.behaviour;
    peer.behaviour = { ...peer.behaviour, greet: () => ({ status: 503 }) };
    first.wire.close(1011);
    const ask = () => federation.forward('SELECT').catch(() => undefined);
    await until(async () => {
      await ask();
      return peer.all.length >= 3;
    }, 'it to be tried twice in vain');
    peer.behaviour = { ...peer.behaviour, greet };
    answerAll(peer).catch(() => undefined);
    await until(async () => (await ask())?.status === 200, 'it to be reached again');
    expect(await federation.metric('fosp_federation_links')).toBe(1);
  });
});
