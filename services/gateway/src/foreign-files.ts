/**
 * The gateway's end of transfers across domains: one GET or PUT of the URL that the federation service gave out, whose
 * answer is the other domain's response: `fosp-status`, `fosp-headers` (JSON) and the body.
 *
 * Memory per transfer is bounded whatever the size: the next piece is sent once the last one is under way, and the answer is
 * read as its reader takes it. A federation service that neither takes nor gives anything for `stallSeconds`, while it is
 * its turn, fails the transfer; a client that is slow does not.
 */
import * as http from 'node:http';
import { type FospError, fospError, type Headers, isHeaderValue, NO_HEADERS } from '@fosp/protocol';

export interface ForeignFilesOptions {
  readonly stallSeconds: number;
  /** Idle connections kept for the next transfer. */
  readonly idleConnections: number;
  /** Told why a transfer failed; clients are told no more than that it did. */
  readonly failed: (error: unknown) => void;
  /** Bytes that went to another domain, or came from it. */
  readonly moved: (direction: 'up' | 'down', bytes: number) => void;
  /** Told of bytes as they come, from clients or the federation service. */
  readonly passed: (bytes: number) => void;
}

/** The response of the other domain. Its body is iterated once; breaking out of it ends the transfer. */
export interface ForeignAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Bytes of the body, where known. */
  readonly size: number | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

export class ForeignFiles {
  readonly #options: ForeignFilesOptions;
  readonly #agent: http.Agent;

  constructor(options: ForeignFilesOptions) {
    this.#options = options;
    this.#agent = new http.Agent({ keepAlive: true, maxFreeSockets: options.idleConnections, scheduling: 'lifo' });
  }

  /** Rejects with `bad-gateway` where no response came. */
  get(url: string): Promise<ForeignAnswer> {
    const transfer = this.#begin('GET', url, {});
    transfer.request.end();
    return transfer.answered;
  }

  /**
   * Sends a file; `size` in bytes, where known. A response that comes before its end is all there is: the rest is not sent.
   * Rejects with what reading the body threw, or `bad-gateway`.
   */
  async put(url: string, body: AsyncIterable<Uint8Array>, size: number | undefined): Promise<ForeignAnswer> {
    const headers = size === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': size };
    const transfer = this.#begin('PUT', url, headers);
    try {
      for await (const piece of body) {
        this.#options.moved('up', piece.length);
        this.#options.passed(piece.length);
        if (!(await transfer.send(piece))) {
          return await transfer.answered;
        }
      }
      transfer.request.end();
    } catch (error) {
      transfer.abort();
      throw error;
    }
    return transfer.answered;
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }

  #begin(method: 'GET' | 'PUT', url: string, headers: http.OutgoingHttpHeaders): ForeignTransfer {
    const timeout = this.#options.stallSeconds * 1000;
    const request = http.request(url, { method, headers, agent: this.#agent, timeout });
    return new ForeignTransfer(request, this.#options);
  }
}

/** One request under way. */
class ForeignTransfer {
  readonly request: http.ClientRequest;
  readonly answered: Promise<ForeignAnswer>;
  readonly #options: ForeignFilesOptions;
  #isOver = false;
  #isAborted = false;
  /** Whoever waits until more can be sent. */
  #proceed: (() => void) | undefined;
  /** The reader of the answer waits for more of it. */
  #isRead = true;

  constructor(request: http.ClientRequest, options: ForeignFilesOptions) {
    this.request = request;
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<ForeignAnswer>();
    this.answered = promise;
    // Who sends a body asks for it after that.
    promise.catch(() => {});
    request.on('drain', () => this.#proceed?.());
    request.on('timeout', () => this.#silent(options.stallSeconds));
    request.on('error', (error) => {
      reject(this.#broken(error));
      this.#end();
    });
    request.on('response', (response) => {
      const answer = this.#read(response);
      if (answer === undefined) {
        response.resume();
        reject(this.#broken(new Error(`${request.method} was answered ${response.statusCode}, not by another domain`)));
      } else {
        resolve(answer);
      }
      this.#end();
    });
  }

  /** Resolves once the next piece may follow; with false where none is wanted any more. */
  async send(piece: Uint8Array): Promise<boolean> {
    if (!this.#isOver && !this.request.write(piece)) {
      await new Promise<void>((resolve) => {
        this.#proceed = resolve;
      });
      this.#proceed = undefined;
    }
    return !this.#isOver;
  }

  abort(): void {
    this.#isAborted = true;
    this.request.destroy();
  }

  #end(): void {
    this.#isOver = true;
    this.#proceed?.();
  }

  #silent(stallSeconds: number): void {
    const isOurTurn = this.#isOver ? !this.#isRead : !this.request.writableEnded && this.#proceed === undefined;
    if (isOurTurn) {
      this.request.setTimeout(stallSeconds * 1000);
    } else {
      this.request.destroy(new Error(`the federation service did nothing for ${stallSeconds} s`));
    }
  }

  #read(response: http.IncomingMessage): ForeignAnswer | undefined {
    const status = Number(response.headers['fosp-status']);
    const headers = headersOf(response.headers['fosp-headers']);
    if (!Number.isInteger(status) || status < 200 || status > 599 || headers === undefined) {
      return undefined;
    }
    const length = response.headers['content-length'];
    return { status, headers, size: length === undefined ? undefined : Number(length), body: this.#pieces(response) };
  }

  async *#pieces(response: http.IncomingMessage): AsyncIterable<Uint8Array> {
    const pieces = response[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#isRead = true;
        const { done, value } = await pieces.next();
        this.#isRead = false;
        if (done === true) {
          return;
        }
        this.#options.passed(value.length);
        if (response.headers['fosp-status'] === '200') {
          this.#options.moved('down', value.length);
        }
        yield value;
      }
    } catch (error) {
      throw this.#broken(error);
    } finally {
      // Also where it was sent before the whole request was: then the connection is of no more use.
      if (!response.complete || !this.request.writableFinished) {
        this.abort();
      }
    }
  }

  #broken(cause: unknown): FospError {
    // After an end of our own making the socket's complaint is no news.
    if (!this.#isAborted) {
      this.#options.failed(cause);
    }
    return fospError('bad-gateway', 'The transfer to or from the other domain broke off.', { cause });
  }
}

/** Undefined where they are none. Those that could not be sent on are left out. */
export function headersOf(text: string | string[] | undefined): Headers | undefined {
  if (text === '{}') {
    return NO_HEADERS;
  }
  try {
    const parsed: unknown = JSON.parse(String(text ?? '{}'));
    if (typeof parsed !== 'object' || parsed === null) {
      return undefined;
    }
    const entries = Object.entries(parsed).filter(([, value]) => typeof value === 'string' && isHeaderValue(value));
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}
