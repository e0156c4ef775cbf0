/**
 * The gateway's end of transfer URLs: PUT and GET of one file, over connections that are kept (DESIGN "Attachments").
 *
 * Memory per transfer is bounded whatever the size: an upload takes the next piece once the last one is under way, a
 * download is read as its reader takes it. A store that neither takes nor gives anything for `stallSeconds`, while it
 * is its turn, fails the transfer; a client that is slow does not.
 */
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { type FospError, fospError, isFospError } from '@fosp/protocol';

export interface TransferClientOptions {
  readonly stallSeconds: number;
  /** Idle connections kept for the next transfer. */
  readonly idleConnections: number;
  /** Told why a transfer failed; clients are told no more than that it did. */
  readonly failed: (error: unknown) => void;
}

/** What was sent. */
export interface Sent {
  readonly size: number;
  /** SHA-256, hex. */
  readonly checksum: string;
  /** MD5, hex, where it was asked for. */
  readonly md5: string | undefined;
}

export interface PutOptions {
  /** Bytes, where that is known. */
  readonly size: number | undefined;
  /** Whether the store asks for an MD5 as well. */
  readonly md5: boolean;
}

export class TransferClient {
  readonly #options: TransferClientOptions;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(options: TransferClientOptions) {
    const agent = { keepAlive: true, maxFreeSockets: options.idleConnections, scheduling: 'lifo' } as const;
    this.#options = options;
    this.#plain = new http.Agent(agent);
    this.#secure = new https.Agent(agent);
  }

  /**
   * Sends a file. Rejects with what reading the body threw, `too-large` where the store says so,
   * or `unavailable` where it could not be stored.
   */
  async put(url: string, body: AsyncIterable<Uint8Array>, { size, md5 }: PutOptions): Promise<Sent> {
    const headers = size === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': size };
    const upload = new Upload(this.#request('PUT', url, headers), this.#options);
    const hash = createHash('sha256');
    const weakHash = md5 ? createHash('md5') : undefined;
    let sent = 0;
    try {
      for await (const piece of body) {
        hash.update(piece);
        weakHash?.update(piece);
        sent += piece.length;
        await upload.write(piece);
      }
      await upload.end();
    } catch (error) {
      upload.abort();
      throw error;
    }
    return { size: sent, checksum: hash.digest('hex'), md5: weakHash?.digest('hex') };
  }

  /**
   * Asks for a file: its pieces, or `refused` where the URL does not hold any more. Rejects with `unavailable` where it
   * does not come. Breaking out of the body ends the transfer.
   */
  get(url: string, size: number): Promise<AsyncIterable<Uint8Array> | 'refused'> {
    const { promise, resolve, reject } = Promise.withResolvers<AsyncIterable<Uint8Array> | 'refused'>();
    const request = this.#request('GET', url, {});
    let download: Download | undefined;
    failWhenStalled(request, this.#options.stallSeconds, () => download?.isAwaited ?? true);
    request.on('error', (error) => reject(this.#notRead(error)));
    request.on('response', (response) => {
      const announced = Number(response.headers['content-length'] ?? size);
      if (response.statusCode === 403) {
        response.resume();
        resolve('refused');
        return;
      }
      if (response.statusCode !== 200 || announced !== size) {
        response.resume();
        reject(this.#notRead(new Error(`GET was answered ${response.statusCode}, ${announced} of ${size} bytes`)));
        return;
      }
      download = new Download(response);
      resolve(download);
    });
    request.end();
    return promise;
  }

  /** Like `get`, for a file small enough to be held whole. */
  async getWhole(url: string, size: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      const body = await this.get(url, size);
      if (body === 'refused') {
        throw new Error('the transfer URL was refused');
      }
      for await (const piece of body) {
        pieces.push(piece);
        length += piece.length;
      }
      if (length !== size) {
        throw new Error(`GET gave ${length} of ${size} bytes`);
      }
    } catch (error) {
      throw isFospError(error) ? error : this.#notRead(error);
    }
    const [first] = pieces;
    return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces, size);
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #notRead(cause: unknown): FospError {
    this.#options.failed(cause);
    return fospError('unavailable', 'The attachment could not be read now. Try again.', { headers: RETRY, cause });
  }

  #request(method: 'GET' | 'PUT', url: string, headers: http.OutgoingHttpHeaders): http.ClientRequest {
    return url.startsWith('https:')
      ? https.request(url, { method, headers, agent: this.#secure, timeout: this.#options.stallSeconds * 1000 })
      : http.request(url, { method, headers, agent: this.#plain, timeout: this.#options.stallSeconds * 1000 });
  }
}

/** One PUT under way. The answer may come at any time; a refusal that comes early ends the sending. */
class Upload {
  readonly #request: http.ClientRequest;
  readonly #options: TransferClientOptions;
  #failure: FospError | undefined;
  #isAnswered = false;
  #isAborted = false;
  #wake: (() => void) | undefined;

  constructor(request: http.ClientRequest, options: TransferClientOptions) {
    this.#request = request;
    this.#options = options;
    failWhenStalled(request, options.stallSeconds, () => this.#wake !== undefined);
    request.on('drain', () => this.#proceed());
    request.on('error', (error) => this.#notStored(error));
    request.on('response', (response) => this.#answered(response));
  }

  async write(piece: Uint8Array): Promise<void> {
    if (this.#failure === undefined && !this.#request.write(piece)) {
      await this.#wait();
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /** Resolves once the store said that it has the file. */
  async end(): Promise<void> {
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

  #answered(response: http.IncomingMessage): void {
    response.resume();
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) {
      this.#isAnswered = true;
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
    this.#fail(
      fospError('unavailable', 'The attachment could not be stored now. Try again.', { headers: RETRY, cause }),
    );
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

/** One GET whose response has begun. Ends with its last piece, or when it is put away, begun or not. */
class Download implements AsyncIterableIterator<Uint8Array> {
  /** Somebody waits for the next piece. */
  isAwaited = false;
  readonly #response: http.IncomingMessage;
  readonly #pieces: AsyncIterator<Uint8Array>;

  constructor(response: http.IncomingMessage) {
    this.#response = response;
    this.#pieces = response[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.isAwaited = true;
    const piece = await this.#pieces.next();
    this.isAwaited = false;
    return piece;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#response.destroy();
    return { done: true, value: undefined };
  }
}

/** Silence while the client is what we wait for is none of the store's doing. */
function failWhenStalled(request: http.ClientRequest, seconds: number, isStoresTurn: () => boolean): void {
  request.on('timeout', () => {
    if (isStoresTurn()) {
      request.destroy(new Error(`the file store did nothing for ${seconds} s`));
    } else {
      request.setTimeout(seconds * 1000);
    }
  });
}

const RETRY = { 'Retry-After': '1' };
