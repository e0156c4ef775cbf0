/** What a test waits for: conditions, looked at whenever something was noted. */
export class Conditions {
  readonly #waiting = new Set<() => void>();

  /** Resolves as soon as the condition holds. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (condition()) {
          this.#waiting.delete(look);
          resolve();
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Something was noted. */
  noted(): void {
    for (const look of [...this.#waiting]) {
      look();
    }
  }
}
