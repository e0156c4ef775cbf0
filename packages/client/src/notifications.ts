import { decodeText, type EventType, formatResourceId, type NotificationHead } from '@fosp/protocol';

/** What `for await` over a client's notifications gives. */
export type ClientEvent =
  | {
      readonly kind: 'notification';
      readonly event: EventType;
      readonly resource: string;
      /** The object as this user may see it, JSON; absent for DELETED. */
      readonly text: string | undefined;
    }
  /** The connection was lost and is back, or the reader was too slow: something may have been missed; look again. */
  | { readonly kind: 'gap' };

/**
 * A bounded queue with one reader per iterator. Where it would overflow it is emptied and a `gap` put in its place, so that
 * a reader is late, never wrong, and never the reason for unbounded memory.
 */
export class NotificationQueue implements AsyncIterableIterator<ClientEvent> {
  readonly #limit: number;
  readonly #leave: (queue: NotificationQueue) => void;
  readonly #waiting: ClientEvent[] = [];
  #wake: (() => void) | undefined;
  #ended: { readonly reason: Error | undefined } | undefined;

  constructor(limit: number, leave: (queue: NotificationQueue) => void) {
    this.#limit = limit;
    this.#leave = leave;
  }

  push(event: ClientEvent): void {
    if (this.#waiting.length >= this.#limit) {
      this.#waiting.length = 0;
      this.#waiting.push({ kind: 'gap' });
    } else {
      this.#waiting.push(event);
    }
    this.#wake?.();
  }

  end(reason: Error | undefined): void {
    this.#ended ??= { reason };
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<ClientEvent, undefined>> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        return { done: false, value: event };
      }
      if (this.#ended?.reason !== undefined) {
        throw this.#ended.reason;
      }
      if (this.#ended !== undefined) {
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<ClientEvent, undefined>> {
    this.end(undefined);
    this.#leave(this);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

export function clientEvent(head: NotificationHead, body: Uint8Array): ClientEvent {
  return {
    kind: 'notification',
    event: head.event,
    resource: formatResourceId(head.resource),
    text: body.length === 0 ? undefined : decodeText(body),
  };
}
