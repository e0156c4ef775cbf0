/**
 * Lets new connections in at a bounded pace, so that those who come back all at once, from a gateway that died or goes, take
 * neither the time of the sessions that are here, by their TLS handshakes and logins, nor that of the services behind.
 *
 * Who comes within the pace passes at once. Others wait before anything was done for them, in a line for each address, and the
 * lines go on in turns: whoever knocks without end is in nobody's way but their own. Where too many wait, the newest of the
 * longest line is turned away, the newcomer where its line is as long as any: over plain HTTP it is answered 503 with `Retry-After`, over TLS, where that would take the very
 * handshake, it is closed. Its client comes back after a pause that grows. So is who waited for so long that its client is
 * about to give up, and who gave up leaves the line: else a gateway that is late would let in none but the dead.
 *
 * Invariant: of a socket that came exactly one holds: it waits, it passed, or it is destroyed. What comes on it meanwhile is
 * held, within a bound, and put back.
 */
import type { Socket } from 'node:net';
import { KeyedRate, type Rate } from '@fosp/exchange';
import { addressBlock } from '@fosp/runtime';
import { type Gate, ignoreError, type Pass } from './front.ts';
import { LineLengths } from './line-lengths.ts';

/** What one without TLS takes of the pace, of what one with TLS takes: so much less work it is. */
export const PLAIN_COST = 0.4;

export interface ArrivalsOptions {
  /** Connections with TLS. */
  readonly pace: Rate;
  /** Connections that wait, and for how many seconds. */
  readonly waiting: number;
  readonly seconds: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly delayed: () => void;
  readonly turnedAway: (reason: string) => void;
}

interface Arrival {
  readonly socket: Socket;
  readonly pass: Pass;
  /** TLS comes first on it, so that it cannot be told anything. */
  readonly isSilent: boolean;
}

interface Waiting extends Arrival {
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Ends the holding of what comes, and puts it back. */
  readonly release: () => void;
}

/** How often those who wait are looked at. */
const TICK_MS = 20;
/** Bytes that come before somebody is let in: a ClientHello, or the request of a WebSocket, and some. */
const HELD = 16 * 1024;

export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #pace: KeyedRate;
  /** By address, the one whose turn is next first. None is empty. */
  readonly #lines = new Map<string, Waiting[]>();
  readonly #lengths = new LineLengths();
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
    this.#lengths.clear();
    this.#waiting = 0;
  }

  #take(arrival: Arrival, address: string | undefined): void {
    const { clock, delayed, waiting } = this.#options;
    if (this.#closed || address === undefined) {
      arrival.socket.destroy();
    } else if (this.#waiting === 0 && this.#pace.take('', costOf(arrival), clock())) {
      arrival.pass(arrival.socket);
    } else {
      delayed();
      const line = addressBlock(address);
      this.#wait(arrival, line);
      if (this.#waiting > waiting) {
        this.#turnAway(line);
      }
    }
  }

  #wait(arrival: Arrival, address: string): void {
    const leave = () => {
      const line = this.#lines.get(address);
      const at = line?.indexOf(waiting) ?? -1;
      if (line !== undefined && at >= 0) {
        line.splice(at, 1);
        this.#left(address, line);
      }
      arrival.socket.destroy();
    };
    const waiting = { ...arrival, since: this.#options.clock(), release: hold(arrival.socket, leave) };
    const line = this.#lines.get(address) ?? [];
    line.push(waiting);
    // Where it is there already, it keeps its turn.
    this.#lines.set(address, line);
    this.#lengths.grew(address, line.length);
    this.#waiting++;
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** One of a line has gone. */
  #left(address: string, line: readonly Waiting[]): void {
    this.#waiting--;
    this.#lengths.shrank(address, line.length);
    if (line.length === 0) {
      this.#lines.delete(address);
    }
  }

  #tick(): void {
    this.#turnAwayLate();
    while (this.#admitNext()) {
      // The pace allows it.
    }
    if (this.#waiting === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
  }

  /** False where nobody waits, or the pace does not allow it. */
  #admitNext(): boolean {
    for (const [address, line] of this.#lines) {
      const [next] = line;
      if (next === undefined || !this.#pace.take('', costOf(next), this.#options.clock())) {
        return false;
      }
      line.shift();
      // To the end: the next turn is another address's.
      this.#lines.delete(address);
      this.#lines.set(address, line);
      this.#left(address, line);
      this.#pass(next);
      return true;
    }
    return false;
  }

  #turnAwayLate(): void {
    const before = this.#options.clock() - this.#options.seconds * 1000;
    for (const [address, line] of this.#lines) {
      // The oldest is first.
      for (let [first] = line; first !== undefined && first.since < before; [first] = line) {
        line.shift();
        this.#left(address, line);
        this.#refuse(first);
      }
    }
  }

  /** @param newest the line that the last to come is in */
  #turnAway(newest: string): void {
    const address = this.#lengths.longest(newest) ?? newest;
    const line = this.#lines.get(address);
    const last = line?.pop();
    if (line !== undefined && last !== undefined) {
      this.#left(address, line);
      this.#refuse(last);
    }
  }

  #refuse(waiting: Waiting): void {
    this.#options.turnedAway('crowded');
    if (waiting.isSilent) {
      waiting.socket.destroy();
    } else {
      this.#refused.add(waiting.socket);
      this.#pass(waiting);
    }
  }

  #pass({ socket, pass, release }: Waiting): void {
    release();
    if (!socket.destroyed) {
      pass(socket);
    }
  }
}

function costOf({ isSilent }: Arrival): number {
  return isSilent ? 1 : PLAIN_COST;
}

/** Holds what comes, so that its end is seen. `over` where there is one, or too much comes. Gives what puts it back. */
function hold(socket: Socket, over: () => void): () => void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > HELD) {
      over();
    }
  };
  socket.on('data', take).on('end', over).on('close', over).on('error', ignoreError).resume();
  return () => {
    socket.off('data', take).off('end', over).off('close', over).off('error', ignoreError).pause();
    if (bytes > 0) {
      socket.unshift(Buffer.concat(chunks));
    }
  };
}
