/** The server's clock, as far as objects show it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '../client.ts';
import { fail } from '../expect.ts';

/** Waits until the server gives later times than that: its clock may tick in seconds. Creates probes in the folder. */
export async function clockPasses(client: Client, folder: string, time = ''): Promise<void> {
  for (let tries = 0; tries < 30; tries += 1) {
    const probe = `${folder}/probe-${tries}`;
    await client.given(probe);
    if (Date.parse((await client.seen(probe)).mtime ?? '') > Date.parse(time)) return;
    await pause(100);
  }
  fail(`a clock that passes ${time} within 3 s`, 'the same time');
}
