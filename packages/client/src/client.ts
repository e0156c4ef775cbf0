import { CLOSE_CODES, closeCodeOf, type PeerResponse, type RequestOptions } from '@fosp/connection';
import { fospError, type Headers, isFospError, parseResourceId, type RequestType } from '@fosp/protocol';
import { errorOf, parsed, textBody } from './answers.ts';
import { type ClientEvent, clientEvent, NotificationQueue } from './notifications.ts';
import { type Body, bodyText, type Condition, conditionHeaders, type FospObject, type Selected } from './objects.ts';
import {
  type ClientOptions,
  type Credentials,
  DEFAULT_NOTIFICATION_QUEUE,
  DEFAULT_REQUEST_TIMEOUT_MS,
} from './options.ts';
import type { ServerInfo } from './server-info.ts';
import { Session } from './session.ts';
import { type Download, downloadOf, measured, once, type UploadOptions, uploadHeaders } from './transfers.ts';

/** What changes nothing, and so may be asked again. */
const READS: readonly RequestType[] = ['SELECT', 'LIST', 'READ'];
interface Question extends RequestOptions {
  /** Its body cannot be sent again. */
  readonly isOnce?: boolean;
}

/** Names of children asked for at once. */
const PAGE = 1000;

/**
 * A user's place at a FOSP server. Requests may be made at any time; they reject with the server's FospError.
 *
 * The connection is kept open, and opened again when it is lost. Requests made meanwhile wait for it. What was in flight is
 * asked again where it changes nothing (SELECT, LIST, READ), and where the server restarts and says that it did not take it
 * in (close code 1012), in the order in which it was asked. Else it is rejected with `unreachable`: it may have had its effect
 * or not. What that means for notifications, see there.
 */
