/**
 * What is known of the changes of one object, by their step: when each was asked for first, by when it had happened, and its
 * version. From this follows what subscribers must see, and in which order (see `window.ts`).
 */
export interface TrackOptions {
  /** As in a start line: `name@domain/path`. */
  readonly resource: string;
  readonly tree: string;
  /** Users who are to see every change. */
  readonly subscribers: ReadonlySet<string>;
}

export class Track {
  readonly resource: string;
  readonly tree: string;
  readonly subscribers: ReadonlySet<string>;
  readonly #askedAt: number[] = [];
  readonly #knownAt: number[] = [];
  readonly #versions: number[] = [];
  /** The last step that is known to have happened. */
  last = 0;
  /** Was that a deletion? */
  isDeleted = false;

  constructor({ resource, tree, subscribers }: TrackOptions) {
    this.resource = resource;
    this.tree = tree;
    this.subscribers = subscribers;
  }

  /** Somebody is about to ask for this step. */
  asked(step: number, at: number): void {
    this.#askedAt[step] ??= at;
  }

  /** This step has happened, as was seen now. */
  happened(step: number, at: number, isDeletion = false): void {
    this.#knownAt[step] ??= at;
    if (step > this.last) {
      this.last = step;
      this.isDeleted = isDeletion;
    }
  }

  /** The etag under which the object shows this step. */
  shown(step: number, etag: string | undefined): void {
    const version = Number(etag?.replaceAll('"', ''));
    if (version > 0) {
      this.#versions[step] = version;
    }
  }

  /** Nobody asked for it before. Infinite for a step that nobody asked for. */
  askedAt(step: number): number {
    return this.#askedAt[step] ?? Number.POSITIVE_INFINITY;
  }

  /** It had happened then. Infinite where that is not known. */
  knownAt(step: number): number {
    return this.#knownAt[step] ?? Number.POSITIVE_INFINITY;
  }

  versionOf(step: number): number | undefined {
    return this.#versions[step];
  }
}
