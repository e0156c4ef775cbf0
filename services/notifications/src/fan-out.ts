/**
 * One change, told to everybody it concerns.
 *
 * Invariants: notifications of a tree leave in the order of its changes, since the stream hands over one change of a tree at
 * a time; `part` grows within a change and is the same each time the change is handled, so that gateways can drop repeats;
 * a change that is large gives way to those of other trees between its pages.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bus, Change, FanOutPage, UserEventHeaders } from '@fosp/bus';
import { domainOf, type Groups, NO_GROUPS, parseGroups } from '@fosp/protocol';
import { type Audience, audiencesOf } from './audiences.ts';
import type { CompiledAcls } from './compiled-acls.ts';
import { pagesOf } from './pages.ts';
import type { RemoteEvent, RemoteQueue, RemoteReader } from './remote.ts';
import type { Repeats } from './repeats.ts';
import type { Telemetry } from './telemetry.ts';

export interface FanOutDeps {
  readonly bus: Bus;
  readonly acls: CompiledAcls;
  readonly repeats: Repeats;
  readonly telemetry: Telemetry;
  /** Domains whose users' sessions are on this bus. */
  readonly domains: ReadonlySet<string>;
  /** For users of other domains; nobody tells them where it is absent. */
  readonly remote: RemoteQueue | undefined;
  /** Deliveries after which a change gives way to others. */
  readonly deliveriesPerTurn: number;
}

/** How far one change is told. */
interface Progress {
  /** Of the next object. */
  part: number;
  delivered: number;
  /** For users of other domains. */
  queued: number;
  dropped: number;
  /** Beyond what one tree may have waiting. */
  refused: number;
}

/** Tells everybody. Rejects where `objects` cannot be asked, or the queue of another domain takes no more; then the change is to be handled again. */
export async function fanOut(deps: FanOutDeps, change: Change): Promise<void> {
  const sequence = Number(change.sequence);
  if (deps.repeats.includes(change.tree, sequence)) {
    deps.telemetry.repeated(change);
    return;
  }
  const groups = change.event.groups === undefined ? NO_GROUPS : parseGroups(change.event.groups);
  const progress: Progress = { part: 0, delivered: 0, queued: 0, dropped: 0, refused: 0 };
  for await (const page of pagesOf(deps.bus, change)) {
    await tellPage(deps, change, { page, groups, progress });
  }
  deps.repeats.handled(change.tree, sequence);
  deps.telemetry.fannedOut(change, progress);
}

interface PageOfChange {
  readonly page: FanOutPage;
  readonly groups: Groups;
  readonly progress: Progress;
}

async function tellPage(deps: FanOutDeps, change: Change, { page, groups, progress }: PageOfChange): Promise<void> {
  let turnEnds = progress.delivered + deps.deliveriesPerTurn;
  for (const changed of page.objects) {
    const levels = deps.acls.levels(changed.levels);
    const context = { tree: change.tree, event: change.event.event, groups, levels, rows: page.subscriptions };
    const remote: RemoteReader[] = [];
    for (const audience of audiencesOf(changed, context)) {
      remote.push(...tell(deps, change, audience, progress));
    }
    if (remote.length > 0) {
      await queue(deps, { change, path: changed.path, part: progress.part }, { remote, progress });
    }
    progress.part++;
    if (progress.delivered >= turnEnds) {
      await nextTurn();
      turnEnds = progress.delivered + deps.deliveriesPerTurn;
    }
  }
}

/** Returns who is of another domain. */
function tell(deps: FanOutDeps, change: Change, audience: Audience, progress: Progress): readonly RemoteReader[] {
  const remote: RemoteReader[] = [];
  const headers: UserEventHeaders = {
    event: 'notification',
    tree: change.tree,
    sequence: change.sequence,
    part: String(progress.part),
    source: change.event.user,
  };
  for (const user of audience.users) {
    if (deps.domains.has(domainOf(user))) {
      deps.bus.publishToUser(user, headers, audience.notification);
      progress.delivered++;
    } else {
      remote.push({ user, audience });
    }
  }
  return remote;
}

async function queue(
  deps: FanOutDeps,
  event: RemoteEvent,
  { remote, progress }: { readonly remote: readonly RemoteReader[]; readonly progress: Progress },
): Promise<void> {
  if (deps.remote === undefined) {
    progress.dropped += remote.length;
    return;
  }
  const refused = await deps.remote.queue(event, remote);
  progress.refused += refused;
  progress.queued += remote.length - refused;
}
