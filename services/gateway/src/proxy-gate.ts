/**
 * Stands before the public servers where load balancers do (`FOSP_PROXIES`): a connection from one of their networks must
 * begin with a PROXY protocol header, which comes before TLS and before HTTP; its source is the client's address from then on.
 * Connections from anywhere else pass as they are, and no header of theirs is looked for.
 *
 * Lifecycle of a connection: its header is read by us; then what came behind it is put back, and it passes (`front.ts`).
 *
 * Invariant: a socket of a balancer's is either waiting, bounded in number and time, or announced, or destroyed.
 */
import type { Socket } from 'node:net';
import type { Networks } from '@fosp/runtime';
import { plainAddress } from './client-address.ts';
import { type Gate, ignoreError, type Pass } from './front.ts';
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts';

export interface ProxyRefusal {
  readonly reason: 'proxy-malformed' | 'proxy-late' | 'proxy-cut';
  /** The balancer's address. */
  readonly proxy: string;
  /** Of the header, in words; nothing of what came. */
  readonly mistake: string;
}

export interface ProxyGateOptions {
  readonly proxies: Networks;
  /** From the connection to the last byte of its header. */
  readonly headerSeconds: number;
  /** Whether one more connection may wait for its header, beside so many that do. */
  readonly mayWait: (waiting: number) => boolean;
  readonly turnedAway: (reason: string) => void;
  readonly refused: (refusal: ProxyRefusal) => void;
}

type WholeHeader = Extract<ProxyHeader, { length: number }>;

const NOTHING = Buffer.alloc(0);

export class ProxyGate implements Gate {
  readonly #options: ProxyGateOptions;
  readonly #waiting = new Set<Socket>();
  /**
   * Clients of the open connections of balancers. A TLS socket is another object than the one it runs over and does not tell
   * it; both know between which addresses and ports they run, and no two open connections share these.
   */
  readonly #clients = new Map<string, { readonly address: string }>();
  #closed = false;

  constructor(options: ProxyGateOptions) {
    this.#options = options;
  }

  /** Connections whose header is not whole yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Open connections whose header was taken. */
  get announced(): number {
    return this.#clients.size;
  }

  /** Whose connection this is; undefined where nothing can be said, since it is over. Also of a TLS socket. */
  clientOf(socket: Socket): string | undefined {
    const { remoteAddress } = socket;
    const client = this.#clients.get(placeOf(socket));
    if (client !== undefined || remoteAddress === undefined) {
      return client?.address;
    }
    return this.#options.proxies.has(remoteAddress) ? undefined : plainAddress(remoteAddress);
  }

  take(socket: Socket, pass: Pass): void {
    const { proxies, mayWait, turnedAway } = this.#options;
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#closed) {
      socket.destroy();
    } else if (!proxies.has(remoteAddress)) {
      pass(socket);
    } else if (mayWait(this.#waiting.size)) {
      this.#wait(socket, pass);
    } else {
      turnedAway('full');
      socket.destroy();
    }
  }

  /** What waits is destroyed, and so is what comes. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#waiting) {
      socket.destroy();
    }
  }

  #wait(socket: Socket, pass: Pass): void {
    const { headerSeconds } = this.#options;
    let bytes: Buffer = NOTHING;
    const stop = () => {
      clearTimeout(timer);
      this.#waiting.delete(socket);
      socket.off('data', take).off('end', cut).off('close', cut);
    };
    const refuse = (reason: ProxyRefusal['reason'], mistake: string) => {
      stop();
      this.#refuse(socket, reason, mistake);
    };
    const take = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (header.kind === 'malformed') {
        refuse('proxy-malformed', header.mistake);
      } else if (header.kind !== 'incomplete') {
        stop();
        socket.off('error', ignoreError);
        this.#announce(socket, header);
        socket.pause();
        if (bytes.length > header.length) {
          socket.unshift(bytes.subarray(header.length));
        }
        pass(socket);
      }
    };
    const cut = () => {
      if (bytes.length > 0) {
        refuse('proxy-cut', 'the connection ended within it');
      } else {
        // Somebody looked whether the port is open.
        stop();
        socket.destroy();
      }
    };
    const late = () => refuse('proxy-late', `it was not whole after ${headerSeconds} s`);
    const timer = setTimeout(late, headerSeconds * 1000);
    this.#waiting.add(socket);
    socket.on('data', take).on('end', cut).on('close', cut).on('error', ignoreError);
  }

  #announce(socket: Socket, header: WholeHeader): void {
    const place = placeOf(socket);
    const client = { address: header.kind === 'client' ? header.address : plainAddress(socket.remoteAddress ?? '') };
    this.#clients.set(place, client);
    socket.once('close', () => {
      // The place may be another connection's by now.
      if (this.#clients.get(place) === client) {
        this.#clients.delete(place);
      }
    });
  }

  #refuse(socket: Socket, reason: ProxyRefusal['reason'], mistake: string): void {
    const proxy = plainAddress(socket.remoteAddress ?? '');
    socket.destroy();
    if (!this.#closed) {
      this.#options.refused({ reason, proxy, mistake });
    }
  }
}

function placeOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
