/**
 * One connection to NATS that comes back by itself. What was under way when it broke is not known to have arrived, so
 * everything that promises more than "at most once" begins anew from what was confirmed: `onLost` ends it, `onRestored`
 * begins it again. A server that has to send more than this end reads breaks the link, so that is a loss as well. While the
 * link is down nothing is accepted, since the client would throw away what it keeps for later.
 *
 * What is published in one turn of the event loop leaves at its end, in one packet: the client would send one for each socket
 * that was read in that turn. Whatever else is asked over the connection is asked behind it.
 *
 * Lifecycle: `openLink` resolves once connected to a server that fits, or rejects saying what to set; then it is up or
 * down by turns until `close`.
 */
import { connect, headers as emptyHeaders, type NatsConnection } from '@nats-io/transport-node';
import { BusError } from '../transport.ts';

/** `max_payload` that servers must be set to: `BUS_BODY_BYTES` and the headers beside it. */
export const MAX_PAYLOAD = 8 * 1024 * 1024;

export interface LinkOptions {
  /** `nats://[user:password@]host:port`, several separated by commas. */
  readonly url: string;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** Milliseconds that one attempt to connect may take; 2,000. A link that breaks while it is restored costs that long. */
  readonly connectTimeout: number;
  /** Times that it is tried to connect at first, where a server is there but does not answer in time; 5. */
  readonly connectAttempts: number;
  /** Milliseconds between two attempts to come back; half of it more or less by chance; 250. */
  readonly reconnectPause: number;
  /** Milliseconds between two pings; the second that is not answered breaks the link; 2,000. */
  readonly pingInterval: number;
  /** Told of a message that was accepted and could not be sent. */
  readonly warn: (text: string) => void;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

export interface PublishOptions {
  /** See `encodeHeaders`. */
  readonly headers: Uint8Array;
  /** Where answers go. */
  readonly reply?: string;
}

interface Published extends PublishOptions {
  readonly subject: string;
  readonly body: Uint8Array;
}

export class Link {
  readonly connection: NatsConnection;
  readonly #warn: LinkOptions['warn'];
  /** To be sent at the end of this turn. */
  #published: Published[] = [];
  /** What the client takes for headers: of those it only asks for their bytes. */
  readonly #headers = Object.assign(emptyHeaders(), { bytes: NO_BYTES, encode: encodeReady });
  readonly #lost = new Set<(reason: string) => void>();
  readonly #restored: (() => void)[] = [];
  /** What ends when the link breaks. */
  readonly #breaking = new Set<(error: BusError) => void>();
  #up = true;
  /** How often it was lost. */
  #losses = 0;

  constructor(connection: NatsConnection, { warn }: Pick<LinkOptions, 'warn'>) {
    this.connection = connection;
    this.#warn = warn;
    void this.#watch();
  }

  get isUp(): boolean {
    return this.#up && !this.connection.isClosed();
  }

  /** Returns how to be told no more. */
  onLost(listener: (reason: string) => void): () => void {
    const told = (reason: string) => listener(reason);
    this.#lost.add(told);
    return () => this.#lost.delete(told);
  }

  onRestored(listener: () => void): void {
    this.#restored.push(listener);
  }

