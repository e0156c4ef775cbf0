/** Numbered messages per key, and what became of them. */
import { type DurableMessage, STREAMS, type Transport } from '@fosp/bus';
import { within } from '@fosp/testkit';

const SUBJECT = `${STREAMS.changes}.3`;

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
    const number = (this.#appended.get(key) ?? 0) + 1;
    this.#appended.set(key, number);
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

  consume(transport: Transport, taker: string, subject = SUBJECT) {
    return transport.consume(STREAMS.changes, {
      consumer: 'ledger',
      subject,
      key: (message) => message.headers['key'] ?? '',
      handler: async (message) => {
        await new Promise((resolve) => setImmediate(resolve));
        this.#take(message, taker);
      },
    });
  }

  /** Resolves once every message appended so far was handled. */
  async complete(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if ([...this.#appended].every(([key, number]) => this.#last.get(key) === number)) {
        resolve();
      }
    };
    this.#waiting.push(look);
    look();
    await within(promise, 'every message to be handled', 20_000);
  }

  #take(message: DurableMessage, taker: string): void {
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
