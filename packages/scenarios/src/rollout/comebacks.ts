/** How all come back after a gateway went, and what that took: looked at from outside, again and again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CrowdProcess, ProcessState } from './crowds.ts';
import type { GatewayWatch, Seen } from './gateway-watch.ts';
import type { PasswordTally } from './password-user.ts';

export interface Comeback {
  readonly what: string;
  /** From the signal until all were logged in again: those with a token, and all others too. */
  readonly seconds: number;
  readonly secondsOfAll: number;
  /** Connections that were lost, of the SDK, and the requests that waited for them to be back. */
  readonly lost: number;
  readonly waited: number;
  /** Logins by password, and those that were put off. */
  readonly passwords: number;
  readonly putOff: number;
  readonly gateways: Seen;
  /** Milliseconds, of reads over connections that stayed. */
  readonly latency: { readonly median: number; readonly high: number; readonly reads: number };
}

export interface ComebacksOptions {
  readonly crowds: readonly CrowdProcess[];
  readonly passwords: PasswordTally;
  readonly expected: { readonly passwords: number };
  readonly watch: GatewayWatch;
  readonly progress: (line: string) => void;
}

const LOOK_MS = 200;
/** Looks that must find everybody there: one who is about to go may still be. */
const STEADY = 3;
const HIGH = 0.99;

export class Comebacks {
  readonly #options: ComebacksOptions;
  readonly #latencies: number[] = [];
  #since = performance.now();
  #seconds = 0;
  #secondsOfAll = 0;
  #before = { lost: 0, waited: 0, passwords: 0, putOff: 0 };

  constructor(options: ComebacksOptions) {
    this.#options = options;
  }

  /** A gateway goes now: with 1012 to everybody, or by whatever end. */
  begin(how: 'in order' | 'by whatever end' = 'in order'): void {
    this.#since = performance.now();
    this.#options.passwords.mayBreak = how === 'by whatever end';
  }

  async states(): Promise<ProcessState[]> {
    const states = await Promise.all(this.#options.crowds.map((crowd) => crowd.state()));
    this.#latencies.push(...states.flatMap(({ latencies }) => latencies));
    return states;
  }

  /** Resolves once everybody is logged in. */
  async everybody(): Promise<void> {
    const { expected, passwords, progress } = this.#options;
    let next = performance.now() + 5000;
    let steady = 0;
    let steadyWithTokens = 0;
    while (steady < STEADY) {
      await pause(LOOK_MS);
      const states = await this.states();
      const missing = states.reduce((sum, { connected, members }) => sum + members - connected, 0);
      const isThere = missing === 0 && passwords.connected === expected.passwords;
      const seconds = (performance.now() - this.#since) / 1000;
      this.#seconds = missing === 0 && steadyWithTokens === 0 ? seconds : this.#seconds;
      this.#secondsOfAll = isThere && steady === 0 ? seconds : this.#secondsOfAll;
      steadyWithTokens = missing === 0 ? steadyWithTokens + 1 : 0;
      steady = isThere ? steady + 1 : 0;
      if (performance.now() > next) {
        next += 5000;
        progress(`${missing} of the SDK and ${expected.passwords - passwords.connected} others are away`);
      }
    }
  }

  /** Resolves once each of those who work has done another round. */
  async everybodyWorks(): Promise<void> {
    const before = (await this.states()).map(({ rounds }) => rounds);
    while ((await this.states()).some(({ rounds }, at) => rounds !== null && rounds <= (before[at] ?? 0) + 1)) {
      await pause(LOOK_MS);
    }
  }

  /** What there was since it was taken the last time. */
  async take(what: string): Promise<Comeback> {
    const { passwords, progress, watch } = this.#options;
    const states = await this.states();
    const now = {
      lost: states.reduce((sum, { gaps }) => sum + gaps, 0),
      waited: states.reduce((sum, { waited }) => sum + waited, 0),
      passwords: passwords.logins,
      putOff: passwords.putOff,
    };
    const before = this.#before;
    this.#before = now;
    const comeback = {
      what,
      seconds: round(this.#seconds),
      secondsOfAll: round(this.#secondsOfAll),
      lost: now.lost - before.lost,
      waited: now.waited - before.waited,
      passwords: now.passwords - before.passwords,
      putOff: now.putOff - before.putOff,
      gateways: await watch.take(),
      latency: spreadOf(this.#latencies.splice(0)),
    };
    progress(JSON.stringify(comeback));
    return comeback;
  }
}

function spreadOf(latencies: number[]): Comeback['latency'] {
  const sorted = latencies.toSorted((one, other) => one - other);
  const at = (share: number) => round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return { median: at(0.5), high: at(HIGH), reads: sorted.length };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
