/**
 * The server of another domain, as far as the gateway sees it: a connection that speaks for `realworld.lit`, or says that it
 * does. It shares no code with the gateway, and sends what it is told to.
 */
import { Inbox, WireClient, type WireOptions, within } from '@fosp/testkit';

export const REALWORLD = 'realworld.lit';

export interface ServerMessage {
  /** `SUCCEEDED`, `FAILED`, `ACK` and so on. */
  readonly type: string;
  /** What stands behind it in the start line. */
  readonly words: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly binary: boolean;
}

export interface ServerResponse extends ServerMessage {
  readonly status: number;
}

export interface MessageOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly binary?: boolean;
}

export interface LinkOptions {
  readonly domain?: string;
  readonly extensions?: readonly string[];
  readonly wire?: WireOptions;
}

export class ServerEnd {
  readonly wire: WireClient;
  /** What the gateway asks: ACK, RETIRE. */
  readonly requests = new Inbox<ServerMessage>('a request of the gateway');
  /** Responses that nobody waits for here. */
  readonly strays: ServerMessage[] = [];
  /** Whether requests of the gateway are answered by themselves. */
  answers = true;
  readonly #waiting = new Map<string, PromiseWithResolvers<ServerResponse>>();
  #sequence = 0;

  private constructor(wire: WireClient) {
    this.wire = wire;
    void this.#receive();
  }

  static async open(url: string, options?: WireOptions): Promise<ServerEnd> {
    return new ServerEnd(await WireClient.open(url, options));
  }

  /** Opens a connection and sends CONNECT. */
  static async connect(url: string, { extensions, wire }: LinkOptions = {}): Promise<ServerEnd> {
    const end = await ServerEnd.open(url, wire);
    const body = JSON.stringify({ version: '0.1', ...(extensions === undefined ? {} : { extensions }) });
    await end.succeed('CONNECT', '*', { body });
    return end;
  }

  /** A link, from when the gateway took it for one. */
  static async link(url: string, options: LinkOptions = {}): Promise<ServerEnd> {
    const end = await ServerEnd.connect(url, options);
    await end.succeed('AUTHENTICATE', '*', {
      body: JSON.stringify({ type: 'server', domain: options.domain ?? REALWORLD }),
    });
    return end;
  }

  request(type: string, resource: string, options: MessageOptions = {}): Promise<ServerResponse> {
    return this.requestAs(++this.#sequence, type, resource, options);
  }

  /** Under a number of the test's choice. */
  requestAs(sequence: number, type: string, resource: string, options: MessageOptions = {}): Promise<ServerResponse> {
    const waiting = Promise.withResolvers<ServerResponse>();
    this.#waiting.set(String(sequence), waiting);
    this.send(`${type} ${resource} ${sequence}`, options);
    return within(waiting.promise, `the response to ${type} ${resource}`);
  }

  /** For a user of the domain, as servers of our kind say so. */
  ask(user: string, type: string, resource: string, options: MessageOptions = {}): Promise<ServerResponse> {
    return this.request(type, resource, { ...options, headers: { From: user, User: user, ...options.headers } });
  }

  async succeed(type: string, resource: string, options?: MessageOptions): Promise<ServerResponse> {
    const response = await this.request(type, resource, options);
    if (response.type !== 'SUCCEEDED') {
      throw new Error(`${type} ${resource} failed: ${response.status} ${response.body}`);
    }
    return response;
  }

  send(startLine: string, options: MessageOptions = {}): void {
    this.wire.send(bytesOf(startLine, options), { binary: options.binary ?? false });
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const { bytes, binary } = await this.wire.frames.next(FOREVER);
        this.#take(parse(bytes, binary));
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      this.requests.fail(failure);
      for (const { reject, promise } of this.#waiting.values()) {
        promise.catch(() => undefined);
        reject(failure);
      }
    }
  }

  #take(message: ServerMessage): void {
    if (message.type === 'ACK' || message.type === 'RETIRE') {
      if (this.answers) {
        this.send(`SUCCEEDED 200 ${message.words[1]}`);
      }
      this.requests.add(message);
      return;
    }
    const [status = '', sequence = ''] = message.words;
    const waiting = this.#waiting.get(sequence);
    this.#waiting.delete(sequence);
    if (waiting === undefined) {
      this.strays.push(message);
    } else {
      waiting.resolve({ ...message, status: Number(status) });
    }
  }
}

const FOREVER = 2 ** 31 - 1;

export function bytesOf(startLine: string, { headers = {}, body = '' }: MessageOptions): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${startLine}\r\n${lines.join('')}`);
  return body.length === 0 ? head : Buffer.concat([head, Buffer.from('\r\n'), Buffer.from(body)]);
}

function parse(bytes: Buffer, binary: boolean): ServerMessage {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
  const [startLine = '', ...lines] = head.split('\r\n').filter((line) => line !== '');
  const [type = '', ...words] = startLine.split(' ');
  const headers = Object.fromEntries(lines.map((line) => line.split(': ', 2)));
  return { type, words, headers, body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4), binary };
}
