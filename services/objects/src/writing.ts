/**
 * CREATE, UPDATE and DELETE (PROTOCOL §4): judged and done in one transaction on the tree, by what all earlier changes left.
 * So nothing is orphaned, no right is judged by an old chain, and no subscriber is missed.
 */
import {
  changeOf,
  contentsOf,
  decodeText,
  formatResourceId,
  fospError,
  GROUPS_PATH,
  isChange,
  isSelfOrAncestor,
  judgeChange,
  type ObjectFields,
  type ObjectPatch,
  parentPath,
  parseObjectBody,
  RIGHTS,
  type RightsMask,
} from '@fosp/protocol';
import { type Domains, need, noObject, refusal, type Target } from './access.ts';
import { announceChange, announceDeletion } from './announce.ts';
import type { ObjectsLimits } from './limits.ts';
import type { Policies } from './policies.ts';
import { checkChange, etagFor, type Preconditions, type ToldEtag, toldEtag } from './preconditions.ts';
import type { Level, Place, StoredObject, TreeTransaction } from './store/store.ts';
import { gained, subscribe, subscriptionsNamedBy } from './subscribing.ts';
import { mtimeAfter, timeOf } from './times.ts';
import type { Transactions } from './transactions.ts';

export interface WritingDeps {
  readonly transactions: Transactions;
  readonly policies: Policies;
  readonly domains: Domains;
  readonly limits: ObjectsLimits;
}

export interface WriteTarget extends Target, Preconditions {
  /** Milliseconds since the epoch, after which it is not begun. */
  readonly deadline: number;
  /** Names the request in logs. */
  readonly request: string;
}

/** Where a new object goes, or an old one leaves: its parent counts as self. */
interface Doorway {
  readonly place: Place;
  /** The parent where it exists, its ancestors. */
  readonly above: readonly Level[];
  readonly rights: RightsMask;
}

export class Writing {
  readonly #deps: WritingDeps;

  constructor(deps: WritingDeps) {
    this.#deps = deps;
  }

  /** @throws malformed, too-large, forbidden, precondition-failed, exists */
  async create(target: WriteTarget, body: Uint8Array): Promise<ToldEtag> {
    const { transactions, policies, limits } = this.#deps;
    const patch = this.#parse(body, 'create', target.path);
    const contents = contentsOf(patch);
    const small = contents.subscriptions.length === 0;
    const { told } = await transactions.run({ ...target, small }, async (tx, now) => {
      const doorway = this.#doorway(await tx.look(target.path), target);
      this.#judgeCreation(target, doorway);
      const version = await tx.version();
      const time = timeOf(now);
      const created: StoredObject = {
        ...{ path: target.path, owner: target.user, btime: time, mtime: time },
        ...{ version, incarnation: version, subscribers: 0 },
        ...contents.fields,
      };
      await tx.insert(created);
      await subscribe(tx, target.path, contents.subscriptions);
      const object = { ...created, subscribers: contents.subscriptions.length };
      const { above, place } = doorway;
      const groups = groupsAfter(object, place);
      const event = { event: 'CREATED', user: target.user, request: target.request, object, above, groups } as const;
      const announced = await announceChange(tx, event, limits);
      const change = { path: target.path, wide: target.path === GROUPS_PATH, announced };
      const rights = policies.rights(target.user, { levels: [object, ...above], groups });
      return { change, told: toldEtag(version, rights) };
    });
    return told;
  }

  /** @throws malformed, too-large, forbidden, not-found, precondition-failed */
  async update(target: WriteTarget, body: Uint8Array): Promise<ToldEtag> {
    const { transactions, policies, domains } = this.#deps;
    const patch = this.#parse(body, 'update', target.path);
    const small = patch.subscriptions === undefined;
    const { told } = await transactions.run({ ...target, small }, async (tx, now) => {
      const place = await tx.look(target.path);
      const rights = policies.rights(target.user, place);
      if (rights === 0) {
        throw refusal(target, domains);
      }
      const { object } = place;
      if (object === undefined) {
        throw noObject(target);
      }
      return this.#applyUpdate(tx, { target, patch, place, object, rights, now });
    });
    return told;
  }

  /** @throws forbidden, not-found, precondition-failed, not-allowed */
  async delete(target: WriteTarget): Promise<void> {
    const { transactions, limits } = this.#deps;
    await transactions.run(target, async (tx, now) => {
      const place = await tx.look(target.path);
      const doorway = this.#doorway(place, target);
      await this.#judgeDeletion(tx, target, doorway);
      const announced = await announceDeletion(
        tx,
        { user: target.user, request: target.request, place, path: target.path },
        limits,
      );
      await tx.remove(target.path, now);
      return { change: { path: target.path, wide: true, announced } };
    });
  }

