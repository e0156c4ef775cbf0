/** Opens connections to the servers of other domains, each only at the addresses that were found and checked. */
import type { ConnectionOptions } from 'node:tls';
import { dial, type Peer, type PeerEnvironment, type PeerHandler, type PeerLimits } from '@fosp/connection';
import { pinnedLookup } from '../discovery/pinned-lookup.ts';
import type { Place } from '../discovery/places.ts';
import type { DialContext } from './dial-context.ts';

export interface DiallerOptions {
  readonly environment: PeerEnvironment;
  readonly limits: PeerLimits;
  readonly dialSeconds: number;
  readonly context: Pick<DialContext, 'current'>;
}

export interface Dialled {
  readonly handler: PeerHandler;
  readonly signal: AbortSignal;
}

export class Dialler {
  readonly #options: DiallerOptions;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Rejects with FospError `unreachable` or `timeout`, whose text names addresses, or with the signal's reason. */
  dial(place: Place, { handler, signal }: Dialled): Promise<Peer> {
    const { environment, limits, dialSeconds, context } = this.#options;
    const tls: ConnectionOptions = place.secure
      ? { servername: place.tlsName, secureContext: context.current }
      : { servername: place.tlsName };
    return dial(place.url, {
      ...{ handler, signal, environment, limits, tls },
      timeoutMs: dialSeconds * 1000,
      lookup: pinnedLookup(place.addresses),
    });
  }
}
