/** What an operator sees of other domains, through the internal port (`fosp admin peers`). */
import { type Bus, FEDERATION, type LineLengths, totalOf } from '@fosp/bus';
import { normaliseDomain } from '@fosp/protocol';
import type { AdminRequest, AdminRoute } from '@fosp/runtime';
import { answering } from './admin.ts';
import type { DomainCalls } from './domain-calls.ts';

export interface PeerRoutesOptions {
  readonly bus: Bus;
  readonly domains: DomainCalls;
}

export function peerRoutes({ bus, domains }: PeerRoutesOptions): readonly AdminRoute[] {
  const list = async () => {
    const [replies, queues] = await Promise.all([bus.askAll(FEDERATION.peers, {}), bus.queueLengths()]);
    const talkedTo = replies.flatMap(({ body }) => statusesIn(body));
    const known = new Set(talkedTo.map(({ domain }) => domain));
    const peers = [...talkedTo, ...Array.from(queues, unowned).filter(({ domain }) => !known.has(domain))];
    return { status: 200, body: { peers: peers.sort((one, other) => (one.domain < other.domain ? -1 : 1)) } };
  };
  const retry = async ({ params }: AdminRequest) => {
    const domain = normaliseDomain(params['domain'] ?? '');
    await domains.ask(FEDERATION.retry, domain, {});
    return { status: 200, body: { domain } };
  };
  return [
    { method: 'GET', path: '/admin/peers', handle: answering(list) },
    { method: 'POST', path: '/admin/peers/:domain/retry', handle: answering(retry) },
  ];
}

interface Status {
  readonly domain: string;
}

/** Something waits for it, and nobody who talks to it answered: no federation process runs, or one died just now. */
function unowned([domain, lines]: readonly [string, LineLengths]): Status & { readonly queued: number } {
  return { domain, queued: totalOf(lines) };
}

/** As the federation service makes them: handed on as they are. */
function statusesIn(body: Uint8Array): readonly Status[] {
  return JSON.parse(Buffer.from(body).toString('utf8'));
}
