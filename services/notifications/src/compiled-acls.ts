import { type CompiledAcl, compileAcl } from '@fosp/protocol';

/** Compiled ACLs by their text: the levels above an object are the same from change to change. Bounded, oldest first. */
export class CompiledAcls {
  readonly #bound: number;
  readonly #compiled = new Map<string, CompiledAcl | undefined>();

  /** `bound` is the number of texts kept. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** ACLs from an object up to its root, as `rightsOf` takes them. */
  levels(texts: readonly (string | null)[]): (CompiledAcl | undefined)[] {
    return texts.map((text) => (text === null ? undefined : this.#of(text)));
  }

  #of(text: string): CompiledAcl | undefined {
    if (!this.#compiled.has(text)) {
      const [oldest] = this.#compiled.keys();
      if (this.#compiled.size >= this.#bound && oldest !== undefined) {
        this.#compiled.delete(oldest);
      }
      this.#compiled.set(text, compileAcl(text));
    }
    return this.#compiled.get(text);
  }
}
