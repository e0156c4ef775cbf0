/** All that is known of who listens to what, and what they were told. */
import type { EventType } from '@fosp/protocol';
import type { Tally } from './tally.ts';
import type { Track } from './track.ts';
import { Window } from './window.ts';

/** Close codes that tell a client to come back, or that its connection was lost (RFC 6455 §7.4, PROTOCOL). */
const COME_BACK: ReadonlySet<number> = new Set([1001, 1006, 1011, 1012, 1013]);

export class Book {
  readonly #tally: Tally;
  readonly #tracks = new Map<string, Track>();
  /** Of which notifications are no matter: containers, which change while all is set up. */
  readonly #ignored = new Set<string>();
  readonly #windows = new Set<Window>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  add(track: Track): void {
    this.#tracks.set(track.resource, track);
  }

  ignore(resource: string): void {
    this.#ignored.add(resource);
  }

  /** A connection is opened for this user; set `since` once it is logged in. */
  open(user: string): Window {
    const window = new Window(user, (text) => this.#tally.wrongly(text));
    this.#windows.add(window);
    return window;
  }

  told(window: Window, message: { event: EventType; resource: string; text: string | undefined }, at: number): void {
    const track = this.#tracks.get(message.resource);
    if (track !== undefined) {
      const knownAt = window.told({ event: message.event, track, text: message.text, at });
      this.#tally.notified(`${message.event} ${message.resource}`, Math.max(0, at - knownAt));
    } else if (!this.#ignored.has(message.resource)) {
      this.#tally.wrongly(`${window.user} was told of ${message.resource}, which nobody made`);
    }
  }

  /** By a close code; or it was `left` by its client; or the SDK told of it, which does not tell more. */
  closed(window: Window, how: number | 'left' | 'seen by the SDK', at: number): void {
    if (this.#windows.delete(window)) {
      window.closed(at);
      this.#tally.counts.gapsTold += window.gapsTold;
      if (how !== 'left') {
        this.#tally.closed(String(how));
      }
      if (typeof how === 'number' && !COME_BACK.has(how)) {
        this.#tally.wrongly(`${window.user}: the connection was closed with ${how}`);
      }
    }
  }

  /** From now on connections are closed by us. */
  end(): void {
    this.#windows.clear();
  }

  /** Connections open and logged in. */
  openWindows(): Window[] {
    return [...this.#windows].filter(({ since }) => Number.isFinite(since));
  }

  check(at: number): void {
    for (const window of this.#windows) {
      window.check(at);
    }
  }

  /** Notifications that open connections lack. Empty once all have arrived. */
  missing(): string[] {
    return this.openWindows().flatMap((window) => window.missing(this.#tracks.values()));
  }
}
