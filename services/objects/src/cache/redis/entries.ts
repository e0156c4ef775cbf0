/**
 * What is kept in Redis of a tree, as text: fields between unit separators, which stand in no name, date or JSON text. So a
 * view is put together from an entry without parsing it.
 *
 *     <prefix>{<tree>}e          the epoch
 *     <prefix>{<tree>}c<path>    contents: what of an object its writes change; or a mark, `m…`
 *     <prefix>{<tree>}l<path>    level: what an object says about the rights of all below it
 *     <prefix>{<tree>}g          groups
 *
 * The braces are a hash tag: keys of a tree lie on one node of a cluster. Levels are apart from contents, so that reading an
 * object does not bring the data of its ancestors. Contents, levels and groups begin with their epoch.
 */
import { LIMITS, pathsToRoot } from '@fosp/protocol';
import type { Policies } from '../../policies.ts';
import type { Sight } from '../../sight.ts';
import type { Level, Snapshot, StoredObject } from '../../store/store.ts';

const SEPARATOR = '\x1f';

export interface Keys {
  readonly epoch: string;
  readonly contents: string;
  readonly groups: string;
  /** Of the object, then of its ancestors, up to the root. */
  readonly levels: readonly string[];
}

export type Values = readonly (string | null)[];

export function keysOf(prefix: string, tree: string, path: string): Keys {
  const start = startOf(prefix, tree);
  return {
    epoch: `${start}e`,
    contents: `${start}c${path}`,
    groups: `${start}g`,
    levels: pathsToRoot(path).map((level) => `${start}l${level}`),
  };
}

/** What is asked for at once; `sightFrom` reads the answer. */
export function keysToRead({ epoch, contents, groups, levels }: Keys): string[] {
  return [epoch, contents, groups, ...levels];
}

/** A brace in the name of a tree would end the hash tag too soon. */
function startOf(prefix: string, tree: string): string {
  return `${prefix}{${tree.replace(/[%{}]/g, encodeURIComponent)}}`;
}

export function isMark(contents: string | null | undefined): contents is string {
  return contents?.startsWith('m') === true;
}

/** The values that `FILL` takes for these keys: those of contents, groups and levels. */
export function entriesOf(
  snapshot: Snapshot,
  { epoch, keys, subscriptions }: { readonly epoch: string; readonly keys: Keys; readonly subscriptions: string },
): { readonly contents: string; readonly others: ReadonlyMap<string, string> } {
  const { object, levels, groups } = snapshot;
  const others = new Map([[keys.groups, join(epoch, groups)]]);
  const existing = object === undefined ? keys.levels.slice(1) : keys.levels;
  for (const [index, { owner, acl }] of levels.entries()) {
    others.set(existing[index] ?? '', join(epoch, owner, acl));
  }
  return { contents: `e${object === undefined ? join(epoch, '') : contentsOf(epoch, object, subscriptions)}`, others };
}

function contentsOf(epoch: string, object: StoredObject, subscriptions: string): string {
  const { version, incarnation, subscribers, btime, mtime, file, type, data, attachment } = object;
  const numbers = [version, incarnation, subscribers].map(String);
  return join(epoch, ...numbers, btime, mtime, file, type, data, attachment, subscriptions);
}

function join(...fields: readonly (string | undefined)[]): string {
  return fields.map((field) => field ?? '').join(SEPARATOR);
}

/** What the values of `keysToRead` show; undefined where one is missing or of another epoch. */
export function sightFrom(values: Values, path: string, policies: Policies): Sight | undefined {
  const [epoch, contents, groups, ...levels] = values;
  if (!epoch || !contents?.startsWith(`e${epoch}${SEPARATOR}`) || !groups?.startsWith(`${epoch}${SEPARATOR}`)) {
    return undefined;
  }
  const fields = contents.split(SEPARATOR);
  const isAbsent = fields.length === 2;
  const chain: Pick<Level, 'owner' | 'acl'>[] = [];
  for (const level of isAbsent ? levels.slice(1) : levels) {
    if (!level?.startsWith(`${epoch}${SEPARATOR}`)) {
      return undefined;
    }
    const [, owner = '', acl] = level.split(SEPARATOR);
    chain.push({ owner, acl: acl || undefined });
  }
  const object = isAbsent ? undefined : objectFrom(fields, path, chain[0]);
  const isCrowded = object !== undefined && object.subscribers > LIMITS.subscriptionsShown;
  return {
    object,
    owner: chain[0]?.owner,
    levels: chain.map(({ acl }) => policies.acl(acl)),
    groups: policies.groups(groups.slice(epoch.length + 1) || undefined),
    subscriptions: isCrowded ? undefined : fields[10] || undefined,
    isCrowded,
    lastView: undefined,
  };
}

function objectFrom(
  fields: readonly string[],
  path: string,
  level: Pick<Level, 'owner' | 'acl'> | undefined,
): StoredObject {
  const [, version, incarnation, subscribers, btime = '', mtime = '', file, type, data, attachment] = fields;
  return {
    path,
    owner: level?.owner ?? '',
    ...{ version: Number(version), incarnation: Number(incarnation), subscribers: Number(subscribers) },
    ...{ btime, mtime },
    ...(file ? { file } : {}),
    ...(type ? { type } : {}),
    ...(data ? { data } : {}),
    ...(attachment ? { attachment } : {}),
    ...(level?.acl ? { acl: level.acl } : {}),
  };
}
