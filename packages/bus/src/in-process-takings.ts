/** What the first taker of a consumer does with the messages it gets: handles them by key, or follows them. */
import { FollowWindow } from './follow-window.ts';
import { KeyedRunner, type KeyedRunnerOptions } from './keyed-runner.ts';
import type { ConsumeOptions, DurableMessage, FollowedMessage, FollowOptions } from './transport.ts';

export interface Entry {
  readonly id: string;
  readonly message: DurableMessage;
  /** Consumers that have yet to handle it. */
  consumers: number;
  readonly appended: PromiseWithResolvers<void>;
}

/** How a taker handles what it gets. */
export interface Taking {
  push(entry: Entry): void;
  /** Starts nothing more; resolves with what is not handled, in order per key, once nothing runs. */
  stop(): Promise<Entry[]>;
}

/** By key, one at a time. */
export class KeyedTaking implements Taking {
  readonly #options: ConsumeOptions;
  readonly #runner: KeyedRunner<Entry>;

  constructor(options: ConsumeOptions, bounds: KeyedRunnerOptions, handled: (entry: Entry) => void) {
    this.#options = options;
    this.#runner = new KeyedRunner(async (entry) => {
      await options.handler(entry.message);
      handled(entry);
    }, bounds);
  }

  push(entry: Entry): void {
    this.#runner.push(this.#options.key(entry.message), entry);
  }

  stop(): Promise<Entry[]> {
    return this.#runner.stop();
  }
}

/** Many at a time, until they are acknowledged. */
export class FollowedTaking implements Taking {
  readonly #window: FollowWindow;
  readonly #positionsFrom: number;
  readonly #handled: (entry: Entry) => void;
  /** Those in the window, then those behind it. */
  readonly #entries: Entry[] = [];
  #inWindow = 0;
  #stopped = false;

  constructor(options: FollowOptions, positions: number, handled: (entry: Entry) => void) {
    this.#window = new FollowWindow(options);
    this.#positionsFrom = positions;
    this.#handled = handled;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#fill();
  }

  acknowledge(position: number): void {
    if (this.#stopped) {
      return;
    }
    const count = this.#window.acknowledge(position).length;
    this.#inWindow -= count;
    for (const entry of this.#entries.splice(0, count)) {
      this.#handled(entry);
    }
    this.#fill();
  }

  rewind(): void {
    this.#window.rewind();
  }

  async stop(): Promise<Entry[]> {
    this.#stopped = true;
    this.#window.stop();
    return this.#entries;
  }

  #fill(): void {
    for (let next = this.#entries[this.#inWindow]; next !== undefined && this.#window.hasRoom; ) {
      this.#window.push(this.#followed(next));
      next = this.#entries[++this.#inWindow];
    }
  }

  #followed({ message }: Entry): FollowedMessage {
    return { ...message, position: this.#positionsFrom + message.position };
  }
}
