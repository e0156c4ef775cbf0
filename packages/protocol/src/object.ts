/** What the bodies of CREATE and UPDATE ask for (SPEC §5.4, PROTOCOL §4). */
import { mergeAcl, normaliseAclPatch } from './acl.ts';
import { type AttachmentPatch, parseAttachmentPatch } from './attachment.ts';
import { fospError } from './errors.ts';
import { malformedField, stringAt } from './field.ts';
import { members, utf8Length } from './json.ts';
import { checkJson } from './json-check.ts';
import { spaceEnd } from './json-scan.ts';
import { LIMITS } from './limits.ts';
import { mergePatch } from './merge-patch.ts';
import { normaliseGroupsPatch } from './policy/groups.ts';
import { quote } from './quote.ts';
import { GROUPS_PATH } from './resource-id.ts';
import { parseSubscriptionPatch, type SubscriptionPatch } from './subscriptions.ts';

/** The fields that users write, raw JSON, but for `subscriptions`, which are rows of their own. What is absent is undefined. */
export interface ObjectFields {
  readonly data?: string;
  readonly type?: string;
  readonly acl?: string;
  readonly attachment?: string;
}

/** An object as it is stored and put together for readers. */
export interface ObjectFragments extends ObjectFields {
  readonly owner: string;
  /** ISO 8601, UTC. */
  readonly btime: string;
  readonly mtime: string;
}

/**
 * What a body asks for, checked and with all names in their stored form; a field that is not mentioned is undefined. For UPDATE, null removes, and `data`, `acl`, `attachment`, `subscriptions` are merge
 * patches. For CREATE they are the values themselves, and there is no null.
 */
export interface ObjectPatch {
  /** Raw JSON. */
  readonly data?: string | null;
  /** Raw JSON of a string. */
  readonly type?: string | null;
  /** Raw JSON. */
  readonly acl?: string | null;
  readonly attachment?: AttachmentPatch | null;
  readonly subscriptions?: SubscriptionPatch | null;
}

export interface ObjectLimits {
  /** Bytes of a body, and of an object. */
  readonly objectBytes: number;
  /** Bytes of the `acl` among them. */
  readonly aclBytes: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface BodyOptions {
  /** Of the object: the data of `config/groups` have a form of their own. */
  readonly path?: string;
  readonly limits?: ObjectLimits;
}

/**
 * Reads a body. An empty one is `{}` for CREATE, and malformed for UPDATE, which would have nothing to say. Whatever can be
 * said of a body without the object it is for, is said here, before anybody's rights are asked for.
 * @throws malformed, naming the field; too-large, naming the limit
 */
export function parseObjectBody(
  text: string,
  operation: 'create' | 'update',
  { path = '', limits = LIMITS }: BodyOptions = {},
): ObjectPatch {
  const bytes = utf8Length(text);
  if (bytes > limits.objectBytes) {
    throw fospError('too-large', `The body has ${bytes} bytes, the limit of an object is ${limits.objectBytes}.`);
  }
  if (operation === 'create' && spaceEnd(text, 0) === text.length) {
    return {};
  }
  checkJson(text, 'The body');
  const fields = members(text);
  if (fields === undefined) {
    throw fospError('malformed', 'The body must be a JSON object.');
  }
  const patch = patchOf(fields, path);
  // An ACL that is too large by itself is so after any merge.
  const acl = typeof patch.acl === 'string' ? mergeAcl(undefined, patch.acl, limits) : undefined;
  return operation === 'create' ? created(patch, acl, path) : patch;
}

function patchOf(fields: ReadonlyMap<string, string>, path: string): Mutable<ObjectPatch> {
  const patch: Mutable<ObjectPatch> = {};
  for (const [name, raw] of fields) {
    const isNull = raw === 'null';
    switch (name) {
      case 'owner':
      case 'btime':
      case 'mtime':
        break;
      case 'data':
        patch.data = isNull ? null : dataOf(raw, path);
        break;
      case 'type':
        stringAt(isNull ? '""' : raw, 'type');
        patch.type = isNull ? null : raw;
        break;
      case 'acl':
        patch.acl = isNull ? null : normaliseAclPatch(raw);
        break;
      case 'attachment':
        patch.attachment = isNull ? null : parseAttachmentPatch(raw);
        break;
      case 'subscriptions':
        patch.subscriptions = isNull ? null : parseSubscriptionPatch(raw);
        break;
      default:
        throw malformedField(
          quote(name),
          'there is no such field; there are data, type, acl, subscriptions, attachment',
        );
    }
  }
  return patch;
}

function dataOf(raw: string, path: string): string {
  return path === GROUPS_PATH ? normaliseGroupsPatch(raw) : raw;
}

/** A patch of nothing: null counts as absent, and there is no file yet that `attachment` could speak of. */
function created({ data, type, subscriptions }: ObjectPatch, acl: string | undefined, path: string): ObjectPatch {
  const values: Mutable<ObjectPatch> = {};
  if (typeof data === 'string') {
    values.data = path === GROUPS_PATH ? mergePatch(undefined, data) : data;
  }
  if (typeof type === 'string') {
    values.type = type;
  }
  if (acl !== undefined) {
    values.acl = acl;
  }
  const entries = [...(subscriptions ?? [])].filter(([, entry]) => entry !== null);
  if (entries.length > 0) {
    values.subscriptions = new Map(entries);
  }
  return values;
}
