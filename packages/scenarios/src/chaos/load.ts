/**
 * All clients at work, each at its own pace, until they are stopped; and then all that they changed looked at again.
 *
 * Lifecycle: `start` and `stop` by turns; while stopped, `settle`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { Slot } from './slot.ts';
import type { Worker } from './worker.ts';
import type { Member } from './world.ts';

export interface Pace {
  /** Milliseconds between an answer and the next request. */
  readonly from: number;
  readonly to: number;
}

export interface Hand {
  readonly member: Member;
  readonly worker: Worker;
  readonly chance: Chance;
}

/** Milliseconds between two attempts to find out what became of a change. */
const SETTLE_PAUSE = 200;

export class Load {
  readonly #hands: readonly Hand[];
  readonly #pace: Pace;
  #isRunning = false;
  #running: Promise<void>[] = [];

  constructor(hands: readonly Hand[], pace: Pace) {
    this.#hands = hands;
    this.#pace = pace;
  }

  start(): void {
    this.#isRunning = true;
    this.#running = this.#hands.map((hand) => this.#work(hand));
  }

  /** Resolves once nothing is in flight. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#running);
  }

  /** Finds out what became of every change whose outcome was not told. Sentences of those where that is not to be had. */
  async settle(patience: number): Promise<string[]> {
    const end = performance.now() + patience;
    const stuck = await Promise.all(this.#hands.map((hand) => this.#settleSlots(hand, end)));
    const boards = new Map(this.#hands.map((hand) => [hand.member.board, hand]));
    for (const [{ counter }, { worker }] of boards) {
      const step = counter.step;
      // Whatever was asked for before fails once another step is done.
      for (await worker.count(); counter.step === step && performance.now() < end; await worker.count()) {
        await pause(SETTLE_PAUSE);
      }
      if (counter.step === step) {
        stuck.push([`No step after ${step} of ${counter.resource} can be done`]);
      }
    }
    return stuck.flat();
  }

  /** Reads everything, once. */
  async readAll(): Promise<void> {
    await Promise.all(
      this.#hands.map(async ({ member, worker }) => {
        for (const slot of all(member.slots)) {
          await worker.see(slot);
          if (slot.certain?.file !== undefined) {
            await worker.readFile(slot);
          }
        }
        await worker.list();
      }),
    );
  }

  async #work({ worker, chance }: Hand): Promise<void> {
    await pause(chance.between(0, this.#pace.to));
    while (this.#isRunning) {
      await worker.step();
      await pause(chance.between(this.#pace.from, this.#pace.to));
    }
  }

  async #settleSlots({ member, worker }: Hand, end: number): Promise<string[]> {
    const slots = all(member.slots);
    for (const slot of slots) {
      while (!slot.isSettled && performance.now() < end) {
        await worker.settle(slot);
        if (!slot.isSettled) {
          await pause(SETTLE_PAUSE);
        }
      }
    }
    return slots.filter((slot) => !slot.isSettled).map(({ resource }) => `What became of ${resource} is not to be had`);
  }
}

/** With their children. */
function all(slots: readonly Slot[]): Slot[] {
  return slots.flatMap((slot) => (slot.child === undefined ? [slot] : [slot, slot.child]));
}
