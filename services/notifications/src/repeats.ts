/**
 * The last sequence handled of each tree: changes come at least once, in order, and one that is not above the last was
 * handled before. Bounded: where a tree was forgotten, or this process is new, a repeat passes, and gateways drop it by the
 * same numbers.
 */
export class Repeats {
  readonly #bound: number;
  readonly #last = new Map<string, number>();

  /** `bound` is the number of trees remembered; those longest without a change go first. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  includes(tree: string, sequence: number): boolean {
    return sequence <= (this.#last.get(tree) ?? 0);
  }

  handled(tree: string, sequence: number): void {
    this.#last.delete(tree);
    const [oldest] = this.#last.keys();
    if (this.#last.size >= this.#bound && oldest !== undefined) {
      this.#last.delete(oldest);
    }
    this.#last.set(tree, sequence);
  }
}
