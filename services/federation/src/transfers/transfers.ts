/**
 * Files on their way between gateways and other domains: one GET or PUT of a URL that serves once is one READ or WRITE over
 * a link for files. Bytes stream both ways with back-pressure, so that a file takes no more memory than a few pieces of it,
 * and none of the disk.
 *
 * Whoever breaks off on one side is broken off on the other; where a message on the link cannot be completed, or what is left
 * of one would have to be read for nothing, the link ends with it.
 *
 * Lifecycle: `start` resolves once it listens; `stop` gives running transfers a while, then cuts them.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type FospError, failedBody, fospError, isFospError } from '@fosp/protocol';
import { bound, listenError } from '@fosp/runtime';
import type { Lane } from '../links/lane.ts';
import type { Link } from '../links/link.ts';
import type { Answered, LinkTelemetry } from '../links/telemetry.ts';
import { answerOf, failureOf, requestHeaders, type UserAnswer, type UserRequest } from '../links/translation.ts';
import { download } from './download.ts';
import { Grants } from './grants.ts';
import { Pace } from './pace.ts';
import { Upload } from './upload.ts';

export interface TransferLimits {
  /** Transfers at once, with those that wait for a link; one more is refused with 503. */
  readonly transfers: number;
  /** URLs given out and not used yet, and how long each may be. */
  readonly grants: number;
  readonly grantSeconds: number;
  /** Without a byte, after which a transfer is cut; and bytes per second, while others wait for a link. */
  readonly stallSeconds: number;
  readonly leastBytesPerSecond: number;
  /** For the head of READ's answer, and, from when all of a file is sent, for that to WRITE. */
  readonly requestSeconds: number;
  readonly writtenSeconds: number;
  /** Bytes of one file. */
  readonly attachment: number;
  /** Bytes of an upload that is answered early which are made up, to save its link. */
  readonly filling: number;
  /** Bytes of files that go by between two collections of their buffers. */
  readonly collectBytes: number;
  /** For running transfers, at the end. */
  readonly stopSeconds: number;
}

export const TRANSFER_LIMITS: Omit<TransferLimits, 'attachment' | 'requestSeconds'> = {
  transfers: 1024,
  grants: 4096,
  grantSeconds: 30,
  stallSeconds: 30,
  leastBytesPerSecond: 16 * 1024,
  writtenSeconds: 40,
  filling: 1024 * 1024,
  collectBytes: 4 * 1024 * 1024,
  stopSeconds: 10,
};

export interface TransfersOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** By which gateways reach it, where that is another. */
  readonly advertisedHost: string | undefined;
  readonly limits: TransferLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: TransferTelemetry;
  /** Told of bytes of files as they come. */
  readonly passed: (bytes: number) => void;
}

export interface TransferTelemetry {
  moved(direction: 'up' | 'down', bytes: number): void;
  answered: LinkTelemetry['answered'];
  cut(domain: string, reason: string): void;
  /** A defect. */
  failed(domain: string, error: unknown): void;
}

export interface TransferWanted {
  readonly domain: string;
  readonly request: UserRequest;
  /** Bytes of what WRITE stores, where known. */
  readonly size: number | undefined;
  /** The links for files. */
  readonly lane: Pick<Lane, 'run' | 'waiting'>;
}

/** What was granted, and how it belongs to the request for which that was. */
interface Granted extends TransferWanted {
  readonly asAsked: (work: () => Promise<void>) => Promise<void>;
}

interface Running extends TransferWanted {
  /** Of `performance.now()`. */
  readonly since: number;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** What a transfer that waits takes. */
const COST = 4096;
const NO_BYTES = new Uint8Array(0);

export class Transfers {
  readonly #options: TransfersOptions;
  readonly #grants: Grants<Granted>;
  readonly #server: Server;
  #running = 0;
  #origin = '';

