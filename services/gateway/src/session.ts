/**
 * One connection of a client: what becomes of each message, in which state (PROTOCOL §1-§3).
 *
 *     opened --CONNECT--> negotiated --AUTHENTICATE--> authenticated
 *
 * Invariant: while a stranger's AUTHENTICATE or REGISTER is decided nothing more is taken in, so that what was pipelined
 * behind it is judged by its outcome. CONNECT may be repeated until AUTHENTICATE has succeeded, and the last one counts;
 * after that it is 400.
 *
 * Ten thousand of these are idle at a time: what a session needs only when it works is made then, and timers are shared
 * by all (see `sessions.ts`).
 */
import type { BodyPlan, IncomingRequest, Peer, PeerHandler } from '@fosp/connection';
import {
  type ConnectionTransfers,
  Conversation,
  type ConversationParts,
  Exchange,
  HOLD,
  headerRefusal,
  type Party,
  type Requests,
  type Slots,
} from '@fosp/exchange';
import { type FospError, fospError, type Head, type RequestHead, STATUS } from '@fosp/protocol';
import type { GatewayConfig } from './config.ts';
import { agree, type Extensions, NO_EXTENSIONS } from './connect.ts';
import { parseMembers } from './json-body.ts';
import type { Applicant, Login } from './login.ts';
import type { Users } from './notify.ts';
import { mistakeIn, refusalOf, type State } from './refusals.ts';
import type { Sessions } from './sessions.ts';
import type { GatewayTelemetry } from './telemetry.ts';

/** What all sessions share. */
export interface SessionParts extends ConversationParts {
  readonly limits: GatewayConfig['limits'];
  readonly telemetry: GatewayTelemetry;
  readonly config: GatewayConfig;
  readonly plans: BodyPlans;
  /** The answer to CONNECT, by domain. */
  readonly greetings: ReadonlyMap<string, string>;
  readonly login: Login;
  readonly requests: Requests;
  readonly users: Users;
  readonly sessions: Sessions;
}

/** How bodies are taken in. Made once. */
export interface BodyPlans {
  readonly login: BodyPlan;
  readonly object: BodyPlan;
  readonly file: BodyPlan;
  readonly none: BodyPlan;
}

/** The other end. */
export interface Client {
  /** A fresh id for its session. */
  readonly id: string;
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Makes the peer, which calls nothing of its handler before this turn of the event loop has ended. */
  readonly connect: (handler: PeerHandler) => Peer;
}

export class Session implements PeerHandler, Applicant, Party {
  readonly conversation: Conversation;
  readonly address: string;
  readonly openedAt: number;
  domain: string;
  extensions: Extensions = NO_EXTENSIONS;
  /** Empty until AUTHENTICATE succeeded. */
  user = '';
  transfers: ConnectionTransfers | undefined = undefined;
  /** LISTs at once, made at the first one. */
  lists: Slots | undefined = undefined;
  readonly #parts: SessionParts;
  readonly #peer: Peer;
  #state: State = 'opened';
  #badMessages = 0;

