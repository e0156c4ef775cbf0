export interface BackOffOptions {
  /** Milliseconds before the first repetition, at most. */
  readonly first: number;
  /** Milliseconds that no pause exceeds. */
  readonly longest: number;
  /** How much longer each pause is than the last; 2. */
  readonly factor?: number;
}

/**
 * Milliseconds to wait before trying again after `failures` failures in a row (1 for the first). Grows by `factor` up to
 * `longest`, and lies anywhere between half of that and all of it, so that many who failed together do not come back
 * together. `random` is from 0 up to but not including 1.
 */
export function backOff(failures: number, random: number, { first, longest, factor = 2 }: BackOffOptions): number {
  const whole = Math.min(longest, first * factor ** Math.max(0, failures - 1));
  return whole / 2 + (whole / 2) * random;
}
