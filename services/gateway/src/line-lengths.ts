/**
 * Which of many lines is the longest, in the same time however many there are: who comes where too many wait must not cost a
 * look at all of them.
 *
 * Invariant: each line is in the one set of its length, no set is empty, and `#longest` is the greatest length that has one. It
 * holds since a line grows and shrinks by one at a time.
 */
export class LineLengths {
  readonly #byLength = new Map<number, Set<string>>();
  #longest = 0;

  /** Of those that are equal `newest`, the line that grew last, where it is one of them, else any. */
  longest(newest: string): string | undefined {
    const lines = this.#byLength.get(this.#longest);
    return lines?.has(newest) ? newest : lines?.values().next().value;
  }

  /** One more waits in it. @param length that it has now */
  grew(line: string, length: number): void {
    this.#remove(line, length - 1);
    this.#add(line, length);
    this.#longest = Math.max(this.#longest, length);
  }

  /** One fewer waits in it. @param length that it has now */
  shrank(line: string, length: number): void {
    this.#remove(line, length + 1);
    this.#add(line, length);
    if (!this.#byLength.has(this.#longest)) {
      this.#longest--;
    }
  }

  clear(): void {
    this.#byLength.clear();
    this.#longest = 0;
  }

  #add(line: string, length: number): void {
    if (length > 0) {
      const lines = this.#byLength.get(length) ?? new Set();
      this.#byLength.set(length, lines.add(line));
    }
  }

  #remove(line: string, length: number): void {
    const lines = this.#byLength.get(length);
    lines?.delete(line);
    if (lines?.size === 0) {
      this.#byLength.delete(length);
    }
  }
}
