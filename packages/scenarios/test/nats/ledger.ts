/** Numbered messages per key, and what became of them. */
import { type BusMessage, type DurableMessage, STREAMS, type Transport } from '@fosp/bus';
import { within } from '@fosp/testkit';

const SUBJECT = `${STREAMS.changes}.3`;

export interface TakerOptions {
  readonly subject?: string;
  /** `key/number` of a message that this taker can never handle. */
  readonly failsAt?: string;
  /** Passes on what was handled. */
  readonly tell?: (message: DurableMessage) => void;
}

export class Ledger {
  readonly #last = new Map<string, number>();
  readonly #appended = new Map<string, number>();
  #waiting: (() => void)[] = [];
  /** Messages handed out before their predecessor was. */
  readonly early: string[] = [];
  repeats = 0;
  readonly perTaker = new Map<string, number>();

  /** The next message of a key; tried again, under the same id, until it is kept. Returns how often it was refused. */
  async append(transport: Transport, key: string, subject = SUBJECT): Promise<number> {
    const number = this.expect(key);
    const message = { headers: { key, number: String(number) }, body: new Uint8Array(100), id: `${key}/${number}` };
    for (let refusals = 0; ; refusals++) {
      try {
        await transport.append(STREAMS.changes, subject, message);
        return refusals;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** One more message of this key is on its way. */
  expect(key: string): number {
    const number = (this.#appended.get(key) ?? 0) + 1;
    this.#appended.set(key, number);
    return number;
  }

  lastOf(key: string): number | undefined {
    return this.#last.get(key);
  }

  consume(transport: Transport, taker: string, { subject = SUBJECT, failsAt, tell }: TakerOptions = {}) {
    return transport.consume(STREAMS.changes, {
      consumer: 'ledger',
      subject,
      key: (message) => message.headers['key'] ?? '',
      handler: async (message) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (`${message.headers['key']}/${message.headers['number']}` === failsAt) {
          throw new Error('This taker cannot');
        }
        tell?.(message);
        this.take(message, taker);
      },
    });
  }

  /** Resolves once every message appended so far, of these keys or all, was handled. */
  async complete(keys: readonly string[] = [...this.#appended.keys()]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (keys.every((key) => this.#last.get(key) === this.#appended.get(key))) {
        resolve();
      }
    };
    this.#waiting.push(look);
    look();
    await within(promise, 'every message to be handled');
  }

  take(message: BusMessage, taker: string): void {
    const { key = '', number } = message.headers;
    const last = this.#last.get(key) ?? 0;
    this.perTaker.set(taker, (this.perTaker.get(taker) ?? 0) + 1);
    if (Number(number) > last + 1) {
      this.early.push(`${key}/${number} after ${last}`);
    }
    if (Number(number) <= last) {
      this.repeats++;
      return;
    }
    this.#last.set(key, Number(number));
    for (const look of this.#waiting) {
      look();
    }
  }
}
