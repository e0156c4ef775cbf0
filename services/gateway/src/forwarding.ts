/**
 * Requests of our users on trees of other domains: the federation service has the links (PROTOCOL §9). The response takes the
 * same path back, and a client sees no difference to one of its own domain.
 */
import { type Bus, FEDERATION } from '@fosp/bus';
import { type Exchange, tooLargeBody } from '@fosp/exchange';
import { fospError, type Headers, STATUS } from '@fosp/protocol';

/** Headers that a client may send but another server must not take for ours (PROTOCOL §9). */
const NOT_FORWARDED = new Set(['From', 'To', 'User']);

export class Forwarding {
  readonly #bus: Bus;
  readonly #objectBytes: number;

  /** `objectBytes`: of a body that is passed on. */
  constructor(bus: Bus, objectBytes: number) {
    this.#bus = bus;
    this.#objectBytes = objectBytes;
  }

  async forward(exchange: Exchange): Promise<void> {
    const { party, message } = exchange;
    const { type } = message.head;
    if (message.oversized) {
      await this.#bus.call(FEDERATION.reach, { user: party.user, tree: exchange.tree ?? '' });
      throw tooLargeBody(type, this.#objectBytes);
    }
    const headers = JSON.stringify(forwardedHeaders(exchange));
    const asked = { user: party.user, type, tree: exchange.tree ?? '', path: exchange.path, headers };
    const { fields, body } = await this.#bus.call(FEDERATION.forward, asked, message.body);
    const status = Number(fields.status);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw fospError('bad-gateway', `The server of the other domain answered with the status ${fields.status}.`);
    }
    const response = { headers: parseHeaders(fields.headers), body };
    const isFile = type === 'READ' && status === STATUS.ok && body.length > 0;
    exchange.answer(status, isFile ? { ...response, frame: 'binary' } : response);
  }
}

function forwardedHeaders({ party, message }: Exchange): Headers {
  const { etag, page } = party.extensions;
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
