/** How much waits in each line: counted along, as the file would have to read all that waits to tell it. */
import type { LineLengths, RemoteLine } from '@fosp/bus';

/** How much waits in a line. */
export interface Waiting extends RemoteLine {
  count: number;
  bytes: number;
}

export class LineLevels {
  /** By other domain, then by domain of ours. */
  readonly #levels = new Map<string, Map<string, Waiting>>();

  constructor(levels: readonly Waiting[] = []) {
    for (const level of levels) {
      this.#ownsOf(level.domain).set(level.own, level);
    }
  }

  of({ own, domain }: RemoteLine): Waiting | undefined {
    return this.#levels.get(domain)?.get(own);
  }

  all(): Waiting[] {
    return [...this.#levels.values()].flatMap((owns) => [...owns.values()]);
  }

  added({ own, domain }: RemoteLine, bytes: number): void {
    const owns = this.#ownsOf(domain);
    const level = owns.get(own) ?? { own, domain, count: 0, bytes: 0 };
    level.count++;
    level.bytes += bytes;
    owns.set(own, level);
  }

  /** So many are gone; of which size, nobody looked. */
  removed({ own, domain }: RemoteLine, count: number): void {
    const owns = this.#levels.get(domain);
    const level = owns?.get(own);
    if (level === undefined) {
      return;
    }
    level.bytes -= count * (level.bytes / Math.max(1, level.count));
    level.count -= count;
    if (level.count <= 0) {
      owns?.delete(own);
    }
    if (owns?.size === 0) {
      this.#levels.delete(domain);
    }
  }

  lengthsOf(domain: string): LineLengths {
    return new Map(Array.from(this.#levels.get(domain) ?? [], ([own, { count }]) => [own, count]));
  }

  lengths(): ReadonlyMap<string, LineLengths> {
    return new Map(Array.from(this.#levels.keys(), (domain) => [domain, this.lengthsOf(domain)]));
  }

  #ownsOf(domain: string): Map<string, Waiting> {
    const known = this.#levels.get(domain);
    if (known !== undefined) {
      return known;
    }
    const owns = new Map<string, Waiting>();
    this.#levels.set(domain, owns);
    return owns;
  }
}
