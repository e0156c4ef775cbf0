/**
 * A store's own end of transfer URLs: PUT and GET of one file over HTTP, for gateways: of a folder on a loopback address, for
 * those of this machine; of S3 for what S3 does not take in one piece. Bytes stream both ways with back-pressure; a slow sender or reader holds a few MiB and nothing else.
 *
 * Lifecycle: `start` resolves once it listens; `stop` takes no new transfers, gives running ones a while, then cuts them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import type { Metrics } from '@fosp/runtime';
import type { FolderFiles } from './folder-files.ts';
import { sendFile } from './send-file.ts';
import { grantOf, type SignedUrlOptions, type TransferGrant } from './signed-urls.ts';
import type { FileDigest } from './store.ts';
import { createTransferMeters, type TransferMeters } from './transfer-meters.ts';

/** Header of the answer to a PUT: see `ATTACHMENTS.commit`. */
const RECEIPT = 'fosp-receipt';

export interface EndpointOptions {
  readonly urls: SignedUrlOptions;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Transfers at once; one more is answered 503. */
  readonly transfers: number;
  /** Seconds that one upload may take. */
  readonly uploadSeconds: number;
  /** Seconds without a byte after which a transfer is cut. */
  readonly idleSeconds: number;
  /** Bytes of one file. */
  readonly limit: number;
  /** Bytes read from a file at once. */
  readonly readBytes: number;
  /** Seconds that `stop` waits for running transfers. */
  readonly stopSeconds: number;
  /** Told of every file that became durable, before its sender is; what it gives is told the sender as a receipt. */
  readonly stored: (key: string, digest: FileDigest) => string | undefined;
  /** Told of failures that are nobody's mistake: a full disk, a folder that went away. */
  readonly failed: (key: string, error: unknown) => void;
  readonly metrics: Metrics;
}

/** What the endpoint stands in front of. */
export type EndpointFiles = Pick<FolderFiles, 'receive' | 'open'>;

export class TransferEndpoint {
  readonly #files: EndpointFiles;
  readonly #options: EndpointOptions;
  readonly #server: Server;
  readonly #meters: TransferMeters;
  #transfers = 0;
  #origin = '';

  constructor(files: EndpointFiles, options: EndpointOptions) {
    this.#files = files;
    this.#options = options;
    this.#meters = createTransferMeters(options.metrics);
    const idle = options.idleSeconds * 1000;
    const upload = options.uploadSeconds * 1000;
    this.#server = createServer({
      requestTimeout: upload,
      headersTimeout: Math.min(idle, upload),
      // Gateways keep their connections: one that closed at the wrong moment would fail an upload.
      keepAliveTimeout: idle,
      highWaterMark: options.readBytes,
    });
    this.#server.setTimeout(idle);
    this.#server.on('request', (request, response) => void this.#answer(request, response));
  }

  /** `http://127.0.0.1:PORT`, once started. */
  get origin(): string {
    return this.#origin;
  }

  start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(this.#options.port, this.#options.host, () => {
      this.#server.off('error', reject);
      const address = this.#server.address();
      if (address !== null && typeof address === 'object') {
        this.#origin = `http://${this.#options.host}:${address.port}`;
      }
      resolve();
    });
    return promise;
  }

  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cut = setTimeout(() => this.#server.closeAllConnections(), this.#options.stopSeconds * 1000);
    this.#server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    this.#server.closeIdleConnections();
    return promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let grant: TransferGrant | undefined;
    this.#transfers++;
    try {
      grant = grantOf(request.method ?? '', request.url ?? '', this.#options.urls);
      if (this.#transfers > this.#options.transfers) {
        throw fospError('unavailable', `${this.#options.transfers} transfers are running.`);
      }
      await this.#transfer(grant, request, response);
    } catch (error) {
      this.#refuse(grant, error, response);
    } finally {
      this.#transfers--;
    }
  }

  #transfer(grant: TransferGrant, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { up, down } = this.#meters;
    return grant.method === 'PUT'
      ? up.measure(() => this.#put(grant, request, response))
      : down.measure(() => this.#get(grant, response));
  }

  /** Gives the size. */
  async #put(grant: TransferGrant, request: IncomingMessage, response: ServerResponse): Promise<number> {
    const announced = request.headers['content-length'];
    const size = announced === undefined ? grant.size : Number(announced);
    if (grant.size !== undefined && size !== grant.size) {
      throw fospError('malformed', `This transfer URL is for ${grant.size} bytes, not for ${size}.`);
    }
    if (size !== undefined && size > this.#options.limit) {
      throw fospError('too-large', `A file may have ${this.#options.limit} bytes.`);
    }
    // A refusal must still find its way back: leaving the loop early does not destroy the request.
    const pieces = request.iterator({ destroyOnReturn: false });
    const digest = await this.#files.receive(grant.key, pieces, { size, limit: this.#options.limit });
    const receipt = this.#options.stored(grant.key, digest);
    response.writeHead(201, { 'content-length': 0, ...(receipt === undefined ? {} : { [RECEIPT]: receipt }) }).end();
    return digest.size;
  }

  /** Gives the size. */
  async #get(grant: TransferGrant, response: ServerResponse): Promise<number> {
    const opened = await this.#files.open(grant.key);
    if (opened === undefined) {
      throw fospError('not-found', 'There is no such file.');
    }
    try {
      const { readBytes } = this.#options;
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': opened.size });
      await sendFile(opened.file, response, { size: opened.size, blockBytes: readBytes });
      response.end();
      return opened.size;
    } finally {
      await opened.file.close();
    }
  }

  #refuse(grant: TransferGrant | undefined, error: unknown, response: ServerResponse): void {
    const isGone = response.destroyed || response.req.errored !== null;
    if (!isFospError(error) && !isGone) {
      this.#options.failed(grant?.key ?? '', error);
    }
    if (isGone || response.headersSent) {
      response.destroy();
      return;
    }
    const refusal: FospError = isFospError(error)
      ? error
      : fospError('unavailable', 'The file could not be stored or read.');
    const body = Buffer.from(refusal.message);
    response.writeHead(refusal.status, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
    // What is left of an upload is read and dropped: closing on unread bytes would reset the connection before the answer
    // is seen. Whoever sends it stops at the answer.
    response.req.resume();
  }
}
