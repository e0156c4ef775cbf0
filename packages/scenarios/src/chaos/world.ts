/**
 * Who there is, what they share, and what they listen to.
 *
 * Each client has a tree with an object `open` that all may read, and slots below it that it alone changes. Clients stand in
 * groups, each with a `board` in the tree of its first member, on which every member has slots of its own, and one counter
 * that all of them change. Each client listens to its own tree, to those of its neighbours, and to the board of its group.
 */
import { WONDERLAND } from '@fosp/testkit';
import type { Book } from './book.ts';
import { Counter } from './counter.ts';
import { Slot } from './slot.ts';

export interface Member {
  readonly at: number;
  /** With the domain. */
  readonly user: string;
  readonly open: string;
  readonly board: Board;
  /** Of its own tree, and on the board. */
  readonly slots: readonly Slot[];
  /** Trees that it listens to beside its own. */
  readonly neighbours: readonly string[];
}

export interface Board {
  readonly resource: string;
  readonly owner: string;
  readonly counter: Counter;
  readonly members: readonly string[];
}

export interface WorldOptions {
  readonly clients: number;
  readonly perBoard: number;
  /** How many neighbours each client listens to. */
  readonly neighbours: number;
  readonly ownSlots: number;
  readonly boardSlots: number;
}

/** All of it in memory; nothing is made on the server. */
export function makeWorld(options: WorldOptions, book: Book): Member[] {
  const { clients, perBoard, neighbours } = options;
  const users = Array.from({ length: clients }, (_, at) => `chaos-${at}@${WONDERLAND}`);
  const boards = new Map<number, Board>();
  return users.map((user, at) => {
    const first = at - (at % perBoard);
    const board = boards.get(first) ?? makeBoard(users.slice(first, first + perBoard), book);
    boards.set(first, board);
    const neighbour = (by: number) => users[(at + by) % clients] ?? user;
    const near = (direction: 1 | -1) =>
      Array.from({ length: neighbours }, (_, by) => neighbour((clients + direction * (by + 1)) % clients));
    return {
      ...{ at, user, open: `${user}/open`, board },
      neighbours: near(1),
      slots: [
        ...makeSlots({ count: options.ownSlots, tree: user, prefix: `${user}/open/own` }, [user, ...near(-1)], book),
        ...makeSlots(
          { count: options.boardSlots, tree: board.owner, prefix: `${board.resource}/of-${at}` },
          board.members,
          book,
        ),
      ],
    };
  });
}

function makeBoard(members: readonly string[], book: Book): Board {
  const [owner = ''] = members;
  const resource = `${owner}/board`;
  const subscribers = new Set(members);
  const counter = new Counter({ resource: `${resource}/counter`, tree: owner, subscribers });
  book.add(counter.track);
  book.ignore(resource);
  return { resource, owner, counter, members };
}

interface SlotsWanted {
  readonly count: number;
  readonly tree: string;
  readonly prefix: string;
}

/** Every other one may have a child. */
function makeSlots({ count, tree, prefix }: SlotsWanted, listeners: readonly string[], book: Book): Slot[] {
  const subscribers = new Set(listeners);
  return Array.from({ length: count }, (_, number) => {
    const slot = new Slot({ resource: `${prefix}-${number}`, tree, subscribers });
    book.add(slot.track);
    if (number % 2 === 0) {
      slot.child = new Slot({ resource: `${slot.resource}/child`, tree, subscribers, parent: slot });
      book.add(slot.child.track);
    }
    return slot;
  });
}
