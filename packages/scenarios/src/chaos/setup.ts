/** Makes on the server what the world says there is: accounts, trees, rights, subscriptions. */
import { PASSWORD, TestSession } from '@fosp/testkit';
import type { Chance } from './chance.ts';
import { dataOf } from './content.ts';
import type { Member } from './world.ts';

/** Clients that are set up at once: as many passwords as the gateways hash without a word. */
const AT_ONCE = 12;

const READ = ['read-data', 'read-children', 'write-subscriptions'];
const CHANGE = ['write-data', 'write-children', 'delete-children', 'write-attachment'];
const ALL = { events: ['created', 'updated', 'deleted'], depth: -1 };

export interface SetUpOptions {
  readonly url: string;
  readonly members: readonly Member[];
  readonly chance: Chance;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

export async function setUp(options: SetUpOptions): Promise<void> {
  await inTurns(options.members, (member) => makeTree(member, options));
  await inTurns(options.members, (member) => subscribe(member, options.url));
}

async function makeTree({ user, open, board }: Member, { url, chance, now }: SetUpOptions): Promise<void> {
  const session = await TestSession.register(url, user, PASSWORD);
  await session.succeed('CREATE', open, { body: { acl: { other: READ } } });
  if (board.owner === user) {
    const mark = { step: 1, nonce: chance.below(2 ** 30).toString(36) };
    board.counter.created(mark, now());
    await session.succeed('CREATE', board.resource, { body: { acl: { other: [...READ, ...CHANGE] } } });
    await session.succeed('CREATE', board.counter.resource, { body: { data: dataOf(mark) } });
  }
  await session.close();
}

async function subscribe({ user, open, neighbours, board }: Member, url: string): Promise<void> {
  const session = await TestSession.logIn(url, user, PASSWORD);
  const body = { subscriptions: { [user]: ALL } };
  for (const resource of [open, ...neighbours.map((neighbour) => `${neighbour}/open`), board.resource]) {
    await session.succeed('UPDATE', resource, { body });
  }
  await session.close();
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) {
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
