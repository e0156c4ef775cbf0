/**
 * A link with the server of another domain, whoever dialled it, from when it is known whose it is: what the other end asks
 * for its users, and what it tells ours (SPEC §6.5, PROTOCOL §9).
 *
 *     link ─► LinkUsers ─► RemoteUser (order, limits) ─► Requests ─► bus
 *       └───► IncomingNotifications ─► the users' subjects ─► Acknowledgements ─► link
 *
 * Invariants: the other end speaks for users of its own domain alone, or the link is closed and nothing done; no user's
 * requests, mistakes or answers hold up or close the link that others speak over; what came from a server is never
 * forwarded. Only what the other end does as a whole slows it down: answers that it does not read, and messages that are
 * refused or told faster than a rate.
 *
 * Lifecycle: made once the other end is authenticated; its owner hands on what the peer tells it; `retire` or `close` end it.
 * Owners close all of theirs with 1012 when the bus tells of a gap: what was published and not acknowledged will come again.
 */

import type { Peer, PeerHandler } from '@fosp/connection';
import { type BodyPlan, CLOSE_CODES, type IncomingNotification, type IncomingRequest } from '@fosp/connection';
import {
  type FospError,
  failedBody,
  fospError,
  type Head,
  isFospError,
  type NotificationHead,
  type RequestHead,
  STATUS,
} from '@fosp/protocol';
import { Acknowledgements } from './acknowledgements.ts';
import type { Backlogged } from './backlogs.ts';
import { RESTARTING } from './conversation.ts';
import { IncomingNotifications } from './incoming-notifications.ts';
import { planOf } from './link-limits.ts';
import { type LinkQuestion, readLinkRequest } from './link-requests.ts';
import { LinkUsers } from './link-users.ts';
import { addressOf } from './remote-user.ts';
import type { ServerLinkEnds, ServerLinkParts } from './server-link-parts.ts';
import { answerServer } from './server-questions.ts';

/** What it costs to check a body, measured by what a message costs. */
const BYTES_LIKE_ONE_MESSAGE = 16 * 1024;

export class ServerLink implements PeerHandler, Backlogged {
  /** That the other end proved. */
  readonly domain: string;
  readonly #parts: ServerLinkParts;
  readonly #ends: ServerLinkEnds;
  readonly #peer: Peer;
  readonly #users: LinkUsers;
  readonly #notifications: IncomingNotifications;
  /** The last head that was read. */
  #read: { readonly head: RequestHead; readonly question: LinkQuestion } | undefined;
  #isRetiring = false;
  /** Retiring, and whatever is asked from now on comes from somebody who does not know. */
  #isRefusing = false;
  #isSlowed = false;

  constructor(parts: ServerLinkParts, ends: ServerLinkEnds) {
    const { id, peer, domain, to, extensions } = ends;
    this.domain = domain;
    this.#parts = parts;
    this.#ends = ends;
    this.#peer = peer;
    this.#users = new LinkUsers(parts, { id, peer, extensions, idle: () => void this.#closeIfRetired() });
    const { bus, domains: ownDomains, telemetry } = parts;
    const acknowledgements = new Acknowledgements({ bus, peer, failed: (error) => this.#notAcknowledged(error) });
    this.#notifications = new IncomingNotifications({
      ...{ bus, domain, to, ownDomains },
      handed: extensions.ack ? (upTo) => acknowledgements.handed(upTo) : undefined,
      refused: (reason) => telemetry.notificationRefused(domain, reason),
      taken: () => telemetry.notificationTaken(),
    });
  }

  get isRetiring(): boolean {
    return this.#isRetiring;
  }

  /** Requests of the other side that are not answered. */
  get inFlight(): number {
    return this.#users.inFlight;
  }

  plan(head: Head): BodyPlan {
    const { plans } = this.#parts;
    switch (head.kind) {
      case 'response':
        return plans.none;
      case 'notification':
        return plans.notification;
      case 'request': {
        const question = this.#question(head);
        if (question.kind === 'foreign-user') {
          // Before anything of its body is looked at; a peer that is closed hands on nothing more.
          this.#foreignUser(question.user);
        }
        return planOf(head.type, question.kind, plans);
      }
    }
  }

  request(message: IncomingRequest): void {
    const { head } = message;
    const question = this.#question(head);
    if (this.#users.has(head.sequence)) {
      this.#bad(message, `The request ${head.sequence} is not answered yet: take another number.`);
      return;
    }
    switch (question.kind) {
      case 'foreign-user':
        this.#foreignUser(question.user);
        return;
      case 'bad':
        this.#bad(message, question.mistake);
        return;
      case 'refused':
        this.#refuse(message, question.error, question.user);
        return;
      case 'server':
        void this.#serve(message);
        return;
      case 'user': {
        const refusal = this.#isRefusing ? restarting() : this.#users.take(question.user, message);
        if (refusal !== undefined) {
          this.#refuse(message, refusal, question.user);
        }
      }
    }
  }

  notification({ head, body }: IncomingNotification): void {
    this.#spend(1 + body.length / BYTES_LIKE_ONE_MESSAGE);
    try {
      this.#notifications.take(head, body);
    } catch (error) {
      // Nothing behind it may be acknowledged: all of it is to come again.
      this.#parts.telemetry.notPublished(this.domain, error);
      this.close(CLOSE_CODES.restart.code, RESTARTING);
    }
  }

