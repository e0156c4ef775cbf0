/** Two processes of this service over one database, and races between them. */
import type { Change } from '@fosp/bus';
import { expect } from 'vitest';
import { NO_CACHE } from '../src/cache/none.ts';
import type { PostgresForTests, TestDatabase } from './postgres.ts';
import { ALICE, BOB, type Outcome, openWorld, type World } from './world.ts';

export const ROUNDS = 20;

export interface PodOptions {
  /** Takes the events. */
  readonly onChange?: (change: Change) => Promise<void>;
  /** Milliseconds; 500. */
  readonly relayLease?: number;
}

export function openPod(database: TestDatabase, { relayLease = 500, ...options }: PodOptions = {}): Promise<World> {
  const openStore = () => database.open({ relayLease });
  return openWorld({ openStore, cache: NO_CACHE, users: [], ...options });
}

/** Where in the order of its tree a change was made, which its author may see. */
export function positionOf({ fields }: Outcome): number {
  const position = Number(/^"(\d+)"$/.exec(fields['etag'] ?? '')?.[1]);
  expect(position).toBeGreaterThan(0);
  return position;
}

/** Says how it ended. */
export type RoundOfTwo = (a: World, b: World, round: number) => Promise<string>;

/** Runs a race in which each process does one thing, and gives how its rounds ended. */
export async function roundsOfTwo(postgres: PostgresForTests, run: RoundOfTwo): Promise<Set<string>> {
  await using database = await postgres.database();
  await using a = await openPod(database);
  await using b = await openPod(database);
  for (const user of [ALICE, BOB]) {
    await a.register(user);
  }
  const endings = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    endings.add(await (round % 2 === 0 ? run(a, b, round) : run(b, a, round)));
  }
  return endings;
}

/** Starts both at once, now the one first, now the other; and now and then the second only after the first, so that every ending happens. */
export async function race<A, B>(round: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  switch (round % 4) {
    case 0:
      return Promise.all([a(), b()]);
    case 1: {
      const second = b();
      return [await a(), await second];
    }
    case 2:
      return [await a(), await b()];
    default: {
      const second = await b();
      return [await a(), second];
    }
  }
}
