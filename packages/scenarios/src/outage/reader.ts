/** A user of the domain that was away, and what they were told since. */
import type { TestNotification, TestSession } from '@fosp/testkit';

export class Reader {
  readonly name: string;
  /** When it was told for the first time, by `performance.now()`. */
  firstAt = Number.POSITIVE_INFINITY;
  readonly #session: TestSession;
  /** By tree, the numbers that its changes had, in the order in which they came. */
  readonly #told = new Map<string, number[]>();
  #count = 0;

  constructor(name: string, session: TestSession) {
    this.name = name;
    this.#session = session;
  }

  /** Resolves once so many notifications came in all; rejects where they do not, within so many milliseconds. */
  async untilTold(count: number, patience: number): Promise<void> {
    const end = performance.now() + patience;
    while (this.#count < count) {
      this.#take(await this.#session.notifications.next(Math.max(1, end - performance.now())));
    }
  }

  /** What is not as it should be, where each tree had so many changes. */
  wrong(changes: number): string[] {
    for (const notification of this.#session.notifications.drain()) {
      this.#take(notification);
    }
    return Array.from(this.#told).flatMap(([tree, numbers]) => {
      const inOrder = numbers.length === changes && numbers.every((number, at) => number === at);
      return inOrder ? [] : [`${this.name} was told of ${tree}: ${numbers.join(' ')}; it had ${changes} changes`];
    });
  }

  #take({ resource, body }: TestNotification): void {
    this.firstAt = Math.min(this.firstAt, performance.now());
    const [tree = ''] = resource.split('/');
    const { data }: { data: number } = JSON.parse(body.toString());
    const numbers = this.#told.get(tree) ?? [];
    numbers.push(data);
    this.#told.set(tree, numbers);
    this.#count++;
  }
}
