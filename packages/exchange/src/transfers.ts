/**
 * READ and WRITE: bytes of files stream between a connection and a transfer URL, never through the bus (PROTOCOL §7).
 *
 * WRITE: the file becomes the object's by `commit`, after all of it arrived; whatever fails before leaves the old one. It
 * holds its place in the order from its head to its end. READ holds it until its version is settled.
 *
 * A connection sends one message at a time, so it is of no use to open a large file before the last one is sent; small
 * files are taken in whole, some side by side.
 */
import { ATTACHMENTS, type Bus } from '@fosp/bus';
import { fospError, type Headers, isHeaderValue, STATUS } from '@fosp/protocol';
import { type Exchange, etagHeaders, onObject } from './exchange.ts';
import { Slots } from './slots.ts';
import type { Sent, TransferClient } from './transfer-client.ts';

export interface TransfersOptions {
  readonly bus: Bus;
  readonly client: TransferClient;
  readonly limits: TransferLimits;
  /** Bytes of a file that went up or down. */
  readonly moved: (direction: 'up' | 'down', bytes: number) => void;
}

export interface TransferLimits {
  /** Bytes of one attachment. */
  readonly attachment: number;
  /** Files up to this size are read whole and sent in one frame. */
  readonly smallFile: number;
}

/** What several parties share who speak over one link. */
export interface SharedTransfers {
  readonly small: Slots;
  readonly large: Slots;
}

/** Each takes a link to its domain until it is read, and there are few of them for all users. */
const FOREIGN_AT_ONCE = 2;

/** The transfers of one party that may run at once. */
export class ConnectionTransfers {
  readonly uploads: Slots;
  readonly small: Slots;
  readonly large: Slots;
  /** Files of other domains that are read. */
  readonly foreign = new Slots(FOREIGN_AT_ONCE);

  /** @param atOnce uploads, and small files that are read */
  constructor(atOnce: number, shared?: SharedTransfers) {
    this.uploads = new Slots(atOnce);
    this.small = new Slots(atOnce, shared?.small);
    this.large = new Slots(1, shared?.large);
  }
}

type FoundFile = NonNullable<(typeof ATTACHMENTS.read)['types']>['response'];
type FileHeaders = { 'content-type'?: string; 'file-name'?: string };

export class Transfers {
  readonly #options: TransfersOptions;
  readonly #underWay = { up: 0, down: 0 };

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** Those that are not answered. */
  get underWay(): Readonly<Record<'up' | 'down', number>> {
    return this.#underWay;
  }

  async read(exchange: Exchange): Promise<void> {
    this.#underWay.down++;
    try {
      await this.#read(exchange);
    } finally {
      this.#underWay.down--;
    }
  }

  async write(exchange: Exchange): Promise<void> {
    this.#underWay.up++;
    try {
      await this.#write(exchange);
    } finally {
      this.#underWay.up--;
    }
  }

  async #read(exchange: Exchange): Promise<void> {
    const { fields } = await this.#options.bus.call(ATTACHMENTS.read, onObject(exchange), undefined, exchange);
    exchange.settle();
    const headers: Headers = {
      ...headerOf('Content-Type', fields['content-type']),
      ...headerOf('File-Name', fields['file-name']),
      ...etagHeaders(exchange, fields.etag),
    };
    const size = Number(fields.size);
    if (size === 0) {
      exchange.answer(STATUS.ok, { headers });
      return;
    }
    const { small, large } = exchange.party.transfers;
    const slots = size <= this.#options.limits.smallFile ? small : large;
    await slots.enter();
    try {
      if (slots === small) {
        await exchange.party.conversation.caughtUp();
        const body = await this.#options.client.getWhole(fields.url, size);
        exchange.answer(STATUS.ok, { headers, body, frame: 'binary' });
        this.#options.moved('down', size);
      } else if (await this.#stream(exchange, fields, headers)) {
        this.#options.moved('down', size);
      }
    } finally {
      slots.leave();
    }
  }

  /** Resolves with whether all of it was sent; rejects where nothing was. */
  async #stream(exchange: Exchange, file: FoundFile, headers: Headers): Promise<boolean> {
    const body = await this.#open(exchange, file);
    try {
      return await exchange.answerStream(STATUS.ok, { headers, body, size: Number(file.size) });
    } catch (error) {
      // The store began to answer, and gave no byte.
      throw this.#options.client.notRead(error);
    }
  }

  async #write(exchange: Exchange): Promise<void> {
    const { message } = exchange;
    const { uploads } = exchange.party.transfers;
    await uploads.enter();
    try {
      exchange.party.conversation.assertOpen();
      const sent = await this.#upload(exchange);
      const { headers } = message.head;
      const file = {
        ...onObject(exchange),
        ...fileHeaders(headers),
        ticket: sent.ticket,
        size: String(sent.size),
        checksum: sent.checksum,
        ...(sent.md5 === undefined ? {} : { md5: sent.md5 }),
        ...(sent.receipt === undefined ? {} : { receipt: sent.receipt }),
      };
      const { fields } = await this.#options.bus.call(ATTACHMENTS.commit, file, undefined, exchange);
      this.#options.moved('up', sent.size);
      const etag = etagHeaders(exchange, fields.etag);
      exchange.answer(STATUS.done, etag === undefined ? undefined : { headers: etag });
    } finally {
      message.stream?.cancel();
      uploads.leave();
    }
  }

  /** Behind other files a URL may have run out: it is asked for again, and must still be that of the settled version. */
  async #open(exchange: Exchange, file: FoundFile): Promise<AsyncIterable<Uint8Array>> {
    const { bus, client } = this.#options;
    const first = await client.get(file.url, Number(file.size));
    if (first !== 'refused') {
      return first;
    }
    const { fields } = await bus.call(ATTACHMENTS.read, onObject(exchange), undefined, exchange);
    const again = fields.etag === file.etag ? await client.get(fields.url, Number(fields.size)) : 'refused';
    if (again === 'refused') {
      throw fospError('unavailable', 'The attachment changed while it waited to be sent. Ask again.', {
        headers: { 'Retry-After': '0' },
      });
    }
    return again;
  }

  async #upload(exchange: Exchange): Promise<Sent & { readonly ticket: string }> {
    const { stream } = exchange.message;
    const { attachment } = this.#options.limits;
    if (stream === undefined || (stream.size !== undefined && stream.size > attachment)) {
      throw fospError('too-large', `An attachment may have ${attachment} bytes at most.`);
    }
    const size = stream.size === undefined ? undefined : { size: String(stream.size) };
    const { fields } = await this.#options.bus.call(
      ATTACHMENTS.write,
      { ...onObject(exchange), ...size },
      undefined,
      exchange,
    );
    const sent = await this.#options.client.put(fields.url, stream, {
      size: stream.size,
      md5: fields.digest === 'md5',
    });
    return { ...sent, ticket: fields.ticket };
  }
}

/** An UPDATE may have set a type which is no proper header; then there is none. */
function headerOf(name: string, value: string | undefined): Headers | undefined {
  return value === undefined || !isHeaderValue(value) ? undefined : { [name]: value };
}

/** Checked with the head, see `head-checks.ts`. What is empty says nothing. */
function fileHeaders({ 'Content-Type': type, 'File-Name': name }: Headers): FileHeaders {
  return {
    ...(type === undefined || type === '' ? undefined : { 'content-type': type }),
    ...(name === undefined || name === '' ? undefined : { 'file-name': name }),
  };
}
