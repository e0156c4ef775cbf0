/**
 * An object that one client alone changes, one change at a time, each under the condition that it still is as last seen.
 *
 * Invariant: what is there is `certain`, or what one of the changes would have left whose outcome is unknown. Since all of
 * those were asked for under the condition of `certain`, only one of them can happen, and none any more once another change
 * was acknowledged. A creation has no condition: one that is unknown may happen as long as there is no object, within the
 * deadline of a call, and until that is over the object is not deleted again.
 */
import { type Contents, contentsOf, type FileMark, type Mark, sameMark, stepOf } from './content.ts';
import { Track, type TrackOptions } from './track.ts';

/** Milliseconds in which a call that nobody waits for any more may still be carried out. */
const CALL_MAY_LAST = 15_000;
/** Attempts that are remembered, for readers whose answer is late. */
const ATTEMPTS_KEPT = 200;

export type ChangeKind = 'CREATE' | 'UPDATE' | 'WRITE' | 'DELETE';

/** `undefined`: there is no object. */
export type State = Contents | undefined;

export interface Attempt {
  readonly kind: ChangeKind;
  readonly step: number;
  readonly leaves: State;
}

export interface SlotOptions extends TrackOptions {
  /** Below which object, whose deletion takes it along. */
  readonly parent?: Slot;
}

export class Slot {
  readonly resource: string;
  readonly track: Track;
  readonly parent: Slot | undefined;
  child: Slot | undefined;
  /** That of `certain`. */
  step = 0;
  certain: State = undefined;
  /** For the next change, once it was seen. */
  etag: string | undefined;
  unknown: Attempt[] = [];
  #attempts: Attempt[] = [];
  #deletableFrom = 0;

  constructor(options: SlotOptions) {
    this.resource = options.resource;
    this.track = new Track(options);
    this.parent = options.parent;
  }

  get isSettled(): boolean {
    return this.unknown.length === 0;
  }

  mayDelete(now: number): boolean {
    const { child } = this;
    return now >= this.#deletableFrom && (child === undefined || (child.isSettled && now >= child.#deletableFrom));
  }

  /** Data for the next change. */
  nextMark(nonce: string): Mark {
    return { step: this.step + 1, nonce };
  }

  /** A change is about to be asked for; unknown until its outcome is told. */
  begin(kind: ChangeKind, mark: Mark | FileMark, now: number): Attempt {
    const attempt = { kind, step: this.step + 1, leaves: leaves(kind, mark, this.certain) };
    this.unknown.push(attempt);
    this.#attempts.push(attempt);
    if (this.#attempts.length > 2 * ATTEMPTS_KEPT) {
      this.#attempts = this.#attempts.slice(-ATTEMPTS_KEPT);
    }
    this.track.asked(attempt.step, now);
    if (kind === 'DELETE' && this.child?.certain !== undefined) {
      this.child.track.asked(this.child.step + 1, now);
    }
    return attempt;
  }

  /** It has happened: it was acknowledged, or its effect was seen. */
  happened(attempt: Attempt, now: number): void {
    this.unknown = [];
    this.certain = attempt.leaves;
    this.step = attempt.step;
    this.etag = undefined;
    this.track.happened(attempt.step, now, attempt.kind === 'DELETE');
    if (attempt.kind === 'DELETE') {
      this.child?.wentWithParent(now);
    }
  }

  /** Its outcome will not be told. */
  becameUnknown(attempt: Attempt, now: number): void {
    if (attempt.kind === 'CREATE') {
      this.#deletableFrom = now + CALL_MAY_LAST;
    }
  }

  /** It did not happen and will not. */
  didNotHappen(attempt: Attempt): void {
    this.unknown = this.unknown.filter((other) => other !== attempt);
  }

  /** The client that alone changes it saw this. A sentence where that cannot be. */
  seen(text: string | undefined, etag: string | undefined, now: number): string | undefined {
    const found = text === undefined ? undefined : contentsOf(text);
    if (typeof found === 'string') {
      return `${this.resource} ${found}`;
    }
    if (!sameState(found, this.certain)) {
      const attempt = this.unknown.find((one) => sameState(one.leaves, found));
      if (attempt === undefined) {
        const possible = [this.certain, ...this.unknown.map((one) => one.leaves)].map(show);
        return `${this.resource} is ${show(found)}, and must be ${possible.join(' or ')} (step ${this.step})`;
      }
      this.happened(attempt, now);
    }
    this.etag = etag;
    this.track.shown(this.step, etag);
    return undefined;
  }

  /** Where changes stand, before somebody else reads it. */
  get position(): Position {
    return { step: this.step, present: this.certain !== undefined, file: this.certain?.file?.step };
  }

  /** Could somebody who began to read then see this now? A sentence where not. */
  couldShow(found: State, since: Position): string | undefined {
    if (sameState(found, this.certain)) {
      return undefined;
    }
    const isPossible = this.#attempts.some(({ step, leaves: left }) => step >= since.step && sameState(left, found));
    return isPossible || (found === undefined && !since.present)
      ? undefined
      : `${this.resource} was shown as ${show(found)} to somebody who began to read at step ${since.step}, ` +
          `and was ${show(this.certain)} at step ${this.step} then`;
  }

  /** The same for its file. `undefined`: none. */
  couldHold(file: FileMark | undefined, since: Position): string | undefined {
    if (sameMark(file, this.certain?.file)) {
      return undefined;
    }
    const isPossible = this.#attempts.some(
      ({ step, leaves: left }) => step >= since.step && sameMark(left?.file, file),
    );
    return isPossible || (file === undefined && since.file === undefined)
      ? undefined
      : `${this.resource} gave the file ${JSON.stringify(file)} to somebody who began to read at step ${since.step}, ` +
          `and was ${show(this.certain)} at step ${this.step} then`;
  }

  wentWithParent(now: number): void {
    if (this.certain !== undefined) {
      this.certain = undefined;
      this.step++;
      this.track.happened(this.step, now, true);
      this.#attempts.push({ kind: 'DELETE', step: this.step, leaves: undefined });
    }
    this.unknown = [];
    this.etag = undefined;
  }
}

export interface Position {
  readonly step: number;
  readonly present: boolean;
  readonly file: number | undefined;
}

function leaves(kind: ChangeKind, mark: Mark | FileMark, before: State): State {
  switch (kind) {
    case 'DELETE':
      return undefined;
    case 'CREATE':
      return { data: mark, file: undefined };
    case 'UPDATE':
      return { data: mark, file: before?.file };
    case 'WRITE':
      return before && 'size' in mark ? { ...before, file: mark } : before;
  }
}

function sameState(a: State, b: State): boolean {
  return (a === undefined) === (b === undefined) && sameMark(a?.data, b?.data) && sameMark(a?.file, b?.file);
}

function show(state: State): string {
  return state === undefined ? 'no object' : `step ${stepOf(state)} ${JSON.stringify(state)}`;
}
