/**
 * Which file belongs to which object (PROTOCOL §4, §7). A key of the file store is pending from the beginning of an upload,
 * live once it is an object's file, dead once it is no longer, and claimed while its bytes are being deleted.
 *
 * Invariants: an upload becomes the file only of the very object it was begun for, not of a later one of the same name, and
 * only while its key is pending; so what the sweeper claimed is never anybody's file. A dead key's bytes stay as long as the
 * longest transfer, so a running READ is never cut.
 *
 * A key is given out once, and its row is there before anybody else knows it; the row goes after the bytes. So bytes whose key
 * has no row are nobody's and never will be. All keys end with a mark of this database, by which it tells the bytes that were
 * stored for it from those of others that share a file store: of a key without the mark it says nothing.
 *
 * A WRITE replaces the file and all that described it: a name or type that it does not give is gone.
 */
import {
  attachmentText,
  decodeHeaderText,
  type FospError,
  formatResourceId,
  fospError,
  parseObjectBody,
  RIGHTS,
  type RightsMask,
} from '@fosp/protocol';
import { type Domains, need, noObject, refusal } from './access.ts';
import { announceChange } from './announce.ts';
import type { ObjectsLimits } from './limits.ts';
import type { Policies } from './policies.ts';
import { checkChange, etagFor, type ToldEtag, toldEtag } from './preconditions.ts';
import type { Place, Store, StoredObject, TreeTransaction } from './store/store.ts';
import { mtimeAfter } from './times.ts';
import type { Transactions } from './transactions.ts';
import { retireFile, type WriteTarget } from './writing.ts';

export interface FilesDeps {
  readonly store: Store;
  readonly transactions: Transactions;
  readonly policies: Policies;
  readonly domains: Domains;
  readonly limits: ObjectsLimits;
  /** What keys of this database end with. */
  readonly mark: string;
  /** A fresh random key with this mark. */
  readonly newKey: (mark: string) => string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What was uploaded. */
export interface Upload {
  readonly key: string;
  /** Of the object it was begun for, as `begin` gave it. */
  readonly incarnation: number;
  /** Bytes. */
  readonly size: number;
  /** SHA-256, hex. */
  readonly checksum: string;
  readonly contentType: string | undefined;
  /** Percent-encoded. */
  readonly fileName: string | undefined;
}

export class Files {
  readonly #deps: FilesDeps;

  constructor(deps: FilesDeps) {
    this.#deps = deps;
  }

  /** Registers a key for an upload. @throws forbidden, not-found, precondition-failed */
  async begin(target: WriteTarget): Promise<{ readonly key: string; readonly incarnation: number }> {
    const key = this.#deps.newKey(this.#deps.mark);
    return this.#deps.transactions.run(target, async (tx, now) => {
      const { object } = this.#judged(target, await tx.look(target.path));
      const { incarnation } = object;
      const { tree, path } = target;
      await tx.putFile({ key, state: 'pending', tree, path, incarnation, size: undefined, checksum: undefined }, now);
      return { change: undefined, key, incarnation };
    });
  }

  /** Makes an upload the object's file. @throws as `begin`; malformed, timeout where it took too long */
  async commit(target: WriteTarget, upload: Upload): Promise<ToldEtag> {
    const { transactions, limits } = this.#deps;
    const attachment = attachmentOf(upload);
    const { told } = await transactions.run(target, async (tx, now) => {
      const place = await tx.look(target.path);
      const { object, rights } = this.#judged(target, place);
      if (object.incarnation !== upload.incarnation) {
        throw isAnother(target);
      }
      await takeUpload(tx, target, { upload, now });
      if (object.file !== undefined) {
        await retireFile(tx, object.file, now);
      }
      const version = await tx.version();
      const mtime = mtimeAfter(object, now);
      const after: StoredObject = { ...object, version, mtime, attachment, file: upload.key };
      await tx.replace(after);
      const above = place.levels.slice(1);
      const event = {
        event: 'UPDATED',
        user: target.user,
        request: target.request,
        object: after,
        above,
        groups: place.groups,
      } as const;
      const announced = await announceChange(tx, event, limits);
      return { change: { path: target.path, wide: false, announced }, told: toldEtag(version, rights) };
    });
    return told;
  }

  /** Keys whose bytes may be deleted, claimed for the caller. */
  claim(limit: number): Promise<string[]> {
    const { store, clock, limits } = this.#deps;
    const now = clock();
    const deadBefore = now - limits.transferLifetime;
    return store.files.claim({ limit, now, deadBefore, pendingBefore: now - limits.pendingLifetime });
  }

  /** The bytes of these keys are gone. */
  forget(keys: readonly string[]): Promise<void> {
    return this.#deps.store.files.forget(keys);
  }

  /** Keys of this database that have no row any more. */
  async lost(keys: readonly string[]): Promise<string[]> {
    const ours = keys.filter((key) => key.endsWith(this.#deps.mark));
    const known = new Set(await this.#deps.store.files.known(ours));
    return ours.filter((key) => !known.has(key));
  }

  #judged(target: WriteTarget, place: Place): { readonly object: StoredObject; readonly rights: RightsMask } {
    const rights = this.#deps.policies.rights(target.user, place);
    if (rights === 0) {
      throw refusal(target, this.#deps.domains);
    }
    if (place.object === undefined) {
      throw noObject(target);
    }
    need(rights, RIGHTS.writeAttachment, target);
    checkChange(target, etagFor(place.object, rights));
    return { object: place.object, rights };
  }
}

function isAnother(target: WriteTarget): FospError {
  const id = formatResourceId(target);
  return fospError('not-found', `${id} was deleted while its file was on its way, and there is another object now.`);
}

async function takeUpload(
  tx: TreeTransaction,
  { tree, path }: WriteTarget,
  { upload, now }: { readonly upload: Upload; readonly now: number },
): Promise<void> {
  const { key, incarnation, size, checksum } = upload;
  const file = await tx.file(key);
  const isOurs = file?.tree === tree && file.path === path && file.incarnation === incarnation;
  if (!isOurs || file.state !== 'pending') {
    throw fospError('timeout', 'The upload took too long and was given up; send the file again.');
  }
  await tx.putFile({ ...file, state: 'live', size, checksum }, now);
}

/** Held to the same rules as an UPDATE of these fields. */
function attachmentOf({ size, contentType, fileName }: Upload): string {
  const given = { name: fileName === undefined ? undefined : decodeHeaderText(fileName), 'mime-type': contentType };
  const { attachment } = parseObjectBody(JSON.stringify({ attachment: given }), 'update');
  return attachmentText({ size, name: attachment?.name ?? undefined, mimeType: attachment?.mimeType ?? undefined });
}
