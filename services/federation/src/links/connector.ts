/**
 * Makes links: finds the servers of a domain, dials them in order, and logs in as one of our own domains.
 *
 * What clients are told of a failure names no address and quotes nothing that the other side said; the log does, and
 * whoever asks as an operator.
 */
import { type Bus, DOMAINS } from '@fosp/bus';
import { ServerLink, type ServerLinkParts } from '@fosp/exchange';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import type { Discovery } from '../discovery/discovery.ts';
import type { Place } from '../discovery/places.ts';
import { notFederated } from '../policy/policy.ts';
import type { Dialler } from './dialler.ts';
import { greet, LinkRefused, logIn } from './greeting.ts';
import type { LinkLimits } from './limits.ts';
import { Link } from './link.ts';
import { LinkEar } from './link-ear.ts';
import type { LinkTelemetry } from './telemetry.ts';

export interface ConnectorDeps {
  readonly bus: Bus;
  readonly discovery: Pick<Discovery, 'find' | 'forget'>;
  readonly permits: (domain: string) => boolean;
  readonly dialler: Dialler;
  /** How what the other side asks on its own account is served. */
  readonly serving: ServerLinkParts;
  /** Domains with which traces are shared. */
  readonly tracePeers: readonly string[];
  readonly limits: LinkLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly newId: () => string;
  readonly telemetry: LinkTelemetry;
}

export interface LinkWanted {
  /** Ours, to log in as. */
  readonly own: string;
  readonly domain: string;
  readonly signal: AbortSignal;
  /** The other side has all notifications up to this one that went over this link. */
  readonly acknowledged: (link: Link, id: number) => void;
  /** The other side is about to close this link. Resolves once nothing is under way over it. */
  readonly retiring: (link: Link) => Promise<void>;
}

export class Connector {
  readonly #deps: ConnectorDeps;

  constructor(deps: ConnectorDeps) {
    this.#deps = deps;
  }

  /**
   * A link to one of the domain's servers. Rejects with FospError `unreachable` where there is none to be had, `forbidden`
   * where the policy does not permit it, `unavailable` where too much is looked up already.
   */
  async connect(wanted: LinkWanted): Promise<Link> {
    const { discovery, limits, permits, telemetry } = this.#deps;
    const { domain, signal } = wanted;
    if (!permits(domain)) {
      throw notFederated(domain);
    }
    const places = await discovery.find(domain);
    const failures: Error[] = [];
    for (const place of places.slice(0, limits.servers)) {
      signal.throwIfAborted();
      try {
        const link = await this.#connectTo(place, wanted);
        telemetry.opened(wanted, link.facts);
        return link;
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        telemetry.notConnected(wanted, place, error);
        if (error instanceof LinkRefused && error.isFinal) {
          break;
        }
      }
    }
    signal.throwIfAborted();
    throw unreachable(domain, failures);
  }

  async #connectTo(place: Place, wanted: LinkWanted): Promise<Link> {
    const { clock, dialler, limits, newId, serving, tracePeers } = this.#deps;
    const { own, domain, signal } = wanted;
    const ear = new LinkEar();
    const peer = await dialler.dial(place, { handler: ear, signal });
    const abandon = () => peer.close(1001, '');
    signal.addEventListener('abort', abandon, { once: true });
    try {
      const trace = tracePeers.includes(domain);
      const { extensions, nonce, requests, message } = await greet(peer, {
        domain,
        trace,
        seconds: limits.greetingSeconds,
      });
      const id = newId();
      const patience = limits.requestSeconds;
      const facts = { id, url: place.url, extensions, requests, message, openedAt: clock(), patience };
      const link = new Link(facts, peer, ear);
      const acknowledged = (upTo: number) => wanted.acknowledged(link, upTo);
      const retiring = async () => {
        if (link.isLeft) {
          // Each would be kept until the last answer.
          throw fospError('malformed', 'RETIRE came over this link already: once is enough.');
        }
        link.leave();
        await wanted.retiring(link);
      };
      ear.serveBy(new ServerLink(serving, { id, peer, domain, to: own, extensions, acknowledged, retiring }));
      await logIn(peer, { domain: own, key: await this.#keyFor(wanted, nonce) }, limits.loginSeconds);
      if (!peer.isOpen) {
        throw new LinkRefused('The connection closed at once.');
      }
      return link;
    } catch (error) {
      peer.close(1000, '');
      throw error;
    } finally {
      signal.removeEventListener('abort', abandon);
    }
  }

  /** Without it our address, or our certificate, may prove the domain all the same. */
  async #keyFor({ own, domain }: LinkWanted, nonce: string | undefined): Promise<string | undefined> {
    if (nonce === undefined) {
      return undefined;
    }
    try {
      const { fields } = await this.#deps.bus.call(DOMAINS.sign, { from: own, to: domain, nonce });
      return fields.key;
    } catch (error) {
      this.#deps.telemetry.notSigned(own, error);
      return undefined;
    }
  }
}

/** Milliseconds that the other side asked to be left alone for. */
export function askedPauseOf(error: unknown): number {
  const cause = isFospError(error) ? error.cause : error;
  const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return Math.max(0, ...errors.map((each) => (each instanceof LinkRefused ? each.pause : 0)));
}

/** Why a domain could not be reached, as it is told to operators alone. */
export function detailsOf(error: unknown): string {
  const cause = isFospError(error) ? error.cause : undefined;
  if (cause instanceof AggregateError) {
    return cause.errors.map((each) => textOf(each)).join(' ');
  }
  return cause === undefined ? textOf(error) : `${textOf(error)} ${textOf(cause)}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unreachable(domain: string, failures: readonly Error[]): FospError {
  const isRefused = failures.some((failure) => failure instanceof LinkRefused);
  const why = isRefused ? 'its server does not accept this one' : 'no connection to its server could be made';
  return fospError('unreachable', `${domain} cannot be reached: ${why}.`, { cause: new AggregateError(failures) });
}
