import { describe, expect, it } from 'vitest';
import type { Account } from '../src/store/store.ts';
import { ALICE, BOB, fileRecord } from './samples.ts';
import type { OpenStore } from './store-suite.ts';

export function accountPromises(open: OpenStore): void {
  describe('accounts and secrets', () => {
    it('an account is there until it is removed', async () => {
      await using opened = await open();
      const account: Account = {
        ...{ salt: 'c2FsdA', memory: 19_456, passes: 2, parallelism: 1, version: 7 },
        ...{ secretHash: Uint8Array.from({ length: 32 }, (_, i) => i), state: 'disabled' },
      };
      await opened.store.write(ALICE, async (tx) => {
        expect(await tx.account()).toBeUndefined();
        await tx.putAccount({ ...account, state: 'enabled' });
        await tx.putAccount(account);
        expect(await tx.account()).toEqual(account);
      });
      const again = await opened.reopen();
      expect(await again.account(ALICE)).toEqual(account);
      expect(await again.account(BOB)).toBeUndefined();
      await again.write(ALICE, async (tx) => tx.removeAccount());
      expect(await again.account(ALICE)).toBeUndefined();
    });

    it('a secret is made once', async () => {
      await using opened = await open();
      const [first, second] = await Promise.all([opened.store.secret('one'), opened.store.secret('one')]);
      expect(first).toHaveLength(32);
      expect(second).toEqual(first);
      expect(await opened.store.secret('two')).not.toEqual(first);
      const again = await opened.reopen();
      expect(await again.secret('one')).toEqual(first);
    });
  });

  describe('files', () => {
    it('are kept with all that is known of them', async () => {
      await using opened = await open();
      const file = fileRecord('key', ALICE);
      await opened.store.write(ALICE, async (tx) => {
        expect(await tx.file('key')).toBeUndefined();
        await tx.putFile(file, 1);
      });
      const live = { ...file, state: 'live', size: 5, checksum: 'ab' } as const;
      await opened.store.write(ALICE, async (tx) => {
        expect(await tx.file('key')).toEqual(file);
        await tx.putFile(live, 2);
      });
      const again = await opened.reopen();
      await again.write(ALICE, async (tx) => expect(await tx.file('key')).toEqual(live));
    });

    it('are claimed once they were dead, claimed or pending for long enough, each by one claimer', async () => {
      await using opened = await open();
      const { store } = opened;
      await store.write(ALICE, async (tx) => {
        for (const state of ['pending', 'live', 'dead', 'claimed'] as const) {
          for (const since of [10, 20]) {
            await tx.putFile(fileRecord(`${state} ${since}`, ALICE, { state }), since);
          }
        }
      });
      const claim = (limit: number, deadBefore: number, pendingBefore: number) =>
        store.files.claim({ limit, now: 100, deadBefore, pendingBefore });
      expect(await claim(9, 10, 10)).toEqual([]);
      expect((await claim(9, 20, 0)).sort()).toEqual(['claimed 10', 'dead 10']);
      expect(await claim(1, 0, 20)).toEqual(['pending 10']);
      const both = await Promise.all([claim(9, 90, 90), claim(9, 90, 90)]);
      expect(both.flat().sort()).toEqual(['claimed 20', 'dead 20', 'pending 20']);
      await store.files.forget(['dead 10', 'live 10', 'unknown']);
      await store.write(ALICE, async (tx) => {
        expect(await tx.file('dead 10')).toBeUndefined();
        expect(await tx.file('live 10')).toMatchObject({ state: 'live' });
        expect(await tx.file('dead 20')).toMatchObject({ state: 'claimed' });
      });
    });

    it('are known in whatever state and of whatever tree, until they are forgotten', async () => {
      await using opened = await open();
      const states = ['pending', 'live', 'dead', 'claimed'] as const;
      for (const tree of [ALICE, BOB]) {
        await opened.store.write(tree, async (tx) => {
          for (const state of states) {
            await tx.putFile(fileRecord(`${tree} ${state}`, tree, { state }), 1);
          }
        });
      }
      const kept = [ALICE, BOB].flatMap((tree) => states.map((state) => `${tree} ${state}`));
      const store = await opened.reopen();
      expect(await store.files.known([])).toEqual([]);
      expect((await store.files.known(['nobody’s', ...kept])).sort()).toEqual([...kept].sort());
      await store.files.forget(kept);
      const left = kept.filter((key) => !key.endsWith('claimed'));
      expect((await store.files.known(kept)).sort()).toEqual([...left].sort());
    });
  });
}
