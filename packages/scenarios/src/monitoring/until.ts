import { setTimeout as pause } from 'node:timers/promises';

const BETWEEN = 250;

/** Looks again and again until `look` gives something; throws, naming what did not come, after so many milliseconds. */
export async function until<T>(what: string, patience: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    if (performance.now() > end) {
      throw new Error(`After ${patience / 1000} s: ${what}`);
    }
    await pause(BETWEEN);
  }
}
