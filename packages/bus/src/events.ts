/**
 * Every event between services. `changes` and `federation` are durable and at least once, with an id and an order per
 * tree; what goes to a user's sessions is at most once, in the order of each tree, and a gap in it ends the session.
 */
import { domainOf, type EventType, type ObjectFragments, type SubscriptionRow } from '@fosp/protocol';
import type { BusHeaders, BusMessage } from './transport.ts';

/** Durable streams. Subjects begin with the stream's name. */
export const STREAMS = {
  /** One event per change that anyone could be notified of; see `ChangeEvent`. */
  changes: 'changes',
} as const;

/**
 * Notifications for users of other domains, one subject per domain of ours and other domain, kept until acknowledged. Several streams, since whoever
 * reads what waited for one domain reads past all that waits for others in its stream; fixed for the life of a deployment.
 */
export const FEDERATION_STREAMS: readonly string[] = Array.from({ length: 16 }, (_, part) => `federation-${part}`);

/** Number of partitions of `changes`; fixed for the life of a deployment, since a tree stays in its partition. */
export const CHANGE_PARTITIONS = 16;

export function partitionOf(tree: string): number {
  return hashOf(tree) % CHANGE_PARTITIONS;
}

/** Parts of all trees whose writes are asked of one process each; more processes than these have no part. */
export const TREE_PARTS = 32;

export function partOf(tree: string): string {
  return String(hashOf(tree) % TREE_PARTS);
}

/** FNV-1a. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

export function changesSubject(tree: string): string {
  return `${STREAMS.changes}.${partitionOf(tree)}`;
}

/** What the links of another domain's servers listen to, in place of a user: told `revoked`, they end. */
export function linksOf(domain: string): string {
  return `@${domain}`;
}

/** All that a user's sessions are told. Names are encoded, since subjects know no spaces, dots or stars. */
export function userSubject(user: string): string {
  return `fosp.user.${subjectToken(user)}`;
}

/** What a domain of ours has to tell another one: it waits for nothing but what is before it in the same line. */
export interface RemoteLine {
  /** Ours. */
  readonly own: string;
  readonly domain: string;
}

/** Whose line it is: that of the domain of the tree. */
export function lineOf(domain: string, { tree }: Pick<RemoteNotificationHeaders, 'tree'>): RemoteLine {
  return { own: domainOf(tree), domain };
}

/** How many notifications wait for a domain, by domain of ours; under `''` what older programs kept in one line for all of ours. */
export type LineLengths = ReadonlyMap<string, number>;

/** Which stream has a line, and under which subject; `older` is where older programs kept all lines to that domain. */
export interface FederationPlace {
  readonly stream: string;
  readonly subject: string;
  readonly older: string;
}

export function federationPlace({ own, domain }: RemoteLine): FederationPlace {
  const { stream, older, all } = federationPlaces(domain);
  return { stream, older, subject: all.replace('*', subjectToken(own)) };
}

/** The same for all lines to a domain: `all` is a pattern. */
export function federationPlaces(domain: string): Omit<FederationPlace, 'subject'> & { readonly all: string } {
  const stream = FEDERATION_STREAMS[hashOf(domain) % FEDERATION_STREAMS.length] ?? '';
  const name = subjectToken(domain);
  return { stream, all: `${stream}.*.${name}`, older: `${stream}.${name}` };
}

/** Whose line has this subject; of no domain of ours where it is an older one. */
export function lineInSubject(subject: string): RemoteLine {
  const [, own, domain] = subject.split('.');
  return domain === undefined
    ? { own: '', domain: nameInSubject(subject) }
    : { own: nameOf(own), domain: nameOf(domain) };
}

/** Where it is told that a domain is worth a try. */
export const NUDGES = 'fosp.federation.nudges';

