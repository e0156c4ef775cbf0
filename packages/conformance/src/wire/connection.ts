/**
 * One WebSocket to the server under test, in plain text. A response is awaited by its sequence number, notifications go
 * to listeners. Everything that comes is checked by `strict.ts`: a faulty response fails whoever awaits it, any other
 * fault (a notification, an answer to nothing, a second answer) is kept in `faults` until the end of the case.
 */
import WebSocket from 'ws';
import { Failure } from '../expect.ts';
import type { Log } from './log.ts';
import {
  describe,
  encodeRequest,
  type Frame,
  type Notice,
  parseIncoming,
  type Reply,
  type RequestParts,
} from './message.ts';
import { noticeFaults, replyFaults } from './strict.ts';

export interface ConnectionOptions {
  readonly log: Log;
  /** How long an awaited response, notification or close may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Between servers, which name users in headers. */
  readonly isLink?: boolean;
}

export interface RequestOptions extends RequestParts {
  readonly sequence?: number;
  readonly frame?: Frame;
  readonly log?: Log;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

interface Waiter {
  readonly sequences: readonly number[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  readonly socket: WebSocket;
  readonly closed: Promise<Closing>;
  /** Extensions in force, as negotiated by CONNECT. */
  readonly extensions = new Set<string>();
  /** Do not complain about answers that nobody awaits: for cases that send what they cannot predict. */
  lenient = false;
  readonly #options: ConnectionOptions;
  readonly #types = new Map<number, string[]>();
  /** In the order of asking. */
  readonly #waiting = new Set<Waiter>();
  readonly #early = new Map<number, Reply[]>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #faults: string[] = [];
  #sequence = 0;
  #closing: Closing | undefined;

  /** Takes over a socket that is open, or about to open. */
  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.socket = socket;
    this.#options = options;
    socket.on('message', (data, binary) => this.#receive(asBuffer(data), binary ? 'binary' : 'text'));
    socket.on('error', (error) => this.#options.log.add(`  ! ${error.message}`));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#closing = { code, reason: reason.toString() };
        this.#options.log.add(`  < close ${code} ${this.#closing.reason}`);
        for (const waiter of this.#waiting) waiter.reject(this.#lost());
        resolve(this.#closing);
      });
    });
  }

  get isOpen(): boolean {
    return this.#closing === undefined && this.socket.readyState === WebSocket.OPEN;
  }

  /** A sequence number that this connection has not used yet. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Sends bytes as they are, as one message, or as the first fragment of one. */
  send(message: string | Buffer, options: { frame?: Frame; fin?: boolean } = {}): void {
    this.#options.log.add(`  > ${printable(message)}`);
    const [, type, sequence] = /^([A-Z]+) \S+ ([0-9]{1,16})\r\n/.exec(printable(message, '\r\n')) ?? [];
    if (type !== undefined) this.#expect(type, Number(sequence));
    this.#write(message, options);
  }

  /** Sends a request and awaits its response. Nobody has to await it: a failure is not an unhandled rejection. */
  request(type: string, resource: string, options: RequestOptions = {}): Promise<Reply> {
    const reply = this.#request(type, resource, options);
    reply.catch(() => undefined);
    return reply;
  }

  /** The next response with one of these sequence numbers, whether it came already or is still to come. */
  response(...sequences: readonly number[]): Promise<Reply> {
    const reply = this.#response(sequences);
    reply.catch(() => undefined);
    return reply;
  }

