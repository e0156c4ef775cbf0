/** The `subscriptions` of an object (SPEC §5.4, §6.2, PROTOCOL §6): two shapes come in, the flat one is kept and shown. */
import { elementsAt, malformedField, memberField, membersAt, stringAt, userAt } from './field.ts';
import { objectText } from './json.ts';
import { LIMITS } from './limits.ts';
import type { EventType } from './message.ts';
import { quote } from './quote.ts';

/** One bit per event. */
export const EVENT_BITS = { CREATED: 1, UPDATED: 2, DELETED: 4 } as const satisfies Record<EventType, number>;

/** What one user subscribed to on one object. */
export interface Subscription {
  /** Bits of `EVENT_BITS`. */
  readonly events: number;
  /** How far below the object, -1 for any distance. */
  readonly depth: number;
}

/** A subscription as it is stored: of a user, on the object at `path` of a tree. */
export interface SubscriptionRow extends Subscription {
  readonly user: string;
  readonly path: string;
}

/** A merge patch for one user's entry: what is not mentioned stays, or is none and 0 in a new entry. */
export type SubscriptionEntryPatch = Partial<Subscription>;

/** A merge patch for the flat form, by normalised user; null removes the entry. */
export type SubscriptionPatch = ReadonlyMap<string, SubscriptionEntryPatch | null>;

/**
 * Reads a patch in either shape, `{user: entry}` or `{"users": {user: entry}}`, or both at once; an entry given twice is
 * merged in the order of the text. Null where `users` as a whole is to go.
 * @throws malformed, naming the field
 */
export function parseSubscriptionPatch(text: string): SubscriptionPatch | null {
  const patch = new Map<string, SubscriptionEntryPatch | null>();
  const flat = membersAt(text, 'subscriptions');
  for (const [name, raw] of flat) {
    if (name !== 'users') {
      addEntry(patch, name, raw, memberField('subscriptions', name));
    } else if (raw !== 'null') {
      for (const [user, entry] of membersAt(raw, 'subscriptions.users')) {
        addEntry(patch, user, entry, memberField('subscriptions.users', user));
      }
    } else if (flat.size === 1) {
      return null;
    } else {
      throw malformedField('subscriptions.users', 'cannot be null beside other entries');
    }
  }
  return patch;
}

/** An entry after a patch. */
export function mergeSubscription(current: Subscription | undefined, patch: SubscriptionEntryPatch): Subscription {
  return { events: patch.events ?? current?.events ?? 0, depth: patch.depth ?? current?.depth ?? 0 };
}

/** Raw JSON of `subscriptions` for these rows of one object; undefined where there are none. */
export function subscriptionsView(rows: readonly SubscriptionRow[]): string | undefined {
  return rows.length === 0 ? undefined : objectText(rows.map((row) => [row.user, entryText(row)]));
}

/**
 * What one reader is shown of an object's rows: all, or only their own where there are more than `shown`. Who holds at
 * least `shown + 1` rows and the reader's own holds enough.
 */
export function shownSubscriptions(
  rows: readonly SubscriptionRow[],
  reader: string,
  shown: number = LIMITS.subscriptionsShown,
): string | undefined {
  return subscriptionsView(rows.length > shown ? rows.filter((row) => row.user === reader) : rows);
}

const EVENT_NAMES: ReadonlyMap<string, number> = new Map(
  Object.entries(EVENT_BITS).map(([name, bit]) => [name.toLowerCase(), bit]),
);

function entryText(subscription: Subscription): string {
  const events = [...EVENT_NAMES].filter(([, bit]) => (subscription.events & bit) !== 0).map(([name]) => name);
  return `{"events":${JSON.stringify(events)},"depth":${subscription.depth}}`;
}

function addEntry(patch: Map<string, SubscriptionEntryPatch | null>, name: string, raw: string, field: string): void {
  const user = userAt(name, field);
  const entry = raw === 'null' ? null : parseEntry(raw, field);
  patch.set(user, entry === null ? null : { ...patch.get(user), ...entry });
}

function parseEntry(raw: string, field: string): SubscriptionEntryPatch {
  const entry: { events?: number; depth?: number } = {};
  for (const [name, value] of membersAt(raw, field)) {
    switch (name) {
      case 'events':
        entry.events = value === 'null' ? 0 : parseEvents(value, `${field}.events`);
        break;
      case 'depth':
        entry.depth = value === 'null' ? 0 : parseDepth(value, `${field}.depth`);
        break;
      default:
        throw malformedField(field, `there is no member ${quote(name)}; there are events and depth`);
    }
  }
  return entry;
}

function parseEvents(raw: string, field: string): number {
  let events = 0;
  for (const [index, element] of elementsAt(raw, field).entries()) {
    const name = stringAt(element, `${field}[${index}]`);
    const bit = EVENT_NAMES.get(name.toLowerCase());
    if (bit === undefined) {
      throw malformedField(`${field}[${index}]`, `there is no event ${quote(name)}`);
    }
    events |= bit;
  }
  return events;
}

/** What counts is the value: `1.0` and `1e0` are whole numbers too. */
function parseDepth(raw: string, field: string): number {
  const depth = wholeNumber(raw);
  if (depth === undefined || depth < -1) {
    throw malformedField(field, `must be a whole number, -1 or more, not ${raw.slice(0, 20)}`);
  }
  // Beyond it neither JSON readers nor stores keep the digits.
  if (depth > Number.MAX_SAFE_INTEGER) {
    throw malformedField(field, `must be at most ${Number.MAX_SAFE_INTEGER}; -1 is any depth`);
  }
  return depth;
}

/** The value of a JSON number where it is whole, by its digits: `Number` would round `1e-400` to a whole one. */
function wholeNumber(raw: string): number | undefined {
  const [, integer, fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:e(.+))?$/i.exec(raw) ?? [];
  if (integer === undefined) {
    return undefined;
  }
  const digits = integer + fraction;
  let significant = digits.length;
  while (digits[significant - 1] === '0') {
    significant--;
  }
  const zeros = digits.length - significant - fraction.length + Number(exponent);
  // `+ 0` since -0 is shown as 0.
  return significant === 0 || zeros >= 0 ? Number(raw) + 0 : undefined;
}
