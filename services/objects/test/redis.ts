import type { RedisLink } from '../src/redis/link.ts';

/** Resolves once the link is connected and asking is worth while: it tells nobody. */
export async function untilUsable(link: RedisLink): Promise<void> {
  for (;;) {
    const answer = link.isUsable ? await link.mget(['nothing']).catch(() => undefined) : undefined;
    if (answer !== undefined) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
