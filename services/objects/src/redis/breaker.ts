/**
 * Whether asking a server is worth while. Where more than one answer in five fails or comes too late, nobody asks any more;
 * probes do, with growing pauses, until one is answered in time.
 */

export interface BreakerOptions {
  /** Asks the server for anything; rejects where no answer comes in time. */
  readonly probe: () => Promise<unknown>;
  /** Milliseconds before the first probe, and the longest pause between two. */
  readonly pause: number;
  readonly longestPause: number;
  /** Told when asking ends, with the last failure, and when it begins again. */
  readonly told: (state: 'open' | 'closed', failure?: unknown) => void;
}

const FAILURE = 4;
const SUCCESS = -1;
/** Five failures in a row. */
const TOO_MUCH = 20;

export class Breaker {
  readonly #options: BreakerOptions;
  #score = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isStopped = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isClosed(): boolean {
    return !this.#isOpen;
  }

  succeeded(): void {
    this.#score = Math.max(0, this.#score + SUCCESS);
  }

  failed(failure: unknown): void {
    this.#score += FAILURE;
    if (this.#score >= TOO_MUCH && !this.#isOpen) {
      this.#isOpen = true;
      this.#options.told('open', failure);
      this.#probeLater(0);
    }
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #probeLater(attempt: number): void {
    if (this.#isStopped) {
      return;
    }
    const { probe, told } = this.#options;
    const pause = Math.min(this.#options.pause * 2 ** attempt, this.#options.longestPause);
    this.#timer = setTimeout(() => {
      probe().then(
        () => {
          this.#isOpen = false;
          this.#score = 0;
          told('closed');
        },
        () => this.#probeLater(attempt + 1),
      );
    }, pause).unref();
  }
}
