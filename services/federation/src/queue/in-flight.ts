/**
 * Notifications of one domain that were read from its queue and are not done: in the order of the queue.
 *
 * Invariant: what is told as done goes from the front alone, so that nothing which is not done is ever acknowledged.
 */
import type { RemoteNotification } from '@fosp/bus';
import { domainOf } from '@fosp/protocol';

export interface InFlightNotification {
  readonly notification: RemoteNotification;
  /** The domain of ours whose tree it is about. */
  readonly own: string;
  wasSent: boolean;
  isDone: boolean;
}

export class InFlight {
  #notifications: InFlightNotification[] = [];

  get size(): number {
    return this.#notifications.length;
  }

  get first(): InFlightNotification | undefined {
    return this.#notifications[0];
  }

  add(notifications: readonly RemoteNotification[]): void {
    for (const notification of notifications) {
      const own = domainOf(notification.headers.tree);
      this.#notifications.push({ notification, own, wasSent: false, isDone: false });
    }
  }

  /** Those that are not done, about trees of this domain, behind this position. */
  *behind(own: string, position: number): Iterable<InFlightNotification> {
    for (const each of this.#notifications) {
      if (each.own === own && !each.isDone && each.notification.position > position) {
        yield each;
      }
    }
  }

  /** Domains of ours that anything is about which is not done. */
  owns(): Set<string> {
    return new Set(this.#notifications.filter(({ isDone }) => !isDone).map(({ own }) => own));
  }

  has(own: string): boolean {
    return this.#notifications.some((each) => each.own === own && !each.isDone);
  }

  /** Marks those up to a position as done. @returns how many */
  done(own: string, position: number): number {
    let count = 0;
    for (const each of this.#notifications) {
      if (each.notification.position > position) {
        break;
      }
      if (each.own === own && !each.isDone) {
        each.isDone = true;
        count++;
      }
    }
    return count;
  }

  /** The largest that was sent and is not done, about trees of this domain. */
  largestSent(own: string): InFlightNotification | undefined {
    let largest: InFlightNotification | undefined;
    for (const each of this.behind(own, 0)) {
      if (each.wasSent && each.notification.body.length > (largest?.notification.body.length ?? -1)) {
        largest = each;
      }
    }
    return largest;
  }

  /** Takes out what is done at the front. @returns the last position of it */
  settle(): number | undefined {
    const first = this.#notifications.findIndex(({ isDone }) => !isDone);
    const done = this.#notifications.splice(0, first < 0 ? this.#notifications.length : first);
    return done.at(-1)?.notification.position;
  }

  clear(): void {
    this.#notifications = [];
  }
}
