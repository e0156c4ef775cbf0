/**
 * How a connection becomes somebody's (PROTOCOL §3, §9): CONNECT, then AUTHENTICATE as a user or as another domain's server,
 * and what may be asked on the way, REGISTER and VERIFY. Shared by all connections, which keep what is decided.
 */
import type { Bus } from '@fosp/bus';
import { CLOSE_CODES } from '@fosp/connection';
import type { Exchange } from '@fosp/exchange';
import { fospError, isFospError, STATUS } from '@fosp/protocol';
import { type Agreement, agree, withNonce } from './connect.ts';
import { type Members, parseMembers } from './json-body.ts';
import type { Applicant, Login } from './login.ts';
import type { Users } from './notify.ts';
import type { ServerLinks } from './server-links.ts';
import type { Claimant, Nonce, ServerLogin } from './server-login.ts';

/** The connection. */
export interface Guest extends Applicant, Claimant {
  readonly domain: string;
  /** Empty until it is a user's. */
  readonly user: string;
  /** Version, domain and extensions are agreed on; the nonce is for a server, to use once. */
  greeted(agreement: Agreement, nonce: Nonce | undefined): void;
  /** The nonce, which is used up then. */
  takeNonce(): Nonce | undefined;
  /** Whose it is from now on. False where it is closed already. */
  becameUser(user: string): boolean;
  becameServer(domain: string): boolean;
}

export interface EntranceOptions {
  readonly bus: Bus;
  /** Normalised; the first is that of connections which name none. */
  readonly domains: readonly string[];
  /** The answer to CONNECT, by domain. */
  readonly greetings: ReadonlyMap<string, string>;
  readonly login: Login;
  readonly users: Users;
  readonly servers: ServerLogin;
  readonly links: ServerLinks;
}

export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  connect(guest: Guest, exchange: Exchange): void {
    const { domains, greetings, servers } = this.#options;
    try {
      const agreement = agree(exchange.message.body, domains);
      const greeting = greetings.get(agreement.domain) ?? '';
      const nonce = servers.newNonce();
      guest.greeted(agreement, nonce);
      exchange.answer(STATUS.ok, { body: nonce === undefined ? greeting : withNonce(greeting, nonce.value) });
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Decides an AUTHENTICATE or REGISTER, and answers it. Never rejects. */
  async decide(guest: Guest, exchange: Exchange): Promise<void> {
    try {
      const members = parseMembers(exchange.message.body);
      if (exchange.type === 'REGISTER') {
        await this.#register(guest, exchange, members);
      } else if (members['type'] === 'server') {
        await this.#admitServer(guest, exchange, members);
      } else {
        await this.#logIn(guest, exchange, members);
      }
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Answers whether a key is ours. Never rejects. */
  async verify(guest: Guest, exchange: Exchange): Promise<void> {
    try {
      await this.#options.servers.verify(guest.address, exchange.message.body);
      exchange.answer(STATUS.ok);
    } catch (error) {
      exchange.fail(error);
    }
  }

  async #logIn(guest: Guest, exchange: Exchange, members: Members): Promise<void> {
    const { login, users } = this.#options;
    const { user, token } = await login.authenticate(guest, members);
    if (!guest.becameUser(user)) {
      users.leave(user, guest);
    }
    exchange.answer(STATUS.ok, { body: JSON.stringify(guest.extensions.resume ? { user, token } : { user }) });
  }

  /** A server that is not let in is closed once it was told, since it came to be that and nothing else (PROTOCOL §9). */
  async #admitServer(guest: Guest, exchange: Exchange, members: Members): Promise<void> {
    const { servers, links } = this.#options;
    let domain: string;
    try {
      domain = await servers.admit(guest, members, guest.takeNonce());
    } catch (error) {
      exchange.fail(error);
      closeRefused(guest, error);
      return;
    }
    if (!guest.becameServer(domain)) {
      links.leave(domain, guest);
    }
    exchange.answer(STATUS.ok, { body: JSON.stringify({ domain }) });
    this.#nudge(domain);
  }

  async #register(guest: Guest, exchange: Exchange, members: Members): Promise<void> {
    const { login } = this.#options;
    if (!Object.hasOwn(members, 'old')) {
      await login.register(guest, members);
      exchange.answer(STATUS.created);
      return;
    }
    if (guest.user === '') {
      throw fospError('unauthenticated', 'Send AUTHENTICATE before you change your password.');
    }
    if (!guest.extensions.password) {
      throw fospError('malformed', 'Name "password" in the extensions of CONNECT to change a password.');
    }
    await login.changePassword(guest, guest.user, members);
    exchange.answer(STATUS.ok);
  }

  /** The domain was heard of, so its servers may be there for us too. Whether that is told matters little. */
  #nudge(domain: string): void {
    try {
      this.#options.bus.nudge(domain, 'heard');
    } catch {
      // The bus is away: whoever dials tries again by itself.
    }
  }
}

function closeRefused(guest: Guest, error: unknown): void {
  if (!isFospError(error) || error.code === 'malformed') {
    return;
  }
  if (error.code === 'forbidden') {
    guest.close(CLOSE_CODES.policy.code, 'This server is not believed to be that of the domain, or not welcome.');
  } else {
    guest.close(CLOSE_CODES.tryLater.code, 'It could not be found out whether this server is that of the domain.');
  }
}
