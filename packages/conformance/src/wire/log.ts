/** The last raw heads of a case, for its failure report: bounded, newest last. */
export class Log {
  readonly #lines: string[] = [];
  readonly #limit: number;

  constructor(limit = 24) {
    this.#limit = limit;
  }

  add(line: string): void {
    this.#lines.push(line.length > 500 ? `${line.slice(0, 500)}…` : line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
