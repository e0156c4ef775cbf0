/** Chance that can be repeated: the same seed and name give the same choices, whatever others draw meanwhile. */
export interface Chance {
  /** Uniform in 0 … 1. */
  next(): number;
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
  between(from: number, to: number): number;
  /** True so often, of 1. */
  happens(share: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** One of its own for somebody. */
  of(name: string): Chance;
}

export function chanceOf(seed: string): Chance {
  const next = mulberry32(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (from, to) => from + next() * (to - from),
    happens: (share) => next() < share,
    pick: (list) => {
      const choice = list[below(list.length)];
      if (choice === undefined) {
        throw new RangeError('There is nothing to pick from');
      }
      return choice;
    },
    of: (name) => chanceOf(`${seed}/${name}`),
  };
}

function mulberry32(seed: string): () => number {
  let state = 0x9e3779b9;
  for (const character of seed) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
