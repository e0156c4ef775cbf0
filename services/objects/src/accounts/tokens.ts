/** Tokens that log in again without a password (PROTOCOL §10, extension `resume`): signed, and bound to one password. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface TokenContent {
  readonly user: string;
  /** Of the account; a token of an earlier one is dead. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export class Tokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  issue({ user, version, expires }: TokenContent): string {
    const content = Buffer.from(JSON.stringify([user, version, expires]), 'utf8').toString('base64url');
    return `${content}.${this.#sign(content).toString('base64url')}`;
  }

  /** What a token says; undefined where it is none of ours. Whether it still counts is for the caller to judge. */
  read(token: string): TokenContent | undefined {
    const [content = '', signature = ''] = token.split('.');
    const given = Buffer.from(signature, 'base64url');
    const expected = this.#sign(content);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return undefined;
    }
    const [user, version, expires]: [string, number, number] = JSON.parse(
      Buffer.from(content, 'base64url').toString('utf8'),
    );
    return { user, version, expires };
  }

  #sign(content: string): Buffer {
    return createHmac('sha256', this.#key).update(content).digest();
  }
}
