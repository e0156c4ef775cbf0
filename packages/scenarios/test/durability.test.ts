import { temporaryDirectory } from '@fosp/testkit';
import { expect, it } from 'vitest';
import { killAgainAndAgain } from '../src/durability.ts';

it('F27 F28 F29 F31 keeps every acknowledged write, whole, when the server is killed again and again', async () => {
  await using directory = await temporaryDirectory();
  const result = await killAgainAndAgain({
    dataDirectory: directory.path,
    writes: 1500,
    kills: 3,
    random: Math.random,
  });
  expect(result.wrong).toEqual([]);
  expect(result.acknowledged).toBeGreaterThan(1000);
  expect(result.inFlight).toBeGreaterThan(0);
  expect(result.filesChecked).toBeGreaterThan(0);
});
