/**
 * What a dialled peer hears that answers nothing of ours. Until the other side is known to be a FOSP server, by its answer
 * to CONNECT, nothing of it is taken.
 */
import type { BodyPlan, IncomingNotification, IncomingRequest, PeerHandler } from '@fosp/connection';
import type { ServerLink } from '@fosp/exchange';
import type { Head, NotificationHead, RequestHead } from '@fosp/protocol';

/** Why a link ended. */
export interface LinkEnd {
  readonly code: number;
  readonly reason: string;
}

const NOTHING: BodyPlan = { kind: 'discard' };

export class LinkEar implements PeerHandler {
  /** Resolves when the connection is over. */
  readonly ended: Promise<LinkEnd>;
  /** Requests and notifications. */
  heard = 0;
  readonly #end: (end: LinkEnd) => void;
  #serving: ServerLink | undefined;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<LinkEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** From now on what comes is served. */
  serveBy(serving: ServerLink): void {
    this.#serving = serving;
  }

  retire(): void {
    this.#serving?.retire();
  }

  plan(head: Head): BodyPlan {
    return this.#serving?.plan(head) ?? NOTHING;
  }

  request(message: IncomingRequest): void {
    this.heard++;
    this.#serving?.request(message);
  }

  notification(message: IncomingNotification): void {
    this.heard++;
    this.#serving?.notification(message);
  }

  malformed(sequence: number, message: string, notification?: NotificationHead): void {
    this.#serving?.malformed(sequence, message, notification);
  }

  tooLarge(head: RequestHead | undefined): void {
    this.#serving?.tooLarge(head);
  }

  unknownResponse(): void {
    this.#serving?.unknownResponse();
  }

  closed(code: number, reason: string): void {
    this.#serving?.closed();
    this.#end({ code, reason });
  }
}