  async #applyUpdate(
    tx: TreeTransaction,
    update: {
      readonly target: WriteTarget;
      readonly patch: ObjectPatch;
      readonly place: Place;
      readonly object: StoredObject;
      readonly rights: RightsMask;
      readonly now: number;
    },
  ) {
    const { limits, policies } = this.#deps;
    const { target, patch, place, object, rights, now } = update;
    const rows = await subscriptionsNamedBy(tx, patch, object);
    const change = changeOf(object, patch, { path: object.path, rows });
    judgeChange(change, { user: target.user, rights, owner: object.owner, tree: target.tree }, limits);
    checkChange(target, etagFor(object, rights));
    if (!isChange(change)) {
      return { change: undefined, told: toldEtag(object.version, rights) };
    }
    const version = await tx.version();
    const mtime = mtimeAfter(object, now);
    const isFileGone = object.file !== undefined && change.after.attachment === undefined;
    if (object.file !== undefined && isFileGone) {
      await retireFile(tx, object.file, now);
    }
    const after = withFields({ ...object, version, mtime }, change.after, isFileGone ? undefined : object.file);
    await tx.replace(after);
    await subscribe(tx, object.path, change.subscriptions);
    const subscribers = object.subscribers + gained(change.subscriptions, rows);
    const [groups, above] = [groupsAfter(after, place), place.levels.slice(1)];
    const event = {
      event: 'UPDATED',
      user: target.user,
      request: target.request,
      object: { ...after, subscribers },
      above,
      groups,
    } as const;
    const announced = await announceChange(tx, event, limits);
    const wide = change.fields.has('acl') || object.path === GROUPS_PATH;
    const rightsAfter = wide ? policies.rights(target.user, { levels: [after, ...above], groups }) : rights;
    return { change: { path: object.path, wide, announced }, told: toldEtag(version, rightsAfter) };
  }

  #judgeCreation(target: WriteTarget, { place, above, rights }: Doorway): void {
    const parent = parentPath(target.path);
    if (parent !== undefined && above[0]?.path !== parent) {
      const missing = formatResourceId({ tree: target.tree, path: parent });
      throw fospError('precondition-failed', `There is no parent ${missing}; create it first.`);
    }
    if (parent !== undefined) {
      // New groups change rights, as changed ones do.
      const needed = target.path === GROUPS_PATH ? RIGHTS.writeChildren | RIGHTS.writeAcl : RIGHTS.writeChildren;
      need(rights, needed, { tree: target.tree, path: parent });
    }
    checkChange(target, this.#etagFor(target, place));
    if (place.object !== undefined) {
      throw fospError('exists', `${formatResourceId(target)} exists already.`);
    }
  }

  async #judgeDeletion(tx: TreeTransaction, target: WriteTarget, { place, rights }: Doorway): Promise<void> {
    const parent = parentPath(target.path);
    if (place.object === undefined) {
      throw noObject(target);
    }
    if (parent !== undefined) {
      need(rights, RIGHTS.deleteChildren, { tree: target.tree, path: parent });
      await this.#judgeLossOfGroups(tx, target, place);
    }
    checkChange(target, this.#etagFor(target, place));
    if (parent === undefined) {
      throw fospError('not-allowed', 'The root of a tree cannot be deleted; its account can be removed.');
    }
  }

  /** Without its groups the tree's rights are others. */
  async #judgeLossOfGroups(tx: TreeTransaction, { user, tree, path }: WriteTarget, { groups }: Place): Promise<void> {
    if (isSelfOrAncestor(path, GROUPS_PATH) && groups !== undefined) {
      const place = await tx.look(GROUPS_PATH);
      need(this.#deps.policies.rights(user, place), RIGHTS.writeAcl, { tree, path: GROUPS_PATH });
    }
  }

  /** By the rights on the object itself, whatever those on its parent are. */
  #etagFor({ user }: WriteTarget, place: Place): string | undefined {
    return place.object && etagFor(place.object, this.#deps.policies.rights(user, place));
  }

  /** @throws forbidden where the user holds no right on the parent or, where there is none, its nearest existing ancestor */
  #doorway(place: Place, target: Target): Doorway {
    const isRoot = target.path === '';
    const above = place.object === undefined || isRoot ? place.levels : place.levels.slice(1);
    const rights = this.#deps.policies.rights(target.user, { levels: above, groups: place.groups });
    if (rights === 0) {
      throw refusal(target, this.#deps.domains);
    }
    return { place, above, rights };
  }

  #parse(body: Uint8Array, operation: 'create' | 'update', path: string): ObjectPatch {
    const text = decodeText(body);
    if (text === undefined) {
      throw fospError('malformed', 'The body is no UTF-8.');
    }
    return parseObjectBody(text, operation, { path, limits: this.#deps.limits });
  }
}

/** The tree's groups once this object is changed so; it may be the one that holds them. */
function groupsAfter(changed: StoredObject, { groups }: Place): string | undefined {
  return changed.path === GROUPS_PATH ? changed.data : groups;
}

/** The object with these fields in place of its own, and this file. */
function withFields(object: StoredObject, fields: ObjectFields, file: string | undefined): StoredObject {
  const { data: _data, type: _type, acl: _acl, attachment: _attachment, file: _file, ...kept } = object;
  return { ...kept, ...fields, ...(file === undefined ? {} : { file }) };
}

/** The bytes of this file may go, once whoever reads them is done. */
export async function retireFile(tx: TreeTransaction, key: string, now: number): Promise<void> {
  const file = await tx.file(key);
  if (file !== undefined) {
    await tx.putFile({ ...file, state: 'dead' }, now);
  }
}
