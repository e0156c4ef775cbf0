/**
 * Argon2id for all logins of this process, in Node's thread pool.
 *
 * Invariant: at most `running` hashes are computed and `waiting` wait; one more is refused at once with 429, so that a
 * flood of logins takes neither the memory nor the threads that everything else needs. Of these at most `newRunning` are new
 * passwords, the others of which wait in a line of their own: a flood of registrations stands in no login's way.
 */

import { argon2, randomBytes } from 'node:crypto';
import { Slots } from '@fosp/exchange';
import { type FospError, fospError } from '@fosp/protocol';

/** How hard a hash is to compute. Kept with each account, since the default may grow. */
export interface HashCost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;

export interface HasherOptions {
  /** Hashes computed at once. Node's thread pool has four threads, and files need some. */
  readonly running: number;
  readonly waiting: number;
  /** New passwords among the above at once; less than `running`, unless that is 1. */
  readonly newRunning: number;
  /** New passwords that wait to be among them. */
  readonly newWaiting: number;
  /** Of new passwords. */
  readonly cost: HashCost;
  /** Seconds after which a refused client may come back. */
  readonly retryAfter: number;
  /** Called once for each hash that is computed. */
  readonly begun: () => void;
}

/** A salt and what came out of it, as the accounts' calls carry them. */
export interface HashFields {
  readonly salt: string;
  readonly memory: string;
  readonly passes: string;
  readonly parallelism: string;
  readonly secret: string;
}

export class Hasher {
  readonly #options: HasherOptions;
  readonly #slots: Slots;
  readonly #newSlots: Slots;

  constructor(options: HasherOptions) {
    this.#options = options;
    this.#slots = new Slots(options.running);
    this.#newSlots = new Slots(options.newRunning);
  }

  /** Hashes that are computed or wait. */
  get load(): number {
    return this.#slots.taken + this.#slots.waiting + this.#newSlots.waiting;
  }

  /**
   * The hash of a password as base64url, with the salt and cost that `ACCOUNTS.challenge` gave.
   *
   * @throws FospError `too-many` where the pool and its queue are full
   */
  async hash(password: string, salt: string, cost: HashCost): Promise<string> {
    if (this.#slots.isFull && this.#slots.waiting >= this.#options.waiting) {
      throw this.#tooMany('Too many people are logging in at the moment.');
    }
    await this.#slots.enter();
    this.#options.begun();
    try {
      return await derive(password, Buffer.from(salt, 'base64url'), cost);
    } finally {
      this.#slots.leave();
    }
  }

  /**
   * Hashes a new password with a fresh salt.
   *
   * @throws FospError `too-many` where either line is full
   */
  async hashNew(password: string): Promise<HashFields> {
    if (this.#newSlots.isFull && this.#newSlots.waiting >= this.#options.newWaiting) {
      throw this.#tooMany('Too many new passwords are being set at the moment.');
    }
    await this.#newSlots.enter();
    try {
      const salt = randomBytes(SALT_BYTES).toString('base64url');
      const { cost } = this.#options;
      const secret = await this.hash(password, salt, cost);
      const { memory, passes, parallelism } = cost;
      return { salt, memory: String(memory), passes: String(passes), parallelism: String(parallelism), secret };
    } finally {
      this.#newSlots.leave();
    }
  }

  #tooMany(what: string): FospError {
    return fospError('too-many', `${what} Try again in a moment.`, {
      headers: { 'Retry-After': String(this.#options.retryAfter) },
    });
  }
}

/** NFC, so that a password typed on two systems is one password (RFC 8265 §4.2). */
function derive(password: string, nonce: Buffer, cost: HashCost): Promise<string> {
  const message = Buffer.from(password.normalize('NFC'), 'utf8');
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message, nonce, ...cost, tagLength: HASH_BYTES }, (error, hash) => {
      if (error) {
        reject(error);
      } else {
        resolve(hash.toString('base64url'));
      }
    });
  });
}
