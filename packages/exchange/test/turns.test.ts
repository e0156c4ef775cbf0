import { activeRequest, within } from '@fosp/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../src/turns.ts';

interface Begun {
  readonly whose: number;
  readonly nth: number;
}

const USERS = [{}, {}, {}, {}];

describe('places in turns', () => {
  it('F13 begin each request once, those of one user in order, and no more at once than there are places', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(fc.integer({ min: -2, max: 3 })), (places, steps) => {
        const begun: Begun[] = [];
        const entered = USERS.map(() => 0);
        let taken = 0;
        let isOpen = true;
        const turns = new Turns({ places, mayBegin: () => isOpen });
        const leave = () => {
          taken--;
          turns.leave();
        };
        for (const step of steps) {
          const user = USERS[step];
          if (user !== undefined) {
            const nth = entered[step] ?? 0;
            entered[step] = nth + 1;
            turns.enter(user, () => {
              taken++;
              begun.push({ whose: step, nth });
            });
          } else if (step === -1 && taken > 0) {
            leave();
          } else {
            isOpen = !isOpen;
            turns.proceed();
          }
          expect(taken).toBeLessThanOrEqual(places);
        }
        isOpen = true;
        turns.proceed();
        while (taken > 0) {
          leave();
        }
        for (const [whose, count] of entered.entries()) {
          const order = begun.filter((one) => one.whose === whose).map(({ nth }) => nth);
          expect(order).toEqual(Array.from({ length: count }, (_, nth) => nth));
        }
      }),
    );
  });

  it('F13 let nobody wait for more than one request of each other who came before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 3, maxLength: 3 }), (counts) => {
        const begun: object[] = [];
        const turns = new Turns({ places: 1, mayBegin: () => true });
        turns.enter({}, () => undefined);
        for (const [index, count] of counts.entries()) {
          for (let nth = 0; nth < count; nth++) {
            turns.enter(USERS[index] ?? {}, () => begun.push(USERS[index] ?? {}));
          }
        }
        const last = {};
        turns.enter(last, () => begun.push(last));
        for (let count = 0; count <= counts.length; count++) {
          turns.leave();
        }
        expect(begun).toEqual([...USERS.slice(0, 3), last]);
      }),
    );
  });

  it('F13 begin what waited for whoever it is of, not for whoever left', () => {
    const begun: (string | undefined)[] = [];
    const turns = new Turns({ places: 1, mayBegin: () => true });
    for (const requestId of ['a', 'b']) {
      within({ requestId, span: undefined }, () => turns.enter({}, () => begun.push(activeRequest())));
    }
    within({ requestId: 'a', span: undefined }, () => turns.leave());
    expect(begun).toEqual(['a', 'b']);
  });

  it('F13 never begin what waited when the link ended', () => {
    const begun: number[] = [];
    const turns = new Turns({ places: 1, mayBegin: () => true });
    for (const number of [1, 2, 3]) {
      turns.enter(USERS[number] ?? {}, () => begun.push(number));
    }
    turns.clear();
    turns.leave();
    expect(begun).toEqual([1]);
  });
});
