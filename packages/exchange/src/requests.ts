/**
 * A request on an object becomes one call of the service that owns it, and the call's answer the response (PROTOCOL §4).
 * Bodies pass untouched, both ways.
 */
import { type Bus, OBJECTS } from '@fosp/bus';
import type { RespondOptions } from '@fosp/connection';
import { type FospError, fospError, type Headers, type RequestHead, STATUS } from '@fosp/protocol';
import { type Exchange, etagHeaders, type ObjectCall, onObject } from './exchange.ts';
import { nameAfter } from './head-checks.ts';
import type { Transfers } from './transfers.ts';

export interface RequestsOptions {
  readonly bus: Bus;
  readonly transfers: Transfers;
  readonly domains: readonly string[];
  /** Answers a request on a tree of another domain. What it throws is answered FAILED. */
  readonly forward: (exchange: Exchange) => Promise<void>;
  readonly limits: RequestLimits;
}

export interface RequestLimits {
  /** Bytes of one object. */
  readonly object: number;
}

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

  /** Whatever it throws, or its promise rejects with, is answered FAILED. */
  #dispatch(exchange: Exchange): Promise<void> {
    const { head, oversized } = exchange.message;
    const isLocal = head.resource === undefined || this.isLocal(head.resource.domain);
    if (!isLocal) {
      return this.#options.forward(exchange);
    }
    if (oversized) {
      throw tooLargeBody(head.type, this.#options.limits.object);
    }
    switch (head.type) {
      case 'SELECT':
        return this.#ask(exchange, OBJECTS.select, STATUS.ok);
      case 'CREATE':
        return this.#change(exchange, OBJECTS.create, STATUS.created);
      case 'UPDATE':
        return this.#change(exchange, OBJECTS.update, STATUS.done);
      case 'DELETE':
        return this.#change(exchange, OBJECTS.delete, STATUS.done);
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
    const { fields, body } = await this.#options.bus.call(type, onObject(exchange), exchange.message.body, exchange);
    exchange.answer(status, responseOf(etagHeaders(exchange, fields.etag), body));
  }

  /** Writes of a tree get in each other's way least where one process has them all. */
  async #change(exchange: Exchange, type: ObjectCall, status: number): Promise<void> {
    const { tree = '', message } = exchange;
    const near = this.#options.bus.callNear(type, tree, onObject(exchange), message.body, exchange);
    const { fields, body } = await near;
    exchange.answer(status, responseOf(etagHeaders(exchange, fields.etag), body));
  }

  /** A LIST may be of megabytes, whoever asks and however often: a client gets a few at once, and more as it reads them. */
  async #list(exchange: Exchange): Promise<void> {
    const { lists, conversation } = exchange.party;
    await lists.enter();
    try {
      await conversation.caughtUp();
      await this.#listNow(exchange);
    } finally {
      lists.leave();
    }
  }

  async #listNow(exchange: Exchange): Promise<void> {
    const page = exchange.party.extensions.page ? pageOf(exchange.message.head.headers) : undefined;
    const { fields, body } = await this.#options.bus.call(
      OBJECTS.list,
      { ...onObject(exchange), ...page },
      undefined,
      exchange,
    );
    const headers = etagHeaders(exchange, fields.etag);
    // Only a request with `Limit` is cut, and `Limit` counts only where the client knows of `Next`.
    const paged = fields.next === undefined ? headers : { ...headers, Next: encodeURIComponent(fields.next) };
    const { conversation } = exchange.party;
    // Others that waited for the reader too may be answered in the same turn: looked at again right before this answer.
    while (conversation.isBehind) {
      await conversation.caughtUp();
    }
    exchange.answer(STATUS.ok, responseOf(paged, body));
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

/** `limit` in bytes. */
export function tooLargeBody(type: RequestHead['type'], limit: number): FospError {
  return fospError('too-large', `The body of ${type} is too large: the limit is ${limit} bytes.`);
}
