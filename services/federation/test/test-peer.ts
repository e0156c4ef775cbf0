/**
 * Another domain's server as a test wants it to be, written from PROTOCOL.md alone: it accepts connections, answers CONNECT and
 * AUTHENTICATE as it is told, and everything else only where a test does.
 */
import { Inbox, type WireConnection, type WireFrame, WireServer, type WireServerOptions, within } from '@fosp/testkit';

export interface PeerMessage {
  /** `SELECT`, `CREATED`, `SUCCEEDED` and so on, and what stands behind it in the start line. */
  readonly type: string;
  readonly words: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly binary: boolean;
}

export interface PeerAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

export interface PeerBehaviour {
  /** To CONNECT and AUTHENTICATE; `undefined` to say nothing. */
  readonly greet: (body: Record<string, unknown>, link: PeerLink) => PeerAnswer | undefined;
  readonly logIn: (body: Record<string, unknown>, link: PeerLink) => PeerAnswer | undefined;
}

export const EXTENSIONS = ['etag', 'page', 'ack', 'retire'];

const BEHAVIOUR: PeerBehaviour = {
  greet: () => ({ status: 200, body: JSON.stringify({ version: '0.1', extensions: EXTENSIONS }) }),
  logIn: () => ({ status: 200 }),
};

/** One connection that we were dialled by. */
export class PeerLink {
  readonly wire: WireConnection;
  /** Requests but CONNECT and AUTHENTICATE, notifications, and responses, in order. */
  readonly messages = new Inbox<PeerMessage>('a message over the link');
  readonly #behaviour: PeerBehaviour;

  constructor(wire: WireConnection, behaviour: PeerBehaviour) {
    this.wire = wire;
    this.#behaviour = behaviour;
    void this.#receive();
  }

  next(): Promise<PeerMessage> {
    return this.messages.next();
  }

  /** Answers a request as its message says. */
  answer({ words }: PeerMessage, { status, headers = {}, body }: PeerAnswer, options?: { binary: boolean }): void {
    const type = status < 400 && status !== 304 ? 'SUCCEEDED' : 'FAILED';
    this.send(`${type} ${status} ${words[1]}`, { headers, body }, options);
  }

  send(
    startLine: string,
    { headers = {}, body }: { headers?: Readonly<Record<string, string>>; body?: string | Uint8Array | undefined } = {},
    options?: { binary: boolean },
  ): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`${startLine}\r\n${lines.join('')}${body === undefined ? '' : '\r\n'}`);
    this.wire.send(body === undefined ? head : Buffer.concat([head, Buffer.from(body)]), options);
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        this.#take(parse(await this.wire.frames.next(2 ** 31 - 1)));
      }
    } catch (error) {
      this.messages.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(message: PeerMessage): void {
    const { greet, logIn } = this.#behaviour;
    const decide = { CONNECT: greet, AUTHENTICATE: logIn }[message.type];
    if (decide === undefined) {
      this.messages.add(message);
      return;
    }
    const answer = decide(JSON.parse(message.body.toString()), this);
    if (answer !== undefined) {
      this.answer(message, answer);
    }
  }
}

export class TestPeer implements AsyncDisposable {
  readonly links = new Inbox<PeerLink>('a link');
  /** All that there ever were. */
  readonly all: PeerLink[] = [];
  readonly #server: WireServer;
  /** May be changed as it goes, for connections to come. */
  behaviour: PeerBehaviour;

  private constructor(server: WireServer, behaviour: PeerBehaviour) {
    this.#server = server;
    this.behaviour = behaviour;
    void this.#accept();
  }

  static async start(behaviour: Partial<PeerBehaviour> = {}, options?: WireServerOptions): Promise<TestPeer> {
    return new TestPeer(await WireServer.start(options), { ...BEHAVIOUR, ...behaviour });
  }

  get port(): number {
    return this.#server.port;
  }

  /** Next link that was dialled. */
  link(): Promise<PeerLink> {
    return this.links.next();
  }

  async #accept(): Promise<void> {
    for (;;) {
      const link = new PeerLink(await this.#server.accepted.next(2 ** 31 - 1), this.behaviour);
      this.all.push(link);
      this.links.add(link);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

/** Resolves once this holds, asked again and again. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const asked = (async () => {
    while (!(await holds())) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await within(asked, what);
}

function parse({ bytes, binary }: WireFrame): PeerMessage {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
  const [startLine = '', ...lines] = head.split('\r\n').filter((line) => line !== '');
  const [type = '', ...words] = startLine.split(' ');
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
  return { type, words, headers, body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4), binary };
}
