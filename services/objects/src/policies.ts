/** What ACLs and groups mean, remembered by their text: a root's ACL is the same for each of ten thousand objects below it. */
import {
  type CompiledAcl,
  compileAcl,
  type Groups,
  NO_GROUPS,
  parseGroups,
  type RightsMask,
  rightsOf,
} from '@fosp/protocol';
import type { Place } from './store/store.ts';

export class Policies {
  readonly #acls: Remembered<CompiledAcl | undefined>;
  readonly #groups: Remembered<Groups>;

  /** `characters` bounds the texts remembered, of ACLs and of groups each. */
  constructor(characters: number) {
    this.#acls = new Remembered(characters, compileAcl);
    this.#groups = new Remembered(characters, parseGroups);
  }

  acl(text: string | undefined): CompiledAcl | undefined {
    return text === undefined ? undefined : this.#acls.of(text);
  }

  groups(text: string | undefined): Groups {
    return text === undefined ? NO_GROUPS : this.#groups.of(text);
  }

  /** What a user may do at a place: with its object or, where there is none, with the nearest existing ancestor. */
  rights(user: string, { levels, groups }: Pick<Place, 'levels' | 'groups'>): RightsMask {
    const [nearest] = levels;
    if (nearest === undefined) {
      return 0;
    }
    const acls = levels.map(({ acl }) => this.acl(acl));
    return rightsOf(user, nearest.owner, acls, this.groups(groups));
  }
}

/** Values by text, up to so many characters of texts; the oldest go first. */
class Remembered<Value> {
  readonly #bound: number;
  readonly #make: (text: string) => Value;
  readonly #values = new Map<string, { readonly value: Value }>();
  #characters = 0;

  constructor(bound: number, make: (text: string) => Value) {
    this.#bound = bound;
    this.#make = make;
  }

  of(text: string): Value {
    const known = this.#values.get(text);
    if (known !== undefined) {
      return known.value;
    }
    const value = this.#make(text);
    this.#values.set(text, { value });
    this.#characters += text.length;
    for (const oldest of this.#values.keys()) {
      if (this.#characters <= this.#bound) {
        break;
      }
      this.#values.delete(oldest);
      this.#characters -= oldest.length;
    }
    return value;
  }
}
