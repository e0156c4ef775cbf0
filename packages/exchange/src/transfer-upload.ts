/**
 * One PUT under way. The answer may come at any time; a refusal that comes early ends the sending.
 *
 * What fits into `replayBytes` goes over a kept connection, and stays at hand until it is answered: where that connection
 * was closed already, all of it is sent once more. That the store may have taken it the first time does no harm: it is the
 * same file under the same key. What is larger, or of unknown size, goes over a connection of its own.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type FospError, fospError } from '@fosp/protocol';
import { type TransferConnections, wasClosedBefore } from './transfer-connections.ts';

export interface UploadOptions {
  readonly connections: TransferConnections;
  readonly url: string;
  /** Bytes, where that is known. */
  readonly size: number | undefined;
  readonly replayBytes: number;
  /** Told why it failed. */
  readonly failed: (error: unknown) => void;
}

export class Upload {
  readonly #options: UploadOptions;
  /** All that was sent, while it may have to be sent again. */
  #sent: Uint8Array[] | undefined;
  #request: ClientRequest;
  #failure: FospError | undefined;
  #isEnded = false;
  #isAnswered = false;
  #isAborted = false;
  #receipt: string | undefined;
  #wake: (() => void) | undefined;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#sent = options.size !== undefined && options.size <= options.replayBytes ? [] : undefined;
    this.#request = this.#open(this.#sent === undefined ? 'own' : 'kept');
  }

  /** Of the answer, once that has come. */
  get receipt(): string | undefined {
    return this.#receipt;
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#sent?.push(piece);
    if (this.#failure === undefined && !this.#request.write(piece)) {
      await this.#wait();
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /** Resolves once the store said that it has the file. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#request.end();
    while (!this.#isAnswered && this.#failure === undefined) {
      await this.#wait();
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  abort(): void {
    this.#isAborted = true;
    this.#request.destroy();
  }

  #open(connection: 'kept' | 'own'): ClientRequest {
    const { connections, url, size } = this.#options;
    const headers = size === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': size };
    const isStoresTurn = () => this.#wake !== undefined;
    const request = connections.open({ method: 'PUT', url, headers, connection }, isStoresTurn);
    request.on('drain', () => this.#proceed());
    request.on('error', (error) => this.#lost(request, error));
    request.on('response', (response) => this.#answered(response));
    return request;
  }

  #lost(request: ClientRequest, error: unknown): void {
    const sent = this.#sent;
    if (this.#failure !== undefined) {
      // It was refused already, and closed for it.
      return;
    }
    if (sent === undefined || this.#isAborted || this.#isAnswered || !wasClosedBefore(request, error)) {
      this.#notStored(error);
      return;
    }
    this.#sent = undefined;
    this.#request = this.#open('own');
    for (const piece of sent) {
      this.#request.write(piece);
    }
    if (this.#isEnded) {
      this.#request.end();
    } else {
      // No more than `replayBytes` wait to be sent.
      this.#proceed();
    }
  }

  #answered(response: IncomingMessage): void {
    response.resume();
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      this.#isAnswered = true;
      const receipt = response.headers['fosp-receipt'];
      this.#receipt = typeof receipt === 'string' ? receipt : undefined;
      this.#proceed();
    } else if (status === 413) {
      this.#fail(fospError('too-large', 'The attachment is larger than the file store takes.'));
    } else {
      this.#notStored(new Error(`PUT was answered ${status}`));
    }
  }

  #notStored(cause: unknown): void {
    // After an end of our own making the socket's complaint is no news.
    if (!this.#isAborted) {
      this.#options.failed(cause);
    }
    const headers = { 'Retry-After': '1' };
    this.#fail(fospError('unavailable', 'The attachment could not be stored now. Try again.', { headers, cause }));
  }

  #fail(failure: FospError): void {
    this.#failure ??= failure;
    this.#proceed();
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #proceed(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
