/**
 * Many users of the SDK, each with a connection and little to do. Who has lost theirs asks for something at once: that request
 * waits for the connection to be back, and must be answered. In between some ask while nothing is wrong, which tells what the
 * sessions that stay feel of those who come back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FospClient } from '@fosp/client';
import { isFospError } from '@fosp/protocol';
import { PASSWORD } from '@fosp/testkit';
import { PASSING } from '../chaos/tally.ts';
import { reasonOf } from './tally.ts';

export interface CrowdState {
  readonly members: number;
  readonly connected: number;
  /** Connections that were lost and are back, as the SDK tells. */
  gaps: number;
  /** Requests that were made without a connection, and those of them that were answered well. */
  waited: number;
  answered: number;
  /** Requests that were put off (408, 429, 503), as only a machine that cannot follow does, and asked again. */
  putOff: number;
  /** Milliseconds that the longest of them took. */
  longest: number;
  /** Milliseconds of requests on connections that stayed, since they were asked for last. */
  readonly latencies: readonly number[];
  /** A sentence each. */
  readonly faults: readonly string[];
}

export interface CrowdOptions {
  readonly url: string;
  /** Of accounts that are there. */
  readonly users: readonly string[];
  /** Logins at once. */
  readonly atOnce: number;
}

interface Member {
  readonly user: string;
  readonly client: FospClient;
  isAsking: boolean;
}

const LOOK_MS = 100;
const PUT_OFF_MS = 1000;
/** Requests at each look of those who have a connection. */
const PROBES = 1;
/** For a request, its wait for the connection included. */
const PATIENCE_MS = 120_000;

export class Crowd {
  readonly #members: Member[] = [];
  readonly #faults: string[] = [];
  readonly #counts = { gaps: 0, waited: 0, answered: 0, putOff: 0, longest: 0 };
  #latencies: number[] = [];
  #next = 0;
  #ticker: NodeJS.Timeout | undefined;

  /** Resolves once all are logged in. */
  static async gather({ url, users, atOnce }: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd();
    const coming = users.values();
    const come = async () => {
      for (const user of coming) {
        const credentials = { user, password: PASSWORD };
        crowd.#add(await FospClient.connect({ url, credentials, requestTimeoutMs: PATIENCE_MS }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, come));
    crowd.#ticker = setInterval(() => crowd.#look(), LOOK_MS);
    return crowd;
  }

  /** Forgets the latencies that it tells. */
  state(): CrowdState {
    const latencies = this.#latencies;
    this.#latencies = [];
    return {
      ...this.#counts,
      members: this.#members.length,
      connected: this.#members.filter(({ client, isAsking }) => client.isConnected && !isAsking).length,
      latencies,
      faults: this.#faults,
    };
  }

  close(): void {
    clearInterval(this.#ticker);
    for (const { client } of this.#members) {
      client.close();
    }
  }

  #add(client: FospClient): void {
    const { user = '' } = client;
    this.#members.push({ user, client, isAsking: false });
    void this.#listen(user, client);
  }

  async #listen(user: string, client: FospClient): Promise<void> {
    try {
      for await (const { kind } of client.notifications()) {
        this.#counts.gaps += kind === 'gap' ? 1 : 0;
      }
    } catch (error) {
      this.#faults.push(`${user} was given up: ${reasonOf(error)}`);
    }
  }

  #look(): void {
    for (const member of this.#members) {
      if (!member.client.isConnected && !member.isAsking) {
        void this.#askAndWait(member);
      }
    }
    for (let probe = 0; probe < PROBES; probe++) {
      const member = this.#members[this.#next++ % this.#members.length];
      if (member?.client.isConnected && !member.isAsking) {
        void this.#probe(member);
      }
    }
  }

  async #askAndWait(member: Member): Promise<void> {
    const since = performance.now();
    member.isAsking = true;
    this.#counts.waited++;
    try {
      await this.#select(member);
      this.#counts.answered++;
      this.#counts.longest = Math.max(this.#counts.longest, performance.now() - since);
    } catch (error) {
      this.#faults.push(`${member.user} waited in vain: ${reasonOf(error)}`);
    }
    member.isAsking = false;
  }

  async #select({ client, user }: Member): Promise<void> {
    for (;;) {
      try {
        await client.select(`${user}/`);
        return;
      } catch (error) {
        if (!isFospError(error) || !PASSING.has(error.status)) {
          throw error;
        }
        this.#counts.putOff++;
        await pause(PUT_OFF_MS);
      }
    }
  }

  /** Counts where its connection stayed. */
  async #probe(member: Member): Promise<void> {
    const { client, user } = member;
    const since = performance.now();
    const { gaps } = this.#counts;
    try {
      await this.#select(member);
    } catch (error) {
      this.#faults.push(`${user} was refused: ${reasonOf(error)}`);
    }
    if (client.isConnected && gaps === this.#counts.gaps) {
      this.#latencies.push(performance.now() - since);
    }
  }
}
