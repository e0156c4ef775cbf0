/**
 * A request on an object becomes one call of the service that owns it, and the call's answer the response (PROTOCOL §4).
 * Bodies pass untouched, both ways.
 */
import { type Bus, FEDERATION, OBJECTS } from '@fosp/bus';
import type { RespondOptions } from '@fosp/connection';
import { fospError, type Headers, STATUS } from '@fosp/protocol';
import { type Exchange, etagHeaders, type ObjectCall, onObject } from './exchange.ts';
import { nameAfter } from './head-checks.ts';
import { tooLargeBody } from './refusals.ts';
import { Slots } from './slots.ts';
import type { Transfers } from './transfers.ts';

export interface RequestsOptions {
  readonly bus: Bus;
  readonly transfers: Transfers;
  readonly domains: readonly string[];
  readonly limits: RequestLimits;
}

export interface RequestLimits {
  /** Bytes of one object. */
  readonly object: number;
  /** LISTs of one connection at once. */
  readonly listsPerConnection: number;
}

/** Headers that a client may send but another server must not take for ours (PROTOCOL §9). */
const NOT_FORWARDED = new Set(['From', 'To', 'User']);

export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Whether the trees of this domain are kept here. */
  isLocal(domain: string): boolean {
    return this.#options.domains.includes(domain);
  }

  /** Does what the request asks, and answers it. Never rejects. */
  async carryOut(exchange: Exchange): Promise<void> {
    try {
      await this.#dispatch(exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }

  async #dispatch(exchange: Exchange): Promise<void> {
    const { head, oversized } = exchange.message;
    const isLocal = head.resource === undefined || this.isLocal(head.resource.domain);
    if (oversized) {
      if (!isLocal) {
        await this.#options.bus.call(FEDERATION.reach, { user: exchange.session.user, tree: exchange.tree ?? '' });
      }
      throw tooLargeBody(head.type, this.#options.limits.object);
    }
    if (!isLocal) {
      return this.#forward(exchange);
    }
    switch (head.type) {
      case 'SELECT':
        return this.#ask(exchange, OBJECTS.select, STATUS.ok);
      case 'CREATE':
        return this.#ask(exchange, OBJECTS.create, STATUS.created);
      case 'UPDATE':
        return this.#ask(exchange, OBJECTS.update, STATUS.done);
      case 'DELETE':
        return this.#ask(exchange, OBJECTS.delete, STATUS.done);
      case 'LIST':
        return this.#list(exchange);
      case 'READ':
        return this.#options.transfers.read(exchange);
      case 'WRITE':
        return this.#options.transfers.write(exchange);
      default:
        throw fospError('malformed', `${head.type} is no request on an object.`);
    }
  }

  async #ask(exchange: Exchange, type: ObjectCall, status: number): Promise<void> {
    const { fields, body } = await this.#options.bus.call(type, onObject(exchange), exchange.message.body);
    exchange.answer(status, responseOf(etagHeaders(exchange, fields.etag), body));
  }

  /** A LIST may be of megabytes, whoever asks and however often: a client gets a few at once, and more as it reads them. */
  async #list(exchange: Exchange): Promise<void> {
    const { session } = exchange;
    session.lists ??= new Slots(this.#options.limits.listsPerConnection);
    const { lists } = session;
    await lists.enter();
    try {
      await session.conversation.caughtUp();
      await this.#listNow(exchange);
    } finally {
      lists.leave();
    }
  }

  async #listNow(exchange: Exchange): Promise<void> {
    const page = exchange.session.extensions.page ? pageOf(exchange.message.head.headers) : undefined;
    const { fields, body } = await this.#options.bus.call(OBJECTS.list, { ...onObject(exchange), ...page });
    const headers = etagHeaders(exchange, fields.etag);
    // Only a request with `Limit` is cut, and `Limit` counts only where the client knows of `Next`.
    const paged = fields.next === undefined ? headers : { ...headers, Next: encodeURIComponent(fields.next) };
    const { conversation } = exchange.session;
    // Others that waited for the reader too may be answered in the same turn: looked at again right before this answer.
    while (conversation.isBehind) {
      await conversation.caughtUp();
    }
    exchange.answer(STATUS.ok, responseOf(paged, body));
  }

  async #forward(exchange: Exchange): Promise<void> {
    const { session, message } = exchange;
    const { type } = message.head;
    const headers = JSON.stringify(forwardedHeaders(exchange));
    const asked = { user: session.user, type, tree: exchange.tree ?? '', path: exchange.path, headers };
    const { fields, body } = await this.#options.bus.call(FEDERATION.forward, asked, message.body);
    const status = Number(fields.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw fospError('bad-gateway', `The server of the other domain answered with the status ${fields.status}.`);
    }
    const response = responseOf(parseHeaders(fields.headers), body);
    const isFile = type === 'READ' && status === STATUS.ok && body.length > 0;
    exchange.answer(status, isFile ? { ...response, frame: 'binary' } : response);
  }
}

function responseOf(headers: Headers | undefined, body: Uint8Array): RespondOptions {
  if (headers === undefined) {
    return { body };
  }
  return { headers, body };
}

/** Checked with the head: see `head-checks.ts`. */
function pageOf({ Limit: limit, After: value }: Headers): { limit?: string; after?: string } {
  const after = value === undefined ? undefined : nameAfter(value);
  return {
    ...(limit === undefined ? undefined : { limit }),
    ...(after === undefined ? undefined : { after }),
  };
}

function forwardedHeaders({ session, message }: Exchange): Headers {
  const { etag, page } = session.extensions;
  const entries = Object.entries(message.head.headers).filter(
    ([name]) =>
      !NOT_FORWARDED.has(name) &&
      (etag || (name !== 'If-Match' && name !== 'If-None-Match')) &&
      (page || (name !== 'Limit' && name !== 'After')),
  );
  return Object.fromEntries(entries);
}

function parseHeaders(text: string): Headers {
  return JSON.parse(text);
}
