import { describe, expect, it } from 'vitest';
import type { Store } from '../src/store/store.ts';
import { ALICE, BOB, insert, plant } from './samples.ts';
import type { OpenStore } from './store-suite.ts';

/** Adds an event, and returns its sequence. */
function addEvent(store: Store, tree: string, paged = false): Promise<number> {
  return store.write(tree, async (tx) => {
    await tx.addEvent({ event: 'UPDATED', path: '/a', body: `{"paged":${paged}}`, paged });
    return tx.version();
  });
}

/** What is taken of ALICE, but for the ages. */
async function taken(store: Store, limit: number) {
  const events = await store.outbox.take(ALICE, limit);
  return events.map(({ age, ...event }) => event);
}

export function outboxPromises(open: OpenStore): void {
  describe('the outbox', () => {
    it('gives the events of a tree in order, until they are settled, also after a restart', async () => {
      await using opened = await open();
      const first = await addEvent(opened.store, ALICE);
      const second = await addEvent(opened.store, ALICE, true);
      await addEvent(opened.store, BOB);
      expect((await opened.store.outbox.waiting(9)).sort()).toEqual([ALICE, BOB]);
      expect(await opened.store.outbox.waiting(1)).toHaveLength(1);
      const store = await opened.reopen();
      const events = [
        { sequence: first, event: 'UPDATED', path: '/a', body: '{"paged":false}', paged: false },
        { sequence: second, event: 'UPDATED', path: '/a', body: '{"paged":true}', paged: true },
      ];
      expect(await taken(store, 1)).toEqual(events.slice(0, 1));
      await store.outbox.settle(ALICE, first, 10);
      expect(await taken(store, 9)).toEqual(events.slice(1));
      const third = await addEvent(store, ALICE);
      await store.outbox.settle(ALICE, second, 10);
      expect(await store.outbox.take(ALICE, 9)).toMatchObject([{ sequence: third }]);
      await store.outbox.settle(ALICE, third, 10);
      expect(await store.outbox.waiting(9)).toEqual([BOB]);
    });

    it('tells how much waits, up to a limit, and since when', async () => {
      await using opened = await open();
      const { outbox } = opened.store;
      expect(await outbox.backlog(9)).toEqual({ events: 0, oldestAge: 0 });
      const first = await addEvent(opened.store, ALICE);
      await expect.poll(async () => (await outbox.backlog(9)).oldestAge).toBeGreaterThan(20);
      await addEvent(opened.store, BOB);
      const second = await addEvent(opened.store, ALICE, true);
      expect(await outbox.backlog(9)).toMatchObject({ events: 3 });
      expect((await outbox.backlog(2)).events).toBe(2);
      const { oldestAge } = await outbox.backlog(9);
      const [oldest, newer] = await outbox.take(ALICE, 9);
      expect(oldest).toMatchObject({ sequence: first });
      expect(oldest?.age).toBeGreaterThanOrEqual(oldestAge);
      expect(oldest?.age).toBeGreaterThan(newer?.age ?? Number.POSITIVE_INFINITY);
      await outbox.settle(ALICE, second, 10);
      await outbox.take(BOB, 9);
      await outbox.settle(BOB, Number.MAX_SAFE_INTEGER, 10);
      expect(await outbox.backlog(9)).toEqual({ events: 0, oldestAge: 0 });
    });

    it('has no event of a write that failed', async () => {
      await using opened = await open();
      const failed = opened.store.write(ALICE, async (tx) => {
        await tx.addEvent({ event: 'CREATED', path: '/a', body: '{}', paged: false });
        throw new Error('a defect');
      });
      await expect(failed).rejects.toThrow('a defect');
      expect(await opened.store.outbox.waiting(9)).toEqual([]);
    });

    it('keeps a paged event from its write until it is swept', async () => {
      await using opened = await open();
      const { store } = opened;
      const sequence = await addEvent(store, ALICE, true);
      const plain = await addEvent(store, ALICE);
      expect(await store.outbox.paged(ALICE, sequence)).toEqual({ event: 'UPDATED', path: '/a' });
      expect(await store.outbox.paged(ALICE, plain)).toBeUndefined();
      while (await store.outbox.sweep(100)) {}
      await store.outbox.settle(ALICE, plain, 50);
      while (await store.outbox.sweep(50)) {}
      expect(await store.outbox.paged(ALICE, sequence)).toBeDefined();
      while (await store.outbox.sweep(51)) {}
      expect(await store.outbox.paged(ALICE, sequence)).toBeUndefined();
    });
  });

  describe('the past', () => {
    const asOf = async (store: Store, path: string, sequence: number) => {
      const query = { tree: ALICE, sequence, path, after: '', limit: 9 };
      return (await store.outbox.subscribersAsOf(query)).map(({ user, events }) => `${user} ${events}`);
    };
    const subscribe = (store: Store, path: string, entries: Record<string, number | null>, paged = true) =>
      store.write(ALICE, async (tx) => {
        for (const [user, events] of Object.entries(entries)) {
          await tx.subscribe(path, user, events === null ? null : { events, depth: 0 });
        }
        await tx.addEvent({ event: 'UPDATED', path, body: '{}', paged });
        return tx.version();
      });

    it('has the subscriptions of each kept event', async () => {
      await using opened = await open();
      const { store } = opened;
      await plant(store, ALICE, ['', '/a', '/a/b']);
      const s1 = await subscribe(store, '/a', { 'u1@x': 1, 'u2@x': 1 });
      const s2 = await subscribe(store, '/a', { 'u1@x': null, 'u2@x': 3, 'u3@x': 1 });
      const s3 = await subscribe(store, '/a', { 'u1@x': 2 });
      const s4 = await store.write(ALICE, async (tx) => {
        await tx.addEvent({ event: 'DELETED', path: '/a', body: '{}', paged: true });
        await tx.remove('/a', 0);
        return tx.version();
      });
      await plant(store, ALICE, ['/a']);
      const s5 = await subscribe(store, '/a', { 'u9@x': 1 });
      const again = await opened.reopen();
      expect(await asOf(again, '/a', s1)).toEqual(['u1@x 1', 'u2@x 1']);
      expect(await asOf(again, '/a', s2)).toEqual(['u2@x 3', 'u3@x 1']);
      expect(await asOf(again, '/a', s3)).toEqual(['u1@x 2', 'u2@x 3', 'u3@x 1']);
      expect(await asOf(again, '/a', s4)).toEqual(['u1@x 2', 'u2@x 3', 'u3@x 1']);
      expect(await asOf(again, '/a', s5)).toEqual(['u9@x 1']);
      const page = { tree: ALICE, sequence: s4, path: '/a', after: 'u1@x', limit: 1 };
      expect(await again.outbox.subscribersAsOf(page)).toMatchObject([{ user: 'u2@x', events: 3, path: '/a' }]);
    });

    it('has what a deletion removed, and its ancestors', async () => {
      await using opened = await open();
      const { store } = opened;
      await store.write(ALICE, async (tx) => {
        await insert(tx, '', { acl: '{"owner":["read-data"]}' });
        await insert(tx, '/a', { acl: '{"other":[]}' });
        await insert(tx, '/a/b', { owner: BOB });
        await insert(tx, '/a/b/c');
        await insert(tx, '/a/b-');
        await insert(tx, '/a-');
      });
      const sequence = await store.write(ALICE, async (tx) => {
        await tx.addEvent({ event: 'DELETED', path: '/a/b', body: '{}', paged: true });
        await tx.remove('/a/b', 0);
        return tx.version();
      });
      const deleted = (from: string, limit: number) => store.outbox.deleted({ tree: ALICE, sequence, from, limit });
      const b = { path: '/a/b', owner: BOB, acl: undefined };
      expect(await deleted('/a/b', 9)).toEqual([b, { path: '/a/b/c', owner: ALICE, acl: undefined }]);
      expect(await deleted('', 9)).toHaveLength(4);
      expect(await deleted('/a', 1)).toEqual([{ path: '/a', owner: ALICE, acl: '{"other":[]}' }]);
      await store.outbox.settle(ALICE, sequence, 1);
      while (await store.outbox.sweep(2)) {}
      expect(await deleted('', 9)).toEqual([]);
    });

    it('is dropped with the last event that needs it, and not before', async () => {
      await using opened = await open();
      const { store } = opened;
      await plant(store, ALICE, ['', '/a']);
      const s1 = await subscribe(store, '/a', { 'u1@x': 1 });
      const s2 = await subscribe(store, '/a', { 'u2@x': 1 });
      await subscribe(store, '/a', { 'u1@x': null, 'u2@x': null }, false);
      await store.outbox.settle(ALICE, s1, 10);
      while (await store.outbox.sweep(11)) {}
      expect(await asOf(store, '/a', s2)).toEqual(['u1@x 1', 'u2@x 1']);
      await store.outbox.settle(ALICE, s2, 20);
      while (await store.outbox.sweep(21)) {}
      expect(await asOf(store, '/a', s2)).toEqual([]);
    });
  });
}
