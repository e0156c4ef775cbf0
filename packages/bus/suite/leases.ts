import { expect } from 'vitest';
import { type MakeEnds, onEnds } from './ends.ts';

export function leaseTests(makeEnds: MakeEnds): void {
  onEnds('of all who want a lease one has it, until it is released', makeEnds, async ({ one, other }) => {
    const asked = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : other).lease('peer.d29uZGVy-_'));
    const granted = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    expect(granted).toHaveLength(1);
    expect(await one.lease('peer.d29uZGVy-_')).toBeUndefined();
    expect(await other.lease('peer.d29uZGVy-_')).toBeUndefined();
    expect(await other.lease('peer.else')).toBeDefined();
    expect(granted[0]?.lost.aborted).toBe(false);
    await granted[0]?.release();
    expect(granted[0]?.lost.aborted).toBe(true);
  });

  onEnds('a released lease is free at once, whoever had it, and can be released twice', makeEnds, async (ends) => {
    for (let count = 0; count < 30; count++) {
      const [from, to] = count % 2 === 0 ? [ends.one, ends.other] : [ends.other, ends.one];
      const first = await from.lease('again');
      expect(first, `taken for the ${count + 1}th time`).toBeDefined();
      expect(await to.lease('again')).toBeUndefined();
      await first?.release();
      const second = await to.lease('again');
      expect(second, `handed over for the ${count + 1}th time`).toBeDefined();
      await first?.release();
      expect(second?.lost.aborted).toBe(false);
      expect(await from.lease('again')).toBeUndefined();
      await second?.release();
    }
  });
}

/** Only for transports over a link. */
export function brokenLeaseTests(makeEnds: MakeEnds): void {
  onEnds('a lease is lost when its link breaks', makeEnds, async ({ one, breakLink }) => {
    const lease = await one.lease('broken');
    const lost = new Promise((resolve) => lease?.lost.addEventListener('abort', resolve));
    await breakLink?.();
    await lost;
  });

  onEnds('a lease is free at once where its holder drained', makeEnds, async ({ one, other }) => {
    const lease = await one.lease('drained');
    expect(await other.lease('drained')).toBeUndefined();
    await one.drain();
    expect(lease?.lost.aborted).toBe(true);
    expect(await other.lease('drained')).toBeDefined();
  });
}