  /** Throws `closed` while nothing can be sent, and `too-large` where body and headers are. */
  publish(subject: string, body: Uint8Array, { headers, reply }: PublishOptions): void {
    this.checkUp(`a message to ${subject}`);
    const size = headers.length + body.length;
    const most = this.connection.info?.max_payload ?? MAX_PAYLOAD;
    if (size > most) {
      throw new BusError('too-large', `A message to ${subject} was not sent: it has ${size} bytes of ${most} at most`);
    }
    if (this.#published.push({ subject, body, headers, ...(reply === undefined ? {} : { reply }) }) === 1) {
      setImmediate(() => this.#send());
    }
  }

  /** The result of asking over the link; rejects with `closed` at once where that is down or breaks. */
  async whileUp<Result>(ask: () => Promise<Result>): Promise<Result> {
    this.checkUp('a question');
    this.#send();
    const { promise, reject } = Promise.withResolvers<never>();
    this.#breaking.add(reject);
    try {
      return await Promise.race([ask(), promise]);
    } finally {
      this.#breaking.delete(reject);
    }
  }

  /** Throws `closed` while nothing can be sent. */
  checkUp(what: string): void {
    if (!this.isUp) {
      throw new BusError('closed', `The link to NATS is down: ${what} was not sent`);
    }
  }

  /** Resolves once the server has everything sent so far; rejects with `closed` where the link broke meanwhile. */
  async flush(what: string): Promise<void> {
    this.checkUp(what);
    this.#send();
    const losses = this.#losses;
    const flushed = await this.connection.flush().then(
      () => true,
      () => false,
    );
    if (!flushed || losses !== this.#losses) {
      throw new BusError('closed', `The link to NATS broke: ${what} may not have arrived`);
    }
  }

  async close(): Promise<void> {
    if (this.isUp) {
      this.#send();
      await this.connection.flush().catch(() => undefined);
    }
    await this.connection.close();
  }

  #send(): void {
    const published = this.#published;
    this.#published = [];
    if (this.isUp) {
      for (const message of published) {
        try {
          this.#sendOne(message);
        } catch (error) {
          // The client takes no empty subject, for one. Who published it is gone; the others are none the worse.
          this.#warn(`A message to ${JSON.stringify(message.subject)} was not sent: ${String(error)}`);
        }
      }
    }
  }

  #sendOne({ subject, body, headers, reply }: Published): void {
    this.#headers.bytes = headers;
    this.connection.publish(subject, body, { headers: this.#headers, ...(reply === undefined ? {} : { reply }) });
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.#setDown(`The link to ${status.server} broke`);
      } else if (status.type === 'reconnect') {
        // Twice in a row where the link broke again while it was being restored: what was sent between them may be lost.
        this.#setDown(`The link to ${status.server} broke while it was restored`);
        this.#up = true;
        for (const listener of this.#restored) {
          listener();
        }
      }
    }
    this.#setDown('The link was closed');
  }

  #setDown(reason: string): void {
    if (this.#up) {
      this.#up = false;
      this.#losses++;
      this.#published = [];
      for (const reject of this.#breaking) {
        reject(new BusError('closed', reason));
      }
      for (const listener of this.#lost) {
        listener(reason);
      }
    }
  }
}

function encodeReady(this: { readonly bytes: Uint8Array }): Uint8Array {
  return this.bytes;
}

export async function openLink(options: LinkOptions): Promise<Link> {
  const connection = await dial(options);
  const { info } = connection;
  const problem = info === undefined ? 'said nothing about itself' : problemOf(info);
  if (problem !== undefined) {
    await connection.close();
    throw new Error(`NATS at ${withoutCredentials(options.url)} cannot be used: it ${problem}`);
  }
  return new Link(connection, options);
}

async function dial(options: LinkOptions): Promise<NatsConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await dialOnce(options);
    } catch (cause) {
      // On a machine where everything starts at once a server may take its time; one that refuses is another matter.
      if (!isTimeout(cause) || attempt >= options.connectAttempts) {
        throw new Error(`Cannot connect to NATS at ${withoutCredentials(options.url)}: ${String(cause)}`, { cause });
      }
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || isTimeout(error.cause));
}

function dialOnce(options: LinkOptions): Promise<NatsConnection> {
  return connect({
    servers: options.url.split(',').map((server) => server.trim()),
    name: options.name,
    timeout: options.connectTimeout,
    reconnectTimeWait: options.reconnectPause,
    reconnectJitter: options.reconnectPause / 2,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: options.pingInterval,
    maxPingOut: 2,
  });
}

function problemOf(info: { readonly max_payload: number; readonly jetstream?: boolean }): string | undefined {
  if (info.max_payload < MAX_PAYLOAD) {
    return `has max_payload ${info.max_payload}; set it to ${MAX_PAYLOAD} (8MB) or more in the server's configuration`;
  }
  return info.jetstream === true ? undefined : "runs without JetStream; enable it in the server's configuration";
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/,]*@/g, '//');
}
