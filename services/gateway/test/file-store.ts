/** The attachments' side of the bus, and an HTTP server that holds the bytes. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ATTACHMENTS, type Bus } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { onTestFinished } from 'vitest';

export interface StoredFile {
  readonly bytes: Buffer;
  readonly fields: Readonly<Record<string, string>>;
}

export class TestFileStore {
  /** Files by path, as they were committed, or put here by the test. */
  readonly files = new Map<string, StoredFile>();
  /** Uploads that came to their end, by ticket. */
  readonly uploads = new Map<string, { readonly bytes: Buffer; readonly headers: IncomingMessage['headers'] }>();
  /** In place of the usual answer to a transfer. */
  onTransfer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Awaited before READ is settled. */
  beforeRead: () => Promise<void> = async () => undefined;
  /** Whether it asks for an MD5 of what it is sent. */
  asksForMd5 = false;
  /** What its answers to uploads say for `commit`. */
  receipt: string | undefined;
  /** How it closes a connection that comes with a second request, at the moment it comes. */
  closesReused: 'reset' | 'end' | undefined;
  /** Connections that it closed so, and all that were made. */
  closed = 0;
  connections = 0;
  /** Downloads of more than 64 KiB that were under way at once, at most. */
  largestCrowd = 0;
  #crowd = 0;
  readonly #used = new WeakSet<object>();
  readonly #server: Server = createServer((request, response) => void this.#transfer(request, response));
  #tickets = 0;
  #origin = '';

  static async serve(bus: Bus): Promise<TestFileStore> {
    const store = new TestFileStore();
    // Kept for as long as a test takes, however slow its machine.
    store.#server.keepAliveTimeout = 600_000;
    store.#server.on('connection', () => {
      store.connections++;
    });
    await once(store.#server.listen(0, '127.0.0.1'), 'listening');
    const address = store.#server.address();
    store.#origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    onTestFinished(() => {
      store.#server.close();
      store.#server.closeAllConnections();
    });
    const options = { concurrency: 100 };
    await bus.serve(ATTACHMENTS.read, async ({ fields }) => ({ fields: await store.#found(fields.path) }), options);
    await bus.serve(
      ATTACHMENTS.write,
      async ({ fields }) => {
        if (fields.path === '/forbidden') {
          throw fospError('forbidden', 'Not yours.');
        }
        const ticket = String(++store.#tickets);
        const digest = store.asksForMd5 ? { digest: 'md5' } : {};
        return { fields: { url: `${store.#origin}/upload/${ticket}`, ticket, ...digest } };
      },
      options,
    );
    await bus.serve(
      ATTACHMENTS.commit,
      async ({ fields }) => {
        const upload = store.uploads.get(fields.ticket);
        if (upload === undefined || upload.bytes.length !== Number(fields.size)) {
          throw fospError('unavailable', 'The file did not arrive.');
        }
        store.files.set(fields.path, { bytes: upload.bytes, fields });
        return { fields: { etag: '"9"' } };
      },
      options,
    );
    return store;
  }

  async #found(path: string) {
    await this.beforeRead();
    const file = this.files.get(path);
    if (file === undefined) {
      throw fospError('not-found', 'There is no such attachment.');
    }
    return {
      ...file.fields,
      url: `${this.#origin}/files${path}`,
      size: file.fields['size'] ?? String(file.bytes.length),
    };
  }

  /** True where this connection was used before, and is closed for it. */
  #closes({ socket }: IncomingMessage): boolean {
    const isReused = this.#used.has(socket);
    this.#used.add(socket);
    if (!isReused || this.closesReused === undefined) {
      return false;
    }
    this.closed++;
    if (this.closesReused === 'reset') {
      socket.resetAndDestroy();
    } else {
      socket.destroy();
    }
    return true;
  }

  async #transfer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#closes(request)) {
      return;
    }
    if (this.onTransfer !== undefined) {
      this.onTransfer(request, response);
      return;
    }
    const [, kind = '', name = ''] = (request.url ?? '').split('/');
    if (kind === 'files') {
      const bytes = this.files.get(`/${name}`)?.bytes ?? Buffer.alloc(0);
      const isLarge = bytes.length > 65_536 ? 1 : 0;
      this.#crowd += isLarge;
      this.largestCrowd = Math.max(this.largestCrowd, this.#crowd);
      response.on('finish', () => {
        this.#crowd -= isLarge;
      });
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      return;
    }
    try {
      const bytes = Buffer.concat(await request.toArray());
      this.uploads.set(name, { bytes, headers: request.headers });
      response.writeHead(201, this.receipt === undefined ? {} : { 'fosp-receipt': this.receipt }).end();
    } catch {
      response.destroy();
    }
  }
}
