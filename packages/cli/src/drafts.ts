import { mkdtempSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Files on their way to their places: each is made in a folder of its own at the top, and moved into its place once it is
 * whole. Moving replaces a link that stands there, and never follows it.
 *
 * Lifecycle: the folder goes at the end, also when the process is interrupted.
 */
export class Drafts implements Disposable {
  readonly #folder: string;
  readonly #interrupted: (signal: NodeJS.Signals) => void;
  #count = 0;

  constructor(top: string) {
    this.#folder = mkdtempSync(join(top, '.fosp-export-'));
    this.#interrupted = (signal) => {
      this[Symbol.dispose]();
      process.kill(process.pid, signal);
    };
    process.once('SIGINT', this.#interrupted).once('SIGTERM', this.#interrupted);
  }

  async place(path: Buffer, make: (draft: string) => Promise<void>): Promise<void> {
    this.#count++;
    const draft = join(this.#folder, String(this.#count));
    try {
      await make(draft);
      await rename(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupted).off('SIGTERM', this.#interrupted);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