  constructor(parts: SessionParts, client: Client) {
    this.#parts = parts;
    this.address = client.address;
    this.openedAt = client.openedAt;
    this.domain = parts.config.domains[0] ?? '';
    this.#peer = client.connect(this);
    this.conversation = new Conversation(client.id, this.#peer, parts);
  }

  get id(): string {
    return this.conversation.id;
  }

  get isBehind(): boolean {
    return this.#peer.bufferedBytes > this.#parts.limits.behind;
  }

  plan(head: Head): BodyPlan {
    const { plans, requests } = this.#parts;
    if (head.kind !== 'request') {
      return plans.none;
    }
    switch (head.type) {
      case 'CONNECT':
      case 'AUTHENTICATE':
      case 'REGISTER':
        return plans.login;
      case 'CREATE':
      case 'UPDATE':
        return this.#isAuthenticated ? plans.object : plans.none;
      case 'WRITE': {
        const isTaken = this.#isAuthenticated && head.resource !== undefined && requests.isLocal(head.resource.domain);
        return isTaken ? plans.file : plans.none;
      }
      default:
        return plans.none;
    }
  }

  request(message: IncomingRequest): void {
    const { head } = message;
    const { conversation } = this;
    const isRepeated = conversation.has(head.sequence);
    const mistake = isRepeated
      ? `The request ${head.sequence} is not answered yet: take another number.`
      : mistakeIn(head);
    if (mistake !== undefined) {
      message.stream?.cancel();
      this.#bad(head.sequence, mistake);
      return;
    }
    const refusal = headerRefusal(head, this.extensions) ?? refusalOf(message, this.#state, this.#parts.limits);
    if (refusal !== undefined) {
      message.stream?.cancel();
      this.#refuse(head, refusal);
      return;
    }
    const exchange = new Exchange(this, message);
    if (conversation.enter(exchange)) {
      this.carryOut(exchange);
    }
  }

  notification(): void {
    this.#bad(0, 'A client sends requests; notifications are for servers to send.');
  }

  unknownResponse(): void {
    this.#bad(0, 'A client sends requests; nothing was asked that this could be the response to.');
  }

  malformed(sequence: number, message: string): void {
    this.#bad(sequence, message);
  }

  tooLarge(head: RequestHead | undefined): void {
    if (head !== undefined) {
      const { limits } = this.#parts;
      const limit = this.#isAuthenticated ? limits.message : limits.messageBeforeLogin;
      const when = this.#isAuthenticated ? '' : ' before AUTHENTICATE';
      const error = fospError('too-large', `A message may have ${limit} bytes at most${when}.`);
      if (this.conversation.has(head.sequence)) {
        // It was taken in when its head came, and ends by itself: counted there, unheard.
        this.conversation.refuse(head.sequence, error);
      } else {
        this.#refuse(head, error);
      }
    }
  }

  closed(code: number): void {
    const { sessions, telemetry, users } = this.#parts;
    sessions.remove(this);
    telemetry.closed(code);
    this.conversation.closed();
    if (this.#isAuthenticated) {
      users.leave(this.user, this);
    }
  }

  /** Does what a request asks whose turn has come. */
  carryOut(exchange: Exchange): void {
    switch (exchange.type) {
      case 'CONNECT':
        this.#connect(exchange);
        return;
      case 'AUTHENTICATE':
      case 'REGISTER':
        void this.#decide(exchange);
        return;
      default:
        void this.#parts.requests.carryOut(exchange);
    }
  }

  notify(message: Uint8Array): void {
    if (this.#isAuthenticated) {
      this.#peer.sendRaw(message);
    }
  }

  revoke(): void {
    this.close(1008, 'The password was changed, or the account disabled or removed: log in again.');
  }

  close(code: number, reason: string): void {
    this.#peer.close(code, reason);
  }

  get #isAuthenticated(): boolean {
    return this.#state === 'authenticated';
  }

  #connect(exchange: Exchange): void {
    const { config, greetings } = this.#parts;
    try {
      const { domain, extensions } = agree(exchange.message.body, config.domains);
      this.domain = domain;
      this.extensions = extensions;
      this.#state = 'negotiated';
      exchange.answer(STATUS.ok, { body: greetings.get(domain) ?? '' });
    } catch (error) {
      exchange.fail(error);
    }
  }

  /** Nothing else is taken in while it is decided who this is, or a password is changed: one connection hashes one at a time. */
  async #decide(exchange: Exchange): Promise<void> {
    this.conversation.hold(HOLD.login);
    try {
      await (exchange.type === 'AUTHENTICATE' ? this.#authenticate(exchange) : this.#register(exchange));
    } catch (error) {
      exchange.fail(error);
    }
    this.conversation.release(HOLD.login);
  }

  async #authenticate(exchange: Exchange): Promise<void> {
    const { limits, login, sessions, users } = this.#parts;
    const { user, token } = await login.authenticate(this, exchange.message.body);
    if (this.#peer.isOpen) {
      this.user = user;
      this.#state = 'authenticated';
      this.#peer.setMessageLimit(limits.message);
      sessions.loggedIn(this);
    } else {
      users.leave(user, this);
    }
    exchange.answer(STATUS.ok, { body: JSON.stringify(this.extensions.resume ? { user, token } : { user }) });
  }

  async #register(exchange: Exchange): Promise<void> {
    const { login } = this.#parts;
    const members = parseMembers(exchange.message.body);
    if (!Object.hasOwn(members, 'old')) {
      await login.register(this, members);
      exchange.answer(STATUS.created);
      return;
    }
    if (!this.#isAuthenticated) {
      throw fospError('unauthenticated', 'Send AUTHENTICATE before you change your password.');
    }
    if (!this.extensions.password) {
      throw fospError('malformed', 'Name "password" in the extensions of CONNECT to change a password.');
    }
    await login.changePassword(this, this.user, members);
    exchange.answer(STATUS.ok);
  }

  /** A message whose head or sequence number is wrong. The last one that is borne is answered too. */
  #bad(sequence: number, message: string): void {
    this.conversation.refuse(sequence, fospError('malformed', message));
    this.#parts.telemetry.badMessage();
    this.#badMessages++;
    if (this.#badMessages >= this.#parts.limits.badMessages) {
      this.close(1002, 'Too many malformed messages.');
    }
  }

  /** Answers a request that gets no further. */
  #refuse(head: RequestHead, error: FospError): void {
    this.conversation.refuse(head.sequence, error);
    this.#parts.telemetry.answered(head.type, error.status, 0);
  }
}
