/**
 * What an UPDATE changes, and which rights that needs (PROTOCOL §4, §5). Only what comes out different counts: clients send
 * whole objects back, and what they repeat needs no right.
 *
 * Invariant: whether something comes out different is learnt only by those who may read or write it. Of a field that a
 * user may neither read nor write, an UPDATE of theirs may say nothing but what can never change it, as `"acl":{}`.
 *
 * `changeOf` says what would change; `judgeChange` whether this user may. Between them lies nothing but the caller's
 * reading of rights; after them, its writing of what changed.
 */
import { isEmptyAcl, mergeAcl } from '../acl.ts';
import { mergeAttachment } from '../attachment.ts';
import { fospError } from '../errors.ts';
import { utf8Length } from '../json.ts';
import { equalJson } from '../json-equal.ts';
import { LIMITS } from '../limits.ts';
import { mergePatch } from '../merge-patch.ts';
import type { ObjectFields, ObjectLimits, ObjectPatch } from '../object.ts';
import { GROUPS_PATH } from '../resource-id.ts';
import {
  mergeSubscription,
  type Subscription,
  type SubscriptionPatch,
  type SubscriptionRow,
} from '../subscriptions.ts';
import { RIGHTS, type RightsMask, rightNames } from './right-names.ts';

type FieldName = keyof ObjectFields;

/** The rights to read a field, and to change it. */
interface FieldRights {
  readonly read: RightsMask;
  readonly write: RightsMask;
}

const FIELD_RIGHTS = {
  data: { read: RIGHTS.readData, write: RIGHTS.writeData },
  type: { read: RIGHTS.readData, write: RIGHTS.writeData },
  acl: { read: RIGHTS.readAcl, write: RIGHTS.writeAcl },
  attachment: { read: RIGHTS.readAttachment, write: RIGHTS.writeAttachment },
  subscriptions: { read: RIGHTS.readSubscriptions, write: RIGHTS.writeSubscriptions },
} as const satisfies Record<keyof ObjectPatch, FieldRights>;

/** Groups decide rights, as an ACL does. */
const GROUPS_RIGHTS: FieldRights = { read: RIGHTS.readData, write: RIGHTS.writeData | RIGHTS.writeAcl };

const FIELD_NAMES: readonly FieldName[] = ['data', 'type', 'acl', 'attachment'];
const PATCH_NAMES: readonly (keyof ObjectPatch)[] = [...FIELD_NAMES, 'subscriptions'];

/** What becomes of one user's subscription; null where it ends. */
export interface SubscriptionChange {
  readonly user: string;
  readonly subscription: Subscription | null;
}

/** What an UPDATE would change. */
export interface Change {
  /** All fields after it; those that stay equal keep the text they had. */
  readonly after: ObjectFields;
  /** Names of the fields that differ. */
  readonly fields: ReadonlySet<FieldName>;
  readonly subscriptions: readonly SubscriptionChange[];
  /** The rights that what differs needs. */
  readonly needs: RightsMask;
  /** What asked for it. */
  readonly patch: ObjectPatch;
  readonly path: string;
}

/** Who asks for a change, of whose object in whose tree, with which rights. */
export interface Judgement {
  readonly user: string;
  readonly rights: RightsMask;
  readonly owner: string;
  readonly tree: string;
}

/**
 * What `patch`, read for the object at `path`, changes of it. `rows` are the object's subscriptions of the users whom the
 * patch names, all of them where it removes `subscriptions` as a whole.
 */
export function changeOf(
  before: ObjectFields,
  patch: ObjectPatch,
  context: { readonly path: string; readonly rows: readonly SubscriptionRow[] },
): Change {
  const patched = patchedFields(before, patch);
  const after: { -readonly [Name in FieldName]?: string } = {};
  const fields = new Set<FieldName>();
  let needs = 0;
  for (const name of FIELD_NAMES) {
    const [old, wanted] = [before[name], patched[name]];
    const stays = old !== undefined && wanted !== undefined ? equalJson(old, wanted) : old === wanted;
    const text = stays ? old : wanted;
    if (text !== undefined) {
      after[name] = text;
    }
    if (!stays) {
      fields.add(name);
      needs |= rightsOn(name, context.path).write;
    }
  }
  const subscriptions = subscriptionChanges(patch.subscriptions, context.rows);
  if (subscriptions.length > 0) {
    needs |= FIELD_RIGHTS.subscriptions.write;
  }
  return { after, fields, subscriptions, needs, patch, path: context.path };
}

/** Whether a change changes anything. If not, the answer is a success, `mtime` stays, and there is no event. */
export function isChange(change: Change): boolean {
  return change.fields.size > 0 || change.subscriptions.length > 0;
}

/**
 * Lets a change pass, or says why not.
 * @throws forbidden, naming the missing rights; too-large, naming the limit
 */
