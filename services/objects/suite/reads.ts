import { LIMITS } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import type { Place } from '../src/store/store.ts';
import { ALICE, BOB, insert, plant } from './samples.ts';
import type { OpenStore } from './store-suite.ts';

export function readPromises(open: OpenStore): void {
  describe('a place', () => {
    it('has the levels from itself, or from the nearest existing ancestor, to the root', async () => {
      await using opened = await open();
      await opened.store.write(ALICE, async (tx) => {
        await insert(tx, '', { acl: '{"other":["read-data"]}' });
        await insert(tx, '/a', { owner: BOB });
        await insert(tx, '/a/b', { acl: '{"owner":[]}' });
        await insert(tx, '/config');
        await insert(tx, '/config/groups', { data: '{"friends":[]}' });
      });
      const root = { path: '', owner: ALICE, acl: '{"other":["read-data"]}', subscribers: 0 };
      const [a, b] = [
        { path: '/a', owner: BOB, acl: undefined, subscribers: 0 },
        { path: '/a/b', owner: ALICE, acl: '{"owner":[]}', subscribers: 0 },
      ];
      const cases = [
        ['', [root]],
        ['/a/b', [b, a, root]],
        ['/a/c', [a, root]],
        ['/a/c/d/e', [a, root]],
        ['/x/y', [root]],
      ] as const;
      for (const [path, levels] of cases) {
        const snapshot = await opened.store.snapshot(ALICE, path, ALICE);
        expect(snapshot).toMatchObject({ levels, groups: '{"friends":[]}' });
        expect(snapshot.object?.path).toBe(levels[0].path === path ? path : undefined);
      }
      const nowhere = await opened.store.snapshot(BOB, '/a', ALICE);
      expect(nowhere).toEqual({ object: undefined, levels: [], groups: undefined, subscriptions: [] });
    });

    it('shows all subscriptions, or the reader’s own where they are too many', { timeout: 60_000 }, async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['']);
      await opened.store.write(ALICE, async (tx) => {
        for (let user = 0; user < LIMITS.subscriptionsShown; user++) {
          await tx.subscribe('', `user${user}@x`, { events: 1, depth: 0 });
        }
      });
      expect((await opened.store.snapshot(ALICE, '', BOB)).subscriptions).toHaveLength(LIMITS.subscriptionsShown);
      await opened.store.write(ALICE, async (tx) => tx.subscribe('', BOB, { events: 2, depth: 1 }));
      const own = { user: BOB, path: '', events: 2, depth: 1 };
      expect((await opened.store.snapshot(ALICE, '', BOB)).subscriptions).toEqual([own]);
      expect((await opened.store.snapshot(ALICE, '', ALICE)).subscriptions).toEqual([]);
    });
  });

  describe('a subscription', () => {
    it('keeps every depth that a client can set', async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['']);
      for (const depth of [-1, 0, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
        await opened.store.write(ALICE, async (tx) => {
          await tx.subscribe('', BOB, { events: 1, depth });
          expect(await tx.subscriptions('', { users: [BOB] })).toMatchObject([{ depth }]);
        });
        expect((await opened.store.snapshot(ALICE, '', BOB)).subscriptions).toMatchObject([{ depth }]);
      }
    });
  });

  describe('a listing', () => {
    it('has children alone, in byte order, page by page, with what they are judged by', async () => {
      await using opened = await open();
      const names = ['%', '-', 'Z', 'a', 'b', 'é', '\uFF5E', '\u{10000}'];
      await plant(opened.store, ALICE, ['', '/x', ...names.flatMap((name) => [`/x/${name}`, `/x/${name}/y`]), '/xx']);
      const mayList = () => true;
      const page = (after: string | undefined, limit: number) =>
        opened.store.listing(ALICE, '/x', { after, limit, mayList });
      expect(await page(undefined, 100)).toMatchObject({ names, more: false, object: { path: '/x' } });
      expect(await page(undefined, 3)).toMatchObject({ names: names.slice(0, 3), more: true });
      expect(await page('Z', 5)).toMatchObject({ names: names.slice(3), more: false });
      expect(await page('aa', 1)).toMatchObject({ names: ['b'], more: true });
      expect(await page('\u{10FFFF}', 1)).toMatchObject({ names: [], more: false });
      const top = await opened.store.listing(ALICE, '', { after: undefined, limit: 9, mayList });
      expect(top).toMatchObject({ names: ['x', 'xx'], levels: [{ path: '' }] });
      const none = await opened.store.listing(ALICE, '/nothing', { after: undefined, limit: 9, mayList });
      expect(none).toMatchObject({ names: [], more: false, object: undefined, levels: [{ path: '' }] });
    });

    it('has no names for who may not see them, as judged by the very place', async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['', '/x', '/x/a']);
      const asked: Place[] = [];
      const mayList = (place: Place) => {
        asked.push(place);
        return false;
      };
      const { names, more, ...place } = await opened.store.listing(ALICE, '/x', {
        after: undefined,
        limit: 9,
        mayList,
      });
      expect([names, more]).toEqual([[], false]);
      expect(asked).toEqual([place]);
      expect(place).toMatchObject({ object: { path: '/x' }, levels: [{ path: '/x' }, { path: '' }] });
    });
  });
}
