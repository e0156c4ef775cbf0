/** Drops, a step at a time, what was kept for the paged event that was relayed first. */
import { numberAt, textAt } from '../cells.ts';
import { SWEEP, SWEPT_AT_ONCE } from './housekeeping-statements.ts';
import type { Pool } from './pool.ts';
import { rollBack, Session } from './session.ts';
import { COMMANDS } from './statements.ts';

export class Sweep {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** One transaction. Whether there may be more to do. */
  step(before: number): Promise<boolean> {
    return this.#pool.with(async (connection) => {
      const session = new Session(connection);
      try {
        void session.send(COMMANDS.begin, []);
        const hasMore = await dropOldest(session, before);
        await session.run(COMMANDS.commit, []);
        return hasMore;
      } catch (error) {
        await rollBack(connection);
        throw session.rootOf(error);
      }
    });
  }
}

async function dropOldest(session: Session, before: number): Promise<boolean> {
  const [row] = (await session.run(SWEEP.oldest, [before])).rows;
  if (row === undefined) {
    return false;
  }
  const event = [textAt(row, 0), numberAt(row, 1)];
  const dropped = [session.run(SWEEP.dropObjects, event), session.run(SWEEP.dropSubscriptions, event)];
  if ((await Promise.all(dropped)).every(({ count }) => count < SWEPT_AT_ONCE)) {
    await session.send(SWEEP.dropEvent, event);
  }
  return true;
}
