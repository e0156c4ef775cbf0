/**
 * Who is who: AUTHENTICATE, REGISTER and the change of a password (PROTOCOL §3, §10).
 *
 * Passwords end here: `objects` gets argon2id results alone. Invariants: a wrong name and a wrong password take the same
 * steps; a session listens to its user's subject before the last check of its credentials, so that there is no moment in
 * which a password is changed, or an account disabled, and the session neither refused nor ended.
 */
import { createHash } from 'node:crypto';
import { ACCOUNTS, type Bus } from '@fosp/bus';
import { domainOf, fospError, GROUPS_PATH, isFospError, LIMITS, parseUserId, utf8Length } from '@fosp/protocol';
import type { Extensions } from './connect.ts';
import type { HashCost, Hasher } from './hashing.ts';
import { type Members, stringMember } from './json-body.ts';
import type { Listener, Users } from './notify.ts';

/** Bytes of UTF-8 in a password. Hashing takes any number; this bounds what a person may get wrong. */
export const PASSWORD_BYTES = 1024;

/** The connection that asks. */
export interface Applicant extends Listener {
  /** The client's address, for the limits of `objects`. */
  readonly address: string;
  /** The domain of names that do not say theirs. */
  readonly domain: string;
  readonly extensions: Extensions;
}

export interface LoginOptions {
  readonly bus: Bus;
  readonly hasher: Hasher;
  readonly users: Users;
  readonly domains: readonly string[];
  readonly registration: 'open' | 'closed';
}

export interface LoggedIn {
  readonly user: string;
  readonly token: string;
}

export class Login {
  readonly #options: LoginOptions;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /**
   * Checks the credentials of a user's AUTHENTICATE. When it resolves the applicant has joined the user's sessions.
   *
   * @throws FospError `unauthenticated` for a wrong name and a wrong password alike, `malformed`, `too-many`
   */
  async authenticate(applicant: Applicant, members: Members): Promise<LoggedIn> {
    if (members['token'] !== undefined) {
      if (!applicant.extensions.resume) {
        throw fospError('malformed', 'Name "resume" in the extensions of CONNECT to log in by token.');
      }
      return this.#resume(applicant, stringMember(members, 'token'));
    }
    const name = stringMember(members, 'name');
    const password = stringMember(members, 'password');
    const possible = this.#possibleUser(name, applicant.domain);
    const user = possible ?? standIn(name, applicant.domain);
    const secret = await this.#secretOf(user, password, applicant.address);
    return this.#joined(user, applicant, async () => {
      const { fields } = await this.#options.bus.call(ACCOUNTS.login, { user, address: applicant.address, secret });
      if (possible === undefined) {
        throw fospError('unauthenticated', 'The name or the password is wrong.');
      }
      return fields;
    });
  }

  /**
   * Creates the account that REGISTER asks for.
   *
   * @throws FospError `malformed`, `wrong-server`, `forbidden` where registration is closed, `exists`, `too-many`
   */
  async register(applicant: Applicant, members: Members): Promise<void> {
    const account = this.readAccount(members, applicant.domain);
    if (this.#options.registration === 'closed') {
      throw fospError('forbidden', 'This server does not take registrations; ask its operator for an account.');
    }
    const { user } = account;
    // Before the hash: a flood of registrations that are refused must not keep logins from being hashed.
    await this.#options.bus.call(ACCOUNTS.admit, { user, address: applicant.address });
    await this.createAccount(account);
  }

  /** A user's own change of password: `{"old", "password"}`. Ends all other sessions of theirs. */
  async changePassword(applicant: Applicant, user: string, members: Members): Promise<void> {
    const password = readPassword(members);
    const old = await this.#secretOf(user, stringMember(members, 'old'), applicant.address);
    const hash = await this.#options.hasher.hashNew(password);
    await this.#options.bus.call(ACCOUNTS.password, {
      user,
      ...hash,
      old,
      address: applicant.address,
      session: applicant.id,
    });
  }

  /** Name and password of a new account, normalised and checked. */
  readAccount(members: Members, domain: string): { readonly user: string; readonly password: string } {
    const user = readNewUser(stringMember(members, 'name'), domain);
    const password = readPassword(members);
    if (!this.#options.domains.includes(domainOf(user))) {
      throw fospError('wrong-server', `This server does not serve the domain ${domainOf(user)}.`);
    }
    return { user, password };
  }

  /** Creates an account that was admitted, or that an operator wants: those count to no rate. */
  async createAccount({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    const hash = await this.#options.hasher.hashNew(password);
    await this.#options.bus.call(ACCOUNTS.register, { user, ...hash });
  }

  /** An operator's change of anyone's password. */
  async setPassword(user: string, members: Members): Promise<void> {
    const hash = await this.#options.hasher.hashNew(readPassword(members));
    await this.#options.bus.call(ACCOUNTS.password, { user, ...hash });
  }

  async #resume(applicant: Applicant, token: string): Promise<LoggedIn> {
    const check = async () => {
      const { fields } = await this.#options.bus.call(ACCOUNTS.resume, { token, address: applicant.address });
      return fields;
    };
    const { user } = await check();
    return this.#joined(user, applicant, check);
  }

  /** Joins first and checks then: see the invariant above. */
  async #joined(user: string, applicant: Applicant, check: () => Promise<LoggedIn>): Promise<LoggedIn> {
    const { users } = this.#options;
    await users.join(user, applicant);
    try {
      return await check();
    } catch (error) {
      users.leave(user, applicant);
      throw error;
    }
  }

  async #secretOf(user: string, password: string, address: string): Promise<string> {
    const { fields } = await this.#options.bus.call(ACCOUNTS.challenge, { user, address });
    const cost: HashCost = {
      memory: Number(fields.memory),
      passes: Number(fields.passes),
      parallelism: Number(fields.parallelism),
    };
    return this.#options.hasher.hash(password, fields.salt, cost);
  }

  /** `undefined` for what cannot be a user here. */
  #possibleUser(name: string, domain: string): string | undefined {
    try {
      const user = userOf(name, domain);
      return this.#options.domains.includes(domainOf(user)) ? user : undefined;
    } catch {
      return undefined;
    }
  }
}

/**
 * For a name that cannot exist here: one that nobody can have, since names do not begin so, under which it takes the same
 * steps as any other, in the same time, its failures counted to it and to the address.
 */
function standIn(name: string, domain: string): string {
  return `-${createHash('sha256').update(name).digest('hex')}@${domain}`;
}

/** A name with or without its domain, normalised. @throws FospError `malformed` */
export function userOf(name: string, domain: string): string {
  return parseUserId(name.includes('@') ? name : `${name}@${domain}`);
}

/** Who is to have an account: every object that comes with it must have a lawful name. */
function readNewUser(name: string, domain: string): string {
  let user: string;
  try {
    user = userOf(name, domain);
  } catch (error) {
    throw isFospError(error) ? fospError(error.code, `"name": ${error.message}`) : error;
  }
  if (utf8Length(user + GROUPS_PATH) > LIMITS.resourceBytes) {
    const limit = LIMITS.resourceBytes - GROUPS_PATH.length;
    throw fospError('malformed', `"name": with its domain it may have ${limit} bytes at most.`);
  }
  return user;
}

function readPassword(members: Members): string {
  const password = stringMember(members, 'password');
  if (password === '') {
    throw fospError('malformed', '"password" must not be empty.');
  }
  if (Buffer.byteLength(password, 'utf8') > PASSWORD_BYTES) {
    throw fospError('malformed', `"password" must have at most ${PASSWORD_BYTES} bytes.`);
  }
  return password;
}
