/**
 * All that this process, and no other, does towards one other domain: requests, files and notifications of all domains of
 * ours, by the links to it. Its queues and links are its own, so that nothing it does or fails to do is felt by others.
 *
 * Lifecycle: made by whoever holds the domain's lease; `finish` or `close` end it.
 */
import type { Answer, Call, CallType, FEDERATION, LineLengths } from '@fosp/bus';
import type { PeerResponse } from '@fosp/connection';
import { domainOf, type FospError, fospError, type Headers, isFospError, NO_HEADERS } from '@fosp/protocol';
import type { LinkLimits } from '../links/limits.ts';
import type { Link } from '../links/link.ts';
import { type Failure, Pair, type PairDeps } from '../links/pair.ts';
import { answerOf, failureOf, objectRequestType, requestHeaders, type UserRequest } from '../links/translation.ts';
import { notFederated } from '../policy/policy.ts';
import { Delivery, type DeliveryDeps, type Route } from '../queue/delivery.ts';
import { LineBounds, type QueueLimits } from '../queue/line-bounds.ts';
import { OLDER } from '../queue/remote-queue.ts';
import type { Transfers } from '../transfers/transfers.ts';
import { type PeerStatus, statusOf } from './status.ts';

export interface PeerDomainDeps extends PairDeps, Pick<DeliveryDeps, 'queue'> {
  /** Ours, normalised. */
  readonly domains: readonly string[];
  readonly permits: (domain: string) => boolean;
  readonly transfers: Transfers;
  readonly limits: LinkLimits & DeliveryDeps['limits'] & QueueLimits;
  readonly deliveryTelemetry: DeliveryDeps['telemetry'];
  /** What this process is called in `fosp admin peers`. */
  readonly owner: string;
}

type RequestOf<Type> = Type extends CallType<infer Request, infer _> ? Request : never;
type ResponseOf<Type> = Type extends CallType<infer _, infer Response> ? Response : never;
export type CallTo<Name extends keyof typeof FEDERATION> = Call<RequestOf<(typeof FEDERATION)[Name]>>;
export type AnswerTo<Name extends keyof typeof FEDERATION> = Promise<Answer<ResponseOf<(typeof FEDERATION)[Name]>>>;

/** What a request takes beside its body. */
const REQUEST_COST = 1024;
/** Milliseconds before the caller's deadline in which it must be answered. */
const MARGIN = 500;

export class PeerDomain {
  readonly domain: string;
  readonly since: number;
  readonly #deps: PeerDomainDeps;
  readonly #pairs = new Map<string, Pair>();
  /** By domain of ours: what one of them cannot tell holds up none of the others. */
  readonly #deliveries = new Map<string, Delivery>();
  readonly #bounds: LineBounds;
  readonly #failure = (error: unknown): unknown => failureOf(this.domain, error);
  #usedAt: number;
  #isClosed = false;

  constructor(domain: string, deps: PeerDomainDeps) {
    this.domain = domain;
    this.#deps = deps;
    this.since = deps.clock();
    this.#usedAt = this.since;
    this.#bounds = new LineBounds({ ...deps, domain, telemetry: deps.deliveryTelemetry });
  }

  /** Milliseconds since the epoch, of the last use. */
  get usedAt(): number {
    return this.#isUsed ? this.#deps.clock() : this.#usedAt;
  }

  /** Was it of no use for longer than so many milliseconds? Asked of all domains again and again, so the cheap part is first. */
  isIdleFor(milliseconds: number): boolean {
    return this.#deps.clock() - this.#usedAt > milliseconds && !this.#isUsed;
  }

  get links(): number {
    return this.pairs.reduce((sum, { messages, transfers }) => sum + messages.links.size + transfers.links.size, 0);
  }

  /** Requests that wait to be sent. */
  get waiting(): number {
    return this.pairs.reduce((sum, { messages, transfers }) => sum + messages.waiting + transfers.waiting, 0);
  }

