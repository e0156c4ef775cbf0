/** Where calls are asked that somebody serves at a place, such as a domain (`Bus.serveAt`). */
import type { CallType } from './calls.ts';
import { subjectToken } from './events.ts';

/** Places are asked again and again: their tokens are kept, so many of them. */
const TOKENS_KEPT = 1000;
const tokens = new Map<string, string>();

export function subjectAt<Q, R>(type: CallType<Q, R>, place: string): string {
  return `${type.subject}.${tokenOf(place)}`;
}

function tokenOf(place: string): string {
  const known = tokens.get(place);
  if (known !== undefined) {
    return known;
  }
  if (tokens.size === TOKENS_KEPT) {
    tokens.clear();
  }
  const token = subjectToken(place);
  tokens.set(place, token);
  return token;
}
