/**
 * A FOSP client for tests: requests with their responses, notifications in a queue. It parses messages by its own few lines,
 * so that a mistake in our codec is not answered by the same mistake here.
 */
import type { EventType, RequestType } from '@fosp/protocol';
import { PASSWORD } from './cast.ts';
import { Inbox, within } from './inbox.ts';
import { WireClient, type WireFrame, type WireOptions } from './wire-client.ts';

/** Milliseconds; the longest that a timer knows. */
const FOREVER = 2 ** 31 - 1;

interface WireMessage {
  /** As they were sent, by name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly binary: boolean;
}

export interface TestResponse extends WireMessage {
  readonly succeeded: boolean;
  readonly status: number;
  readonly sequence: number;
}

export interface TestNotification extends WireMessage {
  readonly event: EventType;
  readonly resource: string;
}

export interface TestRequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON. */
  readonly body?: string | Uint8Array | Readonly<Record<string, unknown>>;
  readonly binary?: boolean;
  /** Milliseconds to wait for the response; 50 s. */
  readonly patience?: number;
}

export class TestSession {
  readonly wire: WireClient;
  readonly notifications: Inbox<TestNotification>;
  readonly #pending = new Map<number, PromiseWithResolvers<TestResponse>>();
  #sequence = 0;

  private constructor(wire: WireClient, name: string) {
    this.wire = wire;
    this.notifications = new Inbox(`a notification to ${name}`);
    void this.#receive();
  }

  /** Opens a connection; nothing is sent yet. `name` is for error messages. */
  static async open(url: string, name = 'somebody', options?: WireOptions): Promise<TestSession> {
    return new TestSession(await WireClient.open(url, options), name);
  }

  /** Opens a connection and sends CONNECT. */
  static async connect(url: string, name?: string, body: Record<string, unknown> = {}): Promise<TestSession> {
    const session = await TestSession.open(url, name);
    await session.succeed('CONNECT', '*', { body: { version: '0.1', ...body } });
    return session;
  }

  /** Opens a connection and logs in; `user` with or without its domain. */
  static async logIn(url: string, user: string, password = PASSWORD): Promise<TestSession> {
    const session = await TestSession.connect(url, user);
    await session.succeed('AUTHENTICATE', '*', { body: { name: user, password } });
    return session;
  }

  /** Makes the account, then logs in. */
  static async register(url: string, user: string, password = PASSWORD): Promise<TestSession> {
    const session = await TestSession.connect(url, user);
    const [name] = user.split('@');
    await session.succeed('REGISTER', '*', { body: { name, password } });
    await session.succeed('AUTHENTICATE', '*', { body: { name: user, password } });
    return session;
  }

  /** `resource` as in the start line: `alice@wonderland.lit/a` or `*`. */
  request(type: RequestType, resource: string, options: TestRequestOptions = {}): Promise<TestResponse> {
    const sequence = ++this.#sequence;
    const pending = Promise.withResolvers<TestResponse>();
    this.#pending.set(sequence, pending);
    this.wire.send(formatRequest(`${type} ${resource} ${sequence}`, options), { binary: options.binary ?? false });
    return within(pending.promise, `the response to ${type} ${resource}`, options.patience);
  }

  /** A request that must succeed; throws with the server's message where it does not. */
  async succeed(type: RequestType, resource: string, options?: TestRequestOptions): Promise<TestResponse> {
    const response = await this.request(type, resource, options);
    if (!response.succeeded) {
      throw new Error(`${type} ${resource} failed: ${response.status} ${response.body}`);
    }
    return response;
  }

  /** The object, or whatever JSON the request is answered with. */
  async json<T = unknown>(type: RequestType, resource: string, options?: TestRequestOptions): Promise<T> {
    const response = await this.succeed(type, resource, options);
    return JSON.parse(response.body.toString());
  }

  nextNotification(): Promise<TestNotification> {
    return this.notifications.next();
  }

  async close(): Promise<void> {
    await this.wire.close();
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        this.#take(await this.wire.frames.next(FOREVER));
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.notifications.fail(failure);
      for (const pending of this.#pending.values()) {
        pending.reject(failure);
      }
    }
  }

  #take(frame: WireFrame): void {
    const { startLine, ...message } = parse(frame);
    const [kind = '', second = '', third = ''] = startLine.split(' ');
    if (kind === 'SUCCEEDED' || kind === 'FAILED') {
      const sequence = Number(third);
      const response = { ...message, succeeded: kind === 'SUCCEEDED', status: Number(second), sequence };
      this.#pending.get(sequence)?.resolve(response);
      this.#pending.delete(sequence);
    } else if (kind === 'CREATED' || kind === 'UPDATED' || kind === 'DELETED') {
      this.notifications.add({ ...message, event: kind, resource: second });
    } else {
      throw new Error(`The server sent neither a response nor a notification: ${startLine}`);
    }
  }
}

function formatRequest(startLine: string, { headers = {}, body }: TestRequestOptions): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${startLine}\r\n${lines.join('')}`;
  if (body === undefined) {
    return Buffer.from(head);
  }
  const bytes = body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return Buffer.concat([Buffer.from(`${head}\r\n`), bytes]);
}

function parse({ bytes, binary }: WireFrame): WireMessage & { readonly startLine: string } {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
  const [startLine = '', ...lines] = head.split('\r\n').filter((line) => line !== '');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  return { startLine, headers, body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4), binary };
}
