/**
 * All links between one domain of ours and another one: one for messages, a few for files (PROTOCOL §9).
 *
 * While the other domain cannot be reached, or its links end as soon as they are made, it is tried no more often than the
 * circuit breaker allows; whoever asks meanwhile is told so at once.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Backlogs, KeyedRate } from '@fosp/exchange';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import { NoServer } from '../discovery/discovery.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { askedPauseOf, type Connector, detailsOf } from './connector.ts';
import { Lane } from './lane.ts';
import type { LinkLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { LinkEnd } from './link-ear.ts';
import type { Redials } from './redials.ts';
import type { Between, LinkTelemetry } from './telemetry.ts';

export interface PairDeps {
  readonly connector: Connector;
  /** A server of the domain was found, and cannot be connected to. */
  readonly forget: (domain: string) => void;
  readonly limits: LinkLimits;
  readonly backlogs: Backlogs;
  /** Of all domains of this process. */
  readonly redials: Redials;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  readonly telemetry: LinkTelemetry;
}

/** Who sends notifications over the message link. */
export interface MessageUser {
  /** Is something on its way that is not acknowledged? */
  readonly isBusy: boolean;
  opened(link: Link): void;
  closed(link: Link, end: LinkEnd): void;
  acknowledged(link: Link, id: number): void;
}

export interface Failure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** For operators alone. */
  readonly details: string;
}

/** A link that ends sooner, by no fault of ours, counts as a failure to reach the domain. */
const STEADY_MS = 10_000;
/** Failures in a row after which a domain counts as one of those that are away, which take their turns. */
const TRUSTED_FAILURES = 2;

export class Pair {
  readonly between: Between;
  readonly messages: Lane;
  readonly transfers: Lane;
  readonly #deps: PairDeps;
  readonly #notifier: MessageUser;
  readonly #breaker: CircuitBreaker;
  readonly #transferDials: KeyedRate;
  readonly #retirements: KeyedRate;
  readonly #abandoning = new AbortController();
  /** When it is ours to be tried among those that are away. */
  readonly #turn = () => this.#tryInTurn();
  #hasTurn = false;
  /** Was it ever reached, or heard of? Of names that were not, anybody can make up any number. */
  #wasThere = false;
  #lastError: FospError | undefined;
  #lastFailure: Failure | undefined;
  #nowhereSince: number | undefined;

  constructor(between: Between, notifier: MessageUser, deps: PairDeps) {
    const { limits, clock } = deps;
    this.between = between;
    this.#deps = deps;
    this.#notifier = notifier;
    this.#breaker = new CircuitBreaker({ ...limits, ...deps });
    this.#transferDials = new KeyedRate(limits.transferDials, 1);
    this.#retirements = new KeyedRate(limits.retirements, 1);
    const shared = {
      ...{ limits, clock, backlogs: deps.backlogs, domain: between.domain },
      connect: () => this.#connect(),
      refusal: () => this.#refusal(),
    };
    this.messages = new Lane({
      ...shared,
      ...{ links: 1, perLink: limits.requestsPerLink, perUser: limits.requestsPerUser },
      idleSeconds: limits.idleSeconds,
      dialPause: () => 0,
      isKept: () => notifier.isBusy,
      opened: (link) => notifier.opened(link),
      closed: (link, end) => {
        this.#ended(link, end);
        notifier.closed(link, end);
      },
    });
    this.transfers = new Lane({
      ...shared,
      ...{ links: limits.transferLinks, perLink: 1, perUser: limits.transfersPerUser },
      idleSeconds: limits.transferIdleSeconds,
      dialPause: () => this.#transferPause(),
      isKept: () => false,
      opened: () => undefined,
      closed: (link, end) => this.#ended(link, end, link.hasAnswered),
    });
  }

  get lastFailure(): Failure | undefined {
    return this.#lastFailure;
  }

  /** When discovery said first, and has said ever since, that the domain has no server; milliseconds since the epoch. */
  get nowhereSince(): number | undefined {
    return this.#nowhereSince;
  }

  /** Milliseconds until it is tried again, if anybody wants to. */
  get pause(): number {
    return Math.max(this.#breaker.pause, this.#deps.redials.waitOf(this.#turn));
  }

  get isUsed(): boolean {
    return [this.messages, this.transfers].some(
      ({ links, isDialling, waiting }) => links.size > 0 || isDialling || waiting > 0,
    );
  }

  /** The other side gave a sign of life: it is worth another try. */
  reset(): void {
    this.#deps.redials.leave(this.#turn);
    this.#breaker.reset();
    this.#wasThere = true;
    this.#nowhereSince = undefined;
  }

  /** Nothing more is sent. Resolves once what is under way is done. */
  async finish(error: FospError): Promise<void> {
    await Promise.all([this.messages.finish(error), this.transfers.finish(error)]);
  }

  /** Ends all links, and what is under way on them. */
  close(code: number, reason: string): void {
    this.#abandon();
    this.messages.close(code, reason);
    this.transfers.close(code, reason);
  }

  /** Closes all links, each once what the other side asked on it is answered. Resolves when they are closed. */
  async retire(): Promise<void> {
    this.#abandon();
    const links = [...this.messages.links.keys(), ...this.transfers.links.keys()];
    for (const link of links) {
      link.retire();
    }
    await Promise.all(links.map(({ closed }) => closed));
  }

  #abandon(): void {
    this.#abandoning.abort();
    this.#deps.redials.leave(this.#turn);
  }

