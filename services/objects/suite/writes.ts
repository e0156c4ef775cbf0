import { randomBytes } from 'node:crypto';
import { fospError, LIMITS } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { ALICE, atOnce, BOB, fileRecord, insert, plant } from './samples.ts';
import type { OpenStore } from './store-suite.ts';

export function writePromises(open: OpenStore): void {
  describe('a write', () => {
    it('is there when it is acknowledged, and after a restart', async () => {
      await using opened = await open();
      const contents = { data: '1.10', type: '"t"', acl: '{"other":[]}', attachment: '{"size":1}', file: 'key' };
      const object = await opened.store.write(ALICE, (tx) => insert(tx, '', contents));
      expect((await opened.store.snapshot(ALICE, '', ALICE)).object).toEqual(object);
      const again = await opened.reopen();
      expect((await again.snapshot(ALICE, '', ALICE)).object).toEqual(object);
    });

    it('holds the longest names that there are', async () => {
      await using opened = await open();
      const part = (bytes: number) => Buffer.from(randomBytes(bytes)).toString('base64url').slice(0, bytes);
      const tree = `${part(255)}@${Array.from({ length: 4 }, () => part(62)).join('.')}`;
      const path =
        Array.from({ length: 5 }, () => `/${part(255)}`).join('') +
        `/${part(LIMITS.resourceBytes - tree.length - 5 * 256 - 1)}`;
      const [user, parent] = [`${part(255)}@${tree.slice(256)}`, path.slice(0, path.lastIndexOf('/'))];
      expect(Buffer.byteLength(tree + path)).toBe(LIMITS.resourceBytes);
      await plant(opened.store, tree, ['', parent, path]);
      const sequence = await opened.store.write(tree, async (tx) => {
        await tx.subscribe(path, user, { events: 1, depth: 0 });
        await tx.addEvent({ event: 'DELETED', path, body: '{}', paged: true });
        return tx.version();
      });
      await opened.store.write(tree, async (tx) => {
        await tx.addEvent({ event: 'DELETED', path, body: '{}', paged: true });
        await tx.remove(path, 0);
      });
      const asOf = { tree, sequence, path, after: '', limit: 9 };
      expect(await opened.store.outbox.subscribersAsOf(asOf)).toEqual([{ user, path, events: 1, depth: 0 }]);
    });

    it('sees its own changes, and replaces all of an object', async () => {
      await using opened = await open();
      await opened.store.write(ALICE, async (tx) => {
        const object = await insert(tx, '', { data: '1', type: '"t"', file: 'key' });
        const { type: _type, file: _file, ...rest } = object;
        await tx.replace({ ...rest, data: '2', mtime: 'later', version: 7 });
        expect((await tx.look('')).object).toEqual({ ...rest, data: '2', mtime: 'later', version: 7 });
      });
      expect((await opened.store.snapshot(ALICE, '', ALICE)).object).not.toHaveProperty('file');
    });

    it('leaves nothing where it fails, and its neighbours whole', async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['']);
      const outcomes = await atOnce(30, (number) =>
        opened.store.write(ALICE, async (tx) => {
          await insert(tx, `/${number}`);
          if (number % 3 === 0) {
            throw number % 2 === 0 ? fospError('exists', 'no') : new Error('a defect');
          }
          return number;
        }),
      );
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(outcomes.map((_, i) => i % 3 !== 0));
      const { names } = await opened.store.listing(ALICE, '', { after: undefined, limit: 100, mayList: () => true });
      expect(names).toHaveLength(20);
      expect(names).not.toContain('3');
    });

    it('that refuses before it changed anything leaves its neighbours whole too', async () => {
      await using opened = await open();
      const outcomes = await atOnce(10, (number) =>
        opened.store.write(ALICE, async (tx) => {
          if ((await tx.look('')).object !== undefined) {
            throw fospError('exists', 'taken');
          }
          await insert(tx, '', { data: String(number) });
        }),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject(outcome.status === 'rejected' ? { reason: { code: 'exists' } } : {});
      }
    });

    it('comes after all earlier ones of its tree', async () => {
      await using opened = await open();
      await opened.store.write(ALICE, (tx) => insert(tx, '', { data: '0' }));
      await atOnce(200, () =>
        opened.store.write(ALICE, async (tx) => {
          const { object } = await tx.look('');
          if (object !== undefined) {
            await tx.replace({ ...object, data: String(Number(object.data) + 1) });
          }
        }),
      );
      expect((await opened.store.snapshot(ALICE, '', ALICE)).object?.data).toBe('200');
    });

    it('takes one number of its tree’s sequence, which only grows', async () => {
      await using opened = await open();
      const version = (tree: string) =>
        opened.store.write(tree, async (tx) => {
          const taken = await tx.version();
          expect(await tx.version()).toBe(taken);
          return taken;
        });
      const versions = (await atOnce(20, () => version(ALICE))).map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : 0,
      );
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
      expect(await version(BOB)).toBe(1);
      const again = await opened.reopen();
      await again.write(ALICE, async (tx) => tx.remove('', 0));
      const last = await again.write(ALICE, async (tx) => tx.version());
      expect(last).toBe(Math.max(...versions) + 2);
    });

    it('of one tree does not touch another', async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['', '/a']);
      await plant(opened.store, BOB, ['', '/a']);
      await opened.store.write(ALICE, async (tx) => {
        await tx.subscribe('/a', BOB, { events: 1, depth: 0 });
        await tx.remove('', 0);
      });
      expect((await opened.store.snapshot(BOB, '/a', BOB)).object).toMatchObject({ subscribers: 0 });
      expect((await opened.store.snapshot(ALICE, '/a', BOB)).levels).toEqual([]);
    });
  });

  describe('removal', () => {
    it('takes an object with all below it, their files and subscriptions, and nothing beside it', async () => {
      await using opened = await open();
      const { store } = opened;
      await plant(store, ALICE, ['', '/a', '/a/b', '/a/b/c', '/a-b', '/a-b/c', '/a0', '/ab']);
      await store.write(ALICE, async (tx) => {
        for (const path of ['', '/a', '/a/b/c', '/a-b/c']) {
          await tx.subscribe(path, BOB, { events: 7, depth: -1 });
          const { object } = await tx.look(path);
          await tx.putFile(fileRecord(`key${path}`, ALICE, { state: 'live', path }), 5);
          await tx.replace({ ...(object ?? (await insert(tx, path))), file: `key${path}`, attachment: '{"size":1}' });
        }
      });
      await store.write(ALICE, async (tx) => {
        expect((await tx.subtree('/a', 10)).map(({ path }) => path)).toEqual(['/a', '/a/b', '/a/b/c']);
        expect((await tx.subtree('/a', 2)).length).toBeGreaterThanOrEqual(2);
        expect((await tx.subtreeSubscriptions('/a', 10)).map(({ path }) => path).sort()).toEqual(['/a', '/a/b/c']);
        expect(await tx.subtreeSubscriptions('/a', 1)).toHaveLength(1);
        await tx.remove('/a', 10);
        expect(await tx.subtree('/a', 10)).toEqual([]);
        expect((await tx.subtree('', 10)).map(({ path }) => path)).toEqual(['', '/a-b', '/a-b/c', '/a0', '/ab']);
      });
      expect((await store.snapshot(ALICE, '/a-b/c', BOB)).subscriptions).toHaveLength(1);
      const dead = await store.files.claim({ limit: 10, now: 20, deadBefore: 11, pendingBefore: 0 });
      expect(dead.sort()).toEqual(['key/a', 'key/a/b/c']);
      await plant(store, ALICE, ['/a']);
      expect((await store.snapshot(ALICE, '/a', BOB)).object).toMatchObject({ subscribers: 0 });
    });
  });

  describe('subscriptions', () => {
    it('are counted, replaced and ended one by one', async () => {
      await using opened = await open();
      await plant(opened.store, ALICE, ['', '/a']);
      const counts = await opened.store.write(ALICE, async (tx) => {
        const seen: (number | undefined)[] = [];
        const count = async () => seen.push((await tx.look('/a')).object?.subscribers);
        await tx.subscribe('/a', BOB, { events: 1, depth: 0 });
        await count();
        await tx.subscribe('/a', BOB, { events: 3, depth: -1 });
        await tx.subscribe('/a', ALICE, { events: 2, depth: 5 });
        await count();
        await tx.subscribe('/a', 'nobody@x', null);
        await count();
        return seen;
      });
      expect(counts).toEqual([1, 2, 2]);
      const bobs = { user: BOB, path: '/a', events: 3, depth: -1 };
      const alices = { user: ALICE, path: '/a', events: 2, depth: 5 };
      await opened.store.write(ALICE, async (tx) => {
        expect(await tx.subscriptions('/a', { limit: 9 })).toEqual([alices, bobs]);
        expect(await tx.subscriptions('/a', { limit: 1 })).toEqual([alices]);
        expect(await tx.subscriptions('/a', { users: [BOB, 'nobody@x'] })).toEqual([bobs]);
        await tx.subscribe('/a', ALICE, null);
      });
      const { object, levels, subscriptions } = await opened.store.snapshot(ALICE, '/a', ALICE);
      expect([object?.subscribers, levels[0]?.subscribers, subscriptions]).toEqual([1, 1, [bobs]]);
    });
  });
}
