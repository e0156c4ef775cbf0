import assert from 'node:assert/strict';
import { mergePatch } from '../../src/index.ts';
import { tableOf } from './cases.ts';

interface PatchCase {
  readonly name: string;
  readonly target: string | null;
  readonly patch: string;
  readonly result: string;
}

export const patches = tableOf<PatchCase>('merge-patches.json', ({ target, patch, result }) => {
  assert.equal(mergePatch(target ?? undefined, patch), result);
});
