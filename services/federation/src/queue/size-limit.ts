/**
 * How large a notification another domain takes, as far as it showed: its servers close a link for one that is too large, which
 * would be the first over the next link again, before all others and for ever.
 *
 * Only where the same one is the largest that was under way twice in a row is it to blame: a link may have been closed for the size of
 * something else.
 */
import type { RemoteNotification } from '@fosp/bus';
import type { InFlightNotification } from './in-flight.ts';

export class SizeLimit {
  /** Position of what a link was closed for, it seems. */
  #suspect: number | undefined;
  /** Bytes of the body of a notification that is taken. */
  #most = Number.POSITIVE_INFINITY;

  /** A link was closed for the size of a message; this was the largest notification under way. */
  exceeded(largest: RemoteNotification | undefined): void {
    if (largest !== undefined && largest.position === this.#suspect) {
      this.#most = Math.min(this.#most, largest.body.length - 1);
    } else {
      this.#suspect = largest?.position;
    }
  }

  /** Marks those as done that are too large. @returns how many */
  giveUp(waiting: Iterable<InFlightNotification>): number {
    if (this.#most === Number.POSITIVE_INFINITY) {
      return 0;
    }
    let count = 0;
    for (const each of waiting) {
      if (each.notification.body.length > this.#most) {
        each.isDone = true;
        count++;
      }
    }
    return count;
  }
}