/** A name as one subject token: base64url of its UTF-8. */
export function subjectToken(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

/** The name in the last token of a subject. */
export function nameInSubject(subject: string): string {
  return nameOf(subject.slice(subject.lastIndexOf('.') + 1));
}

function nameOf(token = ''): string {
  return Buffer.from(token, 'base64url').toString('utf8');
}

/** Headers of what a user's sessions are told. */
export type UserEventHeaders =
  /** The body is a whole FOSP notification, ready to send. `source` is whose change it was. */
  | {
      readonly event: 'notification';
      /** What `sequence` counts: a tree, or what a link of another domain brought (`linksOf`). */
      readonly tree: string;
      /** Where in the order of `tree`: `sequence` of the change and `part` within it; repeats are not above the last. */
      readonly sequence: string;
      readonly part: string;
      readonly source: string;
    }
  /** The same from a server of another domain that numbers nothing: told as it comes. `source` is `linksOf` that domain. */
  | { readonly event: 'unnumbered-notification'; readonly source: string }
  /** The sessions end (1008): password changed, account disabled or removed. The one named by `except` stays. */
  | { readonly event: 'revoked'; readonly except: string };

/** Headers of a message of `changes`; the body is the JSON of `ChangeEvent`. */
export interface ChangeHeaders extends BusHeaders {
  readonly tree: string;
  readonly sequence: string;
}

/** What fan-out knows of one object that changed: enough to decide who is told, and what each of them may see. */
export interface ChangedObject {
  readonly path: string;
  readonly owner: string;
  /** ACL texts from the object's own up to the root's, `null` where a level has none; before the deletion for DELETED. */
  readonly levels: readonly (string | null)[];
  /** The object after the change; absent for DELETED. */
  readonly object?: ObjectFragments;
  /** The object's own subscription rows where the view may show them all; absent for DELETED and beyond the limit. */
  readonly shown?: readonly SubscriptionRow[];
}

/** Body of a message of `changes`, as JSON. */
export interface ChangeEvent {
  readonly event: EventType;
  /** Who caused it. */
  readonly user: string;
  /** By which request, as logs name it; absent in events of older versions. */
  readonly request?: string | undefined;
  /** Of a request that is traced, the span that it happened in (W3C `traceparent`). */
  readonly trace?: string | undefined;
  /** Data of `config/groups` at the moment of the change, raw JSON; absent where there is none. */
  readonly groups?: string;
  /** The changed object; for DELETED the objects of the subtree, none where they are many. */
  readonly objects: readonly ChangedObject[];
  /** Subscription rows of the objects and all their ancestors; absent where they, or the objects, are many: ask `OBJECTS.fanOut`. */
  readonly subscriptions?: readonly SubscriptionRow[];
}

/** A message of `changes` as its consumers get it. */
export interface Change {
  readonly tree: string;
  readonly sequence: string;
  readonly event: ChangeEvent;
}

export function parseChange(message: BusMessage): Change {
  const { tree, sequence } = message.headers;
  if (tree === undefined || sequence === undefined) {
    throw new TypeError('A message of the stream changes lacks its header tree or sequence');
  }
  const event: ChangeEvent = JSON.parse(Buffer.from(message.body).toString('utf8'));
  return { tree, sequence, event };
}

/**
 * One answer of `OBJECTS.fanOut`, JSON; asked again with `after` while `next` is given, as of the event's sequence.
 * `objects` is empty where the event itself holds its one object. All rows that concern one (object, user) pair come in
 * one page.
 */
export interface FanOutPage {
  readonly objects: readonly ChangedObject[];
  readonly subscriptions: readonly SubscriptionRow[];
}

/** Headers of a notification for one user of another domain. */
export interface RemoteNotificationHeaders extends BusHeaders {
  readonly tree: string;
  /** `''` for the root, else `/a/b`. */
  readonly path: string;
  readonly event: EventType;
  /** Whom to tell. */
  readonly user: string;
  /** Whose change it was. */
  readonly source: string;
  /** Where in the order of its tree, as for users of our own. */
  readonly sequence: string;
  readonly part: string;
}

/** What waits in a line: at least once, and for each user in the order of each tree. */
export interface RemoteNotification {
  readonly headers: RemoteNotificationHeaders;
  /** JSON of the object as this user may see it; empty for DELETED. */
  readonly body: Uint8Array;
  /** Increasing and durable per line. */
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly appendedAt: number;
}

/** The same event for the same user has the same id, however often its change is handled. */
export function remoteNotificationId({ tree, sequence, part, user }: RemoteNotificationHeaders): string {
  return `${tree}/${sequence}/${part}/${user}`;
}
