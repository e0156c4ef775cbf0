/** Reads what waits in one line, a window at a time. */
import type { RemoteNotification } from '@fosp/bus';
import type { FollowBounds } from '../remote-queue.ts';

export interface SqliteFollowingParts {
  readonly read: (behind: number, most: { readonly count: number; readonly bytes: number }) => RemoteNotification[];
  /** All up to this position are done. */
  readonly remove: (position: number) => void;
  readonly feed: (notifications: readonly RemoteNotification[]) => void;
  readonly stopped: () => void;
}

/** Rows that are read at once. */
const READ_AT_ONCE = 64;

export class SqliteFollowing {
  readonly #bounds: FollowBounds;
  readonly #parts: SqliteFollowingParts;
  /** Handed over and not acknowledged, in order. */
  readonly #window: { readonly position: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #read = 0;
  #filling: NodeJS.Immediate | undefined;
  #isStopped = false;

  constructor(bounds: FollowBounds, parts: SqliteFollowingParts) {
    this.#bounds = bounds;
    this.#parts = parts;
  }

  acknowledge(position: number): void {
    const upTo = Math.min(position, this.#read);
    const first = this.#window.findIndex((each) => each.position > upTo);
    const done = this.#window.splice(0, first < 0 ? this.#window.length : first);
    if (this.#isStopped || done.length === 0) {
      return;
    }
    this.#bytes -= done.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#parts.remove(upTo);
    this.fillSoon();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearImmediate(this.#filling);
    this.#parts.stopped();
  }

  /** More may have come. */
  fillSoon(): void {
    if (!this.#isStopped) {
      this.#filling ??= setImmediate(() => {
        this.#filling = undefined;
        this.#fill();
      });
    }
  }

  #fill(): void {
    const { window, windowBytes } = this.#bounds;
    const count = Math.min(READ_AT_ONCE, window - this.#window.length);
    const bytes = windowBytes - this.#bytes;
    if (count <= 0 || bytes <= 0) {
      return;
    }
    const fed = this.#parts.read(this.#read, { count, bytes });
    for (const { body, position } of fed) {
      this.#read = position;
      this.#bytes += body.length;
      this.#window.push({ position, bytes: body.length });
    }
    if (fed.length > 0) {
      this.#parts.feed(fed);
      this.fillSoon();
    }
  }
}
