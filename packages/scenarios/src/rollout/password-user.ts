/** A user of an older program: one connection, and, where that is told to come back, a login by password, without a token. */
import { setTimeout as pause } from 'node:timers/promises';
import { PASSWORD, TestSession } from '@fosp/testkit';
import { PASSING } from '../chaos/tally.ts';

const RESTARTING = 1012;

export interface PasswordTally {
  connected: number;
  logins: number;
  /** Logins that were answered 429 or, on a busy machine, 408 or 503, and connections not taken or told to come back, all of them tried again. */
  putOff: number;
  /** Whether connections may break: a gateway is about to be killed. */
  mayBreak: boolean;
  readonly faults: string[];
}

export function newPasswordTally(): PasswordTally {
  return { connected: 0, logins: 0, putOff: 0, mayBreak: false, faults: [] };
}

export class PasswordUser {
  readonly #user: string;
  readonly #url: string;
  readonly #tally: PasswordTally;
  #session: TestSession | undefined;
  #isStopped = false;

  constructor(user: string, url: string, tally: PasswordTally) {
    this.#user = user;
    this.#url = url;
    this.#tally = tally;
  }

  /** Until it is stopped. What goes wrong is in the tally. */
  async stay(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const session = await this.#logIn();
        if (this.#isStopped) {
          await session.close();
          return;
        }
        this.#session = session;
        this.#tally.connected++;
        const { code, reason } = await session.wire.closed;
        this.#tally.connected--;
        if (code !== RESTARTING && !this.#isStopped && !this.#tally.mayBreak) {
          this.#fault(`was closed with ${code} ${reason}`);
        }
      } catch {
        // Nobody listens there yet, or any more.
        this.#tally.putOff++;
        await pause(1000);
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#session?.close();
  }

  async #logIn(): Promise<TestSession> {
    for (;;) {
      this.#session = undefined;
      const session = await TestSession.connect(this.#url, this.#user);
      const { status, headers } = await session.request('AUTHENTICATE', '*', {
        body: { name: this.#user, password: PASSWORD },
      });
      if (status === 200) {
        this.#tally.logins++;
        return session;
      }
      await session.close();
      if (!PASSING.has(status)) {
        this.#fault(`was answered ${status} for the right password`);
      }
      this.#tally.putOff++;
      await pause(1000 * Number(headers['Retry-After'] ?? 1));
    }
  }

  #fault(text: string): void {
    this.#tally.faults.push(`${this.#user} ${text}`);
  }
}
