/**
 * Which other domains have a label of their own in metrics: those that are configured, and those that were reached first, up
 * to a number; whoever makes up domains cannot make metrics grow. All others share one.
 *
 * Invariant: who has a label keeps it while the process lives, so that counters only grow.
 */

export const OTHERS = 'other';

export class PeerLabels {
  readonly #labelled: Set<string>;
  readonly #most: number;

  constructor(configured: Iterable<string>, most: number) {
    this.#labelled = new Set(Iterator.from(configured).take(most));
    this.#most = most;
  }

  /** A server of the domain was reached. */
  reached(domain: string): void {
    if (this.#labelled.size < this.#most) {
      this.#labelled.add(domain);
    }
  }

  of(domain: string): string {
    return this.#labelled.has(domain) ? domain : OTHERS;
  }
}
