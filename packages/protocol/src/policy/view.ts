/** What a reader sees of an object (PROTOCOL §5): put together from its raw fragments, nothing is parsed. */
import { fospError } from '../errors.ts';
import type { ObjectFragments } from '../object.ts';
import { READ_RIGHTS, RIGHTS, type RightsMask } from './right-names.ts';

/**
 * The JSON text that SELECT and notifications show to a reader with these rights. `subscriptions` is what this reader may
 * be shown of them (see `shownSubscriptions`), raw JSON. What is absent or hidden is left out.
 * @throws forbidden where the rights hold no read right at all: then not even `owner` may be shown
 */
export function viewOf(object: ObjectFragments, rights: RightsMask, subscriptions: string | undefined): string {
  if ((rights & READ_RIGHTS) === 0) {
    throw fospError('forbidden', 'You have no right to read this object.');
  }
  // Normalised names and ISO dates hold nothing that JSON would escape.
  let view = `{"owner":"${object.owner}","btime":"${object.btime}","mtime":"${object.mtime}"`;
  if (object.acl !== undefined && (rights & RIGHTS.readAcl) !== 0) {
    view += `,"acl":${object.acl}`;
  }
  if (subscriptions !== undefined && (rights & RIGHTS.readSubscriptions) !== 0) {
    view += `,"subscriptions":${subscriptions}`;
  }
  if (object.attachment !== undefined && (rights & RIGHTS.readAttachment) !== 0) {
    view += `,"attachment":${object.attachment}`;
  }
  if ((rights & RIGHTS.readData) !== 0) {
    if (object.type !== undefined) {
      view += `,"type":${object.type}`;
    }
    if (object.data !== undefined) {
      view += `,"data":${object.data}`;
    }
  }
  return `${view}}`;
}
