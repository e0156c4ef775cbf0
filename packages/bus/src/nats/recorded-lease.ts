import type { HeldLease } from '../transport.ts';

/** A lease with a value, which is kept when it is released. */
export interface Lease extends HeldLease {
  readonly name: string;
  /** What was saved last, by whomever; `''` at first. */
  readonly value: string;
  /** One at a time. Rejects, and loses the lease, where it is not certain that the value was kept. */
  save(value: string): Promise<void>;
}

export interface LeaseRecord {
  /** `''`: free. */
  readonly holder: string;
  readonly value: string;
}

export interface SeenRecord {
  readonly record: LeaseRecord;
  readonly revision: number;
}

interface Holding extends SeenRecord {
  readonly name: string;
  /** Against a revision; resolves with the new one. */
  readonly write: (record: LeaseRecord, revision: number) => Promise<number>;
}

export class RecordedLease implements Lease {
  readonly name: string;
  readonly #writeRecord: Holding['write'];
  readonly #losing = new AbortController();
  readonly #onEnd: (wasReleased: boolean) => void;
  #record: LeaseRecord;
  #revision: number;

  constructor(held: Holding, onEnd: (wasReleased: boolean) => void) {
    this.#writeRecord = held.write;
    this.name = held.name;
    this.#record = held.record;
    this.#revision = held.revision;
    this.#onEnd = onEnd;
  }

  /** That of the last record which is known to be its own. */
  get revision(): number {
    return this.#revision;
  }

  get value(): string {
    return this.#record.value;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  save(value: string): Promise<void> {
    return this.#write({ holder: this.#record.holder, value });
  }

  async release(): Promise<void> {
    if (!this.lost.aborted) {
      await this.#write({ holder: '', value: this.value }).catch(() => undefined);
      this.#end(`${this.name} was released`, true);
    }
  }

  lose(reason: string): void {
    this.#end(reason, false);
  }

  /** Somebody else wrote this revision. */
  takenAt(revision: number): void {
    if (revision > this.#revision) {
      this.lose(`Another process took ${this.name}`);
    }
  }

  #end(reason: string, wasReleased: boolean): void {
    if (!this.lost.aborted) {
      this.#onEnd(wasReleased);
      this.#losing.abort(new Error(reason));
    }
  }

  async #write(record: LeaseRecord): Promise<void> {
    this.lost.throwIfAborted();
    try {
      this.#revision = await this.#writeRecord(record, this.#revision);
      this.#record = record;
    } catch (error) {
      this.lose(`${this.name} could not be kept: ${String(error)}`);
      throw error;
    }
  }
}
