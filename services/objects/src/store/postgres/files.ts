/** Keys of the file store whose bytes may go. */
import { textAt } from '../cells.ts';
import type { FileStore } from '../store.ts';
import { FILES } from './housekeeping-statements.ts';
import type { Guard } from './outbox.ts';
import type { SharedConnections } from './pool.ts';

export class PostgresFiles implements FileStore {
  readonly #connections: SharedConnections;
  readonly #guard: Guard;

  constructor(connections: SharedConnections, guard: Guard) {
    this.#connections = connections;
    this.#guard = guard;
  }

  async claim(options: { limit: number; now: number; deadBefore: number; pendingBefore: number }): Promise<string[]> {
    const { limit, now, deadBefore, pendingBefore } = options;
    // Not repeated where its answer is lost: those keys are claimed, and come back as abandoned.
    const claim = [[FILES.claim, [limit, now, deadBefore, pendingBefore]] as const];
    const [claimed] = await this.#guard(() => this.#connections.together(claim));
    return claimed?.rows.map((row) => textAt(row, 0)) ?? [];
  }

  async forget(keys: readonly string[]): Promise<void> {
    await this.#guard(() => this.#connections.together([[FILES.forget, [keys]]]));
  }

  async known(keys: readonly string[]): Promise<string[]> {
    const { rows } = await this.#guard(() => this.#connections.run(FILES.known, [keys]));
    return rows.map((row) => textAt(row, 0));
  }
}
