/**
 * A socket below WebSocket: its own handshake and its own frames, so that a case can send what no WebSocket library
 * would (RFC 6455 §5). Reads only what such a case needs: the HTTP answer, close codes and the end of the stream.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure } from '../expect.ts';

export interface FrameParts {
  readonly opcode: number;
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly payload?: Buffer;
  /** A length to claim instead of the payload's own. */
  readonly claim?: bigint;
}

export const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** One frame as bytes, lawful or not. The mask is zero: the payload can be read on the wire. */
export function frameBytes({
  opcode,
  fin = true,
  masked = true,
  reserved = 0,
  payload = Buffer.alloc(0),
  claim,
}: FrameParts): Buffer {
  const length = claim ?? BigInt(payload.length);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const mask = masked ? 0x80 : 0;
  const size = Buffer.alloc(length < 126n ? 2 : length < 65536n ? 4 : 10);
  size[0] = first;
  if (length < 126n) size[1] = mask | Number(length);
  else if (length < 65536n) {
    size[1] = mask | 126;
    size.writeUInt16BE(Number(length), 2);
  } else {
    size[1] = mask | 127;
    size.writeBigUInt64BE(length, 2);
  }
  return Buffer.concat([size, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** The close code in the first close frame of what an unfragmenting server sent; undefined where there is none. */
export function closeCode(bytes: Buffer): number | undefined {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (start > bytes.length) return undefined;
    const long =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    if (((bytes[at] ?? 0) & 0x0f) === OPCODES.close && long >= 2) return bytes.readUInt16BE(start);
    at = start + long;
  }
  return undefined;
}

export class RawSocket {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
    });
  }

  static async dial(url: string, timeoutMs: number): Promise<RawSocket> {
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === 'wss:';
    const options = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (secure ? 443 : 80)) };
    const socket = secure ? connectTls({ ...options, servername: hostname }) : connect(options);
    const raw = new RawSocket(socket, timeoutMs);
    await once(socket, secure ? 'secureConnect' : 'connect');
    return raw;
  }

  write(bytes: Buffer | string): void {
    if (!this.#ended) this.#socket.write(bytes);
  }

  /** Sends an HTTP request and reads the head of the answer. */
  async http(lines: readonly string[]): Promise<HttpAnswer> {
    this.write(`${lines.join('\r\n')}\r\n\r\n`);
    await this.#until(() => this.#received.includes('\r\n\r\n') || this.#ended, 'an HTTP answer');
    const end = this.#received.indexOf('\r\n\r\n');
    const [statusLine = '', ...fields] = this.#received.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
    this.#received = this.#received.subarray(end + 4);
    const headers = new Map(
      fields.map((field) => [field.replace(/:.*/s, '').toLowerCase(), field.replace(/^[^:]*:\s*/, '')]),
    );
    return { status: Number(statusLine.split(' ')[1] ?? 0), headers };
  }

  /** A plain WebSocket handshake. */
  upgrade(path = '/', extra: readonly string[] = []): Promise<HttpAnswer> {
    return this.http([`GET ${path} HTTP/1.1`, ...UPGRADE, ...extra]);
  }

  /** Awaits the end of the connection and returns the close code, or undefined where the server just hung up. */
  async end(): Promise<number | undefined> {
    await this.#until(() => this.#ended || closeCode(this.#received) !== undefined, 'the end of the connection');
    return closeCode(this.#received);
  }

  /** Awaits bytes that contain this text. */
  received(text: string): Promise<void> {
    return this.#until(() => this.#received.includes(text), `bytes with ${text}`);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    const late = AbortSignal.timeout(this.#timeoutMs);
    while (!done()) {
      const gone = new AbortController();
      const either = AbortSignal.any([late, gone.signal]);
      const events = ['data', 'close'].map((event) =>
        once(this.#socket, event, { signal: either }).catch(() => undefined),
      );
      await Promise.race(events);
      gone.abort();
      if (!done() && (late.aborted || this.#ended))
        throw new Failure(`${what} within ${this.#timeoutMs} ms`, 'nothing');
    }
  }
}

/** What a WebSocket handshake needs, without the request line. */
export const UPGRADE = [
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
