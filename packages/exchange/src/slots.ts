/** A number of places, and the line of those who wait for one. */
export class Slots {
  readonly #places: number;
  readonly #line: (() => void)[] = [];
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
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
    if (!this.isFull) {
      this.#taken++;
      return;
    }
    // Whoever leaves hands over its place, so that `taken` need not change.
    await new Promise<void>((resolve) => this.#line.push(resolve));
  }

  leave(): void {
    const next = this.#line.shift();
    if (next === undefined) {
      this.#taken--;
    } else {
      next();
    }
  }
}
