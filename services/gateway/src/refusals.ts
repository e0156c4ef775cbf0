/** What a connection may send in which state (PROTOCOL §2, §3, and the order of checks of §4). */
import type { IncomingRequest } from '@fosp/connection';
import { tooLargeBody } from '@fosp/exchange';
import { type FospError, fospError, isServerRequestType, type RequestHead } from '@fosp/protocol';

/** `opened` –CONNECT→ `negotiated` –AUTHENTICATE→ `authenticated` */
export type State = 'opened' | 'negotiated' | 'authenticated';

/** What the bodies of requests without a resource are held to; bytes. */
export interface BodyLimits {
  readonly messageBeforeLogin: number;
}

/**
 * What is wrong with a head although it could be read; it counts as a bad message. What servers ask each other is wrong only
 * where it is a client that asks.
 */
export function mistakeIn({ type, resource }: RequestHead, state: State): string | undefined {
  if (isServerRequestType(type)) {
    return state === 'authenticated' ? `There is no request ${type} for clients.` : undefined;
  }
  if (resource === undefined && isOnObject(type)) {
    return `${type} needs a resource such as user@domain/path in place of *.`;
  }
  return undefined;
}

/**
 * Why a request is not looked at in this state. VERIFY is for whoever has said CONNECT and not who they are: servers need not
 * log in for it. Of bodies those on objects are judged later: behind the domain.
 */
export function refusalOf(request: IncomingRequest, state: State, limits: BodyLimits): FospError | undefined {
  const { type } = request.head;
  if (state === 'opened' && type !== 'CONNECT') {
    return fospError('not-connected', `Send CONNECT before ${type}.`);
  }
  if (state === 'authenticated' && (type === 'CONNECT' || type === 'AUTHENTICATE')) {
    return fospError('malformed', `This connection is authenticated already: open another one for ${type}.`);
  }
  if (state !== 'authenticated' && (isOnObject(type) || type === 'ACK' || type === 'RETIRE')) {
    return fospError('unauthenticated', `Send AUTHENTICATE before ${type}.`);
  }
  if (request.oversized && !isOnObject(type)) {
    return tooLargeBody(type, limits.messageBeforeLogin);
  }
  return undefined;
}

function isOnObject(type: RequestHead['type']): boolean {
  return type !== 'CONNECT' && type !== 'AUTHENTICATE' && type !== 'REGISTER' && !isServerRequestType(type);
}
