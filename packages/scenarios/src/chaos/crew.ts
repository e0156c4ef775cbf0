/** All clients of the load in place, with what they work on made on the server. */
import type { Book } from './book.ts';
import type { Chance } from './chance.ts';
import type { Client } from './client.ts';
import type { Hand } from './load.ts';
import { RawClient } from './raw-client.ts';
import { SdkClient } from './sdk-client.ts';
import { setUp } from './setup.ts';
import type { Tally } from './tally.ts';
import { Worker } from './worker.ts';
import { type Member, makeWorld } from './world.ts';

export interface CrewOptions {
  readonly url: string;
  readonly book: Book;
  readonly tally: Tally;
  readonly chance: Chance;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  readonly clients: number;
  /**
   * Whether all have the SDK, and leave to it what it can do: files are not sent in pieces, which cannot be sent again. Else
   * every other one has.
   */
  readonly isSdkAlone?: boolean;
}

export interface Crew extends AsyncDisposable {
  readonly hands: readonly Hand[];
}

const PER_BOARD = 20;
const SIZES = { perBoard: PER_BOARD, neighbours: 2, ownSlots: 4, boardSlots: 1 };

export async function hireCrew(options: CrewOptions): Promise<Crew> {
  const { book, chance, clients, now, url } = options;
  const members = makeWorld({ ...SIZES, clients }, book);
  await setUp({ url, members, chance, now });
  const hands = await Promise.all(members.map((member) => hire(member, members, options)));
  return {
    hands,
    [Symbol.asyncDispose]: async () => {
      book.end();
      await Promise.all(hands.map(({ client }) => client.close()));
    },
  };
}

async function hire(
  member: Member,
  members: readonly Member[],
  options: CrewOptions,
): Promise<Hand & { readonly client: Client }> {
  const { book, isSdkAlone = false, now, tally, url } = options;
  const chance = options.chance.of(member.user);
  const { user } = member;
  const client =
    member.at % 2 === 0 && !isSdkAlone
      ? await RawClient.open({ url, user, book, tally, chance: chance.of('connection'), now })
      : await SdkClient.open({ url, user, book, now, streams: !isSdkAlone });
  const visited = new Set(member.neighbours);
  const others = members
    .filter((other) => other !== member && (visited.has(other.user) || other.board === member.board))
    .flatMap(({ slots, user: owner }) => slots.filter(({ track }) => track.tree !== owner || visited.has(owner)));
  return { member, chance, client, worker: new Worker({ member, client, others, chance, tally, now }) };
}