  /** Calls back for each notification until the returned function is called. */
  listen(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Awaits the close and returns it. */
  async closing(timeoutMs = this.#options.timeoutMs): Promise<Closing> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Failure(`a close within ${timeoutMs} ms`, 'an open connection')), timeoutMs);
    });
    try {
      return await Promise.race([this.closed, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.socket.close(1000);
    await this.closing(1000).catch(() => this.destroy());
  }

  /** Cuts the connection without a close frame. */
  destroy(): void {
    this.socket.terminate();
  }

  /** What the server sent that it may not send, and answers that nobody awaited. Empties the list. */
  takeFaults(): string[] {
    const unclaimed = this.lenient ? [] : [...this.#early.values()].flat();
    this.#early.clear();
    return [
      ...this.#faults.splice(0),
      ...unclaimed.map((reply) => `an answer that no request awaits: ${describe(reply)}`),
    ];
  }

  async #response(sequences: readonly number[]): Promise<Reply> {
    for (const sequence of sequences) {
      const early = this.#early.get(sequence)?.shift();
      if (early) return this.#judged(early);
    }
    if (!this.isOpen) throw this.#lost();
    const { timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const forget = () => {
        clearTimeout(late);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        sequences,
        resolve(reply) {
          forget();
          resolve(reply);
        },
        reject(error) {
          forget();
          reject(error);
        },
      };
      const late = setTimeout(
        () => waiter.reject(new Failure(`a response to ${sequences.join(' or ')} within ${timeoutMs} ms`, 'nothing')),
        timeoutMs,
      );
      this.#waiting.add(waiter);
    });
  }

  async #request(type: string, resource: string, options: RequestOptions): Promise<Reply> {
    if (!this.isOpen) throw this.#lost();
    const sequence = options.sequence ?? this.nextSequence();
    const startLine = `${type} ${resource} ${sequence}`;
    const log = options.log ?? this.#options.log;
    log.add(`  > ${printable(encodeRequest(startLine, type === 'WRITE' ? { headers: options.headers } : options))}`);
    this.#expect(type, sequence);
    const answer = this.response(sequence);
    this.#write(encodeRequest(startLine, options), { frame: options.frame ?? (type === 'WRITE' ? 'binary' : 'text') });
    const reply = await answer;
    log.add(`  < ${describe(reply)}`);
    return reply;
  }

  #expect(type: string, sequence: number): void {
    this.#types.set(sequence, [...(this.#types.get(sequence) ?? []), type]);
  }

  #write(message: string | Buffer, { frame = 'text', fin = true }: { frame?: Frame; fin?: boolean }): void {
    if (!this.isOpen) throw this.#lost();
    this.socket.send(message, { binary: frame === 'binary', fin, compress: false }, () => undefined);
  }

  #receive(data: Buffer, frame: Frame): void {
    const message = parseIncoming(data, frame, this.#options);
    if (message.kind === 'notification') {
      this.#options.log.add(`  < ${describe(message)}`);
      this.#faults.push(...noticeFaults(message, this.extensions).map((fault) => `${fault}: ${describe(message)}`));
      for (const listener of this.#listeners) listener(message);
      return;
    }
    if (message.kind === 'unreadable') {
      this.#faults.push(...message.faults);
      return;
    }
    const waiter = [...this.#waiting].find(({ sequences }) => sequences.includes(message.sequence));
    if (!waiter) {
      this.#early.set(message.sequence, [...(this.#early.get(message.sequence) ?? []), message]);
      return;
    }
    try {
      waiter.resolve(this.#judged(message));
    } catch (error) {
      waiter.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #judged(reply: Reply): Reply {
    const request = this.#types.get(reply.sequence)?.shift();
    const [fault] = replyFaults(reply, { request, extensions: this.extensions });
    if (fault !== undefined)
      throw new Failure(`${request ?? 'a request'} answered as PROTOCOL says`, `${fault}: ${describe(reply)}`);
    return reply;
  }

  #lost(): Failure {
    const { code, reason } = this.#closing ?? { code: 0, reason: 'not open' };
    return new Failure('an open connection', `a close with ${code} ${reason}`);
  }
}

function asBuffer(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function printable(message: string | Buffer, lineEnd = ' ⏎ '): string {
  const text = typeof message === 'string' ? message.slice(0, 500) : message.subarray(0, 500).toString();
  return text.replaceAll('\r\n', lineEnd);
}
