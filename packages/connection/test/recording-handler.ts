import type { Head, NotificationHead, RequestHead, ResponseHead } from '@fosp/protocol';
import type { BodyPlan, FrameKind, IncomingNotification, IncomingRequest, Peer, PeerHandler } from '../src/index.ts';
import { Conditions } from './conditions.ts';
import { textOf } from './raw-frames.ts';

export interface SeenRequest {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  readonly frame: FrameKind;
  readonly oversized: boolean;
}

/** Notes what a peer tells it, and lets a test wait for that. Answers nothing unless told how. */
export class RecordingHandler implements PeerHandler {
  /** Set right after the peer was made. */
  peer: Peer | undefined;
  readonly planned: Head[] = [];
  readonly requests: SeenRequest[] = [];
  readonly notifications: { readonly head: NotificationHead; readonly body: string }[] = [];
  readonly malformedOnes: number[] = [];
  readonly oversizedNotifications: NotificationHead[] = [];
  readonly tooLargeOnes: (RequestHead | undefined)[] = [];
  readonly unknown: ResponseHead[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  planFor: (head: Head) => BodyPlan = () => ({ kind: 'buffer', limit: 1_000_000 });
  answer: (request: IncomingRequest, peer: Peer) => void = () => {};
  readonly #conditions = new Conditions();

  plan(head: Head): BodyPlan {
    this.planned.push(head);
    this.#conditions.noted();
    return this.planFor(head);
  }

  request(request: IncomingRequest): void {
    this.requests.push(request);
    if (this.peer !== undefined) {
      this.answer(request, this.peer);
    }
    this.#conditions.noted();
  }

  notification(message: IncomingNotification): void {
    this.notifications.push({ head: message.head, body: textOf(message.body) });
    this.#conditions.noted();
  }

  malformed(sequence: number, _message: string, notification?: NotificationHead): void {
    this.malformedOnes.push(sequence);
    this.oversizedNotifications.push(...(notification === undefined ? [] : [notification]));
    this.#conditions.noted();
  }

  tooLarge(head: RequestHead | undefined): void {
    this.tooLargeOnes.push(head);
    this.#conditions.noted();
  }

  closed(code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.#conditions.noted();
  }

  unknownResponse(head: ResponseHead): void {
    this.unknown.push(head);
    this.#conditions.noted();
  }

  /** Resolves as soon as the condition holds, looked at whenever something was noted. */
  until(condition: () => boolean): Promise<void> {
    return this.#conditions.until(condition);
  }

  untilClosed(): Promise<void> {
    return this.until(() => this.closes.length > 0);
  }
}
