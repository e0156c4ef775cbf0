/** What one tree may have waiting, step by step: with a look into the queues that a test holds up, or has fail. */
import { ALICE, BOB, REALWORLD, WONDERLAND } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { SourceQuota } from '../src/source-quota.ts';

const AWAY = 'away.example';
const BYTES = 100;

function start(waitingRemembered = 1000) {
  const waiting = new Map<string, number>();
  const queue = { ended: 0, look: async (): Promise<void> => undefined };
  const quota = new SourceQuota({
    waitingPerTree: { domains: 10, notifications: 40, bytes: 1000 * BYTES },
    ...{ flowingTimes: 2, lookPause: 1, looks: 3, waitingRemembered, flowingRemembered: 10 },
    queueLengths: async () => {
      await queue.look();
      queue.ended++;
      return new Map([...waiting].map(([domain, count]) => [domain, new Map([[WONDERLAND, count]])]));
    },
  });
  /** Tells one, which waits from then on unless there is no room for it. */
  const tell = async (domain: string, tree = ALICE): Promise<boolean> => {
    const arrived = await quota.admit({ tree, domain, bytes: BYTES });
    if (arrived !== undefined) {
      waiting.set(domain, (waiting.get(domain) ?? 0) + 1);
      arrived();
    }
    return arrived !== undefined;
  };
  const fill = async (domain: string): Promise<void> => {
    for (let count = 0; count < 10; count++) {
      expect(await tell(domain)).toBe(true);
    }
  };
  /** Each that is refused has a look begin, unless there is one. */
  const refuse = async (domain: string): Promise<void> => {
    expect(await tell(domain)).toBe(false);
    const before = queue.ended;
    await expect.poll(() => queue.ended, { timeout: 60_000 }).toBeGreaterThan(before);
  };
  return { quota, waiting, queue, tell, fill, refuse };
}

describe('what one tree may have waiting for other domains', () => {
  it('F59 is waited for once where one domain has its share, until that domain took some', async () => {
    const { waiting, queue, tell, fill, refuse } = start();
    await fill(AWAY);
    await refuse(AWAY);

    // From now on whoever waits for a look waits for good.
    const held = Promise.withResolvers<void>();
    queue.look = () => held.promise;
    for (let count = 0; count < 100; count++) {
      expect(await tell(AWAY)).toBe(false);
    }
    expect(await tell(REALWORLD)).toBe(true);

    queue.look = async () => undefined;
    held.resolve();
    waiting.set(AWAY, 0);
    await expect.poll(() => tell(AWAY), { timeout: 60_000 }).toBe(true);
  });

  it('F59 is dropped only once it was looked for room: where that fails, the change is to come again', async () => {
    const { waiting, queue, tell, fill } = start();
    await fill(AWAY);
    queue.look = () => Promise.reject(new Error('no leader'));
    await expect(tell(AWAY)).rejects.toThrow('no leader');
    await expect(tell(AWAY)).rejects.toThrow('no leader');
    queue.look = async () => undefined;
    waiting.set(AWAY, 0);
    expect(await tell(AWAY)).toBe(true);
  });

  it('F59 is forgotten with the last of it', async () => {
    const { quota, waiting, tell, fill, refuse } = start();
    for (let count = 0; count < 50; count++) {
      await tell(REALWORLD, `user-${count}@${WONDERLAND}`);
    }
    waiting.set(REALWORLD, 0);
    await fill(AWAY);
    await refuse(AWAY);
    expect(quota.trees).toBe(1);
  });

  it('F59 is counted for the tree, also where that was forgotten while it waited', async () => {
    const { waiting, queue, tell, fill } = start(1);
    await fill(AWAY);
    const held = Promise.withResolvers<void>();
    queue.look = () => held.promise;
    const told = tell(AWAY);
    // Of all trees but one there is nothing known any more.
    await tell(REALWORLD, BOB);
    waiting.set(AWAY, 0);
    queue.look = async () => undefined;
    held.resolve();
    expect(await told).toBe(true);
    let more = 0;
    while (await tell(AWAY)) {
      more++;
    }
    expect(more).toBe(9);
  });
});