  constructor(options: TransfersOptions) {
    this.#options = options;
    this.#grants = new Grants({ ...options.limits, clock: options.clock });
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 10_000, keepAliveTimeout: 60_000 });
    this.#server.on('request', (incoming, outgoing) => void this.#answer(incoming, outgoing));
  }

  /** Files under way, or waiting for a link. */
  get running(): number {
    return this.#running;
  }

  /** The URL by which this is carried out, once. @throws FospError `unavailable` */
  grant(wanted: TransferWanted): string {
    if (this.#running >= this.#options.limits.transfers) {
      throw fospError('unavailable', 'Too many transfers are running. Try again later.', {
        headers: { 'Retry-After': '1' },
      });
    }
    const asAsked = bound((work: () => Promise<void>) => work());
    return `${this.#origin}/${this.#grants.give({ ...wanted, asAsked })}`;
  }

  /** Rejects with `StartError` where it cannot listen. */
  start(): Promise<void> {
    const { host, port, advertisedHost = host } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (error: Error) =>
      reject(
        listenError(error, { host, port, hostVariable: 'FOSP_FEDERATION_HOST', variable: 'FOSP_FEDERATION_PORT' }),
      );
    this.#server.once('error', failed);
    this.#server.listen(port, host, () => {
      this.#server.off('error', failed);
      const address = this.#server.address();
      const taken = address !== null && typeof address === 'object' ? address.port : port;
      this.#origin = `http://${advertisedHost.includes(':') ? `[${advertisedHost}]` : advertisedHost}:${taken}`;
      resolve();
    });
    return promise;
  }

  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cut = setTimeout(() => this.#server.closeAllConnections(), this.#options.limits.stopSeconds * 1000);
    this.#server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    this.#server.closeIdleConnections();
    return promise;
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const wanted = this.#grants.take((incoming.url ?? '').slice(1));
    const method = wanted?.request.type === 'READ' ? 'GET' : 'PUT';
    if (wanted === undefined || incoming.method !== method) {
      incoming.resume();
      outgoing.writeHead(403, { 'content-type': 'text/plain' }).end('This URL is for nothing, or was used.\n');
      return;
    }
    const { domain, lane, request } = wanted;
    const running: Running = { ...wanted, incoming, outgoing, since: performance.now() };
    const { telemetry } = this.#options;
    this.#running++;
    try {
      const asked = { user: request.user, bytes: COST };
      await wanted.asAsked(() => lane.run(asked, (link) => this.#carryOut(link, running)));
    } catch (error) {
      if (!isFospError(error)) {
        telemetry.failed(domain, error);
      }
      this.#refuse(running, error);
    }
    this.#running--;
    incoming.resume();
  }

  async #carryOut(link: Link, running: Running): Promise<void> {
    const { domain, lane, outgoing, request } = running;
    if (outgoing.destroyed) {
      // Whoever asked went away while it waited.
      return;
    }
    const { limits, telemetry } = this.#options;
    const tooSlow = (reason: string) => {
      telemetry.cut(domain, reason);
      outgoing.destroy();
      link.close(1000, 'A file on this link was too slow.');
    };
    const pace = new Pace({ ...limits, isAwaited: () => lane.waiting > 0, tooSlow });
    try {
      await (request.type === 'READ' ? this.#read(link, running, pace) : this.#write(link, running, pace));
    } finally {
      pace.stop();
    }
  }

  async #read(link: Link, running: Running, pace: Pace): Promise<void> {
    const { domain, outgoing, request } = running;
    const { limits, telemetry } = this.#options;
    const headers = requestHeaders(request, link.facts.extensions);
    const timeoutMs = limits.requestSeconds * 1000;
    const options = { headers, timeoutMs, stream: true, responseBytes: limits.attachment };
    const response = await link.request('READ', request, options).catch((error: unknown) => {
      throw failureOf(domain, error);
    });
    const { stream } = response;
    if (stream === undefined) {
      this.#send(running, answerOf(request, response));
      return;
    }
    try {
      if (stream.size !== undefined && stream.size > limits.attachment) {
        throw fospError(
          'bad-gateway',
          `The file has ${stream.size} bytes; this server passes on ${limits.attachment}.`,
        );
      }
      const answer = answerOf(request, { ...response, body: NO_BYTES });
      telemetry.answered(answeredOf(running), answer.status);
      outgoing.writeHead(200, {
        ...headersOf(answer),
        ...(stream.size === undefined ? {} : { 'content-length': stream.size }),
      });
      if (!(await download(stream, outgoing, this.#counted('down', pace)))) {
        // The rest would be read for nothing.
        link.close(1000, 'A file on this link is not wanted any more.');
      }
    } catch (error) {
      stream.cancel();
      link.close(1000, 'A file on this link cannot be used.');
      throw error;
    }
  }

  async #write(link: Link, running: Running, pace: Pace): Promise<void> {
    const { domain, incoming, request } = running;
    const { limits } = this.#options;
    const size = sizeOf(incoming, running.size);
    const headers = requestHeaders(request, link.facts.extensions);
    link.assertTakes(request.type, request, { headers, bytes: size ?? 0 });
    const body = new Upload(incoming, { size, filling: limits.filling, moved: this.#counted('up', pace) });
    const timeoutMs = limits.writtenSeconds * 1000;
    const options = { headers, body, frame: 'binary', timeoutMs, ...(size === undefined ? {} : { size }) } as const;
    try {
      const response = await link.request('WRITE', request, options).catch((error: unknown) => {
        throw failureOf(domain, error);
      });
      this.#send(running, answerOf(request, response));
    } finally {
      if (!body.answered()) {
        link.close(1000, 'A file on this link cannot be sent to its end.');
      }
    }
  }

  #counted(direction: 'up' | 'down', pace: Pace): (bytes: number) => void {
    const { passed, telemetry } = this.#options;
    return (bytes) => {
      pace.moved(bytes);
      telemetry.moved(direction, bytes);
      passed(bytes);
    };
  }

  #send(running: Running, answer: UserAnswer): void {
    const { outgoing } = running;
    this.#options.telemetry.answered(answeredOf(running), answer.status);
    outgoing.writeHead(200, { ...headersOf(answer), 'content-length': answer.body.length }).end(answer.body);
  }

  #refuse(running: Running, error: unknown): void {
    const { outgoing } = running;
    if (outgoing.headersSent || outgoing.destroyed) {
      outgoing.destroy();
      return;
    }
    const refusal: FospError = isFospError(error) ? error : fospError('internal', 'Something went wrong here.');
    const body = Buffer.from(failedBody(refusal));
    this.#send(running, { status: refusal.status, headers: refusal.headers, etag: undefined, body });
  }
}

function answeredOf({ domain, request, since }: Running): Answered {
  return { domain, type: request.type, since };
}

function sizeOf({ headers }: IncomingMessage, granted: number | undefined): number | undefined {
  const length = headers['content-length'];
  const size = length === undefined ? undefined : Number(length);
  if (granted !== undefined && size !== granted) {
    throw fospError('malformed', `This URL is for ${granted} bytes, not for ${length ?? 'any number of them'}.`);
  }
  return size;
}

/** What HTTP carries are bytes of Latin-1: JSON says anything in ASCII. */
function headersOf({ status, headers, etag }: UserAnswer): Record<string, string> {
  const json = JSON.stringify({ ...headers, ETag: etag }).replace(/[\u007f-\uffff]/g, escaped);
  return { 'fosp-status': String(status), 'fosp-headers': json };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
