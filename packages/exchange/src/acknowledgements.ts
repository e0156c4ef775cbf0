/**
 * Tells the other end of a link how far its notifications were handed on (`ack` of PROTOCOL §10): one request at a time, for
 * all that came since the last one, once the bus has them all.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bus } from '@fosp/bus';
import type { Peer } from '@fosp/connection';

export interface AcknowledgementsOptions {
  readonly bus: Bus;
  readonly peer: Peer;
  /** Nothing more is acknowledged: the link is to end, and what was not will come again over the next one. Told once. */
  readonly failed: (reason: unknown) => void;
}

export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  #handed = 0;
  #acknowledged = 0;
  #isRunning = false;
  #isOver = false;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** All notifications up to this one are published, or will never be. */
  handed(id: number): void {
    // What comes again wants to be acknowledged again.
    this.#acknowledged = Math.min(this.#acknowledged, id - 1);
    this.#handed = Math.max(this.#handed, id);
    if (!this.#isRunning && !this.#isOver) {
      this.#isRunning = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    const { bus, peer, failed } = this.#options;
    try {
      while (this.#acknowledged < this.#handed && peer.isOpen) {
        // What was read together is acknowledged together.
        await nextTurn();
        const id = this.#handed;
        this.#acknowledged = id;
        await bus.flushed();
        const { head } = await peer.request('ACK', undefined, { headers: { Id: String(id) } });
        if (head.type === 'FAILED') {
          throw new Error(`ACK was answered FAILED ${head.status}`);
        }
      }
    } catch (error) {
      this.#isOver = true;
      if (peer.isOpen) {
        failed(error);
      }
    }
    this.#isRunning = false;
  }
}
