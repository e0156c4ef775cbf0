/** Answers whether a key is one that our servers made: for domains to which one of ours connected (PROTOCOL §9). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Bus, DOMAINS } from '@fosp/bus';
import { fospError, normaliseDomain } from '@fosp/protocol';
import { notFederated } from '../policy/policy.ts';
import type { TrustTelemetry } from './telemetry.ts';

export interface KeyQuestion {
  readonly from: string;
  readonly to: string;
  readonly nonce: string;
  readonly key: string;
}

export interface VerificationDeps {
  readonly bus: Bus;
  readonly permits: (domain: string) => boolean;
  readonly telemetry: TrustTelemetry;
}

/** @throws FospError `forbidden` where it is none of ours, `wrong-server`, `malformed` */
export async function verify(question: KeyQuestion, { bus, permits, telemetry }: VerificationDeps): Promise<void> {
  const { key, nonce } = question;
  const [from, to] = [normaliseDomain(question.from), normaliseDomain(question.to)];
  if (!permits(to)) {
    throw notFederated(to);
  }
  const { fields } = await bus.call(DOMAINS.sign, { from, to, nonce });
  const isOurs = sameText(key, fields.key);
  telemetry.verified(to, isOurs);
  if (!isOurs) {
    throw fospError('forbidden', `This key was not made by a server of ${from} for ${to}.`);
  }
}

/** In a time that tells nothing about where they differ. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
