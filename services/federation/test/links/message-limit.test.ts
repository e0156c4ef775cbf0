import { describe, expect, it } from 'vitest';
import { BOB, Federation } from '../harness.ts';
import { EXTENSIONS, TestPeer } from '../test-peer.ts';

const LIMIT = 20_000;

/** A server that says how large a message may be. */
function limited(): Promise<TestPeer> {
  const body = JSON.stringify({ version: '0.1', extensions: EXTENSIONS, limits: { message: LIMIT } });
  return TestPeer.start({ greet: () => ({ status: 200, body }) });
}

describe('a message that the other side would close the link for', () => {
  it('F34 F61 is refused with 413 and not sent, so that nobody else is left without an answer', async () => {
    await using peer = await limited();
    await using federation = await Federation.start({ peer });
    const waiting = federation.forward('SELECT');
    const link = await peer.link();
    const asked = await link.next();
    for (const bytes of [LIMIT, LIMIT - 100]) {
      const refused = federation.forward('UPDATE', { user: BOB, body: `"${'x'.repeat(bytes - 2)}"` });
      await expect(refused).rejects.toMatchObject({
        code: 'too-large',
        message: expect.stringContaining(`realworld.lit take messages of ${LIMIT} bytes`),
      });
    }
    expect(await federation.metric('fosp_federation_requests_total{type="UPDATE",status="413"}')).toBe(2);
    const taken = federation.forward('UPDATE', { user: BOB, body: `"${'x'.repeat(LIMIT - 1000)}"` });
    const update = await link.next();
    expect(update).toMatchObject({ type: 'UPDATE' });
    link.answer(update, { status: 204 });
    link.answer(asked, { status: 200, body: '{}' });
    expect([(await taken).status, (await waiting).status]).toEqual([204, 200]);
    expect(peer.all).toHaveLength(1);
  });

  it('F31 F34 is refused for a file too, whose link serves the next one', async () => {
    await using peer = await limited();
    await using federation = await Federation.start({ peer });
    const put = async (size: number) => {
      const url = await federation.transfer('WRITE', { size });
      return fetch(url, { method: 'PUT', body: Buffer.alloc(size) });
    };
    const refused = await put(LIMIT);
    expect(refused.headers.get('fosp-status')).toBe('413');
    const written = put(1000);
    const link = await peer.link();
    const asked = await link.next();
    expect(asked.body).toHaveLength(1000);
    link.answer(asked, { status: 204 });
    expect((await written).headers.get('fosp-status')).toBe('204');
    expect(peer.all).toHaveLength(1);
  });
});
