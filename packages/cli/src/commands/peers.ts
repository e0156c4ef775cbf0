import { type AdminOptions, askAdmin } from '../admin-port.ts';
import type { Context } from '../context.ts';

/** What the server says of another domain. */
interface Peer extends Partial<Talk> {
  readonly domain: string;
  /** Notifications that wait. */
  readonly queued: number;
}

/** What whoever talks to it says, which may be nobody just now. */
interface Talk {
  readonly owner: string;
  readonly links: readonly { readonly kind: string; readonly url: string; readonly underWay: number }[];
  readonly waiting: number;
  readonly underWay: number;
  readonly oldest?: string;
  /** Of notifications, how many, by the reason. */
  readonly dropped?: Readonly<Record<string, number>>;
  readonly lastError?: { readonly at: string; readonly text: string };
  readonly pause: number;
}

/** Shows the domains that the server talks to, or that something waits for. */
export async function adminPeers(context: Context, options: AdminOptions): Promise<void> {
  const { peers } = (await askAdmin(context, options, { method: 'GET', path: '/admin/peers' })) as { peers: Peer[] };
  context.output.result(peers.length === 0 ? 'no other domain is talked to now' : peers.map(shown).join('\n'), peers);
}

/** Has the server connect to a domain now. */
export async function adminRetry(context: Context, domain: string, options: AdminOptions): Promise<void> {
  const path = `/admin/peers/${encodeURIComponent(domain)}/retry`;
  await askAdmin(context, options, { method: 'POST', path });
  context.output.result(`${domain}: connected`, { domain });
}

const NOBODY = 'none: no federation process has it, or the one that has did not answer';

function shown(peer: Peer): string {
  const { domain, owner = NOBODY, links = [], waiting = 0, underWay = 0, queued, oldest, lastError, pause = 0 } = peer;
  const lost = Object.entries(peer.dropped ?? {});
  const state = links.length > 0 ? links.map(({ kind, url }) => `${kind} ${url}`).join(', ') : 'no link';
  return [
    `${domain}  ${state}`,
    `  owner         ${owner}`,
    `  requests      ${underWay} under way, ${waiting} waiting`,
    `  notifications ${queued} waiting${oldest === undefined ? '' : `, the oldest since ${oldest}`}`,
    ...(lost.length === 0 ? [] : [`  dropped       ${lost.map(([why, count]) => `${count} ${why}`).join(', ')}`]),
    ...(lastError === undefined ? [] : [`  last error    ${lastError.at} ${lastError.text}`]),
    ...(pause > 0 ? [`  tried again   in ${Math.ceil(pause / 1000)} s; now by: fosp admin peers retry ${domain}`] : []),
  ].join('\n');
}
