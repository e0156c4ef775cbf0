/**
 * A tree whose owner gives a reader rights and takes them again, in all the ways there are, and what the reader may be told
 * meanwhile: what fits any state from the last one acknowledged when the read began to the last one begun when it ended. So a
 * right whose revocation was acknowledged before the read is a fault, and so is data older than that.
 */
import type { TestResponse, TestSession } from '@fosp/testkit';
import type { Chance } from '../chaos/chance.ts';

interface State {
  /** By an entry on the object itself, by one on its parent, and as a member of a group that has one there. */
  readonly own: boolean;
  readonly inherited: boolean;
  readonly grouped: boolean;
  readonly data: number;
}

type Right = 'own' | 'inherited' | 'grouped';

const RIGHTS: readonly Right[] = ['own', 'inherited', 'grouped'];
/** A write that changes data only, for so many that change rights. */
const RIGHTS_PER_DATA = 3;

export interface Writes {
  given: number;
  /** After which the reader had no right any more. */
  revoked: number;
  changed: number;
}

export class SharedTree {
  readonly #owner: string;
  readonly #reader: string;
  readonly #states: State[] = [{ own: false, inherited: false, grouped: false, data: 0 }];
  #acknowledged = 0;

  constructor(owner: string, reader: string) {
    this.#owner = owner;
    this.#reader = reader;
  }

  get object(): string {
    return `${this.#owner}/parent/child`;
  }

  async prepare(session: TestSession): Promise<void> {
    const acl = { groups: { friends: ['read-data'] } };
    await session.succeed('CREATE', `${this.#owner}/parent`, { body: { acl } });
    await session.succeed('CREATE', this.object, { body: { data: 0 } });
  }

  /** One change; by a session of the owner, one at a time. Throws where it fails. */
  async write(session: TestSession, chance: Chance, writes: Writes): Promise<void> {
    const before = this.#states.at(-1) ?? never();
    const count = this.#states.length;
    if (chance.below(RIGHTS_PER_DATA + 1) === 0) {
      this.#states.push({ ...before, data: count });
      await session.succeed('UPDATE', this.object, { body: { data: count } });
      writes.changed++;
    } else {
      // Whoever has a right loses it, so that every other change of rights is a revocation.
      const right = RIGHTS.find((each) => before[each]) ?? chance.pick(RIGHTS);
      const after = { ...before, [right]: !before[right] };
      this.#states.push(after);
      await this.#set(session, right, after[right]);
      writes.given += after[right] ? 1 : 0;
      writes.revoked += after[right] ? 0 : 1;
    }
    this.#acknowledged = this.#states.length - 1;
  }

  /** What is wrong with what the reader was told; undefined where it may be so. */
  async read(session: TestSession): Promise<{ readonly status: number; readonly wrong: string | undefined }> {
    const from = this.#acknowledged;
    const response = await session.request('SELECT', this.object);
    const { status } = response;
    const told = answerOf(response);
    const may = new Set(this.#states.slice(from).map(mayBeTold));
    const wrong = may.has(told) ? undefined : `${this.object}: told ${told}, where only ${[...may]} may be`;
    return { status, wrong };
  }

  async #set(session: TestSession, right: Right, isGiven: boolean): Promise<void> {
    switch (right) {
      case 'grouped':
        await session.succeed('UPDATE', `${this.#owner}/config/groups`, {
          body: { data: { friends: isGiven ? [this.#reader] : null } },
        });
        return;
      case 'own':
      case 'inherited':
        await session.succeed('UPDATE', right === 'own' ? this.object : `${this.#owner}/parent`, {
          body: { acl: { users: { [this.#reader]: isGiven ? ['read-data'] : null } } },
        });
    }
  }
}

function mayBeTold({ own, inherited, grouped, data }: State): string {
  return own || inherited || grouped ? `200 ${data}` : '403';
}

function answerOf({ status, body }: TestResponse): string {
  return status === 200 ? `200 ${JSON.parse(body.toString()).data}` : String(status);
}

function never(): never {
  throw new Error('There is always a state');
}
