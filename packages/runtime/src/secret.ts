import { inspect } from 'node:util';

const SHOWN = '[secret]';

/** A value that never prints: as text, as JSON, in a template, in an inspection it reads `[secret]`. */
export class Secret<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The value itself, to be handed straight to what needs it. */
  reveal(): Value {
    return this.#value;
  }

  /** A secret that is made of it. */
  map<Other>(make: (value: Value) => Other): Secret<Other> {
    return new Secret(make(this.#value));
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}
