/**
 * One connection: what becomes of each message, in which state (PROTOCOL §1-§3, §9).
 *
 *     opened --CONNECT--> negotiated --AUTHENTICATE--> authenticated, a user's or another domain's server's
 *
 * Invariant: while a stranger's AUTHENTICATE or REGISTER is decided nothing more is taken in, so that what was pipelined
 * behind it is judged by its outcome. CONNECT may be repeated until AUTHENTICATE has succeeded, and the last one counts;
 * after that it is 400. What comes over a server's connection from then on is its `ServerLink`'s.
 *
 * Ten thousand of these are idle at a time: what a session needs only when it works is made then, and timers are shared
 * by all (see `sessions.ts`).
 */
import type { X509Certificate } from 'node:crypto';
import {
  type BodyPlan,
  CLOSE_CODES,
  type IncomingNotification,
  type IncomingRequest,
  type Peer,
  type PeerHandler,
} from '@fosp/connection';
import {
  ConnectionTransfers,
  Conversation,
  Exchange,
  HOLD,
  headerRefusal,
  type Party,
  type ServerLink,
  Slots,
} from '@fosp/exchange';
import {
  type FospError,
  fospError,
  type Head,
  type NotificationHead,
  type RequestHead,
  type ResponseHead,
} from '@fosp/protocol';
import { type Agreement, type Extensions, NO_EXTENSIONS } from './connect.ts';
import type { Guest } from './entrance.ts';
import { mistakeIn, refusalOf, type State } from './refusals.ts';
import type { Nonce } from './server-login.ts';
import type { SessionParts } from './session-parts.ts';

/** The other end. */
export interface OtherEnd {
  /** A fresh id for its session. */
  readonly id: string;
  readonly address: string;
  /** That it showed, and that is believed. */
  readonly certificate: X509Certificate | undefined;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Makes the peer, which calls nothing of its handler before this turn of the event loop has ended. */
  readonly connect: (handler: PeerHandler) => Peer;
}

/** Codes by which a client ends a connection once it has said all it had to say; we use neither. */
const GOODBYES: ReadonlySet<number> = new Set([CLOSE_CODES.normal.code, CLOSE_CODES.noCode.code]);

export class Session implements PeerHandler, Guest, Party {
  readonly conversation: Conversation;
  readonly address: string;
  readonly certificate: X509Certificate | undefined;
  readonly openedAt: number;
  domain: string;
  extensions: Extensions = NO_EXTENSIONS;
  /** Empty until AUTHENTICATE succeeded for a user. */
  user = '';
  readonly #parts: SessionParts;
  readonly #peer: Peer;
  #state: State = 'opened';
  #nonce: Nonce | undefined;
  /** Set from when AUTHENTICATE succeeded for a server. */
  #link: ServerLink | undefined;
  #transfers: ConnectionTransfers | undefined;
  #lists: Slots | undefined;
  #badMessages = 0;
  #hasLeft = false;

