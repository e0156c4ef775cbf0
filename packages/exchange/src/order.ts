/**
 * The order in which the requests of one connection take effect (PROTOCOL §2).
 *
 * Invariant: a request begins once every earlier one that is related to it, and not settled, has settled. Two are related
 * when their resources are equal or ancestor and descendant, unless both only read; `config/groups` counts as an ancestor
 * of its whole tree, and so does what is deleted with `config/groups` in it. All others run side by side. A request waits for earlier ones alone, so there is no deadlock.
 *
 * Lifecycle of a place: `enter` when the request came in; `settle` once its effect is decided, which for most is when it
 * is answered, for READ when its version is known; `leave` when it is answered.
 *
 * At most some dozens are in flight, so they stand in a linked list that is walked; one that reads walks it only where
 * something writes, and an idle connection owns nothing but this object.
 */
import { GROUPS_PATH, isSelfOrAncestor } from '@fosp/protocol';

/** One request in flight. What is not `readonly` belongs to the order. */
export interface Place {
  readonly sequence: number;
  /** `undefined` for a request without a resource, which waits for nothing. */
  readonly tree: string | undefined;
  readonly path: string;
  readonly reads: boolean;
  /** It deletes the object with all below it. */
  readonly deletes: boolean;
  /** Its turn has come; called once, where `enter` said that it must wait. */
  begin(): void;
  previous: Place | undefined;
  next: Place | undefined;
  settled: boolean;
  /** Earlier requests it still waits for. */
  waitsFor: number;
  /** Later requests that wait for it. */
  followers: Place[] | undefined;
}

export class RequestOrder {
  #first: Place | undefined;
  #last: Place | undefined;
  #size = 0;
  /** Places that write and are not settled. */
  #writing = 0;

  /** Requests that are not answered yet. */
  get size(): number {
    return this.#size;
  }

  /** Whether a request with this sequence number is not answered yet. */
  has(sequence: number): boolean {
    for (let place = this.#first; place !== undefined; place = place.next) {
      if (place.sequence === sequence) {
        return true;
      }
    }
    return false;
  }

  /** Takes a place behind all others. True where the request may begin at once; else `begin` is called when it may. */
  enter(place: Place): boolean {
    if (place.tree !== undefined && (!place.reads || this.#writing > 0)) {
      this.#findWhatToWaitFor(place);
    }
    if (!place.reads) {
      this.#writing++;
    }
    place.previous = this.#last;
    if (this.#last === undefined) {
      this.#first = place;
    } else {
      this.#last.next = place;
    }
    this.#last = place;
    this.#size++;
    return place.waitsFor === 0;
  }

  /** Nobody waits for this one any more; it stays in flight until it leaves. */
  settle(place: Place): void {
    if (place.settled) {
      return;
    }
    place.settled = true;
    if (!place.reads) {
      this.#writing--;
    }
    const followers = place.followers;
    if (followers === undefined) {
      return;
    }
    place.followers = undefined;
    for (const follower of followers) {
      follower.waitsFor--;
      if (follower.waitsFor === 0) {
        follower.begin();
      }
    }
  }

  /** The request is answered: its sequence number is free again. */
  leave(place: Place): void {
    if (place.previous === undefined) {
      this.#first = place.next;
    } else {
      place.previous.next = place.next;
    }
    if (place.next === undefined) {
      this.#last = place.previous;
    } else {
      place.next.previous = place.previous;
    }
    // One that is old to the collector of garbage would keep all that came after it alive until that looks at old ones too.
    place.previous = undefined;
    place.next = undefined;
    this.#size--;
    this.settle(place);
  }

  #findWhatToWaitFor(place: Place): void {
    for (let earlier = this.#first; earlier !== undefined; earlier = earlier.next) {
      if (!earlier.settled && areRelated(earlier, place)) {
        place.waitsFor++;
        earlier.followers ??= [];
        earlier.followers.push(place);
      }
    }
  }
}

function areRelated(one: Place, other: Place): boolean {
  return (
    one.tree === other.tree &&
    !(one.reads && other.reads) &&
    (isSelfOrAncestor(one.path, other.path) ||
      isSelfOrAncestor(other.path, one.path) ||
      concernsGroups(one) ||
      concernsGroups(other))
  );
}

/** What any right in the tree may depend on. */
function concernsGroups({ path, deletes }: Place): boolean {
  return path === GROUPS_PATH || (deletes && isSelfOrAncestor(path, GROUPS_PATH));
}
