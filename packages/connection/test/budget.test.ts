import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetMember, TransferBudget } from '../src/budget.ts';

const KIB = 1024;
const READ = 64 * KIB;

/** A connection that receives one large message after another, a read at a time, whenever it is not told to wait. */
class Receiver implements BudgetMember {
  readonly #budget: TransferBudget;
  #left: number;
  #held = 0;
  #waits = false;
  refused = false;

  constructor(budget: TransferBudget, bytes: number) {
    this.#budget = budget;
    this.#left = bytes;
  }

  get isDone(): boolean {
    return this.#left === 0 || this.refused;
  }

  get canRead(): boolean {
    return !this.#waits && !this.isDone;
  }

  read(bytes: number): void {
    const part = Math.min(bytes, this.#left);
    if (!this.#budget.take(part)) {
      this.refused = true;
      this.#finish();
      return;
    }
    this.#held += part;
    this.#left -= part;
    if (this.#left === 0) {
      this.#finish();
    } else {
      this.#waits = this.#budget.mustWait(this);
    }
  }

  goOn(): void {
    this.#waits = false;
  }

  giveUp(): void {
    this.refused = true;
    this.#finish();
  }

  #finish(): void {
    this.#budget.leave(this);
    this.#budget.give(this.#held);
    this.#held = 0;
  }
}

describe('the budget of all messages in transit', () => {
  it('is never exceeded, and lets everybody finish, whatever order they read in', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 * READ }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat(1000)), fc.integer({ min: 300, max: 900 }), (bytes, picks, limit) => {
        const budget = new TransferBudget(limit * READ);
        const receivers = bytes.map((size) => new Receiver(budget, size));
        let ready = receivers;
        while (ready.length > 0) {
          ready[picks.next().value % ready.length]?.read(READ);
          expect(budget.used).toBeLessThanOrEqual(budget.limit);
          ready = receivers.filter((one) => one.canRead);
        }
        expect(receivers.every((one) => one.isDone && !one.refused)).toBe(true);
        expect(budget).toMatchObject({ used: 0, waiting: 0 });
      }),
    );
  });

  it('lets one after the other go on, in the order in which they had to wait', () => {
    const budget = new TransferBudget(400);
    const order: string[] = [];
    const member = (name: string): BudgetMember => ({ goOn: () => order.push(name), giveUp: () => {} });
    const [first, second, third] = [member('first'), member('second'), member('third')];
    expect(budget.take(301)).toBe(true);
    expect(budget.mustWait(first)).toBe(false);
    expect(budget.mustWait(second)).toBe(true);
    expect(budget.mustWait(third)).toBe(true);
    expect(budget.mustWait(first)).toBe(false);
    budget.leave(first);
    expect(order).toEqual(['second']);
    budget.leave(second);
    expect(order).toEqual(['second', 'third']);
    expect(budget.waiting).toBe(0);
  });

  it('wakes no more of those that wait than what was freed is enough for', () => {
    const budget = new TransferBudget(8 * READ);
    const woken: number[] = [];
    expect(budget.take(8 * READ)).toBe(true);
    for (let index = 0; index < 6; index++) {
      budget.mustWait({ goOn: () => woken.push(index), giveUp: () => {} });
    }
    budget.give(4 * READ);
    expect(woken).toEqual([1, 2]);
    budget.give(READ);
    expect(woken).toEqual([1, 2, 3]);
  });

  it('lets whoever waits last give up before anybody else is refused', () => {
    const budget = new TransferBudget(100);
    const gone: string[] = [];
    const member = (name: string, bytes: number): BudgetMember => ({
      goOn: () => {},
      giveUp: () => {
        gone.push(name);
        budget.give(bytes);
      },
    });
    expect(budget.take(100)).toBe(true);
    budget.mustWait(member('has the turn', 10));
    budget.mustWait(member('second', 10));
    budget.mustWait(member('third', 10));
    expect(budget.take(5)).toBe(true);
    expect(gone).toEqual(['third']);
    expect(budget.take(10)).toBe(true);
    expect(gone).toEqual(['third', 'second']);
    expect(budget.take(10)).toBe(false);
    expect(budget.used).toBe(95);
  });

  it('refuses what goes over the limit, and takes nothing', () => {
    const budget = new TransferBudget(100);
    expect(budget.take(60)).toBe(true);
    expect(budget.take(41)).toBe(false);
    expect(budget.used).toBe(60);
    expect(budget.take(40)).toBe(true);
  });

  it('counts apart what waits for readers', () => {
    const budget = new TransferBudget(100);
    expect(budget.addBacklog(100)).toBe(true);
    expect(budget.take(100)).toBe(true);
    expect(budget.addBacklog(1)).toBe(false);
    expect(budget.addBacklog(-101)).toBe(true);
    expect(budget.backlog).toBe(0);
  });
});
