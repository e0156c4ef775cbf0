/**
 * A user with one connection at a time and no SDK, who counts up in an object of their own, is notified of it, and does
 * other things beside. A request that fails, a connection that ends with another code than 1012, and a notification that is
 * missing, repeated or out of turn on its connection are faults. So is a change that took effect though its connection was closed with 1012 before it
 * was answered: such a close says that what is not answered was not done.
 */
import { PASSWORD, type TestNotification, type TestRequestOptions, TestSession, within } from '@fosp/testkit';
import { reasonOf, type Tally, type Worker } from '../../src/rollout/tally.ts';

const RESTARTING = 1012;
/** A file every so many rounds. */
const ROUNDS_PER_FILE = 4;

type RequestType = Parameters<TestSession['request']>[0];

export class RawUser implements Worker {
  readonly #user: string;
  readonly #url: string;
  readonly #tally: Tally;
  /** What was acknowledged last. */
  #count = 0;
  #round = 0;
  #isStopped = false;
  rounds = 0;

  private constructor(user: string, url: string, tally: Tally) {
    this.#user = user;
    this.#url = url;
    this.#tally = tally;
  }

  /** Makes the account, and what it works on. */
  static async register(user: string, url: string, tally: Tally): Promise<RawUser> {
    const session = await TestSession.register(url, user);
    const subscriptions = { [user]: { events: ['updated'], depth: 0 } };
    await session.succeed('CREATE', `${user}/count`, { body: { data: 0, subscriptions } });
    await session.succeed('CREATE', `${user}/file`);
    await session.close();
    return new RawUser(user, url, tally);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async work(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#stay(await TestSession.open(this.#url, this.#user));
      } catch (error) {
        this.#fault(`could not connect: ${reasonOf(error)}`);
      }
    }
  }

  /** As long as the connection lasts. */
  async #stay(session: TestSession): Promise<void> {
    const from = this.#count;
    let isOpen = (await this.#logIn(session)) && (await this.#look(session));
    while (isOpen && !this.#isStopped) {
      isOpen = await this.#work(session);
    }
    const told = countsIn(session.notifications.drain());
    if (isOpen && (await this.#hearAll(session, told, from))) {
      await session.close();
    } else {
      const { code, reason } = await within(session.wire.closed, `the end of a connection of ${this.#user}`);
      if (code === RESTARTING) {
        this.#tally.reconnects++;
      } else {
        this.#fault(`a connection was closed with ${code} ${reason}`);
      }
    }
    this.#tally.notifications += told.length;
    // A new connection may be told again of what the last one knew: then of all since.
    const first = told[0] ?? 1;
    if (first < 1 || first > from + 1 || told.some((count, index) => count !== first + index)) {
      this.#fault(`after ${from}, up to ${this.#count}, was told of ${told}`);
    }
  }

  /** Waits for what is still to be told; whether the connection lasted that long. */
  async #hearAll(session: TestSession, told: number[], from: number): Promise<boolean> {
    while ((told.at(-1) ?? from) < this.#count) {
      try {
        told.push(...countsIn([await session.nextNotification()]));
      } catch (error) {
        if (session.wire.isOpen) {
          this.#fault(`after ${told.at(-1) ?? from}, of ${this.#count}: ${reasonOf(error)}`);
          return true;
        }
        return false;
      }
    }
    return true;
  }

  /** Whether the connection lasted that long. */
  async #logIn(session: TestSession): Promise<boolean> {
    const greeted = await this.#ask(session, 'CONNECT', '*', { body: { version: '0.1' } });
    const body = { name: this.#user, password: PASSWORD };
    return greeted !== undefined && (await this.#ask(session, 'AUTHENTICATE', '*', { body })) !== undefined;
  }

  /** The count is what was acknowledged. */
  async #look(session: TestSession): Promise<boolean> {
    const body = await this.#ask(session, 'SELECT', 'count');
    const count: unknown = body === undefined ? undefined : JSON.parse(body.toString()).data;
    if (body !== undefined && count !== this.#count) {
      this.#fault(`found ${count} where ${this.#count} was acknowledged`);
    }
    return body !== undefined;
  }

  /** Several requests at once; whether all were answered. */
  async #work(session: TestSession): Promise<boolean> {
    const round = ++this.#round;
    const next = this.#count + 1;
    const counted = this.#ask(session, 'UPDATE', 'count', { body: { data: next } }).then((answer) => {
      this.#count = answer === undefined ? this.#count : next;
      return answer;
    });
    const answers = await Promise.all([
      counted,
      this.#ask(session, 'CREATE', `child-${round}`, { body: { data: round } }),
      this.#ask(session, 'SELECT', `child-${round}`),
      this.#ask(session, 'LIST', ''),
      this.#ask(session, 'DELETE', `child-${round}`),
      ...(round % ROUNDS_PER_FILE === 0 ? this.#workOnFile(session, `file of round ${round}`) : []),
    ]);
    const isDone = answers.every((answer) => answer !== undefined);
    this.rounds += isDone ? 1 : 0;
    return isDone;
  }

  #workOnFile(session: TestSession, content: string): Promise<Buffer | undefined>[] {
    const written = this.#ask(session, 'WRITE', 'file', { body: Buffer.from(content), binary: true });
    const read = this.#ask(session, 'READ', 'file').then((body) => {
      if (body !== undefined && body.toString() !== content) {
        this.#fault(`read “${body}” for “${content}”`);
      }
      return body;
    });
    return [written, read];
  }

  /** What it is answered with; undefined where the connection ends before. */
  async #ask(
    session: TestSession,
    type: RequestType,
    name: string,
    options?: TestRequestOptions,
  ): Promise<Buffer | undefined> {
    try {
      const resource = name === '*' ? name : `${this.#user}/${name}`;
      const { succeeded, status, body } = await session.request(type, resource, options);
      this.#tally.requests++;
      if (!succeeded) {
        this.#fault(`${type} ${name}: ${status} ${body}`);
      }
      return body;
    } catch {
      this.#tally.unanswered++;
      return undefined;
    }
  }

  #fault(text: string): void {
    this.#tally.faults.push(`${this.#user} ${text}`);
  }
}

function countsIn(notifications: readonly TestNotification[]): number[] {
  return notifications.map(({ body }) => JSON.parse(body.toString()).data);
}
