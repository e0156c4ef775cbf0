/**
 * Lets new connections in at a bounded pace, so that those who come back all at once, from a gateway that died or goes, take
 * neither the time of the sessions that are here, by their TLS handshakes and logins, nor that of the services behind.
 *
 * Who comes within the pace passes at once. Others wait before anything was done for them, in a line for each address, and the
 * lines go on in turns: whoever knocks without end is in nobody's way but their own. Where too many wait, the newest of the
 * longest line is turned away: over plain HTTP it is answered 503 with `Retry-After`, over TLS, where that would take the very
 * handshake, it is closed. Its client comes back after a pause that grows.
 *
 * Invariant: of a socket that came exactly one holds: it waits, it passed, or it is destroyed.
 */
import type { Socket } from 'node:net';
import { KeyedRate, type Rate } from '@fosp/exchange';
import { addressBlock } from '@fosp/runtime';
import { type Gate, ignoreError, type Pass } from './front.ts';

export interface ArrivalsOptions {
  /** Connections. */
  readonly pace: Rate;
  /** Connections that wait. */
  readonly waiting: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly delayed: () => void;
  readonly turnedAway: (reason: string) => void;
}

interface Waiting {
  readonly socket: Socket;
  readonly pass: Pass;
  /** TLS comes first on it, so that it cannot be told anything. */
  readonly isSilent: boolean;
}

/** How often those who wait are looked at. */
const TICK_MS = 20;

export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #pace: KeyedRate;
  /** By address, the one whose turn is next first. None is empty. */
  readonly #lines = new Map<string, Waiting[]>();
  /** Passed to be told that there is no place. */
  readonly #refused = new WeakSet<Socket>();
  #waiting = 0;
  #ticker: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.#pace = new KeyedRate(options.pace, 1);
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Before a server: `isSilent` where that speaks TLS. */
  gate(isSilent: boolean, addressOf: (socket: Socket) => string | undefined): Gate {
    return {
      take: (socket, pass) => this.#take({ socket, pass, isSilent }, addressOf(socket)),
    };
  }

  /** Whether this one passed only to be answered 503. */
  isRefused(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  /** What waits is destroyed, and so is what comes. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#ticker);
    for (const { socket } of [...this.#lines.values()].flat()) {
      socket.destroy();
    }
    this.#lines.clear();
    this.#waiting = 0;
  }

  #take(arrival: Waiting, address: string | undefined): void {
    const { clock, delayed, waiting } = this.#options;
    if (this.#closed || address === undefined) {
      arrival.socket.destroy();
    } else if (this.#waiting === 0 && this.#pace.take('', 1, clock())) {
      arrival.pass(arrival.socket);
    } else {
      delayed();
      this.#wait(arrival, addressBlock(address));
      if (this.#waiting > waiting) {
        this.#turnAway();
      }
    }
  }

  #wait(arrival: Waiting, address: string): void {
    arrival.socket.pause().on('error', ignoreError);
    const line = this.#lines.get(address);
    if (line === undefined) {
      this.#lines.set(address, [arrival]);
    } else {
      line.push(arrival);
    }
    this.#waiting++;
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  #tick(): void {
    while (this.#waiting > 0 && this.#pace.take('', 1, this.#options.clock())) {
      this.#admitNext();
    }
    if (this.#waiting === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
  }

  #admitNext(): void {
    for (const [address, line] of this.#lines) {
      const next = line.shift();
      // To the end: the next turn is another address's.
      this.#lines.delete(address);
      if (line.length > 0) {
        this.#lines.set(address, line);
      }
      if (next !== undefined) {
        this.#waiting--;
        this.#pass(next);
      }
      return;
    }
  }

  #turnAway(): void {
    let longest: [string, Waiting[]] = ['', []];
    for (const line of this.#lines) {
      longest = line[1].length > longest[1].length ? line : longest;
    }
    const [address, line] = longest;
    const last = line.pop();
    if (line.length === 0) {
      this.#lines.delete(address);
    }
    if (last === undefined) {
      return;
    }
    this.#waiting--;
    this.#options.turnedAway('crowded');
    if (last.isSilent) {
      last.socket.destroy();
    } else {
      this.#refused.add(last.socket);
      this.#pass(last);
    }
  }

  #pass({ socket, pass }: Waiting): void {
    socket.off('error', ignoreError);
    if (!socket.destroyed) {
      pass(socket);
    }
  }
}
