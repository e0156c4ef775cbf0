/**
 * Lines of the log on other domains, of which there may be any number that are away or come at once: so many, and how many
 * there were beside them. Whoever reads a log would not read more, and writing them holds up all that the process does.
 */
import { KeyedRate, type Rate } from '@fosp/exchange';

const LINES: Rate = { perSecond: 1, burst: 30 };

export interface FewLinesOptions {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly rate?: Rate;
}

export class FewLines {
  readonly #clock: () => number;
  readonly #rate: KeyedRate;
  #unlogged = 0;

  constructor({ clock, rate = LINES }: FewLinesOptions) {
    this.#clock = clock;
    this.#rate = new KeyedRate(rate, 1);
  }

  /** Writes the line, told how many before it were not written; or counts it as one of those. */
  write(line: (unlogged: { readonly unlogged?: number }) => void): void {
    if (this.#rate.take('', 1, this.#clock())) {
      line(this.#unlogged === 0 ? {} : { unlogged: this.#unlogged });
      this.#unlogged = 0;
    } else {
      this.#unlogged++;
    }
  }
}