export function judgeChange(change: Change, judgement: Judgement, limits: ObjectLimits = LIMITS): void {
  const { user, rights, owner, tree } = judgement;
  const missing = neededWith(rights, change) & ~rights;
  if (missing !== 0) {
    throw fospError('forbidden', `You have no right to change this: it needs ${rightNames(missing).join(', ')}.`);
  }
  if (user !== owner && user !== tree && concernsOthers(change, user, rights)) {
    throw fospError('forbidden', 'Without owning the object or its tree you may change only your own subscription.');
  }
  checkSize(change, limits);
}

/** The contents of a new object, from the body of a CREATE. Its creator owns it, so `subscriptions` may name anybody. */
export function contentsOf(body: ObjectPatch): {
  readonly fields: ObjectFields;
  readonly subscriptions: readonly SubscriptionChange[];
} {
  const { data, type, acl } = body;
  const fields = {
    ...(typeof data === 'string' ? { data } : {}),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof acl === 'string' ? { acl } : {}),
  };
  return { fields, subscriptions: subscriptionChanges(body.subscriptions, []) };
}

function rightsOn(name: keyof ObjectPatch, path: string): FieldRights {
  return name === 'data' && path === GROUPS_PATH ? GROUPS_RIGHTS : FIELD_RIGHTS[name];
}

/** What a change needs of a user with these rights: also to write what they cannot see would stay as it is. */
function neededWith(rights: RightsMask, { needs, patch, path }: Change): RightsMask {
  let needed = needs;
  for (const name of spokenOf(patch)) {
    const { read, write } = rightsOn(name, path);
    if ((rights & read) === 0) {
      needed |= write;
    }
  }
  return needed;
}

/** The fields that a patch could change, whatever they hold. */
function spokenOf({ data, type, acl, attachment, subscriptions }: ObjectPatch): (keyof ObjectPatch)[] {
  const speaksOf = {
    data: data !== undefined,
    type: type !== undefined,
    acl: acl === null || (acl !== undefined && !isEmptyAcl(acl)),
    attachment: attachment === null || attachment?.name !== undefined || attachment?.mimeType !== undefined,
    subscriptions: subscriptions === null || (subscriptions !== undefined && subscriptions.size > 0),
  } as const satisfies Record<keyof ObjectPatch, boolean>;
  return PATCH_NAMES.filter((name) => speaksOf[name]);
}

/** Whether subscriptions of others change or, for who cannot see that they would not, are spoken of. */
function concernsOthers({ subscriptions, patch }: Change, user: string, rights: RightsMask): boolean {
  if ((rights & RIGHTS.readSubscriptions) !== 0 || patch.subscriptions === undefined) {
    return subscriptions.some((entry) => entry.user !== user);
  }
  return patch.subscriptions === null || [...patch.subscriptions.keys()].some((name) => name !== user);
}

function patchedFields(before: ObjectFields, patch: ObjectPatch): Partial<Record<FieldName, string | undefined>> {
  return {
    data: patched(before.data, patch.data, mergePatch),
    type: patched(before.type, patch.type, (_, type) => type),
    acl: patched(before.acl, patch.acl, (acl, change) => mergeAcl(acl, change, { aclBytes: Number.POSITIVE_INFINITY })),
    // Where there is no file, there is nothing that a body could say about it.
    attachment: patched(before.attachment, patch.attachment, (attachment, change) =>
      attachment === undefined ? undefined : mergeAttachment(attachment, change),
    ),
  };
}

/** A field after its part of a patch: undefined leaves it, null removes it. */
function patched<Patch>(
  before: string | undefined,
  patch: Patch | null | undefined,
  merge: (before: string | undefined, patch: Patch) => string | undefined,
): string | undefined {
  if (patch === undefined) {
    return before;
  }
  return patch === null ? undefined : merge(before, patch);
}

function subscriptionChanges(
  patch: SubscriptionPatch | null | undefined,
  rows: readonly SubscriptionRow[],
): SubscriptionChange[] {
  if (patch === null) {
    return rows.map(({ user }) => ({ user, subscription: null }));
  }
  const current = new Map(rows.map((row) => [row.user, row]));
  const changes: SubscriptionChange[] = [];
  for (const [user, entry] of patch ?? []) {
    const before = current.get(user);
    const subscription = entry === null ? null : mergeSubscription(before, entry);
    if (before?.events !== subscription?.events || before?.depth !== subscription?.depth) {
      changes.push({ user, subscription });
    }
  }
  return changes;
}

/** Too large comes last, so that only who may change an object learns how large it is. */
function checkSize({ after, fields }: Change, limits: ObjectLimits): void {
  const aclBytes = utf8Length(after.acl ?? '');
  if (fields.has('acl') && aclBytes > limits.aclBytes) {
    throw fospError('too-large', `acl: would have ${aclBytes} bytes, the limit is ${limits.aclBytes}.`);
  }
  const bytes = FIELD_NAMES.reduce((sum, name) => sum + utf8Length(after[name] ?? ''), 0);
  if (fields.size > 0 && bytes > limits.objectBytes) {
    throw fospError('too-large', `The object would have ${bytes} bytes, the limit is ${limits.objectBytes}.`);
  }
}
