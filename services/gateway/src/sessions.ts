/**
 * All sessions of this process, and what is done to many of them: the deadline for login, the closing of all.
 *
 * One timer serves all of them, and runs only while a session is a stranger.
 */
import type { Session } from './session.ts';

/** Why connections are closed whose requests are not answered yet. */
const LEAVING = 'The server goes, and what is not answered may yet have its effect or not: connect again.';

export interface SessionsOptions {
  /** Seconds from the opening of a connection to AUTHENTICATE's success. */
  readonly loginSeconds: number;
  /** Milliseconds between two looks at strangers. */
  readonly tickMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Milliseconds. */
export interface RetiringTimes {
  /** From the first session that is told to the last. */
  readonly spreadMs: number;
  /** For what is in flight when the last one is told. */
  readonly graceMs: number;
  /** For the closing handshakes of those that are closed after that. */
  readonly closingMs: number;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #all = new Set<Session>();
  /** Not logged in yet, the oldest first. */
  readonly #strangers = new Set<Session>();
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Requests of all of them that are not answered. */
  get inFlight(): number {
    return this.#all.values().reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Of each. */
  unreadBytes(): Iterable<number> {
    return this.#all.values().map(({ unreadBytes }) => unreadBytes);
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#strangers.add(session);
    this.#keepTicking();
  }

  remove(session: Session): void {
    this.#all.delete(session);
    this.#strangers.delete(session);
  }

  /** Its login deadline is met. */
  loggedIn(session: Session): void {
    this.#strangers.delete(session);
  }

  /**
   * Has all present sessions retire, evenly spread, so that their clients do not come back all at once. Resolves once they
   * are closed; those that are not after the time of grace are closed whatever they are at, and with 1001: 1012 says that
   * what is not answered had no effect.
   */
  async retireAll({ spreadMs, graceMs, closingMs }: RetiringTimes): Promise<void> {
    const sessions = [...this.#all].filter((session) => !session.isRetiring);
    await this.#spread(sessions, spreadMs);
    const left = await this.#stillThere(sessions, graceMs);
    for (const session of left) {
      session.close(1001, LEAVING);
    }
    await this.#stillThere(left, closingMs);
  }

  /** By the time that goes by, not by ticks: on a busy machine these are late, and a drain has but its time. */
  async #spread(sessions: readonly Session[], spreadMs: number): Promise<void> {
    const { tickMs } = this.#options;
    const began = performance.now();
    for (let told = 0; told < sessions.length; ) {
      const share = Math.min(1, (performance.now() - began + tickMs) / Math.max(spreadMs, tickMs));
      const due = Math.ceil(sessions.length * share);
      for (const session of sessions.slice(told, due)) {
        session.retire();
      }
      told = due;
      if (told < sessions.length) {
        await pause(tickMs);
      }
    }
  }

  /** Those that are not closed after so many milliseconds. */
  async #stillThere(sessions: readonly Session[], withinMs: number): Promise<readonly Session[]> {
    let left = sessions.filter((session) => this.#all.has(session));
    const began = performance.now();
    while (left.length > 0 && performance.now() - began < withinMs) {
      await pause(this.#options.tickMs);
      left = left.filter((session) => this.#all.has(session));
    }
    return left;
  }

  #keepTicking(): void {
    this.#ticker ??= setInterval(() => this.#tick(), this.#options.tickMs).unref();
  }

  #tick(): void {
    this.#closeLateStrangers(this.#options.clock() - this.#options.loginSeconds * 1000);
    if (this.#strangers.size === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
  }

  #closeLateStrangers(openedBefore: number): void {
    for (const session of this.#strangers) {
      if (session.openedAt > openedBefore) {
        return;
      }
      this.#strangers.delete(session);
      session.close(1008, `AUTHENTICATE is due within ${this.#options.loginSeconds} s of connecting.`);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
