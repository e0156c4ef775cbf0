/** A number of places, and the line of those who wait for one; `within` others, which more than one such line share. */
export class Slots {
  readonly #places: number;
  readonly #within: Slots | undefined;
  readonly #line: (() => void)[] = [];
  #taken = 0;

  constructor(places: number, within?: Slots) {
    this.#places = places;
    this.#within = within;
  }

  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#taken >= this.#places;
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** Resolves once a place is taken; `leave` gives it back. Who calls bounds how many may wait. */
  async enter(): Promise<void> {
    if (this.isFull) {
      // Whoever leaves hands over its place, so that `taken` need not change.
      await new Promise<void>((resolve) => this.#line.push(resolve));
    } else {
      this.#taken++;
    }
    await this.#within?.enter();
  }

  leave(): void {
    this.#within?.leave();
    const next = this.#line.shift();
    if (next === undefined) {
      this.#taken--;
    } else {
      next();
    }
  }
}
