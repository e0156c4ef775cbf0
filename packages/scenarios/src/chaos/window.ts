/**
 * One connection, as somebody who listens: which changes it was told, held against what happened.
 *
 * Invariants: of each object the steps come one after the other, none twice, none left out, from the first that was asked
 * for after the connection was logged in at the latest; what happened before something else of the same tree was asked for
 * is told before it. A step may be left out where the connection is closed soon after: a gap is a reconnect, never silence.
 */
import type { EventType } from '@fosp/protocol';
import { contentsOf, stepOf } from './content.ts';
import type { Track } from './track.ts';

/** Milliseconds after a step was left out, in which the connection is to be closed. */
const GAP_CLOSES_WITHIN = 30_000;

interface Gap {
  readonly text: string;
  readonly at: number;
}

interface Tree {
  /** When the last of what was told was asked for. */
  askedAt: number;
  readonly told: { readonly track: Track; readonly step: number }[];
}

export interface Told {
  readonly event: EventType;
  readonly track: Track;
  /** The object; absent for DELETED. */
  readonly text: string | undefined;
  readonly at: number;
}

export class Window {
  readonly user: string;
  /** Infinite until it is logged in. */
  since = Number.POSITIVE_INFINITY;
  count = 0;
  /** Steps left out that the closing of the connection told of. */
  gapsTold = 0;
  isClosed = false;
  readonly #wrong: (text: string) => void;
  readonly #steps = new Map<Track, number>();
  /** What was told of first when it was deleted: which of its deletions that was shows only in what follows. */
  readonly #deletedFirst = new Set<Track>();
  readonly #trees = new Map<string, Tree>();
  #gaps: Gap[] = [];

  constructor(user: string, wrong: (text: string) => void) {
    this.user = user;
    this.#wrong = (text) => wrong(`${user}: ${text}`);
  }

  /** Gives when the change was known to be done; infinite where it is not yet. */
  told({ event, track, text, at }: Told): number {
    const step = this.#judge({ event, track, text, at });
    if (step === undefined) {
      return Number.POSITIVE_INFINITY;
    }
    this.#steps.set(track, step);
    this.#placeInTree(track, step);
    return track.knownAt(step);
  }

  /** The step, where what was told may be. */
  #judge({ event, track, text, at }: Told): number | undefined {
    this.count++;
    if (!track.subscribers.has(this.user)) {
      this.#wrong(`was told ${event} ${track.resource} without having subscribed`);
      return undefined;
    }
    const last = this.#steps.get(track);
    if (text === undefined && last === undefined) {
      this.#toldDeletedFirst(track, at);
      return undefined;
    }
    const step = text === undefined ? (last ?? 0) + 1 : this.#stepIn(track, text);
    if (step === undefined) {
      return undefined;
    }
    if (last !== undefined && step <= last) {
      this.#wrong(`was told step ${step} of ${track.resource} after step ${last}`);
      return undefined;
    }
    const next = last === undefined ? this.#firstDue(track, step) : last + 1;
    if (next < step) {
      this.#gaps.push({ text: `was told step ${step} of ${track.resource}, not ${next} before it`, at });
    }
    return step;
  }

  closed(at: number): void {
    this.isClosed = true;
    this.#judgeGaps(at);
    this.#checkVersions();
  }

  /** What it lacks, now that nothing is on its way. Sentences. */
  missing(tracks: Iterable<Track>): string[] {
    const missing: string[] = [];
    for (const track of tracks) {
      const told = this.#lastTold(track);
      if (track.subscribers.has(this.user) && told < track.last && track.askedAt(track.last) > this.since) {
        missing.push(`${this.user}: was told up to step ${told} of ${track.resource}, and there were ${track.last}`);
      }
    }
    return missing;
  }

  /** While it is open: judges what can be judged by now. */
  check(at: number): void {
    this.#judgeGaps(at);
    this.#checkVersions();
  }

  #stepIn(track: Track, text: string): number | undefined {
    const contents = contentsOf(text);
    if (typeof contents === 'string') {
      this.#wrong(`was told of ${track.resource}, which ${contents}`);
      return undefined;
    }
    return stepOf(contents);
  }

  #toldDeletedFirst(track: Track, at: number): void {
    if (this.#deletedFirst.has(track)) {
      this.#gaps.push({ text: `was told twice that ${track.resource} was deleted, and nothing between`, at });
    }
    this.#deletedFirst.add(track);
  }

  /** The first step that must be told where nothing but perhaps a deletion was, and this one is next. */
  #firstDue(track: Track, step: number): number {
    const unseen = this.#deletedFirst.has(track) ? step - 2 : step - 1;
    return unseen > 0 && track.askedAt(unseen) > this.since ? unseen : step;
  }

  #lastTold(track: Track): number {
    const wasLast = this.#deletedFirst.has(track) && track.isDeleted;
    return this.#steps.get(track) ?? (wasLast ? track.last : 0);
  }

  #placeInTree(track: Track, step: number): void {
    const tree = this.#trees.get(track.tree) ?? { askedAt: 0, told: [] };
    this.#trees.set(track.tree, tree);
    if (track.knownAt(step) < tree.askedAt) {
      const [late, early] = [Math.round(tree.askedAt), Math.round(track.knownAt(step))];
      this.#wrong(`was told step ${step} of ${track.resource}, done by ${early}, after what was asked for at ${late}`);
    }
    const askedAt = track.askedAt(step);
    if (Number.isFinite(askedAt)) {
      tree.askedAt = Math.max(tree.askedAt, askedAt);
    }
    tree.told.push({ track, step });
  }

  #judgeGaps(at: number): void {
    const late = this.#gaps.filter((gap) => at - gap.at > GAP_CLOSES_WITHIN);
    for (const { text } of late) {
      this.#wrong(`${text}, and the connection stayed`);
    }
    const left = this.#gaps.filter((gap) => !late.includes(gap));
    this.gapsTold += this.isClosed ? left.length : 0;
    this.#gaps = this.isClosed ? [] : left;
  }

  /** Versions of a tree grow from change to change; that of some is known only later, that of deletions never. */
  #checkVersions(): void {
    for (const [tree, { told }] of this.#trees) {
      let last = 0;
      for (const { track, step } of told.splice(0)) {
        const version = track.versionOf(step);
        if (version !== undefined && version <= last) {
          this.#wrong(`was told version ${version} of ${tree} (step ${step} of ${track.resource}) after ${last}`);
        }
        last = version ?? last;
      }
    }
  }
}