  /** Nobody waits for it: whoever wanted something was told that it cannot be had, or is told when there is a link. */
  #tryInTurn(): void {
    this.#hasTurn = true;
    const tried = () => {
      if (this.#hasTurn) {
        this.#hasTurn = false;
        this.#deps.redials.giveBack();
      }
    };
    this.messages.open().then(tried, tried);
  }

  async #connect(): Promise<Link> {
    const { connector, redials } = this.#deps;
    const wasItsTurn = await this.#pause();
    try {
      const link = await connector.connect({
        ...this.between,
        signal: this.#abandoning.signal,
        acknowledged: (on, id) => this.#notifier.acknowledged(on, id),
        retiring: (left) => this.#left(left),
      });
      this.#lastError = undefined;
      this.#wasThere = true;
      if (wasItsTurn) {
        redials.giveBack();
      }
      this.#nowhereSince = undefined;
      return link;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** What whoever wants a link now is told, since none is dialled for a while. */
  #refusal(): FospError | undefined {
    const { limits, redials } = this.#deps;
    const isLong = this.#breaker.pause > limits.shortPause || redials.waitOf(this.#turn) > 0;
    return isLong && this.#lastError !== undefined ? this.#later(this.#lastError) : undefined;
  }

  /** A short pause is waited for; for a long one nobody waits. @returns whether it was tried as one of those that are away */
  async #pause(): Promise<boolean> {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      throw refusal;
    }
    const { pause } = this.#breaker;
    if (pause > 0) {
      // It ends early where this pair ends, and then nothing is made.
      await wait(pause, undefined, { signal: this.#abandoning.signal }).catch(() => undefined);
    }
    if (this.#lastError === undefined || this.#breaker.failures <= TRUSTED_FAILURES) {
      return false;
    }
    const { redials } = this.#deps;
    if (this.#hasTurn) {
      this.#hasTurn = false;
    } else if (!redials.take()) {
      const isHopeful = this.#wasThere && !this.#breaker.isGone && this.#nowhereSince === undefined;
      redials.enter(this.#turn, !isHopeful);
      throw this.#later(this.#lastError);
    }
    return true;
  }

  #failed(error: unknown): unknown {
    const { clock, forget, telemetry } = this.#deps;
    if (this.#abandoning.signal.aborted) {
      return fospError('unavailable', 'This part of the server ends. Try again.', { headers: { 'Retry-After': '1' } });
    }
    const details = detailsOf(error);
    this.#lastFailure = { at: clock(), details };
    if (!isFospError(error) || error.code !== 'unreachable') {
      // Nothing was tried.
      return error;
    }
    this.#breaker.failed(askedPauseOf(error));
    this.#nowhereSince = error.cause instanceof NoServer ? (this.#nowhereSince ?? clock()) : undefined;
    this.#lastError = error;
    const { failures, pause } = this.#breaker;
    telemetry.unreachable(this.between, { failures, pause, details });
    if (error.cause instanceof AggregateError) {
      // Its servers were tried, and may have moved.
      forget(this.between.domain);
    }
    return error;
  }

  /**
   * `isFile`: it was of use, and ended with a file, which is no wonder: who reads one that breaks off again and again must not
   * have the domain count as away for others. `transferDials` bounds how often such links are made.
   */
  #ended(link: Link, end: LinkEnd, isFile = false): void {
    const { clock, telemetry } = this.#deps;
    telemetry.closed(this.between, link.facts, end);
    if (clock() - link.facts.openedAt >= STEADY_MS) {
      this.#breaker.succeeded();
    } else if (!link.isClosedByUs && !link.isLeft && !isFile) {
      this.#closes(`A link closed soon after it was made: ${end.code} ${end.reason}`);
    }
  }

  /** The other side is about to close it. One that says so of every link would have us dial for every request. */
  async #left(link: Link): Promise<void> {
    if (!this.#retirements.take('', 1, this.#deps.clock())) {
      this.#closes('It is about to close links as soon as they are made.');
    }
    await Promise.all([this.messages.left(link), this.transfers.left(link)]);
  }

  #closes(details: string): void {
    this.#breaker.failed();
    this.#lastFailure = { at: this.#deps.clock(), details };
    this.#lastError = fospError('unreachable', `${this.between.domain} cannot be reached: it closes connections.`);
  }

  #later(last: FospError): FospError {
    const seconds = String(Math.max(1, Math.ceil(this.pause / 1000)));
    return fospError(last.code, last.message, { headers: { 'Retry-After': seconds } });
  }

  /** Files that break off end their links; nobody may have us log in to another domain again and again by that. */
  #transferPause(): number {
    const { clock, limits } = this.#deps;
    return this.#transferDials.take('', 1, clock()) ? 0 : 1000 / limits.transferDials.perSecond;
  }
}
