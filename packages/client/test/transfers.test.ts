import { describe, expect, it } from 'vitest';
import { measured } from '../src/transfers.ts';

async function* pieces(...lengths: readonly number[]): AsyncIterable<Uint8Array> {
  for (const length of lengths) {
    yield new Uint8Array(length);
  }
}

describe('an upload', () => {
  it.each([
    ['exactly as announced', 10, [4, 6], undefined],
    ['of unknown size', undefined, [4, 6], undefined],
    ['empty', 0, [], undefined],
    ['at the limit', 100, [100], undefined],
    ['shorter than announced', 10, [4, 5], 'The file has 9 bytes, 10 were announced.'],
    ['longer than announced', 10, [4, 7], 'The file has more than 10 bytes, 10 were announced.'],
    ['over the limit', undefined, [60, 41], 'The file is larger than the 100 bytes that the server takes.'],
  ])('that is %s', async (_, total, lengths, problem) => {
    const told: (number | undefined)[][] = [];
    const body = measured(pieces(...lengths), {
      limit: 100,
      total,
      onProgress: (done, all) => told.push([done, all]),
    });
    const sent = Array.fromAsync(body).then((all) => all.map(({ length }) => length));
    if (problem === undefined) {
      expect(await sent).toEqual(lengths);
      expect(told.at(-1)).toEqual([lengths.reduce((sum, length) => sum + length, 0), total]);
    } else {
      await expect(sent).rejects.toThrow(problem);
    }
  });
});
