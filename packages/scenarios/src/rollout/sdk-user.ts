/**
 * A user whose program has the SDK, which connects again by itself: no request of theirs may fail, and what was acknowledged
 * is what is there. What they are told of a count of theirs is without holes but at a `gap`, which the SDK puts where a
 * connection was lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FospClient } from '@fosp/client';
import { PASSWORD, within } from '@fosp/testkit';
import { reasonOf, type Tally, type Worker } from './tally.ts';

const ROUNDS_PER_FILE = 4;

export class SdkUser implements Worker {
  readonly #client: FospClient;
  readonly #tally: Tally;
  readonly #events: ReturnType<FospClient['notifications']>;
  readonly #told = new Map<number, PromiseWithResolvers<void>>();
  #isStopped = false;
  rounds = 0;

  private constructor(client: FospClient, tally: Tally) {
    this.#client = client;
    this.#tally = tally;
    this.#events = client.notifications();
  }

  /** Resolves once there is an account, made at the registrar, logged in, and what is worked on. */
  static async register(name: string, url: string, tally: Tally, registrar = url): Promise<SdkUser> {
    const stranger = await FospClient.connect({ url: registrar, requestTimeoutMs: 100_000 });
    await stranger.register(name, PASSWORD);
    stranger.close();
    const client = await FospClient.connect({ url, requestTimeoutMs: 100_000 });
    const user = await client.authenticate({ user: name, password: PASSWORD });
    const subscriptions = { [user]: { events: ['updated'], depth: 0 } };
    await client.create(`${user}/count`, { data: 0, subscriptions });
    await client.create(`${user}/file`);
    return new SdkUser(client, tally);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** So many milliseconds between two rounds. */
  async work(rest = 0): Promise<void> {
    const listening = this.#listen();
    let round = 0;
    while (!this.#isStopped) {
      round++;
      await this.#round(round).catch((error: unknown) => this.#fault(`in round ${round}: ${reasonOf(error)}`));
      this.rounds++;
      await pause(rest);
    }
    const last = Promise.withResolvers<void>();
    this.#told.set(round + 1, last);
    await this.#client.update(`${this.#user}/count`, { data: round + 1 });
    await within(last.promise, `the last notification of ${this.#user}`).catch((error) => this.#fault(reasonOf(error)));
    this.#client.close();
    await listening;
  }

  get #user(): string {
    return this.#client.user ?? '';
  }

  async #round(round: number): Promise<void> {
    const client = this.#client;
    const child = `${this.#user}/child-${round}`;
    const file = `${this.#user}/file`;
    const answered = await Promise.allSettled([
      client.update(`${this.#user}/count`, { data: round }).then(() => this.#look(round)),
      client
        .create(child, { data: round })
        .then(() => client.select(child))
        .then(() => client.delete(child)),
      Array.fromAsync(client.list(`${this.#user}/`)),
      ...(round % ROUNDS_PER_FILE === 0 ? [this.#replaceFile(file, `file of round ${round}`)] : []),
    ]);
    for (const answer of answered) {
      this.#tally.requests++;
      if (answer.status === 'rejected') {
        this.#fault(`in round ${round}: ${reasonOf(answer.reason)}`);
      }
    }
  }

  async #look(acknowledged: number): Promise<void> {
    const { value } = await this.#client.select(`${this.#user}/count`);
    if (value.data !== acknowledged) {
      this.#fault(`found ${value.data} where ${acknowledged} was acknowledged`);
    }
  }

  async #replaceFile(file: string, content: string): Promise<void> {
    await this.#client.write(file, Buffer.from(content));
    const { body } = await this.#client.read(file);
    const read = Buffer.concat(await Array.fromAsync(body)).toString();
    if (read !== content) {
      this.#fault(`read “${read}” for “${content}”`);
    }
  }

  async #listen(): Promise<void> {
    let last = 0;
    let mayJump = false;
    for await (const event of this.#events) {
      if (event.kind === 'gap') {
        this.#tally.reconnects++;
        mayJump = true;
        continue;
      }
      const count: number = JSON.parse(event.text ?? '').data;
      if (!mayJump && count !== last + 1) {
        this.#fault(`was told of ${count} after ${last}`);
      }
      last = count;
      mayJump = false;
      this.#tally.notifications++;
      this.#told.get(count)?.resolve();
    }
  }

  #fault(text: string): void {
    this.#tally.faults.push(`${this.#user} ${text}`);
  }
}
