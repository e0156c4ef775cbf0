/**
 * The notifications that go over one link: what was sent, and how far the other side has it.
 *
 * With `ack` in force the other side says so; without it what was sent counts as delivered once a later ping was answered.
 */
import type { RemoteNotification } from '@fosp/bus';
import type { Backlogged, Backlogs } from '@fosp/exchange';
import { encodeNotificationHead } from '@fosp/protocol';
import type { Link } from '../links/link.ts';
import type { InFlight } from './in-flight.ts';
import type { DeliveryTelemetry } from './telemetry.ts';

export interface LinkDeliveryParts {
  readonly own: string;
  readonly domain: string;
  readonly link: Link;
  readonly inFlight: InFlight;
  readonly limits: { readonly notificationBacklogBytes: number; readonly ackSeconds: number };
  readonly backlogs: Backlogs;
  readonly telemetry: DeliveryTelemetry;
  /** So many more are done. */
  readonly settled: (count: number) => void;
}

export class LinkDelivery implements Backlogged {
  readonly #parts: LinkDeliveryParts;
  /** Positions. */
  #sent = 0;
  #acknowledged = 0;
  #isPinging = false;
  #patience: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: LinkDeliveryParts) {
    this.#parts = parts;
  }

  get link(): Link {
    return this.#parts.link;
  }

  /** Sends what is not sent, as far as the link takes it; the rest a little later. */
  send(): void {
    const { backlogs, inFlight, limits, link, own, telemetry } = this.#parts;
    let [count, again] = [0, 0];
    let isBehind = false;
    for (const each of inFlight.behind(own, this.#sent)) {
      isBehind = link.bufferedBytes > limits.notificationBacklogBytes;
      if (isBehind || !link.isOpen) {
        break;
      }
      if (this.#write(each.notification)) {
        this.#sent = each.notification.position;
        count++;
        again += each.wasSent ? 1 : 0;
        each.wasSent = true;
      } else {
        each.isDone = true;
      }
    }
    if (count > 0) {
      telemetry.sent(count, again);
      this.#awaitAcknowledgement();
    }
    if (isBehind) {
      backlogs.watch(this);
    }
  }

  isBacklogged(): boolean {
    const { limits, link } = this.#parts;
    if (link.isOpen && link.bufferedBytes > limits.notificationBacklogBytes) {
      return true;
    }
    this.send();
    return false;
  }

  /** The other side has all up to this position; it cannot have what was not sent. */
  acknowledged(position: number): void {
    const { inFlight, own, settled } = this.#parts;
    const upTo = Math.min(position, this.#sent);
    if (this.#isClosed || upTo <= this.#acknowledged) {
      return;
    }
    this.#acknowledged = upTo;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    settled(inFlight.done(own, upTo));
    this.#awaitAcknowledgement();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#patience);
    this.#parts.backlogs.forget(this);
  }

  /** False where it cannot be written, now or ever. */
  #write({ headers, body, position }: RemoteNotification): boolean {
    const { domain, link, telemetry } = this.#parts;
    const { event, path, tree, user } = headers;
    const id = link.facts.extensions.ack ? { Id: String(position) } : {};
    try {
      const head = encodeNotificationHead(
        event,
        { tree, path },
        { headers: { To: user, User: user, ...id }, hasBody: body.length > 0 },
      );
      link.notify(Buffer.concat([Buffer.from(head), body]));
      return true;
    } catch (error) {
      telemetry.dropped(domain, 'defective', 1);
      telemetry.defective(domain, error);
      return false;
    }
  }

  #awaitAcknowledgement(): void {
    if (this.#isClosed || this.#sent <= this.#acknowledged) {
      return;
    }
    const { limits, link } = this.#parts;
    this.#patience ??= setTimeout(() => this.#outOfPatience(), limits.ackSeconds * 1000);
    if (!link.facts.extensions.ack && !this.#isPinging) {
      void this.#ping();
    }
  }

  #outOfPatience(): void {
    const { domain, inFlight, link, own, telemetry } = this.#parts;
    this.#patience = undefined;
    const [first] = inFlight.behind(own, 0);
    // What waited for an acknowledgement may be too old by now, and not waited for any more.
    if (first !== undefined && first.notification.position <= this.#sent) {
      telemetry.notAcknowledged(domain);
      link.close(1008, 'Notifications on this link are not acknowledged.');
    }
  }

  async #ping(): Promise<void> {
    const upTo = this.#sent;
    this.#isPinging = true;
    try {
      await this.#parts.link.ping();
      this.#isPinging = false;
      this.acknowledged(upTo);
    } catch {
      // The link is closed, or will be for its patience.
    }
  }
}
