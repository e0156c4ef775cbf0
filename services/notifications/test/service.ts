import {
  Bus,
  type ChangedObject,
  type ChangeEvent,
  changesSubject,
  InProcessTransport,
  STREAMS,
  type UserEventHeaders,
} from '@fosp/bus';
import { EVENT_BITS, type SubscriptionRow } from '@fosp/protocol';
import { createLog, Metrics } from '@fosp/runtime';
import { ALICE, BOB, Inbox, QUEEN, REALWORLD, SISTER, WONDERLAND } from '@fosp/testkit';
import { createNotificationsService, type NotificationsOptions } from '../src/index.ts';

export { ALICE, BOB, QUEEN, REALWORLD, SISTER, WONDERLAND };

const ALL = EVENT_BITS.CREATED | EVENT_BITS.UPDATED | EVENT_BITS.DELETED;
export const DATE = '2026-11-20T12:00:00.000Z';

export interface Told {
  readonly headers: UserEventHeaders;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface TestOptions extends NotificationsOptions {
  readonly federation?: boolean;
  readonly clock?: () => number;
  /** Messages that wait in one stream. */
  readonly waitingMessages?: number;
}

/** The service on a bus within this process. */
export async function notifications({
  federation = true,
  waitingMessages = 10_000,
  clock,
  ...options
}: TestOptions = {}) {
  const transport = new InProcessTransport({ stream: { retryPause: 1, longestRetryPause: 5, waitingMessages } });
  const bus = new Bus(transport);
  const metrics = new Metrics();
  const log = await createLog({ name: 'test', level: 'silent' });
  const timed = clock === undefined ? {} : { clock };
  const service = createNotificationsService({
    bus,
    domains: [WONDERLAND],
    federation,
    log,
    metrics,
    options,
    ...timed,
  });
  await service.start();
  return {
    bus,
    metrics,
    /** What a user's sessions are told. */
    listen: async (user: string): Promise<Inbox<Told>> => {
      const inbox = new Inbox<Told>(`a notification for ${user}`);
      await bus.onUser(user, (headers, bytes) => inbox.add({ headers, bytes, text: Buffer.from(bytes).toString() }));
      return inbox;
    },
    append: (tree: string, sequence: number, event: ChangeEvent) =>
      bus.appendChange({ tree, sequence: String(sequence) }, Buffer.from(JSON.stringify(event))),
    /** As a stream that forgot what it delivered would. */
    appendAgain: (tree: string, sequence: number, event: ChangeEvent) =>
      transport.append(STREAMS.changes, changesSubject(tree), {
        id: `again/${sequence}`,
        headers: { tree, sequence: String(sequence) },
        body: Buffer.from(JSON.stringify(event)),
      }),
    [Symbol.asyncDispose]: () => service.drain(),
  };
}

export function row(user: string, path = '/a', depth = 0): SubscriptionRow {
  return { user, path, depth, events: ALL };
}

/** Rights of users on the object and, below, on the root. */
export function aclOf(users: Record<string, string[]>, groups: Record<string, string[]> = {}): string {
  return JSON.stringify({ users, groups });
}

export interface ObjectParts {
  readonly path?: string;
  readonly data?: string;
  readonly acl?: string;
  readonly shown?: readonly SubscriptionRow[] | undefined;
}

export function changedObject({ path = '/a', data = '1.10', acl, shown }: ObjectParts): ChangedObject {
  const object = { owner: ALICE, btime: DATE, mtime: DATE, data, ...(acl !== undefined && { acl }) };
  return { path, owner: ALICE, levels: [acl ?? null, null], object, ...(shown !== undefined && { shown }) };
}

export function updated(acl: string, rows: readonly SubscriptionRow[], more: Partial<ChangeEvent> = {}): ChangeEvent {
  return { event: 'UPDATED', user: ALICE, objects: [changedObject({ acl, shown: [] })], subscriptions: rows, ...more };
}
