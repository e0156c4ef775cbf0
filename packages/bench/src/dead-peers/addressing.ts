/** Users who go on asking for objects of domains that are dead, and a tree whose every change is to be told to all of them. */
import { Wire } from '../wire.ts';
import type { Place } from './places.ts';

/** Connections of those who ask; each may have so many requests on their way. */
const CONNECTIONS = 32;
/** Changes that are to be told. */
const CHANGES = 3;

export class Addressing {
  readonly #wires: readonly Wire[];
  readonly #domains: readonly string[];
  readonly #answers = new Map<string, number>();
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(wires: readonly Wire[], domains: readonly string[]) {
    this.#wires = wires;
    this.#domains = domains;
  }

  static async begin({ url, token }: Pick<Place, 'url' | 'token'>, domains: readonly string[]): Promise<Addressing> {
    const logins = Array.from({ length: CONNECTIONS }, () => Wire.login(url, { token }));
    return new Addressing(
      (await Promise.all(logins)).map(({ wire }) => wire),
      domains,
    );
  }

  /** How often what was answered. */
  get answers(): ReadonlyMap<string, number> {
    return this.#answers;
  }

  /** Has something wait for every domain. */
  async tell(tree: string): Promise<void> {
    const [wire] = this.#wires;
    const users = this.#domains.map((domain) => [`x@${domain}`, { events: ['updated'], depth: 0 }]);
    const object = { acl: { other: ['read-data'] }, subscriptions: Object.fromEntries(users) };
    await wire?.ask(`CREATE ${tree}/told`, JSON.stringify(object));
    for (let change = 0; change < CHANGES; change++) {
      await wire?.ask(`UPDATE ${tree}/told`, JSON.stringify({ data: change }));
    }
  }

  /** Asks for an object of each domain. Resolves once all are answered. */
  async askAll(): Promise<void> {
    await Promise.all(this.#domains.map(() => this.#ask()));
  }

  /** Goes on asking, one domain after the other. */
  goOn(perSecond: number): void {
    this.#timer = setInterval(() => void this.#ask(), 1000 / perSecond);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    const at = this.#asked++;
    const wire = this.#wires[at % this.#wires.length];
    const tree = `x@${this.#domains[at % this.#domains.length]}`;
    const status = await wire?.ask(`SELECT ${tree}`).then(
      () => 'SUCCEEDED',
      (error: Error) => /FAILED \d+/.exec(error.message)?.[0] ?? error.message,
    );
    this.#answers.set(status ?? '', (this.#answers.get(status ?? '') ?? 0) + 1);
  }
}
