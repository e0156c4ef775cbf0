/**
 * Requests of a server's own users, by turns at several places: few at a time, so that all of them meet the same load of the
 * machine, and each round in another order.
 */
import { type CpuTimes, cpuBetween, sumOf } from '../cluster/processes.ts';
import { runLoad } from '../load.ts';
import { OBJECTS, type Place } from './places.ts';

export const KINDS = ['SELECT', 'UPDATE'] as const;
export type Kind = (typeof KINDS)[number];

/** Of one turn, or of a few. */
export interface Taken {
  /** Milliseconds of each request that was alone. */
  readonly latency: readonly number[];
  /** Where several are on their way: how many were asked, and CPU seconds that went by, and seconds of the clock. */
  readonly together: { readonly count: number; readonly cpu: number; readonly clock: number };
}

export type Turn = Readonly<Record<Kind, Taken>>;

export interface TurnScale {
  /** Requests of each kind that are alone, per turn; and that are not. */
  readonly alone: number;
  readonly together: number;
  /** Requests of each kind before the first turn: what a program does is slower until it is compiled for all that it does. */
  readonly warmUp: number;
}

/** Of those, that are not looked at: the connection, and the caches of the processor, were somebody else's before. */
const FIRST = 20;
/** Requests on their way on each connection, where not one at a time. */
const WINDOW = 8;

export async function warmUp(places: readonly Place[], { warmUp: count }: TurnScale): Promise<void> {
  for (const place of places) {
    for (const kind of KINDS) {
      await askTogether(kind, place, count);
    }
  }
}

/** One turn of each place. */
export async function takeTurns(places: readonly Place[], round: number, scale: TurnScale): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let at = 0; at < places.length; at++) {
    const index = (at + round) % places.length;
    const place = places[index];
    if (place !== undefined) {
      turns[index] = { SELECT: await take('SELECT', place, scale), UPDATE: await take('UPDATE', place, scale) };
    }
  }
  return turns;
}

async function take(kind: Kind, place: Place, scale: TurnScale): Promise<Taken> {
  const { wire, tree, cpuTimes } = place;
  const latency: number[] = [];
  for (let at = 0; at < FIRST + scale.alone; at++) {
    const began = performance.now();
    await wire.ask(`${kind} ${tree}/n${at % OBJECTS}`, kind === 'UPDATE' ? '{"type":"a"}' : '');
    latency.push(performance.now() - began);
  }
  const [before, began] = [cpuTimes(), performance.now()];
  await askTogether(kind, place, scale.together);
  const cpu = ownersOf(cpuBetween(before, cpuTimes()));
  const clock = (performance.now() - began) / 1000;
  return { latency: latency.slice(FIRST), together: { count: scale.together, cpu, clock } };
}

async function askTogether(kind: Kind, { wires, tree }: Place, count: number): Promise<void> {
  const body = kind === 'UPDATE' ? '\r\n{"type":"b"}' : '';
  await runLoad({
    ...{ server: { cpuSeconds: () => 0 }, wires, window: WINDOW, count },
    message: (index) => `${kind} ${tree}/n${index % OBJECTS} ${index + 1000}\r\n${body}`,
  });
}

/** Of all but what talks to other domains, where that is a process of its own. */
export function ownersOf(times: CpuTimes): number {
  return sumOf(times) - (times.get('federation') ?? 0);
}
