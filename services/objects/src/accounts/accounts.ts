/**
 * Accounts: who may log in, and as whom (PROTOCOL §3, §10). The gateway hashes passwords with argon2id; what comes here is
 * the result, the `secret`, and only its SHA-256 is kept: the secret has 256 bits of its own, so that is enough, and a copy
 * of the database logs nobody in.
 *
 * Invariants: a name without an account is answered like one with a wrong password, by the same steps: a salt that is always
 * the same for it, a comparison, a failure counted. A password is judged and replaced in one transaction. When a password
 * changes, or an account is disabled or removed, its tokens are dead and its sessions told to end before it is acknowledged.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Bus } from '@fosp/bus';
import { domainOf, type FospError, fospError } from '@fosp/protocol';
import { activeRequest } from '@fosp/runtime';
import { type Domains, wrongServer } from '../access.ts';
import { announceDeletion } from '../announce.ts';
import type { HashCost, ObjectsLimits } from '../limits.ts';
import type { Account, Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Transactions } from '../transactions.ts';
import type { Attempts } from './attempts.ts';
import { plantTree } from './new-tree.ts';
import { Tokens } from './tokens.ts';

/** A hashed password, and what it takes to hash it again. */
export interface HashedPassword extends HashCost {
  /** base64url. */
  readonly salt: string;
  /** What argon2id made of it, base64url. */
  readonly secret: string;
}

export interface Session {
  readonly user: string;
  readonly token: string;
}

export interface AccountsDeps {
  readonly bus: Bus;
  readonly store: Store;
  readonly transactions: Transactions;
  readonly attempts: Attempts;
  readonly domains: Domains;
  readonly limits: ObjectsLimits;
  readonly telemetry: Telemetry;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

const SALT_BYTES = 16;
/** Compared with where there is no account; the hash of nothing that anybody could send. */
const NO_HASH = new Uint8Array(32);

export class Accounts {
  readonly #deps: AccountsDeps;
  readonly #tokens: Tokens;
  readonly #saltKey: Uint8Array;

  private constructor(deps: AccountsDeps, tokenKey: Uint8Array, saltKey: Uint8Array) {
    this.#deps = deps;
    this.#tokens = new Tokens(tokenKey);
    this.#saltKey = saltKey;
  }

  static async open(deps: AccountsDeps): Promise<Accounts> {
    return new Accounts(deps, await deps.store.secret('token'), await deps.store.secret('salt'));
  }

