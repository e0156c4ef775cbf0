/** Users who go on working whatever is broken: what fails is asked again, a lost connection made anew. */
import { setTimeout as pause } from 'node:timers/promises';
import { ALICE, TestSession } from '@fosp/testkit';
import { AWAY } from './stage.ts';

const BETWEEN = 100;
/** Longer than any answer takes. */
const PATIENCE = 60_000;
const FILE = Buffer.alloc(200_000, 'tea');
const WRITERS = 16;

type Step = (session: TestSession, round: number) => Promise<void>;

export class Load implements AsyncDisposable {
  readonly #url: string;
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  private constructor(url: string) {
    this.#url = url;
  }

  /** By the gateways at this address, where alice has an account and `AWAY` domains are known. */
  static async start(url: string): Promise<Load> {
    const load = new Load(url);
    const names = Array.from({ length: WRITERS }, (_, at) => `writer${at}@wonderland.lit`);
    for (const name of names) {
      await (await TestSession.register(url, name)).close();
      load.#add(name, (session, round) => write(session, name, round));
    }
    load.#add(ALICE, async (session, round) => {
      await session.request('UPDATE', ALICE, { body: { data: round }, patience: PATIENCE });
    });
    load.#add(ALICE, async (session) => {
      await session.request('WRITE', ALICE, { body: FILE, binary: true, patience: PATIENCE });
      await session.request('READ', ALICE, { patience: PATIENCE });
    });
    load.#add(ALICE, async (session, round) => {
      await session.request('SELECT', `nobody@${AWAY[round % AWAY.length]}`, { patience: PATIENCE });
    });
    return load;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  #add(user: string, step: Step): void {
    this.#loops.push(this.#go(user, step));
  }

  async #go(user: string, step: Step): Promise<void> {
    let session: TestSession | undefined;
    for (let round = 0; !this.#isOver; round++) {
      try {
        session ??= await TestSession.logIn(this.#url, user);
        await step(session, round);
      } catch {
        await session?.close().catch(() => undefined);
        session = undefined;
      }
      await pause(BETWEEN);
    }
    await session?.close();
  }
}

async function write(session: TestSession, tree: string, round: number): Promise<void> {
  const object = `${tree}/${round % 10}`;
  await session.request('CREATE', object, { body: { data: round }, patience: PATIENCE });
  await session.request('UPDATE', object, { body: { data: round }, patience: PATIENCE });
  await session.request('SELECT', object, { patience: PATIENCE });
  await session.request('LIST', tree, { patience: PATIENCE });
  await session.request('DELETE', object, { patience: PATIENCE });
}
