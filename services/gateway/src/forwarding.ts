/**
 * Requests of our users on trees of other domains: the federation service has the links (PROTOCOL §9). The response takes the
 * same path back, and a client sees no difference to one of its own domain.
 *
 * Of a file the bytes go over HTTP, never through the bus. A connection reads few of another domain at once: each takes one of
 * the few links for files to that domain until it is read.
 */
import { FEDERATION } from '@fosp/bus';
import { type Exchange, etagHeaders, tooLargeBody } from '@fosp/exchange';
import { domainOf, fospError, type Headers, isHeaderValue, NO_HEADERS, STATUS } from '@fosp/protocol';
import type { DomainCalls } from './domain-calls.ts';
import { type ForeignAnswer, type ForeignFiles, headersOf } from './foreign-files.ts';

export interface ForwardingOptions {
  readonly domains: DomainCalls;
  readonly files: ForeignFiles;
  readonly limits: ForwardingLimits;
}

export interface ForwardingLimits {
  /** Bytes of one object. */
  readonly object: number;
  /** Files up to this size are sent in one frame. */
  readonly smallFile: number;
  /** Bytes of the body of a response that is no file. */
  readonly foreignResponse: number;
}

/** Headers that are between servers: what a client sends in them is not meant, what a server sends is not for clients. */
const BETWEEN_SERVERS = ['From', 'To', 'User', 'Id'];
const EMPTY = new Uint8Array(0);

export class Forwarding {
  readonly #options: ForwardingOptions;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  forward(exchange: Exchange): Promise<void> {
    if (exchange.message.oversized) {
      return this.#refuseTooLarge(exchange);
    }
    switch (exchange.type) {
      case 'READ':
        return this.#read(exchange);
      case 'WRITE':
        return this.#write(exchange);
      default:
        return this.#ask(exchange);
    }
  }

  /** That the domain cannot be reached, or may not be, comes before what is wrong with the body (PROTOCOL §4). */
  async #refuseTooLarge(exchange: Exchange): Promise<never> {
    const { party, tree = '', type } = exchange;
    const { domains } = this.#options;
    await domains.ask(FEDERATION.reach, domainOf(tree), { user: party.user, tree }, { context: exchange });
    throw tooLargeBody(type, this.#options.limits.object);
  }

  async #ask(exchange: Exchange): Promise<void> {
    const asked = askedOf(exchange);
    const { domains } = this.#options;
    const { fields, body } = await domains.ask(FEDERATION.forward, domainOf(asked.tree), asked, {
      body: exchange.message.body,
      context: exchange,
    });
    const status = Number(fields.status);
    const headers = headersOf(fields.headers);
    if (!Number.isInteger(status) || status < 200 || status > 599 || headers === undefined) {
      throw fospError('bad-gateway', `The server of the other domain answered with the status ${fields.status}.`);
    }
    const shown = shownHeaders(exchange, headers);
    const tag = etagHeaders(exchange, fields.etag);
    exchange.answer(status, { headers: tag === undefined ? shown : { ...shown, ...tag }, body });
  }

  async #read(exchange: Exchange): Promise<void> {
    const { foreign } = exchange.party.transfers;
    await foreign.enter();
    try {
      const answer = await this.#options.files.get(await this.#urlOf(exchange, undefined));
      exchange.settle();
      if (answer.status === STATUS.ok) {
        await this.#answerFile(exchange, answer);
      } else {
        await this.#answerSmall(exchange, answer);
      }
    } finally {
      foreign.leave();
    }
  }

  async #write(exchange: Exchange): Promise<void> {
    const { stream } = exchange.message;
    const { uploads } = exchange.party.transfers;
    await uploads.enter();
    try {
      exchange.party.conversation.assertOpen();
      if (stream === undefined) {
        throw fospError('internal', 'A file came without its bytes.');
      }
      const url = await this.#urlOf(exchange, stream.size);
      await this.#answerSmall(exchange, await this.#options.files.put(url, stream, stream.size));
    } finally {
      stream?.cancel();
      uploads.leave();
    }
  }

  async #urlOf(exchange: Exchange, size: number | undefined): Promise<string> {
    const asked = askedOf(exchange);
    const wanted = { ...asked, ...(size === undefined ? undefined : { size: String(size) }) };
    const { domains } = this.#options;
    const { fields } = await domains.ask(FEDERATION.transfer, domainOf(asked.tree), wanted, { context: exchange });
    return fields.url;
  }

  async #answerFile(exchange: Exchange, answer: ForeignAnswer): Promise<void> {
    const { smallFile } = this.#options.limits;
    if (answer.size !== undefined && answer.size <= smallFile) {
      await this.#answerSmall(exchange, answer, smallFile);
      return;
    }
    const { large } = exchange.party.transfers;
    const mustWait = large.isFull;
    await large.enter();
    try {
      const begun = await begin(answer).catch((error: unknown) => {
        if (mustWait) {
          return undefined;
        }
        throw error;
      });
      await (begun === undefined ? this.#readAgain(exchange, answer) : this.#stream(exchange, begun));
    } finally {
      large.leave();
    }
  }

  /**
   * Behind other files a link was held for nothing, and taken back: the file is asked for again, and must still be the settled
   * version.
   */
  async #readAgain(exchange: Exchange, settled: ForeignAnswer): Promise<void> {
    const answer = await this.#options.files.get(await this.#urlOf(exchange, undefined));
    const { ETag: tag } = answer.headers;
    if (answer.status !== STATUS.ok) {
      await this.#answerSmall(exchange, answer);
    } else if (tag !== undefined && tag === settled.headers['ETag']) {
      await this.#stream(exchange, await begin(answer));
    } else {
      await giveUp(answer);
      throw fospError('unavailable', 'The attachment may have changed while it waited to be sent. Ask again.', {
        headers: { 'Retry-After': '0' },
      });
    }
  }

  async #stream(exchange: Exchange, { answer, first, rest }: Begun): Promise<void> {
    const headers = shownHeaders(exchange, answer.headers);
    if (first === undefined) {
      exchange.answer(answer.status, { headers });
      return;
    }
    try {
      const body = startingWith(first, rest);
      await exchange.answerStream(answer.status, { headers, body, size: answer.size });
    } finally {
      // Does nothing where it was read to its end.
      await rest.return?.();
    }
  }

  /** A READ's as one binary frame, anything else as text. */
  async #answerSmall(
    exchange: Exchange,
    answer: ForeignAnswer,
    limit = this.#options.limits.foreignResponse,
  ): Promise<void> {
    const body = await wholeOf(answer, limit);
    const headers = shownHeaders(exchange, answer.headers);
    const isFile = exchange.type === 'READ' && answer.status === STATUS.ok && body.length > 0;
    exchange.answer(answer.status, { headers, body, frame: isFile ? 'binary' : 'text' });
  }
}

