/**
 * SELECT, LIST and the opening of a file for READ.
 *
 * SELECT and READ are served from the cache: on a hit nothing is parsed and no statement runs. LIST asks the store for the
 * names and for what they are judged by in one moment: with rights from before, a name might slip out that was created
 * after the right was taken away. Who may not see the names costs no look for them, which would take the longer the more
 * there are; and the tag, made from them, is compared with no condition of theirs.
 */
import { createHash } from 'node:crypto';
import { BUS_BODY_BYTES } from '@fosp/bus';
import { encodeHeaderText, fospError, READ_RIGHTS, RIGHTS, type RightsMask } from '@fosp/protocol';
import { type Domains, need, noObject, refusal, type Target } from './access.ts';
import type { Cache } from './cache/cache.ts';
import type { Policies } from './policies.ts';
import { checkRead, etagOf, type Preconditions } from './preconditions.ts';
import { crowdedView, needsOwnSubscription, rightsIn, type Sight, sightOf, viewIn } from './sight.ts';
import type { Page, Place, Soon, Store, StoredObject } from './store/store.ts';
import type { Telemetry } from './telemetry.ts';

export interface ReadingDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly policies: Policies;
  readonly domains: Domains;
  /** Names in one answer of LIST. */
  readonly listNames: number;
  readonly telemetry: Pick<Telemetry, 'cacheHit' | 'cacheMiss'>;
}

export type ReadTarget = Target & Preconditions;

export interface View {
  readonly etag: string;
  /** JSON. */
  readonly body: Uint8Array;
}

export interface NamesPage extends View {
  /** The last name, where there are more. */
  readonly next: string | undefined;
}

export interface OpenedFile {
  readonly etag: string;
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly contentType: string | undefined;
  /** Percent-encoded. */
  readonly fileName: string | undefined;
}

export class Reading {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /** @throws forbidden, not-found, precondition-failed, not-modified */
  async select(target: ReadTarget): Promise<View> {
    const found = this.#look(target);
    const sight = found instanceof Promise ? await found : found;
    const rights = rightsIn(sight, target.user);
    const object = this.#judged(target, sight.object, rights);
    const etag = etagOf(object.version);
    if ((rights & READ_RIGHTS) === 0) {
      need(rights, RIGHTS.readData, target);
    }
    checkRead(target, etag);
    if (needsOwnSubscription(sight, rights)) {
      return this.#selectCrowded(target);
    }
    return { etag, body: viewIn(sight, object, rights) };
  }

  /** @throws forbidden, not-found, precondition-failed, not-modified, too-large */
  async list(target: ReadTarget, page: Partial<Page>): Promise<NamesPage> {
    const { store, policies, listNames } = this.#deps;
    const limit = Math.min(page.limit ?? listNames, listNames);
    let rights = 0;
    const mayList = (place: Place) => {
      rights = policies.rights(target.user, place);
      return (rights & RIGHTS.readChildren) !== 0;
    };
    const listing = await store.listing(target.tree, target.path, { after: page.after, limit, mayList });
    this.#judged(target, listing.object, rights);
    need(rights, RIGHTS.readChildren, target);
    if (listing.more && page.limit === undefined) {
      throw tooMany(`there are more than ${listNames} children`);
    }
    const { names, more } = listing;
    const body = Buffer.from(JSON.stringify(names), 'utf8');
    // Children are no part of the object, and change without it.
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    checkRead(target, etag);
    if (body.byteLength > BUS_BODY_BYTES) {
      throw tooMany(`their names have ${body.byteLength} bytes`);
    }
    return { etag, body, next: more ? names.at(-1) : undefined };
  }

  /** @throws forbidden, not-found, precondition-failed, not-modified */
  async openFile(target: ReadTarget): Promise<OpenedFile> {
    const sight = await this.#look(target);
    const rights = rightsIn(sight, target.user);
    const object = this.#judged(target, sight.object, rights);
    // Whether there is a file is for those to know who may read it.
    need(rights, RIGHTS.readAttachment, target);
    if (object.file === undefined || object.attachment === undefined) {
      throw fospError('not-found', 'This object has no attachment.');
    }
    const etag = etagOf(object.version);
    checkRead(target, etag);
    return { etag, key: object.file, ...fileFieldsOf(object.attachment) };
  }

  #judged(target: Target, object: StoredObject | undefined, rights: RightsMask): StoredObject {
    if (rights === 0) {
      throw refusal(target, this.#deps.domains);
    }
    if (object === undefined) {
      throw noObject(target);
    }
    return object;
  }

  #look(target: Target): Soon<Sight> {
    const read = this.#deps.cache.read(target.tree, target.path);
    if (!(read instanceof Promise) && read.hit) {
      this.#deps.telemetry.cacheHit();
      return read.sight;
    }
    return this.#fetch(target, read);
  }

  async #fetch({ tree, path, user }: Target, read: ReturnType<Cache['read']>): Promise<Sight> {
    const { store, policies, telemetry } = this.#deps;
    const found = await read;
    if (found.hit) {
      telemetry.cacheHit();
      return found.sight;
    }
    telemetry.cacheMiss();
    try {
      const snapshot = await store.snapshot(tree, path, user);
      const sight = sightOf(snapshot, policies);
      found.fill(snapshot, sight);
      return sight;
    } catch (error) {
      found.abandon();
      throw error;
    }
  }

  /** An object with so many subscriptions that its reader sees their own alone: all anew, of one moment. */
  async #selectCrowded(target: ReadTarget): Promise<View> {
    const { store, policies } = this.#deps;
    const snapshot = await store.snapshot(target.tree, target.path, target.user);
    const rights = policies.rights(target.user, snapshot);
    const object = this.#judged(target, snapshot.object, rights);
    return { etag: etagOf(object.version), body: crowdedView(snapshot, object, { user: target.user, rights }) };
  }
}

function tooMany(what: string): Error {
  return fospError('too-large', `The list is too long for one answer, ${what}: ask page by page (extension "page").`);
}

function fileFieldsOf(attachment: string): Pick<OpenedFile, 'size' | 'contentType' | 'fileName'> {
  const {
    name,
    size,
    'mime-type': contentType,
  }: { name?: string; size: number; 'mime-type'?: string } = JSON.parse(attachment);
  return { size, contentType, fileName: name === undefined ? undefined : encodeHeaderText(name) };
}
