/**
 * Domains whose servers were let in: so that they can be told when the policy changes, and are heard before strangers. Those
 * heard of longest ago are forgotten first.
 */
export class KnownDomains {
  readonly #most: number;
  readonly #domains = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  add(domain: string): void {
    this.#domains.delete(domain);
    this.#domains.add(domain);
    const [oldest = domain] = this.#domains;
    if (this.#domains.size > this.#most) {
      this.#domains.delete(oldest);
    }
  }

  has(domain: string): boolean {
    return this.#domains.has(domain);
  }

  /** Takes out those to which this applies. */
  takeIf(applies: (domain: string) => boolean): string[] {
    const taken = [...this.#domains].filter(applies);
    for (const domain of taken) {
      this.#domains.delete(domain);
    }
    return taken;
  }
}
