/**
 * Notifications that the server of another domain sends for users of ours (PROTOCOL §9): checked, and published to whichever
 * gateways have sessions of these users.
 *
 * Invariants: nothing is told but of the other domain's own trees, and to our users alone; users are told exactly the bytes
 * of the body, under a head of our making. Those that are numbered (`ack`) are acknowledged once they are on their way, and
 * so are those that are refused, which would be refused again.
 *
 * They are numbered in one order per pair of domains, whichever link and gateway they come by, so a repeat is known by the
 * number alone. What is not numbered cannot be told from a repeat, nor put into an order between two links: it is told as it
 * comes.
 */
import { BUS_BODY_BYTES, type Bus, linksOf, type UserEventHeaders } from '@fosp/bus';
import {
  acceptsNotification,
  encodeNotificationHead,
  isFospError,
  isJsonText,
  LIMITS,
  type NotificationHead,
  parseUserId,
} from '@fosp/protocol';
import { numberIn } from './server-questions.ts';

export interface IncomingNotificationsOptions {
  readonly bus: Bus;
  /** That the other end proved. */
  readonly domain: string;
  /** Ours, of users that are named without theirs. */
  readonly to: string;
  readonly ownDomains: ReadonlySet<string>;
  /** Absent where `ack` is not in force. All up to this number need not come again. */
  readonly handed: ((id: number) => void) | undefined;
  readonly refused: (reason: NotificationRefusal) => void;
  readonly taken: () => void;
}

/**
 * - `foreign-tree`: of another domain than the link's.
 * - `foreign-user`: for nobody of ours.
 * - `nobody`: it does not say for whom, or not in a way that could be a user.
 * - `malformed`: the body is no JSON object.
 * - `too-large`
 */
export type NotificationRefusal = 'foreign-tree' | 'foreign-user' | 'nobody' | 'malformed' | 'too-large';

/** Bytes of the body of a notification: with its head it must fit into a message of the bus. */
export const NOTIFICATION_BYTES = BUS_BODY_BYTES - 2 * LIMITS.headBytes;

const NO_BYTES = new Uint8Array(0);

export class IncomingNotifications {
  readonly #options: IncomingNotificationsOptions;
  readonly #source: string;

  constructor(options: IncomingNotificationsOptions) {
    this.#options = options;
    this.#source = linksOf(options.domain);
  }

  /** Throws where the bus takes nothing now: the link must end, so that this comes again. */
  take(head: NotificationHead, body: Uint8Array): void {
    const { bus, taken } = this.#options;
    const told = head.event === 'DELETED' ? NO_BYTES : body;
    const user = this.#userOf(head);
    const refusal = this.#refusal(head, user) ?? (isView(told) ? undefined : 'malformed');
    if (user === undefined || refusal !== undefined) {
      this.refuse(head, refusal ?? 'nobody');
      return;
    }
    const id = this.#idOf(head);
    bus.publishToUser(user, this.#headersOf(id), messageOf(head, told));
    taken();
    this.#handed(id);
  }

  /** Drops it for good. */
  refuse(head: NotificationHead, reason: NotificationRefusal): void {
    this.#options.refused(reason);
    this.#handed(this.#idOf(head));
  }

  #handed(id: number | undefined): void {
    if (id !== undefined) {
      this.#options.handed?.(id);
    }
  }

  #refusal(head: NotificationHead, user: string | undefined): NotificationRefusal | undefined {
    const { domain: peer, ownDomains } = this.#options;
    const { domain } = head.resource;
    if (domain !== peer) {
      return 'foreign-tree';
    }
    if (user === undefined) {
      return 'nobody';
    }
    return acceptsNotification({ domain, user, ownDomains, peer }) ? undefined : 'foreign-user';
  }

  #userOf({ headers }: NotificationHead): string | undefined {
    return readUser(headers['To'] ?? headers['User'], this.#options.to);
  }

  #idOf({ headers }: NotificationHead): number | undefined {
    return this.#options.handed === undefined ? undefined : numberIn(headers);
  }

  #headersOf(id: number | undefined): UserEventHeaders {
    const source = this.#source;
    return id === undefined
      ? { event: 'unnumbered-notification', source }
      : { event: 'notification', tree: source, sequence: String(id), part: '0', source };
  }
}

/** A user by name, with or without a domain, which then is `domain`; undefined for what can be none. */
export function readUser(name: string | undefined, domain: string): string | undefined {
  if (name === undefined) {
    return undefined;
  }
  try {
    return parseUserId(name.includes('@') ? name : `${name}@${domain}`);
  } catch (error) {
    if (isFospError(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Without the headers that are between servers. */
function messageOf({ event, resource }: NotificationHead, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(encodeNotificationHead(event, resource, { hasBody: body.length > 0 })), body]);
}

/** What an object's view may be, as far as whoever does not know the object can tell. */
function isView(body: Uint8Array): boolean {
  return body.length === 0 || isJsonText(body, 'object');
}