  constructor(parts: SessionParts, end: OtherEnd) {
    this.#parts = parts;
    this.address = end.address;
    this.certificate = end.certificate;
    this.openedAt = end.openedAt;
    this.domain = parts.config.domains[0] ?? '';
    this.#peer = end.connect(this);
    this.conversation = new Conversation(end.id, this.#peer, parts);
  }

  get id(): string {
    return this.conversation.id;
  }

  get isBehind(): boolean {
    return this.#peer.bufferedBytes > this.#parts.limits.behind;
  }

  /** Requests that are not answered. */
  get inFlight(): number {
    return this.#link?.inFlight ?? this.conversation.inFlight;
  }

  /** Bytes that the other end has not read. */
  get unreadBytes(): number {
    return this.#peer.bufferedBytes;
  }

  get isRetiring(): boolean {
    return this.#link?.isRetiring ?? this.conversation.isRetiring;
  }

  /** Anybody may be a client. */
  get believesTraces(): boolean {
    return false;
  }

  get transfers(): ConnectionTransfers {
    this.#transfers ??= new ConnectionTransfers(this.#parts.limits.transfersPerConnection);
    return this.#transfers;
  }

  get lists(): Slots {
    this.#lists ??= new Slots(this.#parts.limits.listsPerConnection);
    return this.#lists;
  }

  plan(head: Head): BodyPlan {
    const { plans } = this.#parts;
    if (this.#link !== undefined) {
      return this.#link.plan(head);
    }
    if (head.kind !== 'request') {
      return plans.none;
    }
    switch (head.type) {
      case 'CONNECT':
      case 'AUTHENTICATE':
      case 'REGISTER':
      case 'VERIFY':
        return plans.login;
      case 'CREATE':
      case 'UPDATE':
        return this.#isAuthenticated ? plans.object : plans.none;
      case 'WRITE':
        return this.#isAuthenticated && head.resource !== undefined ? plans.file : plans.none;
      default:
        return plans.none;
    }
  }

  request(message: IncomingRequest): void {
    if (this.#link !== undefined) {
      this.#link.request(message);
      return;
    }
    const { head } = message;
    const { conversation } = this;
    const mistake = conversation.has(head.sequence)
      ? `The request ${head.sequence} is not answered yet: take another number.`
      : mistakeIn(head, this.#state);
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
      exchange.begin();
    }
  }

  notification(message: IncomingNotification): void {
    if (this.#link === undefined) {
      this.#bad(0, 'A client sends requests; notifications are for servers to send.');
    } else {
      this.#link.notification(message);
    }
  }

  unknownResponse(_head: ResponseHead): void {
    if (this.#link === undefined) {
      this.#bad(0, 'A client sends requests; nothing was asked that this could be the response to.');
    } else {
      this.#link.unknownResponse();
    }
  }

  malformed(sequence: number, message: string, notification?: NotificationHead): void {
    if (this.#link === undefined) {
      this.#bad(sequence, message);
    } else {
      this.#link.malformed(sequence, message, notification);
    }
  }

  tooLarge(head: RequestHead | undefined): void {
    if (this.#link !== undefined) {
      this.#link.tooLarge(head);
    } else if (head !== undefined) {
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
    const { sessions, telemetry, users, links } = this.#parts;
    this.#hasLeft = GOODBYES.has(code);
    sessions.remove(this);
    telemetry.closed(code);
    this.conversation.closed();
    if (this.#link !== undefined) {
      this.#link.closed();
      links.leave(this.#link.domain, this);
    } else if (this.#isAuthenticated) {
      users.leave(this.user, this);
    }
  }

  /** Does what a request asks whose turn has come. */
  carryOut(exchange: Exchange): void {
    if (!this.#peer.isOpen && !this.#hasLeft) {
      // Whoever asked was told that it is lost, and may have asked anew over another connection, which this must not undo.
      exchange.message.stream?.cancel();
      return;
    }
    const { entrance, requests } = this.#parts;
    switch (exchange.type) {
      case 'CONNECT':
        entrance.connect(this, exchange);
        return;
      case 'AUTHENTICATE':
      case 'REGISTER':
        void this.#decide(exchange);
        return;
      case 'VERIFY':
        void entrance.verify(this, exchange);
        return;
      default:
        void requests.carryOut(exchange);
    }
  }

  greeted({ domain, extensions }: Agreement, nonce: Nonce | undefined): void {
    this.domain = domain;
    this.extensions = extensions;
    this.#nonce = nonce;
    this.#state = 'negotiated';
  }

  takeNonce(): Nonce | undefined {
    const nonce = this.#nonce;
    this.#nonce = undefined;
    return nonce;
  }

  becameUser(user: string): boolean {
    if (this.#peer.isOpen) {
      this.user = user;
      this.#authenticated();
    }
    return this.#isAuthenticated;
  }

  becameServer(domain: string): boolean {
    if (this.#peer.isOpen) {
      const { id, domain: to, extensions } = this;
      this.#link = this.#parts.newLink({ id, peer: this.#peer, domain, to, extensions, address: this.address });
      this.#authenticated();
    }
    return this.#isAuthenticated;
  }

  notify(message: Uint8Array): void {
    if (this.#isAuthenticated) {
      this.#peer.sendRaw(message);
    }
  }

  revoke(): void {
    const reason =
      this.#link === undefined
        ? 'The password was changed, or the account disabled or removed: log in again.'
        : 'There is no federation with this domain here any more.';
    this.close(1008, reason);
  }

  /** Takes nothing more in, and closes with 1012 once what is in flight is answered. */
  retire(): void {
    if (this.#link === undefined) {
      this.conversation.retire();
    } else {
      this.#link.retire();
    }
  }

  close(code: number, reason: string): void {
    this.#peer.close(code, reason);
  }

  get #isAuthenticated(): boolean {
    return this.#state === 'authenticated';
  }

  #authenticated(): void {
    const { limits, sessions } = this.#parts;
    this.#nonce = undefined;
    this.#state = 'authenticated';
    this.#peer.setMessageLimit(limits.message);
    sessions.loggedIn(this);
  }

  /** Nothing else is taken in while it is decided who this is, or a password is changed: one connection hashes one at a time. */
  async #decide(exchange: Exchange): Promise<void> {
    this.conversation.hold(HOLD.login);
    await this.#parts.entrance.decide(this, exchange);
    this.conversation.release(HOLD.login);
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