/** A file whose first piece came, if it has any. */
interface Begun {
  readonly answer: ForeignAnswer;
  readonly first: Uint8Array | undefined;
  readonly rest: AsyncIterator<Uint8Array>;
}

async function begin(answer: ForeignAnswer): Promise<Begun> {
  const rest = answer.body[Symbol.asyncIterator]();
  const { done, value } = await rest.next();
  return { answer, first: done === true ? undefined : value, rest };
}

/** Its transfer ends only where reading it was begun. */
async function giveUp({ body }: ForeignAnswer): Promise<void> {
  for await (const _ of body) {
    return;
  }
}

function askedOf(exchange: Exchange) {
  const { party, message, type, tree = '', path } = exchange;
  const known = knownTo(exchange, message.head.headers, isHeaderValue);
  const headers = known === NO_HEADERS ? '{}' : JSON.stringify(known);
  return { user: party.user, type, tree, path, headers };
}

function shownHeaders(exchange: Exchange, headers: Headers): Headers {
  return knownTo(exchange, headers, () => true);
}

/** Those that the client knows of by what it agreed on. Nearly always there are none. */
function knownTo({ party }: Exchange, headers: Headers, isSent: (value: string) => boolean): Headers {
  if (headers === NO_HEADERS) {
    return NO_HEADERS;
  }
  const entries = Object.entries(headers).filter(([name, value]) => isKnown(name, party.extensions) && isSent(value));
  return Object.fromEntries(entries);
}

function isKnown(name: string, { etag, page }: Exchange['party']['extensions']): boolean {
  switch (name) {
    case 'ETag':
    case 'If-Match':
    case 'If-None-Match':
      return etag;
    case 'Limit':
    case 'After':
    case 'Next':
      return page;
    default:
      return !BETWEEN_SERVERS.includes(name);
  }
}

async function wholeOf({ body, size }: ForeignAnswer, limit: number): Promise<Uint8Array> {
  if (size === 0) {
    for await (const _ of body) {
      // Lets the connection be used again.
    }
    return EMPTY;
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > limit) {
      throw fospError('bad-gateway', `The server of the other domain answered with more than ${limit} bytes.`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
