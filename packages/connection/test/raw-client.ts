import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TestServer } from './server.ts';

/** A TCP connection that did the WebSocket handshake by hand, and reads or writes whatever bytes it likes. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  isEnded = false;
  #checks: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#check();
    });
    socket.on('close', () => {
      this.isEnded = true;
      this.#check();
    });
    socket.on('error', () => {});
  }

  /** All bytes so far, as Latin-1. */
  get received(): string {
    return this.#received;
  }

  /** Resolves when the bytes are handed to the system. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(bytes, () => resolve());
    });
  }

  /** Resolves with everything received as soon as that contains the text. */
  until(text: string): Promise<string> {
    return this.#when(() => this.#received.includes(text));
  }

  untilEnded(): Promise<string> {
    return this.#when(() => this.isEnded);
  }

  #when(condition: () => boolean): Promise<string> {
    return new Promise((resolve) => {
      const check = () => {
        if (condition()) {
          this.#checks = this.#checks.filter((other) => other !== check);
          resolve(this.#received);
        }
      };
      this.#checks.push(check);
      check();
    });
  }

  #check(): void {
    for (const check of [...this.#checks]) {
      check();
    }
  }
}

/** Connects to a server and says these lines of an upgrade request, then an empty one. */
export async function connectHttp(server: { readonly port: number }, lines: readonly string[]): Promise<RawClient> {
  const socket = connect(server.port, 'localhost');
  onTestFinished(() => void socket.destroy());
  const client = new RawClient(socket);
  await once(socket, 'connect');
  await client.send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  return client;
}

export const UPGRADE = [
  'GET /some/path?query HTTP/1.1',
  'Host: localhost',
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

export async function connectRaw(server: TestServer): Promise<RawClient> {
  const client = await connectHttp(server, UPGRADE);
  await client.until('\r\n\r\n');
  return client;
}
