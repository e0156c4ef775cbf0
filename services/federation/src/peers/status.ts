/** What an operator is shown of another domain (`fosp admin peers`). */
import type { Lane } from '../links/lane.ts';
import type { Pair } from '../links/pair.ts';
import type { DroppedCounts } from '../queue/telemetry.ts';
import type { PeerDomain } from './peer-domain.ts';

export interface LinkStatus {
  /** Ours. */
  readonly own: string;
  readonly kind: 'messages' | 'files';
  readonly url: string;
  /** ISO 8601. */
  readonly since: string;
  readonly extensions: readonly string[];
  readonly underWay: number;
}

export interface PeerStatus {
  readonly domain: string;
  /** The process that talks to it. */
  readonly owner: string;
  /** Since when; ISO 8601. */
  readonly since: string;
  readonly links: readonly LinkStatus[];
  /** Requests that wait to be sent, and that wait for their answers. */
  readonly waiting: number;
  readonly underWay: number;
  /** Notifications that wait, and since when the oldest does, as far as is known; ISO 8601. */
  readonly queued: number;
  readonly oldest: string | undefined;
  /** Of those that this process dropped, how many, by the reason. */
  readonly dropped: Readonly<DroppedCounts>;
  /** Why it could not be reached the last time, and when; ISO 8601. */
  readonly lastError: { readonly at: string; readonly text: string } | undefined;
  /** Milliseconds until it is tried again at the earliest. */
  readonly pause: number;
}

export function statusOf(
  peer: PeerDomain,
  { queued, owner, dropped }: Pick<PeerStatus, 'queued' | 'owner' | 'dropped'>,
): PeerStatus {
  const { domain, since, pairs, oldestAt, lastFailure } = peer;
  const lanes = pairs.flatMap(({ messages, transfers }) => [messages, transfers]);
  return {
    ...{ domain, owner, since: iso(since), queued, dropped },
    links: pairs.flatMap(linksOf),
    waiting: lanes.reduce((sum, lane) => sum + lane.waiting, 0),
    underWay: lanes.reduce((sum, lane) => sum + lane.underWay, 0),
    oldest: oldestAt === undefined || queued === 0 ? undefined : iso(oldestAt),
    lastError: lastFailure && { at: iso(lastFailure.at), text: lastFailure.details },
    pause: Math.max(0, ...pairs.map(({ pause }) => pause)),
  };
}

function linksOf({ between, messages, transfers }: Pair): LinkStatus[] {
  const of = (lane: Lane, kind: LinkStatus['kind']) =>
    Array.from(lane.links, ([{ facts }, { underWay }]) => ({
      ...{ own: between.own, kind, url: facts.url, since: iso(facts.openedAt), underWay },
      extensions: Object.entries(facts.extensions).flatMap(([name, isInForce]) => (isInForce ? [name] : [])),
    }));
  return [...of(messages, 'messages'), ...of(transfers, 'files')];
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