  get pairs(): readonly Pair[] {
    return [...this.#pairs.values()];
  }

  /** What waits longest to be told, as far as is known; milliseconds since the epoch. */
  get oldestAt(): number | undefined {
    const known = this.deliveries.map(({ oldestAt }) => oldestAt).filter((oldestAt) => oldestAt !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  get deliveries(): readonly Delivery[] {
    return [...this.#deliveries.values()];
  }

  get lastFailure(): Failure | undefined {
    const failures = this.pairs.map(({ lastFailure }) => lastFailure).filter((failure) => failure !== undefined);
    return failures.sort((one, other) => other.at - one.at)[0];
  }

  async forward({ fields, body, context }: CallTo<'forward'>): AnswerTo<'forward'> {
    const { clock, telemetry } = this.#deps;
    const request = readRequest(fields);
    const pair = this.#pairOf(request.user);
    const until = context.deadline - MARGIN;
    const answered = { domain: this.domain, type: request.type, since: performance.now() };
    try {
      const asked = { user: request.user, bytes: REQUEST_COST + body.length, patience: until - clock() };
      const response = await pair.messages.run(asked, (link) => this.#ask(link, request, { body, until }));
      const answer = answerOf(request, response);
      telemetry.answered(answered, answer.status);
      const { etag } = answer;
      const status = String(answer.status);
      const headers = answer.headers === NO_HEADERS ? '{}' : JSON.stringify(answer.headers);
      return { fields: etag === undefined ? { status, headers } : { status, headers, etag }, body: answer.body };
    } catch (error) {
      telemetry.answered(answered, statusOfError(error));
      throw error;
    }
  }

  async transfer({ fields }: CallTo<'transfer'>): AnswerTo<'transfer'> {
    const request = readRequest(fields);
    if (request.type !== 'READ' && request.type !== 'WRITE') {
      throw fospError('malformed', `${request.type} is no transfer.`);
    }
    const size = fields.size === undefined ? undefined : Number(fields.size);
    const { transfers: lane } = this.#pairOf(request.user);
    return { fields: { url: this.#deps.transfers.grant({ request, size, lane, domain: this.domain }) } };
  }

  async reach({ fields }: CallTo<'reach'>): AnswerTo<'reach'> {
    await this.#pairOf(fields.user).messages.open();
    return { fields: {} };
  }

  /** `queued` are the notifications that wait for it. */
  status(queued: number): PeerStatus {
    const { deliveryTelemetry, owner } = this.#deps;
    return statusOf(this, { queued, owner, dropped: deliveryTelemetry.droppedOf(this.domain) });
  }

  /**
   * The domain gave a sign of life, or something waits for it: whatever is to be sent is tried now. `owns` are the domains of
   * ours that have something to tell (`LineLengths`), where that is known.
   */
  wake(isAlive: boolean, owns?: Iterable<string>): void {
    this.#usedAt = this.#deps.clock();
    if (isAlive) {
      for (const pair of this.#pairs.values()) {
        pair.reset();
      }
      for (const delivery of this.#deliveries.values()) {
        delivery.wake(true);
      }
    }
    if (owns === undefined) {
      void this.#look(isAlive);
      return;
    }
    for (const own of new Set(Array.from(owns).flatMap((own) => (own === OLDER ? this.#deps.domains : [own])))) {
      this.#delivery(own).wake(isAlive);
    }
  }

  /** Forgets what is too much of what waits. */
  keepBounds(lines: LineLengths): Promise<void> {
    return this.#bounds.keep(lines, (own) => this.#pairs.get(own)?.nowhereSince);
  }

  /** Connects now, for all domains of ours that were of use here. Rejects with what an operator is told of why it cannot. */
  async retry(): Promise<void> {
    this.wake(true);
    const owns = this.#pairs.size === 0 ? this.#deps.domains.slice(0, 1) : [...this.#pairs.keys()];
    try {
      await Promise.all(owns.map((own) => this.#pair(own)?.messages.open()));
    } catch (error) {
      throw isFospError(error) && error.code === 'unreachable' && this.lastFailure !== undefined
        ? fospError(error.code, this.lastFailure.details)
        : error;
    }
  }

  /** Ends it in order: what is under way is done first, then links are closed as by a server that restarts. */
  async finish(reason: FospError): Promise<void> {
    await this.#closeDeliveries();
    await Promise.all(this.pairs.map((pair) => pair.finish(reason)));
    await Promise.all(this.pairs.map((pair) => pair.retire()));
  }

  /** Ends it at once. */
  async close(code: number, reason: string): Promise<void> {
    for (const pair of this.#pairs.values()) {
      pair.close(code, reason);
    }
    await this.#closeDeliveries();
  }

  /** Closes all links, which are made again when they are needed. */
  closeLinks(code: number, reason: string): void {
    for (const pair of this.#pairs.values()) {
      pair.messages.close(code, reason);
      pair.transfers.close(code, reason);
    }
  }

  /** `until` in milliseconds since the epoch. */
  #ask(link: Link, request: UserRequest, { body, until }: { body: Uint8Array; until: number }): Promise<PeerResponse> {
    const { clock, limits } = this.#deps;
    const headers = requestHeaders(request, link.facts.extensions);
    link.assertTakes(request.type, request, { headers, bytes: body.length });
    const timeoutMs = Math.max(1, Math.min(limits.requestSeconds * 1000, until - clock()));
    const failure = this.#failure;
    const options = { headers, body, frame: 'text', timeoutMs, responseBytes: limits.answerBytes, failure } as const;
    return link.ask(request.type, request, options);
  }

  get #isUsed(): boolean {
    return this.deliveries.some(({ isBusy }) => isBusy) || this.pairs.some(({ isUsed }) => isUsed);
  }

  #delivery(own: string): Delivery {
    const known = this.#deliveries.get(own);
    if (known !== undefined) {
      return known;
    }
    const { deliveryTelemetry: telemetry, permits } = this.#deps;
    const delivery = new Delivery({
      ...this.#deps,
      ...{ own, domain: this.domain, telemetry },
      route: (each) => this.#route(each),
      permits: () => permits(this.domain),
    });
    this.#deliveries.set(own, delivery);
    return delivery;
  }

  /** Whoever sweeps looks again soon, so a look that fails is not repeated. */
  async #look(isAlive: boolean): Promise<void> {
    const { deliveryTelemetry, queue } = this.#deps;
    try {
      const lengths = await queue.lineLengths(this.domain);
      if (!this.#isClosed && lengths.size > 0) {
        this.wake(isAlive, lengths.keys());
      }
    } catch (error) {
      deliveryTelemetry.notRead(this.domain, error);
    }
  }

  async #closeDeliveries(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.deliveries.map((delivery) => delivery.close()));
  }

  #pairOf(user: string): Pair {
    const own = domainOf(user);
    if (!this.#deps.permits(this.domain)) {
      throw notFederated(this.domain);
    }
    const pair = this.#pair(own);
    if (pair === undefined) {
      throw fospError('wrong-server', `This server does not serve the domain ${own}.`);
    }
    this.#usedAt = this.#deps.clock();
    return pair;
  }

  #pair(own: string): Pair | undefined {
    if (!this.#deps.domains.includes(own)) {
      return undefined;
    }
    const known = this.#pairs.get(own);
    if (known !== undefined) {
      return known;
    }
    const pair = new Pair({ own, domain: this.domain }, this.#delivery(own).userOf(own), this.#deps);
    this.#pairs.set(own, pair);
    return pair;
  }

  #route(own: string): Route | undefined {
    const pair = this.#pair(own);
    return (
      pair && {
        open: () => pair.messages.open(),
        get pause() {
          return pair.pause;
        },
      }
    );
  }
}

function readRequest(fields: RequestOf<typeof FEDERATION.forward>): UserRequest {
  const { user, tree, path } = fields;
  const headers: Headers = fields.headers === '{}' ? NO_HEADERS : JSON.parse(fields.headers);
  return { user, tree, path, headers, type: objectRequestType(fields.type) };
}

function statusOfError(error: unknown): number {
  return typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
}
