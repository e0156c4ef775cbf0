/** A client of the SDK, which comes back by itself, and tells no more of it than that there may be a gap. */
import { FospClient } from '@fosp/client';
import { isFospError } from '@fosp/protocol';
import { PASSWORD } from '@fosp/testkit';
import type { Book } from './book.ts';
import { type Client, FILE_PATIENCE, type Question, type Reply } from './client.ts';

/** Pauses of a client in a hurry; it never gives up. */
const RECONNECT = { baseMs: 50, capMs: 1_000, attempts: 1_000_000 };
const PIECE_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

export interface SdkClientOptions {
  readonly url: string;
  /** With the domain. */
  readonly user: string;
  readonly book: Book;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Whether files are sent in pieces where that is asked for. */
  readonly streams: boolean;
}

export class SdkClient implements Client {
  readonly user: string;
  readonly #client: FospClient;
  readonly #streams: boolean;
  readonly #listening: Promise<void>;

  private constructor(client: FospClient, options: SdkClientOptions) {
    this.user = options.user;
    this.#client = client;
    this.#streams = options.streams;
    this.#listening = listen(client, options);
  }

  static async open(options: SdkClientOptions): Promise<SdkClient> {
    const client = await FospClient.connect({
      url: options.url,
      credentials: { user: options.user, password: PASSWORD },
      reconnect: RECONNECT,
      requestTimeoutMs: FILE_PATIENCE,
    });
    return new SdkClient(client, options);
  }

  async ask(question: Question): Promise<Reply> {
    try {
      return await this.#ask(question);
    } catch (error) {
      if (!isFospError(error)) {
        throw error;
      }
      // No request here is for another domain: the SDK says so of its own connection.
      return error.code === 'unreachable'
        ? { kind: 'lost', why: error.message, isUndone: false }
        : { kind: 'refused', status: error.status, message: error.message };
    }
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#listening;
  }

  async #ask({ type, resource, body, ifMatch, fileName, isStreamed }: Question): Promise<Reply> {
    const condition = ifMatch === undefined ? {} : { ifMatch };
    const text = typeof body === 'string' ? body : '';
    switch (type) {
      case 'SELECT': {
        const { text: found, etag } = await this.#client.select(resource);
        return { kind: 'done', body: Buffer.from(found), etag, fileName: undefined };
      }
      case 'CREATE':
        await this.#client.create(resource, text, condition);
        return DONE;
      case 'UPDATE':
        await this.#client.update(resource, text, condition);
        return DONE;
      case 'DELETE':
        await this.#client.delete(resource, condition);
        return DONE;
      case 'LIST':
        return { ...DONE, body: Buffer.from(JSON.stringify(await Array.fromAsync(this.#client.list(resource)))) };
      case 'READ': {
        const { body: pieces, etag, fileName: name } = await this.#client.read(resource);
        return { kind: 'done', body: Buffer.concat(await Array.fromAsync(pieces)), etag, fileName: name };
      }
      case 'WRITE': {
        const bytes = body instanceof Uint8Array ? body : NO_BYTES;
        const options = { ...condition, ...(fileName === undefined ? {} : { fileName }) };
        await this.#client.write(resource, isStreamed && this.#streams ? inPieces(bytes) : bytes, options);
        return DONE;
      }
      default:
        throw new Error(`The load does not send ${type}`);
    }
  }
}

const DONE = { kind: 'done', body: NO_BYTES, etag: undefined, fileName: undefined } as const;

/** From gap to gap is one connection, as far as can be told from outside. */
async function listen(client: FospClient, { book, user, now }: SdkClientOptions): Promise<void> {
  let window = book.open(user);
  window.since = now();
  for await (const event of client.notifications()) {
    if (event.kind === 'gap') {
      book.closed(window, 'seen by the SDK', now());
      window = book.open(user);
      window.since = now();
    } else {
      book.told(window, event, now());
    }
  }
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
  }
}
