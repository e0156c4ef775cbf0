/**
 * A server of the domain that the run speaks for, to which the server under test connects: it lets everybody log in, and gives
 * to the cases what comes, by the user in whose name it is asked or who is to be told. What a server may not send is refused
 * with a fault, which fails whoever awaits the message.
 */
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type WebSocket, WebSocketServer } from 'ws';
import { Failure } from './expect.ts';
import { bodyBytes, encodeRequest, type Frame, type RequestParts } from './wire/message.ts';

export interface ListenerOptions {
  /** That the run speaks for. */
  readonly domain: string;
  readonly host?: string | undefined;
  readonly port: number;
  /** For TLS, as PEM. */
  readonly identity?: { readonly cert: string; readonly key: string } | undefined;
}

/** What came over a link. */
export interface Call {
  /** A request's type, or an event. */
  readonly type: string;
  readonly resource: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  readonly frame: Frame;
  /** Over which it came. */
  readonly link: Link;
  /** Answers a request. */
  answer(status: number, parts?: RequestParts & { readonly frame?: Frame }): void;
}

/** One that the server under test opened. */
export interface Link {
  /** The bodies of its CONNECT and AUTHENTICATE. */
  readonly opening: readonly string[];
}

type Waiting = PromiseWithResolvers<Call>;

interface Queue {
  readonly calls: Call[];
  readonly waiting: Waiting[];
}

export class Listener {
  readonly domain: string;
  readonly #http: Server;
  readonly #server: WebSocketServer;
  readonly #queues = new Map<string, Queue>();

  private constructor(domain: string, http: Server) {
    this.domain = domain;
    this.#http = http;
    this.#server = new WebSocketServer({ server: http, perMessageDeflate: false, skipUTF8Validation: true });
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  static async start({ domain, host, port, identity }: ListenerOptions): Promise<Listener> {
    const http: Server = identity === undefined ? createServer() : createSecureServer(identity);
    const listening = Promise.withResolvers<void>();
    http.once('error', listening.reject);
    http.listen(port, host, listening.resolve);
    await listening.promise;
    return new Listener(domain, http);
  }

  /** The next request in the name of this user, or the next notification for them. */
  async next(user: string, timeoutMs: number): Promise<Call> {
    const queue = this.#queueOf(user);
    const call = queue.calls.shift();
    if (call) return call;
    const waiting = Promise.withResolvers<Call>();
    queue.waiting.push(waiting);
    const late = setTimeout(() => {
      waiting.reject(new Failure(`a message about ${user} over a link within ${timeoutMs} ms`, 'nothing'));
    }, timeoutMs);
    return waiting.promise.finally(() => clearTimeout(late));
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #queueOf(user: string): Queue {
    const queue = this.#queues.get(user) ?? { calls: [], waiting: [] };
    this.#queues.set(user, queue);
    return queue;
  }

  #accept(socket: WebSocket): void {
    const opening: string[] = [];
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary) => {
      const { words, headers, body } = read(data);
      const [type = '', resource = '', sequence = ''] = words;
      const answer: Call['answer'] = (status, { frame = 'text', ...parts } = {}) => {
        const start = `${status < 400 ? 'SUCCEEDED' : 'FAILED'} ${status} ${sequence}`;
        socket.send(encodeRequest(start, parts), { binary: frame === 'binary' });
      };
      if (type === 'CONNECT' || type === 'AUTHENTICATE') {
        opening.push(body.toString());
        answer(200, { body: type === 'CONNECT' ? { version: '0.1', domain: this.domain, extensions: [] } : {} });
      } else if (type === 'VERIFY') {
        answer(403, { body: { message: 'No key was given by this server.' } });
      } else {
        const frame = isBinary ? 'binary' : 'text';
        this.#take({ type, resource, headers, body: bodyBytes(body), frame, link: { opening }, answer });
      }
    });
  }

  #take(call: Call): void {
    const queue = this.#queueOf(call.headers.get('From') ?? call.headers.get('To') ?? '');
    const waiting = queue.waiting.shift();
    if (waiting) waiting.resolve(call);
    else queue.calls.push(call);
  }
}

interface Read {
  readonly words: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** As older servers do: a header that is not exactly `Name: value` does not count. */
function read(data: Buffer): Read {
  const end = data.indexOf('\r\n\r\n');
  const [start = '', ...lines] = data
    .subarray(0, end < 0 ? data.length : end)
    .toString()
    .split('\r\n');
  const pairs = lines.map((line) => line.split(': ')).filter(({ length }) => length === 2);
  return {
    words: start.split(' '),
    headers: new Map(pairs.map(([name = '', value = '']) => [name, value])),
    body: end < 0 ? Buffer.alloc(0) : data.subarray(end + 4),
  };
}