  /** How to hash the password of this name. @throws too-many, wrong-server */
  async challenge(user: string, address: string): Promise<HashCost & { readonly salt: string }> {
    this.#checkDomain(user);
    await this.#deps.attempts.allow(user, address);
    const account = await this.#deps.store.account(user);
    const salt = createHmac('sha256', this.#saltKey)
      .update(user)
      .digest()
      .subarray(0, SALT_BYTES)
      .toString('base64url');
    return account ?? { salt, ...this.#deps.limits.hashCost };
  }

  /** @throws unauthenticated, too-many, forbidden where the account is disabled, wrong-server */
  async login(user: string, secret: string, address: string): Promise<Session> {
    this.#checkDomain(user);
    const account = await this.#proven(user, secret, address);
    if (account === undefined) {
      throw fospError('unauthenticated', 'The name or the password is wrong.');
    }
    if (account.state === 'disabled') {
      throw fospError('forbidden', 'This account is disabled; ask the operator of this server.');
    }
    return this.#session(user, account);
  }

  /** @throws unauthenticated */
  async resume(token: string): Promise<Session> {
    const content = this.#tokens.read(token);
    const account = content && (await this.#deps.store.account(content.user));
    if (
      content === undefined ||
      account === undefined ||
      account.version !== content.version ||
      account.state === 'disabled' ||
      content.expires <= this.#deps.clock()
    ) {
      throw fospError('unauthenticated', 'The token is no longer valid; log in with the password.');
    }
    return this.#session(content.user, account);
  }

  /**
   * Counts a registration to the rate of its address. Asked before its password is hashed, which is dear: one that is refused
   * costs next to nothing.
   * @throws too-many, exists, wrong-server
   */
  async admit(user: string, address: string): Promise<void> {
    const { attempts, store } = this.#deps;
    this.#checkDomain(user);
    await attempts.countRegistration(address);
    if ((await store.account(user)) !== undefined) {
      throw taken(user);
    }
  }

  /** Creates the account and its tree. Of two at the same time one is refused here. @throws exists, wrong-server */
  async register(user: string, password: HashedPassword, deadline: number): Promise<void> {
    const { transactions, telemetry } = this.#deps;
    this.#checkDomain(user);
    await transactions.run({ tree: user, deadline }, async (tx, now) => {
      if ((await tx.account()) !== undefined) {
        throw taken(user);
      }
      await plantTree(tx, now);
      await tx.putAccount(accountOf(password, { version: await tx.version(), state: 'enabled' }));
      return { change: { path: '', wide: true, announced: false } };
    });
    telemetry.registered(user);
  }

  /**
   * Replaces the password, where `old` is given only if that is the secret of the present one. `session` is the one that
   * stays.
   * @throws forbidden where `old` is wrong, too-many, not-found, wrong-server
   */
  async setPassword(
    user: string,
    password: HashedPassword,
    options: { old?: string | undefined; address?: string | undefined; session?: string | undefined; deadline: number },
  ): Promise<void> {
    const { transactions, telemetry } = this.#deps;
    const { old, address = '', session = '', deadline } = options;
    this.#checkDomain(user);
    const proven = old === undefined ? undefined : await this.#proven(user, old, address);
    if (old !== undefined && proven === undefined) {
      throw wrongOldPassword();
    }
    await transactions.run({ tree: user, deadline }, async (tx) => {
      const account = await tx.account();
      if (account === undefined) {
        throw noAccount(user);
      }
      if (proven !== undefined && proven.version !== account.version) {
        throw wrongOldPassword();
      }
      await tx.putAccount(accountOf(password, { version: await tx.version(), state: account.state }));
      return { change: undefined };
    });
    this.#revoke(user, session);
    telemetry.passwordChanged(user);
  }

  /** @throws not-found, wrong-server */
  async setState(user: string, state: Account['state'], deadline: number): Promise<void> {
    this.#checkDomain(user);
    await this.#deps.transactions.run({ tree: user, deadline }, async (tx) => {
      const account = await tx.account();
      if (account === undefined) {
        throw noAccount(user);
      }
      if (account.state !== state) {
        await tx.putAccount({ ...account, state, version: await tx.version() });
      }
      return { change: undefined };
    });
    if (state === 'disabled') {
      this.#revoke(user, '');
    }
    this.#deps.telemetry.stateSet(user, state);
  }

  /** Removes the account, its whole tree and its files. @throws not-found, wrong-server */
  async remove(user: string, deadline: number): Promise<void> {
    const { transactions, limits, telemetry } = this.#deps;
    this.#checkDomain(user);
    await transactions.run({ tree: user, deadline }, async (tx, now) => {
      if ((await tx.account()) === undefined) {
        throw noAccount(user);
      }
      const deleted = { user, request: activeRequest(), place: await tx.look(''), path: '' };
      const announced = await announceDeletion(tx, deleted, limits);
      await tx.remove('', now);
      await tx.removeAccount();
      return { change: { path: '', wide: true, announced } };
    });
    this.#revoke(user, '');
    telemetry.removed(user);
  }

  /** The account whose password this is the secret of; undefined, and a failure counted, where there is none. */
  async #proven(user: string, secret: string, address: string): Promise<Account | undefined> {
    const { store, attempts } = this.#deps;
    const account = await store.account(user);
    const isRight = matches(account?.secretHash ?? NO_HASH, secret);
    await (isRight ? attempts.allow(user, address) : attempts.countFailure(user, address));
    return isRight ? account : undefined;
  }

  #session(user: string, { version }: Account): Session {
    const expires = this.#deps.clock() + this.#deps.limits.tokenLifetime;
    return { user, token: this.#tokens.issue({ user, version, expires }) };
  }

  #revoke(user: string, except: string): void {
    this.#deps.bus.publishToUser(user, { event: 'revoked', except });
  }

  #checkDomain(user: string): void {
    if (!this.#deps.domains.has(domainOf(user))) {
      throw wrongServer(user);
    }
  }
}

function accountOf(
  { secret, salt, memory, passes, parallelism }: HashedPassword,
  rest: Pick<Account, 'version' | 'state'>,
): Account {
  return { salt, memory, passes, parallelism, secretHash: hashOf(secret), ...rest };
}

/** In the same time, whatever differs. */
function matches(hash: Uint8Array, secret: string): boolean {
  return timingSafeEqual(hash, hashOf(secret));
}

function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(Buffer.from(secret, 'base64url')).digest();
}

function wrongOldPassword(): FospError {
  return fospError('forbidden', 'The old password is wrong.');
}

function taken(user: string): FospError {
  return fospError('exists', `The name ${user} is taken.`);
}

function noAccount(user: string): FospError {
  return fospError('not-found', `There is no account ${user}.`);
}
