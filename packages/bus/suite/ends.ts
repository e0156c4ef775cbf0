import { test } from 'vitest';
import type { BusMessage, CallContext, Transport } from '../src/index.ts';

/**
 * Two ends of one bus which nobody else is on: two connections to one server, or twice the same transport. Each test
 * makes its own, with empty streams.
 */
export interface BusEnds {
  readonly one: Transport;
  readonly other: Transport;
  /** Breaks the link of `one` in a way that may lose messages; absent where there is no link. */
  readonly breakLink?: () => Promise<void>;
  /** Frees what the ends hold, drained or not. */
  close(): Promise<void>;
}

export type MakeEnds = () => Promise<BusEnds>;

/** A test with its own ends, closed afterwards. */
export function onEnds(name: string, makeEnds: MakeEnds, run: (ends: BusEnds) => Promise<void>): void {
  test(name, async () => {
    const ends = await makeEnds();
    try {
      await run(ends);
    } finally {
      await ends.close();
    }
  });
}

/** A call's context with plenty of time, or with `milliseconds`. */
export function within(milliseconds = 100_000): CallContext {
  return { deadline: Date.now() + milliseconds, requestId: 'suite-1' };
}

export function message(text: string, headers: Record<string, string> = {}): BusMessage {
  return { headers, body: new TextEncoder().encode(text) };
}

export function textOf(received: BusMessage): string {
  return new TextDecoder().decode(received.body);
}

/** A point that one side of a test reaches and the other waits for. */
export interface Signal {
  readonly reached: Promise<void>;
  reach(): void;
}

export function signal(): Signal {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: resolve };
}

/** Collects what arrives, and waits until a number of it is there. */
export class Inbox<Item> {
  readonly items: Item[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(item: Item): void {
    this.items.push(item);
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.items.length)) {
      resolve();
    }
    this.#waiting = this.#waiting.filter(({ count }) => count > this.items.length);
  }

  async has(count: number): Promise<readonly Item[]> {
    if (this.items.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    }
    return this.items;
  }
}
