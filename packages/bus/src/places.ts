/** Where calls are asked that somebody serves at a place, such as a domain (`Bus.serveAt`). */
import type { CallType } from './calls.ts';
import { subjectToken } from './events.ts';

/** Places are asked again and again: the subjects of a call at so many of them are kept. */
const KEPT = 1000;
const subjects = new Map<string, Map<string, string>>();

export function subjectAt<Q, R>(type: CallType<Q, R>, place: string): string {
  let kept = subjects.get(type.subject);
  if (kept === undefined) {
    kept = new Map();
    subjects.set(type.subject, kept);
  }
  const known = kept.get(place);
  if (known !== undefined) {
    return known;
  }
  if (kept.size === KEPT) {
    kept.clear();
  }
  const subject = `${type.subject}.${subjectToken(place)}`;
  kept.set(place, subject);
  return subject;
}