  /** Never answered: two servers must not answer each other's answers. */
  unknownResponse(): void {
    this.#parts.telemetry.badLinkMessage(this.domain);
    this.#spend();
  }

  malformed(sequence: number, message: string, notification?: NotificationHead): void {
    if (notification !== undefined) {
      this.#spend();
      this.#notifications.refuse(notification, 'too-large');
      return;
    }
    this.#parts.telemetry.badLinkMessage(this.domain);
    this.#respond(sequence, fospError('malformed', message), undefined);
  }

  tooLarge(head: RequestHead | undefined): void {
    if (head !== undefined) {
      const question = this.#question(head);
      const user = question.kind === 'user' ? question.user : undefined;
      this.#respond(head.sequence, fospError('too-large', 'The message is larger than this server takes.'), user);
    }
  }

  closed(): void {
    this.#users.closed();
  }

  /**
   * Has the other end, where it dialled the link and knows of `retire`, ask over other links; carries out no more requests after that, and closes with
   * 1012 once those in flight are answered, of either side. It is read on until then, since what comes may be responses to our own.
   */
  retire(): void {
    if (!this.#isRetiring) {
      this.#isRetiring = true;
      void this.#retire();
    }
  }

  close(code: number, reason: string): void {
    this.#peer.close(code, reason);
  }

  /** Whether it still waits until it may be read on, or may end. */
  isBacklogged(): boolean {
    if (!this.#peer.isOpen) {
      return false;
    }
    const { rate, clock } = this.#parts;
    if (this.#isSlowed && rate.spend(this.domain, 0, clock())) {
      this.#isSlowed = false;
      this.#peer.resume();
    }
    return this.#isRetiring ? !this.#closeIfRetired() : this.#isSlowed;
  }

  #question(head: RequestHead): LinkQuestion {
    if (this.#read?.head !== head) {
      const { domains } = this.#parts;
      const { domain, extensions } = this.#ends;
      this.#read = { head, question: readLinkRequest(head, { domain, ownDomains: domains, extensions }) };
    }
    return this.#read.question;
  }

  /** What servers ask each other. */
  async #serve(message: IncomingRequest): Promise<void> {
    const { sequence } = message.head;
    this.#users.begin(sequence);
    try {
      await answerServer(message, this.#ends);
      this.#peer.respond(sequence, STATUS.ok);
    } catch (error) {
      this.#respond(sequence, isFospError(error) ? error : this.#unexpected(sequence, error), undefined);
    }
    this.#users.end(sequence);
  }

  #foreignUser(user: string): void {
    this.#parts.telemetry.foreignUser({ link: this.#ends.id, domain: this.domain, user });
    this.close(CLOSE_CODES.policy.code, 'A server speaks for users of its own domain alone.');
  }

  #bad(message: IncomingRequest, mistake: string): void {
    this.#parts.telemetry.badLinkMessage(this.domain);
    message.stream?.cancel();
    this.#respond(message.head.sequence, fospError('malformed', mistake), undefined);
  }

  #refuse(message: IncomingRequest, error: FospError, user: string | undefined): void {
    this.#parts.telemetry.answered(message.head.type, error.status, 0);
    message.stream?.cancel();
    this.#respond(message.head.sequence, error, user);
  }

  #respond(sequence: number, error: FospError, user: string | undefined): void {
    const headers = user === undefined ? error.headers : { ...error.headers, ...addressOf(user) };
    this.#spend();
    this.#peer.respond(sequence, error.status, { headers, body: failedBody(error) });
  }

  #unexpected(sequence: number, error: unknown): FospError {
    const id = `${this.#ends.id}-${sequence}`;
    this.#parts.telemetry.unexpected(id, error);
    return fospError('internal', `Something went wrong here; the server's log has more under ${id}.`);
  }

  #notAcknowledged(error: unknown): void {
    this.#parts.telemetry.notPublished(this.domain, error);
    this.close(CLOSE_CODES.restart.code, RESTARTING);
  }

  /** What costs the other end nothing is read no faster than a rate. */
  #spend(cost = 1): void {
    const { rate, clock, watchBacklog } = this.#parts;
    if (!rate.spend(this.domain, cost, clock()) && !this.#isSlowed) {
      this.#isSlowed = true;
      this.#peer.pause();
      watchBacklog(this);
    }
  }

  async #retire(): Promise<void> {
    const { extensions, retiring } = this.#ends;
    // Of a link that we dialled its other end would not want to know: it asks over its own.
    if (extensions.retire && retiring === undefined) {
      // Whoever does not answer is refused what comes.
      await this.#peer.request('RETIRE', undefined).catch(() => undefined);
    }
    this.#isRefusing = true;
    if (!this.#closeIfRetired()) {
      this.#parts.watchBacklog(this);
    }
  }

  #closeIfRetired(): boolean {
    const isDone = this.#isRefusing && this.#users.isIdle && this.#peer.pendingRequests === 0;
    if (isDone) {
      this.close(CLOSE_CODES.restart.code, RESTARTING);
    }
    return isDone;
  }
}

function restarting(): FospError {
  return fospError('unavailable', 'This server restarts. Ask again over another link.', {
    headers: { 'Retry-After': '1' },
  });
}
