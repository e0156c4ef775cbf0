/**
 * An object that many clients change at once: each reads its step and asks for the next one under the condition that it
 * still is. So of all who ask for one step, one alone may be told that it was done.
 */
import { contentsOf, type Mark } from './content.ts';
import { Track, type TrackOptions } from './track.ts';

export class Counter {
  readonly resource: string;
  readonly track: Track;
  /** The largest step that anybody asked for. */
  #asked = 1;
  readonly #attempts = new Map<string, number>();
  readonly #acknowledged = new Set<number>();

  constructor(options: TrackOptions) {
    this.resource = options.resource;
    this.track = new Track(options);
  }

  /** The last step that is known to have happened. */
  get step(): number {
    return this.track.last;
  }

  created(mark: Mark, now: number): void {
    this.#attempts.set(mark.nonce, mark.step);
    this.track.asked(mark.step, now);
    this.track.happened(mark.step, now);
  }

  begin({ step, nonce }: Mark, now: number): void {
    this.#asked = Math.max(this.#asked, step);
    this.#attempts.set(nonce, step);
    this.track.asked(step, now);
  }

  /** A sentence where it cannot be. */
  acknowledged(step: number, now: number): string | undefined {
    const isRepeated = this.#acknowledged.has(step);
    this.#acknowledged.add(step);
    this.track.happened(step, now);
    return isRepeated ? `step ${step} of ${this.resource} was acknowledged twice: a change was lost` : undefined;
  }

  /** Somebody who began to read when `since` had happened sees this. A sentence where that cannot be. */
  seen(
    text: string | undefined,
    reading: { since: number; etag: string | undefined; now: number },
  ): string | undefined {
    const contents = text === undefined ? 'is gone' : contentsOf(text);
    if (typeof contents === 'string') {
      return `${this.resource} ${contents}`;
    }
    const { step, nonce } = contents.data;
    if (step < reading.since || this.#attempts.get(nonce) !== step) {
      return `${this.resource} was shown at step ${step} (${nonce}) after step ${reading.since} was known to be done`;
    }
    for (let earlier = this.track.last + 1; earlier <= step; earlier++) {
      this.track.happened(earlier, reading.now);
    }
    this.track.shown(step, reading.etag);
    return undefined;
  }
}
