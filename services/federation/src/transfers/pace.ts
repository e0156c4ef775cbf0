/** Whether bytes move. Links for files are few, and who takes one and does nothing with it holds up all others. */
export interface PaceOptions {
  /** Without a single byte, after which it is over. */
  readonly stallSeconds: number;
  /** On average over that time, while others wait for a link. */
  readonly leastBytesPerSecond: number;
  readonly isAwaited: () => boolean;
  readonly tooSlow: (reason: string) => void;
}

export class Pace {
  #bytes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor({ stallSeconds, leastBytesPerSecond, isAwaited, tooSlow }: PaceOptions) {
    this.#timer = setInterval(() => {
      if (this.#bytes === 0) {
        tooSlow(`nothing moved for ${stallSeconds} s`);
      } else if (this.#bytes < stallSeconds * leastBytesPerSecond && isAwaited()) {
        tooSlow(`under ${leastBytesPerSecond} bytes/s while others waited`);
      }
      this.#bytes = 0;
    }, stallSeconds * 1000);
  }

  moved(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
