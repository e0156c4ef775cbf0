/**
 * Requests for other domains. This version has no links to other domains yet: each one is answered that its domain cannot be
 * reached, with the reason, so that clients behave as they will when a domain is down.
 */
import { type Bus, type BusSubscription, FEDERATION } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import type { Telemetry } from './telemetry.ts';

export interface ForwardDeps {
  readonly bus: Bus;
  readonly telemetry: Telemetry;
  /** Requests at once. */
  readonly concurrency: number;
}

export function serveForward({ bus, telemetry, concurrency }: ForwardDeps): Promise<BusSubscription> {
  const refuse = async ({ fields: { domain } }: { readonly fields: { readonly domain: string } }) => {
    telemetry.unreachable(domain);
    throw fospError('unreachable', `${domain} cannot be reached: this server does not talk to other domains yet.`);
  };
  return bus.serve(FEDERATION.adopt, refuse, { concurrency });
}
