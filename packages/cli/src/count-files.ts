import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files there are below a folder, for a progress bar: what cannot be read does not count. */
export async function countFiles(folder: string, signal: AbortSignal): Promise<number> {
  let count = 0;
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined && !signal.aborted; path = waiting.pop()) {
    const entries = await opendir(path).catch(() => []);
    for await (const entry of entries) {
      if (entry.isDirectory()) {
        waiting.push(join(path, entry.name));
      } else {
        count++;
      }
    }
  }
  return count;
}