export class FospClient {
  readonly #session: Session;
  readonly #queues = new Set<NotificationQueue>();
  readonly #options: ClientOptions;
  readonly #timeoutMs: number;
  #ended: { readonly reason: Error | undefined } | undefined;

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#session = new Session(options, {
      notification: (head, body) => this.#tell(clientEvent(head, body)),
      gap: () => this.#tell({ kind: 'gap' }),
      ended: (reason) => this.#end(reason),
    });
  }

  /** Connects, and logs in where credentials are given. Rejects with the reason: `unreachable`, `unauthenticated`, … */
  static async connect(options: ClientOptions): Promise<FospClient> {
    const client = new FospClient(options);
    try {
      await client.#session.opened();
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** The logged-in user, `name@domain`. */
  get user(): string | undefined {
    return this.#session.user;
  }

  /** Logs in again without the password (extension `resume`); keep it as secret as one. */
  get token(): string | undefined {
    return this.#session.token;
  }

  /** Whether there is a connection at this moment. */
  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  get server(): ServerInfo {
    return this.#session.server;
  }

  /** Creates an account and its tree. Does not log in. */
  async register(name: string, password: string): Promise<void> {
    await this.#ask('REGISTER', undefined, { body: JSON.stringify({ name, password }) });
  }

  /** Logs in; gives the user's full name. */
  async authenticate(credentials: Credentials): Promise<string> {
    return await this.#session.authenticate(credentials);
  }

  /** Changes the password (extension `password`). Other connections of the user end, and all tokens, `token` too. */
  async changePassword(old: string, password: string): Promise<void> {
    await this.#ask('REGISTER', undefined, { body: JSON.stringify({ old, password }) });
    this.#session.passwordChanged(password);
  }

  async select(resource: string, condition: Condition = {}): Promise<Selected> {
    const response = await this.#ask('SELECT', resource, { headers: conditionHeaders(condition) });
    const text = textBody(response);
    return { text, value: parsed<FospObject>(text), etag: response.head.headers['ETag'] };
  }

  async create(resource: string, object: Body = {}, condition: Condition = {}): Promise<void> {
    await this.#ask('CREATE', resource, { headers: conditionHeaders(condition), body: bodyText(object) });
  }

  /** Merges `changes` into the object (RFC 7396): `null` removes. */
  async update(resource: string, changes: Body, condition: Condition = {}): Promise<void> {
    await this.#ask('UPDATE', resource, { headers: conditionHeaders(condition), body: bodyText(changes) });
  }

  /** Removes the object with all below it. */
  async delete(resource: string, condition: Condition = {}): Promise<void> {
    await this.#ask('DELETE', resource, { headers: conditionHeaders(condition) });
  }

  /** The names of the children, in byte order; page by page where the server offers that. */
  async *list(resource: string): AsyncIterable<string> {
    await this.#session.opened();
    const paged = this.server.extensions.includes('page');
    let after: string | undefined;
    do {
      const headers: Headers = {
        ...(paged ? { Limit: String(PAGE) } : {}),
        ...(after === undefined ? {} : { After: after }),
      };
      const response = await this.#ask('LIST', resource, { headers });
      yield* parsed<string[]>(textBody(response));
      after = response.head.headers['Next'];
    } while (after !== undefined);
  }

  /** The file of an object. Its bytes come as they are taken from `body`. */
  async read(resource: string, condition: Condition = {}): Promise<Download> {
    return downloadOf(await this.#ask('READ', resource, { headers: conditionHeaders(condition), stream: true }));
  }

  /**
   * Replaces the file of an object. A body that ends early or fails leaves the old file; as a message that has begun cannot
   * be taken back, it costs the connection too, which is then opened again.
   */
  async write(
    resource: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    options: UploadOptions = {},
  ): Promise<void> {
    await this.#session.opened();
    const limit = this.server.limits.attachment;
    const whole = body instanceof Uint8Array;
    const total = whole ? body.length : options.size;
    if (total !== undefined && total > limit) {
      throw fospError('too-large', `The file has ${total} bytes, the server takes ${limit}.`);
    }
    const { onProgress } = options;
    const measures = { limit, total, onProgress };
    const headers = uploadHeaders(options);
    if (!whole) {
      await this.#ask('WRITE', resource, { headers, body: measured(body, measures), isOnce: true });
    } else if (onProgress === undefined) {
      await this.#ask('WRITE', resource, { headers, body });
    } else {
      const pieces = { [Symbol.asyncIterator]: () => measured(once(body), measures)[Symbol.asyncIterator]() };
      await this.#ask('WRITE', resource, { headers, body: pieces });
    }
  }

  /**
   * Notifications from now on, in the order of each tree, over all reconnections. A `gap` says that something may have been
   * missed, and that whatever was derived from earlier events is to be looked up again. Ends with the client, or when the
   * loop is left.
   */
  notifications(): AsyncIterableIterator<ClientEvent> {
    const queue = new NotificationQueue(this.#options.notificationQueue ?? DEFAULT_NOTIFICATION_QUEUE, (left) =>
      this.#queues.delete(left),
    );
    if (this.#ended === undefined) {
      this.#queues.add(queue);
    } else {
      queue.end(this.#ended.reason);
    }
    return queue;
  }

  /** Closes the connection and ends all iterators. */
  close(): void {
    this.#session.close();
  }

  async #ask(type: RequestType, resource: string | undefined, question: Question): Promise<PeerResponse> {
    const { isOnce = false, ...options } = question;
    const target = resource === undefined ? undefined : parseResourceId(resource);
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      const peer = await this.#session.opened(Math.max(1, deadline - performance.now()));
      if (!peer.isOpen) {
        // It closed while this was woken: nothing was sent yet.
        continue;
      }
      const timeoutMs = Math.max(1, deadline - performance.now());
      try {
        const response = await peer.request(type, target, { timeoutMs, ...options });
        if (response.head.type === 'SUCCEEDED') {
          return response;
        }
        throw errorOf(response);
      } catch (error) {
        const wasLost = !peer.isOpen && isFospError(error) && error.code === 'unreachable';
        const isUndone = READS.includes(type) || closeCodeOf(error) === CLOSE_CODES.restart.code;
        if (!wasLost || !isUndone || isOnce || performance.now() >= deadline) {
          throw error;
        }
      }
    }
  }

  #tell(event: ClientEvent): void {
    for (const queue of this.#queues) {
      queue.push(event);
    }
  }

  #end(reason: Error | undefined): void {
    this.#ended = { reason };
    for (const queue of this.#queues) {
      queue.end(reason);
    }
    this.#queues.clear();
  }
}
