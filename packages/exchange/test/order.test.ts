import { array, assert, boolean, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Place, RequestOrder } from '../src/order.ts';

interface Asked {
  readonly tree: string;
  readonly path: string;
  readonly reads: boolean;
  readonly deletes?: boolean;
}

class TestPlace implements Place {
  readonly sequence: number;
  readonly tree: string | undefined;
  readonly path: string;
  readonly reads: boolean;
  readonly deletes: boolean;
  previous: Place | undefined = undefined;
  next: Place | undefined = undefined;
  settled = false;
  waitsFor = 0;
  followers: Place[] | undefined = undefined;
  hasBegun = false;

  constructor(sequence: number, asked: Asked) {
    this.sequence = sequence;
    this.tree = asked.tree;
    this.path = asked.path;
    this.reads = asked.reads;
    this.deletes = asked.deletes ?? false;
  }

  begin(): void {
    expect(this.hasBegun).toBe(false);
    this.hasBegun = true;
  }
}

function entered(order: RequestOrder, asked: readonly Asked[]): TestPlace[] {
  return asked.map((each, index) => {
    const place = new TestPlace(index + 1, each);
    if (order.enter(place)) {
      place.begin();
    }
    return place;
  });
}

/** PROTOCOL §2, word for word and slowly. */
function areRelated(one: Asked, other: Asked): boolean {
  const covers = ({ path: above, deletes }: Asked, { path }: Asked) =>
    above === '/config/groups' ||
    (deletes === true && above === '/config') ||
    path === above ||
    path.startsWith(`${above}/`);
  const isSame = one.tree === other.tree && (covers(one, other) || covers(other, one));
  return isSame && !(one.reads && other.reads);
}

const write = (path: string, tree = 'alice@x') => ({ tree, path, reads: false });
const remove = (path: string, tree = 'alice@x') => ({ tree, path, reads: false, deletes: true });
const read = (path: string, tree = 'alice@x') => ({ tree, path, reads: true });

describe('the order of requests', () => {
  it.each<[string, Asked, Asked, boolean]>([
    ['two writes of one object', write('/a'), write('/a'), true],
    ['a write and a read of one object', write('/a'), read('/a'), true],
    ['a read and a write of one object', read('/a'), write('/a'), true],
    ['two reads of one object', read('/a'), read('/a'), false],
    ['parent and child', write('/a'), write('/a/b'), true],
    ['child and parent', write('/a/b'), read('/a'), true],
    ['the root and anything', write(''), read('/a/b/c'), true],
    ['siblings', write('/a'), write('/b'), false],
    ['a name that begins like another', write('/a'), write('/ab'), false],
    ['the same path in two trees', write('/a'), write('/a', 'bob@x'), false],
    ['groups and any object of the tree', write('/config/groups'), read('/a'), true],
    ['any object and groups', read('/a'), write('/config/groups'), true],
    ['what reads groups and what writes an object', read('/config/groups'), write('/a'), true],
    ['groups of another tree', write('/config/groups'), read('/a', 'bob@x'), false],
    ['config, but not groups', write('/config'), write('/a'), false],
    ['what deletes config, and groups with it, and any object', remove('/config'), read('/a'), true],
    ['any object and what deletes config', read('/a'), remove('/config'), true],
    ['what deletes config of another tree', remove('/config'), read('/a', 'bob@x'), false],
    ['what deletes beside groups', remove('/config/x'), write('/a'), false],
    ['what deletes something that begins like config', remove('/con'), write('/a'), false],
  ])('F13 %s', (_, first, second, waits) => {
    const order = new RequestOrder();
    const [one, other] = entered(order, [first, second]);
    expect(one?.hasBegun).toBe(true);
    expect(other?.hasBegun).toBe(!waits);
    if (one !== undefined) {
      order.leave(one);
    }
    expect(other?.hasBegun).toBe(true);
  });

  it('holds on to nothing by what has left, so that no chain of what is over is kept alive', () => {
    const order = new RequestOrder();
    const places = entered(order, [read('/a'), read('/b'), read('/c')]);
    for (const place of [places[1], places[0], places[2]]) {
      if (place !== undefined) {
        order.leave(place);
      }
      expect([place?.previous, place?.next]).toEqual([undefined, undefined]);
    }
    expect(order.size).toBe(0);
  });

  it('F13 lets whoever settled early be passed while it is still in flight', () => {
    const order = new RequestOrder();
    const [first, second] = entered(order, [read('/a'), write('/a')]);
    expect(second?.hasBegun).toBe(false);
    if (first !== undefined) {
      order.settle(first);
      expect(second?.hasBegun).toBe(true);
      expect(order.has(1)).toBe(true);
      order.leave(first);
    }
    expect(order.has(1)).toBe(false);
    expect(order.size).toBe(1);
  });

  it('F13 begins each request once all earlier related ones are settled, and no earlier', () => {
    const path = constantFrom('', '/a', '/a/b', '/a/b/c', '/ab', '/config', '/config/groups', '/config/groups/x');
    const does = constantFrom({ reads: true }, { reads: false }, { reads: false, deletes: true });
    const request = record({ tree: constantFrom('alice@x', 'bob@x'), path, does }).map(({ does, ...where }) => ({
      ...where,
      ...does,
    }));
    const step = record({ which: nat(), leaves: boolean() });
    assert(
      property(array(request, { maxLength: 24 }), array(step, { maxLength: 80 }), (asked, steps) => {
        const order = new RequestOrder();
        const places = entered(order, asked);
        const left = new Set<TestPlace>();
        const check = () => {
          for (const place of places) {
            const earlier = places.slice(0, place.sequence - 1).filter((other) => areRelated(asOf(other), asOf(place)));
            expect(place.hasBegun).toBe(earlier.every((other) => other.settled));
            expect(order.has(place.sequence)).toBe(!left.has(place));
          }
          expect(order.size).toBe(places.length - left.size);
        };
        check();
        for (const { which, leaves } of steps) {
          const running = places.filter((place) => place.hasBegun && !left.has(place));
          const place = running[which % Math.max(1, running.length)];
          if (place !== undefined && leaves) {
            left.add(place);
            order.leave(place);
          } else if (place !== undefined) {
            order.settle(place);
          }
          check();
        }
      }),
    );
  });
});

function asOf(place: TestPlace): Asked {
  return { tree: place.tree ?? '', path: place.path, reads: place.reads, deletes: place.deletes };
}
