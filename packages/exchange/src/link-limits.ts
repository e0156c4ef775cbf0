import type { BodyPlan } from '@fosp/connection';
import { LIMITS, type RequestHead } from '@fosp/protocol';
import type { ConversationLimits } from './conversation.ts';
import { NOTIFICATION_BYTES } from './incoming-notifications.ts';
import type { LinkQuestion } from './link-requests.ts';
import type { Rate } from './rates.ts';
import type { RemoteUserLimits } from './remote-user.ts';

/** Bounds of one link with another domain's server. Bytes, where nothing else is said. */
export interface ServerLinkLimits extends ConversationLimits, RemoteUserLimits {
  /** Requests of all its users that are not answered yet; above it each user without any may have one. */
  readonly requestsPerLink: number;
  /** Users with requests that are not answered yet. */
  readonly usersPerLink: number;
  /** Requests but LIST, READ and WRITE that are carried out at once: their answers must find room in the send buffer. */
  readonly requestsAtOnce: number;
  /** LISTs of all its users at once. */
  readonly listsPerLink: number;
  /** Small files of all its users that are read at once. */
  readonly smallFilesPerLink: number;
  /** Notifications and refused messages of one domain over all its links in this process; beyond it they are read no further. */
  readonly messageRate: Rate;
}

const KIB = 1024;

/** Of everything that is not to be configured. */
export const SERVER_LINK_LIMITS: Omit<ServerLinkLimits, keyof ConversationLimits> = {
  heldBytes: 256 * KIB,
  transfersPerConnection: 8,
  listsPerConnection: 4,
  requestsPerLink: 4096,
  usersPerLink: 4096,
  requestsAtOnce: 48,
  listsPerLink: 4,
  smallFilesPerLink: 32,
  messageRate: { perSecond: 5000, burst: 20_000 },
};

/** How bodies are taken in. Made once. */
export interface LinkPlans {
  readonly object: BodyPlan;
  readonly file: BodyPlan;
  readonly notification: BodyPlan;
  /** Of what servers ask each other. */
  readonly server: BodyPlan;
  readonly none: BodyPlan;
}

/** Of a request: the body of what is refused from its head alone is of no use. */
export function planOf(type: RequestHead['type'], asked: LinkQuestion['kind'], plans: LinkPlans): BodyPlan {
  if (asked === 'server') {
    return type === 'VERIFY' ? plans.server : plans.none;
  }
  if (asked !== 'user') {
    return plans.none;
  }
  switch (type) {
    case 'CREATE':
    case 'UPDATE':
      return plans.object;
    case 'WRITE':
      return plans.file;
    default:
      return plans.none;
  }
}

/** `object` is what the body of one may have, `attachment` what a file may. */
export function linkPlans(limits: { readonly object: number; readonly attachment: number }): LinkPlans {
  return {
    object: { kind: 'buffer', limit: limits.object },
    file: { kind: 'stream', limit: limits.attachment },
    notification: { kind: 'buffer', limit: NOTIFICATION_BYTES },
    server: { kind: 'buffer', limit: LIMITS.preAuthMessageBytes },
    none: { kind: 'discard' },
  };
}
