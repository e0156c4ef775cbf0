/**
 * All sessions of this process, and what is done to many of them: the deadline for login, the reading of what waits to
 * be sent, the closing of all.
 *
 * One timer serves all of them, and runs only while a session is a stranger or behind.
 */
import type { Conversation } from './conversation.ts';
import type { Session } from './session.ts';

export interface SessionsOptions {
  /** Seconds from the opening of a connection to AUTHENTICATE's success. */
  readonly loginSeconds: number;
  /** Milliseconds between two looks at strangers and backlogs. */
  readonly tickMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #all = new Set<Session>();
  /** Not logged in yet, the oldest first. */
  readonly #strangers = new Set<Session>();
  readonly #backlogged = new Set<Conversation>();
  #ticker: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#all.size;
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#strangers.add(session);
    this.#keepTicking();
  }

  remove(session: Session): void {
    this.#all.delete(session);
    this.#strangers.delete(session);
    this.#backlogged.delete(session.conversation);
    if (this.#all.size === 0) {
      this.#onEmpty?.();
    }
  }

  /** Its login deadline is met. */
  loggedIn(session: Session): void {
    this.#strangers.delete(session);
  }

  /** Looks after the conversation until it is no longer backlogged. */
  watchBacklog(conversation: Conversation): void {
    this.#backlogged.add(conversation);
    this.#keepTicking();
  }

  /**
   * Has all present sessions retire, evenly spread over so many milliseconds, so that their clients do not come back all
   * at once. Resolves once the last one was told.
   */
  async retireAll(spreadMs: number): Promise<void> {
    const sessions = [...this.#all];
    const steps = Math.max(1, Math.ceil(spreadMs / this.#options.tickMs));
    const perStep = Math.ceil(sessions.length / steps);
    for (let next = 0; next < sessions.length; next += perStep) {
      for (const session of sessions.slice(next, next + perStep)) {
        session.conversation.retire();
      }
      if (next + perStep < sessions.length) {
        await pause(this.#options.tickMs);
      }
    }
  }

  /** Closes those that are left, whatever they are at. */
  closeAll(code: number, reason: string): void {
    for (const session of this.#all) {
      session.close(code, reason);
    }
  }

  /** Resolves true once no session is left, false where some still are after so many milliseconds. */
  emptied(withinMs: number): Promise<boolean> {
    if (this.#all.size === 0) {
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs, false);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #keepTicking(): void {
    this.#ticker ??= setInterval(() => this.#tick(), this.#options.tickMs).unref();
  }

  #tick(): void {
    this.#closeLateStrangers(this.#options.clock() - this.#options.loginSeconds * 1000);
    for (const conversation of this.#backlogged) {
      if (!conversation.isBacklogged()) {
        this.#backlogged.delete(conversation);
      }
    }
    if (this.#strangers.size === 0 && this.#backlogged.size === 0) {
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
