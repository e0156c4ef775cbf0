/**
 * Who takes part in the cases. Servers limit registrations, so accounts are shared where cases do not get in each
 * other's way, and, once the server has answered 429 or where accounts were given, accounts that a case had for itself
 * are cleaned and used again.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account, Role } from './case.ts';
import { expectStatus, Failure, Skip } from './expect.ts';
import type { Connection } from './wire/connection.ts';
import type { Reply } from './wire/message.ts';

export interface AccountsOptions {
  readonly domain: string;
  /** Accounts to use instead of registering any, name to password. */
  readonly premade?: Readonly<Record<string, string>> | undefined;
  /** How long a limit on registrations or logins is waited out, in milliseconds. */
  readonly patienceMs: number;
  /** A connection after CONNECT. */
  negotiate(): Promise<Connection>;
  /** Whether anybody may register; asked once it is needed. */
  registration(): Promise<boolean>;
}

export class Accounts {
  readonly #options: AccountsOptions;
  readonly #run = randomBytes(4).toString('hex');
  readonly #idle: Account[];
  readonly #shared = new Map<Role, Promise<Account>>();
  #count = 0;
  #limited = false;

  constructor(options: AccountsOptions) {
    this.#options = options;
    const { premade = {}, domain } = options;
    this.#idle = Object.entries(premade).map(([given, password]) => {
      const name = given.replace(/@.*$/, '');
      return { name, password, user: `${name}@${domain}` };
    });
  }

  /** Whether accounts go back to be used again. */
  get reuses(): boolean {
    return this.#limited || this.#options.premade !== undefined;
  }

  /** A name that was never used before, also not by another run. */
  name(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.#run}${this.#count}`;
  }

  shared(role: Role): Promise<Account> {
    const known = this.#shared.get(role) ?? this.take();
    this.#shared.set(role, known);
    known.catch(() => this.#shared.delete(role));
    return known;
  }

  /** An account for one case alone. */
  async take(): Promise<Account> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#options.premade !== undefined) throw new Skip('no account is left of those given by --users');
    if (!(await this.#options.registration())) throw new Skip('registration is closed, and no --users were given');
    const name = this.name('u');
    const account = { name, password: randomBytes(12).toString('base64url'), user: `${name}@${this.#options.domain}` };
    const again = () => this.#idle.pop();
    const result = await this.#register({ name, password: account.password }, again);
    if ('user' in result) return result;
    expectStatus(result, 201, 'registering an account to test with');
    return account;
  }

  /** Gives back an account whose tree is as new. */
  giveBack(account: Account): void {
    this.#idle.push(account);
  }

  /** Sends REGISTER on a connection of its own, waiting out limits. */
  async register(body: unknown): Promise<Reply> {
    const result = await this.#register(body, () => undefined);
    if ('user' in result) throw new Error('no account was asked for');
    return result;
  }

  /** Repeats a request while the answer is 429, as long as the patience lasts. */
  async patiently(send: () => Promise<Reply>): Promise<Reply> {
    const end = Date.now() + this.#options.patienceMs;
    for (;;) {
      const reply = await send();
      if (reply.status !== 429) return reply;
      const waitMs = Number(reply.headers.get('Retry-After') ?? '1') * 1000;
      if (!(Date.now() + waitMs < end)) throw new Failure(`room within ${this.#options.patienceMs} ms`, reply.head);
      await pause(Math.max(waitMs, 100));
    }
  }

  async #register(body: unknown, instead: () => Account | undefined): Promise<Reply | Account> {
    const end = Date.now() + this.#options.patienceMs;
    for (;;) {
      const connection = await this.#options.negotiate();
      const reply = await connection.request('REGISTER', '*', { body: JSON.stringify(body) });
      await connection.close();
      if (reply.status !== 429) return reply;
      this.#limited = true;
      const waitMs = Math.max(Number(reply.headers.get('Retry-After') ?? '1') * 1000, 100);
      if (!(Date.now() + waitMs < end)) throw new Skip(`the server still limits registrations: ${reply.head}`);
      for (let waited = 0; waited < waitMs; waited += 100) {
        await pause(100);
        const account = instead();
        if (account) return account;
      }
    }
  }
}
