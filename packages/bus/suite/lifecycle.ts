import { expect } from 'vitest';
import { STREAMS } from '../src/index.ts';
import { Inbox, type MakeEnds, message, onEnds, signal, textOf, within } from './ends.ts';

export function lifecycleTests(makeEnds: MakeEnds): void {
  onEnds(
    'stop of a server resolves once its running handlers ended, and calls go to the others',
    makeEnds,
    async ({ one, other }) => {
      const log = new Inbox<string>();
      const release = signal();
      const begun = signal();
      const stopping = await other.serve(
        'suite.stop',
        async () => {
          begun.reach();
          await release.reached;
          log.add('ended');
          return message('from the stopped one');
        },
        { concurrency: 10 },
      );
      const running = one.request('suite.stop', message(''), within());
      await begun.reached;
      await other.serve('suite.stop', async () => message('from the other'), { concurrency: 100 });
      const stopped = stopping.stop().then(() => log.add('stopped'));
      release.reach();
      await stopped;
      expect(textOf(await running)).toBe('from the stopped one');
      expect(log.items).toEqual(['ended', 'stopped']);
      const later = Array.from({ length: 20 }, () => one.request('suite.stop', message(''), within()));
      expect(new Set((await Promise.all(later)).map(textOf))).toEqual(new Set(['from the other']));
    },
  );

  onEnds('drain lets running calls end and takes no new ones', makeEnds, async ({ one, other }) => {
    const release = signal();
    const begun = new Inbox<string>();
    const serve = async () => {
      begun.add('call');
      await release.reached;
      return message('answered');
    };
    await other.serve('suite.drain', serve, { concurrency: 10 });
    const running = [1, 2, 3].map(() => one.request('suite.drain', message(''), within()));
    await begun.has(3);
    const drained = other.drain();
    await expect(other.request('suite.drain', message(''), within())).rejects.toMatchObject({ code: 'closed' });
    await expect(other.serve('suite.drain', serve, { concurrency: 1 })).rejects.toMatchObject({ code: 'closed' });
    release.reach();
    expect((await Promise.all(running)).map(textOf)).toEqual(['answered', 'answered', 'answered']);
    await drained;
    const code = expect.stringMatching(/^(no-responders|closed)$/);
    await expect(one.request('suite.drain', message(''), within())).rejects.toMatchObject({ code });
    expect(begun.items).toHaveLength(3);
  });

  onEnds(
    'drain lets a running handler of a durable stream end, starts no other, and refuses appends',
    makeEnds,
    async ({ one, other }) => {
      const release = signal();
      const begun = signal();
      const log = new Inbox<string>();
      await other.consume(STREAMS.changes, {
        consumer: 'suite',
        subject: `${STREAMS.changes}.0`,
        key: () => 'one key',
        handler: async (received) => {
          begun.reach();
          await release.reached;
          log.add(textOf(received));
        },
      });
      const append = (id: string) => one.append(STREAMS.changes, `${STREAMS.changes}.0`, { ...message(id), id });
      const appended = Promise.allSettled([append('1'), append('2')]);
      await begun.reached;
      const drained = other.drain().then(() => log.add('drained'));
      const refused = other.append(STREAMS.changes, `${STREAMS.changes}.0`, { ...message('3'), id: '3' });
      await expect(refused).rejects.toMatchObject({ code: 'closed' });
      release.reach();
      await drained;
      expect(log.items).toEqual(['1', 'drained']);
      expect((await appended)[0]).toEqual({ status: 'fulfilled', value: undefined });
    },
  );
}

/** Only for transports over a link. */
export function linkTests(makeEnds: MakeEnds): void {
  onEnds('a broken link is told as a gap', makeEnds, async ({ one, breakLink }) => {
    const told = signal();
    one.onGap(() => told.reach());
    await one.subscribe('suite.gap', () => {});
    await breakLink?.();
    await told.reached;
  });
}
