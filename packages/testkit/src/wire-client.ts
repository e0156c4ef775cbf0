/**
 * A WebSocket that sends and receives FOSP messages as they are on the wire. It shares no code with the server: frames are
 * those of `ws`, and nothing is parsed.
 */
import { WebSocket } from 'ws';
import { Inbox, within } from './inbox.ts';

export interface WireFrame {
  readonly bytes: Buffer;
  readonly binary: boolean;
}

export interface WireClosed {
  readonly code: number;
  readonly reason: string;
}

export interface WireOptions {
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Receive nothing until `resume`. */
  readonly paused?: boolean;
  /** The address of this machine to connect from; any of 127.0.0.0/8 on loopback. */
  readonly from?: string;
  /** Certificate that is trusted with `wss`, as PEM. */
  readonly trusted?: string;
  /** What is shown in the handshake of `wss`, where it is asked for, as PEM. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

export class WireClient {
  readonly #socket: WebSocket;
  /** What the server sent and nobody took yet. */
  readonly frames: Inbox<WireFrame>;
  /** Resolves with the close code when the connection is over. */
  readonly closed: Promise<WireClosed>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.frames = new Inbox('a message from the server');
    const closed = Promise.withResolvers<WireClosed>();
    this.closed = closed.promise;
    socket.on('message', (data: Buffer, binary: boolean) => this.frames.add({ bytes: data, binary }));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.frames.fail(new Error(`The server closed the connection: ${code} ${reason}`));
      closed.resolve({ code, reason: reason.toString() });
    });
  }

  static async open(url: string, options: WireOptions = {}): Promise<WireClient> {
    const socket = new WebSocket(url, [...(options.protocols ?? [])], {
      headers: { ...options.headers },
      ...(options.from === undefined ? {} : { localAddress: options.from }),
      ...(options.trusted === undefined ? {} : { ca: options.trusted }),
      ...options.identity,
      perMessageDeflate: false,
      maxPayload: 0,
      // Heads and bodies are judged by the tests, not by `ws`.
      skipUTF8Validation: true,
    });
    const opened = Promise.withResolvers<void>();
    socket.once('open', opened.resolve);
    socket.once('error', opened.reject);
    const client = new WireClient(socket);
    await within(opened.promise, `a connection to ${url}`);
    if (options.paused) {
      socket.pause();
    }
    return client;
  }

  /** The subprotocol that the server chose, `''` for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** One WebSocket message; text unless said otherwise, whatever the bytes are. */
  send(message: string | Uint8Array, options: { readonly binary?: boolean } = {}): void {
    this.#socket.send(message, { binary: options.binary ?? false });
  }

  /** One WebSocket message in as many fragments. */
  sendFragments(fragments: readonly (string | Uint8Array)[], options: { readonly binary?: boolean } = {}): void {
    fragments.forEach((fragment, index) => {
      this.#socket.send(fragment, { binary: options.binary ?? false, fin: index === fragments.length - 1 });
    });
  }

  /** A fragment of a message that goes on, and perhaps never ends. */
  sendPart(fragment: string | Uint8Array, options: { readonly binary?: boolean } = {}): void {
    this.#socket.send(fragment, { binary: options.binary ?? false, fin: false });
  }

  next(): Promise<WireFrame> {
    return this.frames.next();
  }

  /** Stops and goes on reading from the socket. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes with a handshake; resolves when it is over. */
  async close(): Promise<WireClosed> {
    this.#socket.close(1000);
    return within(this.closed, 'the closing handshake');
  }

  /** Goes away without a word. */
  terminate(): void {
    this.#socket.terminate();
  }
}
