/**
 * The gateway's end of transfer URLs: PUT and GET of one file, over connections that are kept (DESIGN "Attachments").
 *
 * Memory per transfer is bounded whatever the size: an upload takes the next piece once the last one is under way, a
 * download is read as its reader takes it. A store that neither takes nor gives anything for `stallSeconds`, while it
 * is its turn, fails the transfer; a client that is slow does not.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import { activeSpan, bound, type Span, type SpanDetails, traced } from '@fosp/runtime';
import { type ConnectionsOptions, TransferConnections, wasClosedBefore } from './transfer-connections.ts';
import { Upload } from './transfer-upload.ts';

export interface TransferClientOptions extends ConnectionsOptions {
  /** Uploads up to this size are sent once more where the connection turns out to be closed. */
  readonly replayBytes: number;
  /** Told why a transfer failed; clients are told no more than that it did. */
  readonly failed: (error: unknown) => void;
  /** Told of bytes as they come, from clients or the store. */
  readonly passed: (bytes: number) => void;
}

/** What was sent. */
export interface Sent {
  readonly size: number;
  /** SHA-256, hex. */
  readonly checksum: string;
  /** MD5, hex, where it was asked for. */
  readonly md5: string | undefined;
  /** What the store's answer said for `commit`, where it said something. */
  readonly receipt: string | undefined;
}

export interface PutOptions {
  /** Bytes, where that is known. */
  readonly size: number | undefined;
  /** Whether the store asks for an MD5 as well. */
  readonly md5: boolean;
}

export class TransferClient {
  readonly #options: TransferClientOptions;
  readonly #connections: TransferConnections;

  constructor(options: TransferClientOptions) {
    this.#options = options;
    this.#connections = new TransferConnections(options);
  }

  /**
   * Sends a file. Rejects with what reading the body threw, `too-large` where the store says so,
   * or `unavailable` where it could not be stored.
   */
  put(url: string, body: AsyncIterable<Uint8Array>, options: PutOptions): Promise<Sent> {
    return traced(
      () => spanOf('PUT', url),
      () => this.#put(url, body, options),
    );
  }

  async #put(url: string, body: AsyncIterable<Uint8Array>, { size, md5 }: PutOptions): Promise<Sent> {
    const { replayBytes, passed } = this.#options;
    // Connections are kept: what happens on them belongs to whoever opened them, unless it is said otherwise.
    const failed = bound(this.#options.failed);
    const upload = new Upload({ connections: this.#connections, url, size, replayBytes, failed });
    const hash = createHash('sha256');
    const weakHash = md5 ? createHash('md5') : undefined;
    let sent = 0;
    try {
      for await (const piece of body) {
        hash.update(piece);
        weakHash?.update(piece);
        sent += piece.length;
        passed(piece.length);
        await upload.write(piece);
      }
      await upload.end();
    } catch (error) {
      upload.abort();
      throw error;
    }
    return { size: sent, checksum: hash.digest('hex'), md5: weakHash?.digest('hex'), receipt: upload.receipt };
  }

  /**
   * Asks for a file: its pieces, or `refused` where the URL does not hold any more. Rejects with `unavailable` where it
   * does not come. Breaking out of the body ends the transfer.
   */
  get(url: string, size: number): Promise<AsyncIterable<Uint8Array> | 'refused'> {
    const span = activeSpan()?.child(spanOf('GET', url));
    return this.#get({ url, size, span }, 'kept');
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
      throw isFospError(error) ? error : this.notRead(error);
    }
    const [first] = pieces;
    return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces, size);
  }

  /** What whoever asked for a file is told where it does not come; why, the log alone. */
  notRead(cause: unknown): FospError {
    this.#options.failed(cause);
    const headers = { 'Retry-After': '1' };
    return fospError('unavailable', 'The attachment could not be read now. Try again.', { headers, cause });
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#connections.close();
  }

  #get(wanted: Wanted, connection: 'kept' | 'own'): Promise<Download | 'refused'> {
    const { url, size, span } = wanted;
    const { promise, resolve, reject } = Promise.withResolvers<Download | 'refused'>();
    const notRead = bound((cause: unknown) => this.notRead(cause));
    let download: Download | undefined;
    const asked = { method: 'GET', url, headers: {}, connection } as const;
    const request = this.#connections.open(asked, () => download?.isAwaited ?? true);
    let isAnswered = false;
    request.on('error', (error) => {
      if (!isAnswered && wasClosedBefore(request, error)) {
        resolve(this.#get(wanted, 'own'));
      } else {
        endSpan(span, error);
        reject(notRead(error));
      }
    });
    request.on('response', (response) => {
      isAnswered = true;
      const announced = Number(response.headers['content-length'] ?? size);
      if (response.statusCode === 403) {
        response.resume();
        endSpan(span);
        resolve('refused');
        return;
      }
      if (response.statusCode !== 200 || announced !== size) {
        response.resume();
        const failure = new Error(`GET was answered ${response.statusCode}, ${announced} of ${size} bytes`);
        endSpan(span, failure);
        reject(notRead(failure));
        return;
      }
      download = new Download(response, this.#options.passed, span);
      resolve(download);
    });
    request.end();
    return promise;
  }
}

/** A file that is asked for. */
interface Wanted {
  readonly url: string;
  readonly size: number;
  /** Of all of its transfer, where that is traced. */
  readonly span: Span | undefined;
}

/** Which server alone: a transfer URL is a key to the file. */
function spanOf(method: 'GET' | 'PUT', url: string): SpanDetails {
  const { hostname, port } = new URL(url);
  const attributes = { 'http.request.method': method, 'server.address': hostname };
  return {
    name: method,
    kind: 'client',
    attributes: port === '' ? attributes : { ...attributes, 'server.port': Number(port) },
  };
}

function endSpan(span: Span | undefined, error?: unknown): void {
  if (error !== undefined) {
    span?.failed(error);
  }
  span?.end();
}

/** One GET whose response has begun. Ends with its last piece, or when it is put away, begun or not. */
class Download implements AsyncIterableIterator<Uint8Array> {
  /** Somebody waits for the next piece. */
  isAwaited = false;
  readonly #response: IncomingMessage;
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #passed: (bytes: number) => void;
  #span: Span | undefined;

  constructor(response: IncomingMessage, passed: (bytes: number) => void, span: Span | undefined) {
    this.#span = span;
    this.#response = response;
    this.#passed = passed;
    this.#pieces = response[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    this.isAwaited = true;
    const piece = await this.#pieces.next();
    this.isAwaited = false;
    if (piece.done === true) {
      this.#end();
    } else {
      this.#passed(piece.value.length);
    }
    return piece;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#response.destroy();
    this.#end();
    return { done: true, value: undefined };
  }

  #end(): void {
    this.#span?.end();
    this.#span = undefined;
  }
}
