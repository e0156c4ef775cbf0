import { decodeText, type EventType, formatResourceId, type NotificationHead } from '@fosp/protocol';
import type { NotificationQueueLimits } from './options.ts';

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

const GAP: ClientEvent = { kind: 'gap' };
const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

type Taker = PromiseWithResolvers<IteratorResult<ClientEvent, undefined>>;

/**
 * A bounded queue for one reader. Where it would overflow it is emptied and a `gap` put in its place, so that a reader is
 * late, never wrong, and never the reason for unbounded memory.
 *
 * Lifecycle: open until `end`, after which the reader gets what is left, then the reason or the end; or until `return`, the
 * reader's own end, which drops what is left.
 */
export class NotificationQueue implements AsyncIterableIterator<ClientEvent, undefined> {
  readonly #limits: NotificationQueueLimits;
  readonly #leave: (queue: NotificationQueue) => void;
  readonly #takers: Taker[] = [];
  #events: ClientEvent[] = [];
  #characters = 0;
  #ended: { reason: Error | undefined } | undefined;

  constructor(limits: NotificationQueueLimits, leave: (queue: NotificationQueue) => void) {
    this.#limits = limits;
    this.#leave = leave;
  }

  push(event: ClientEvent): void {
    if (this.#ended !== undefined) {
      return;
    }
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ done: false, value: event });
      return;
    }
    this.#characters += lengthOf(event);
    if (this.#events.length >= this.#limits.events || this.#characters > this.#limits.characters) {
      this.#events = [GAP];
      this.#characters = 0;
    } else {
      this.#events.push(event);
    }
  }

  end(reason: Error | undefined): void {
    if (this.#ended === undefined) {
      this.#ended = { reason };
      for (const taker of this.#takers.splice(0)) {
        this.#conclude().then(taker.resolve, taker.reject);
      }
    }
  }

  next(): Promise<IteratorResult<ClientEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#characters -= lengthOf(event);
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#ended !== undefined) {
      return this.#conclude();
    }
    const taker: Taker = Promise.withResolvers();
    this.#takers.push(taker);
    return taker.promise;
  }

  return(): Promise<IteratorResult<ClientEvent, undefined>> {
    this.#events = [];
    this.end(undefined);
    this.#leave(this);
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The reason is told once, as of any iterator; then there is only the end. */
  #conclude(): Promise<IteratorResult<ClientEvent, undefined>> {
    const reason = this.#ended?.reason;
    this.#ended = { reason: undefined };
    return reason === undefined ? Promise.resolve(DONE) : Promise.reject(reason);
  }
}

function lengthOf(event: ClientEvent): number {
  return event.kind === 'gap' ? 0 : event.resource.length + (event.text?.length ?? 0);
}

export function clientEvent(head: NotificationHead, body: Uint8Array): ClientEvent {
  return {
    kind: 'notification',
    event: head.event,
    resource: formatResourceId(head.resource),
    text: body.length === 0 ? undefined : decodeText(body),
  };
}
