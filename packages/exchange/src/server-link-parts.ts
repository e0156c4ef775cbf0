/** What links with other domains' servers are made of. */
import type { Bus } from '@fosp/bus';
import type { Peer } from '@fosp/connection';
import type { ConversationTelemetry } from './conversation.ts';
import type { NotificationRefusal } from './incoming-notifications.ts';
import type { LinkPlans } from './link-limits.ts';
import type { LinkUsersParts } from './link-users.ts';
import type { ObjectExtensions } from './party.ts';
import type { KeyedRate } from './rates.ts';

/** What is told of links, beside what is told of conversations. */
export interface ServerLinkTelemetry extends ConversationTelemetry {
  /** A message of this domain without a proper head or sequence number, a repeated number, a response to nothing. */
  badLinkMessage(domain: string): void;
  /** A link spoke for a user of another domain, and is closed. */
  foreignUser(told: { readonly link: string; readonly domain: string; readonly user: string }): void;
  notificationTaken(): void;
  /** One was dropped; `domain` sent it. */
  notificationRefused(domain: string, reason: NotificationRefusal): void;
  /** Some could not be handed on or acknowledged, and the link is closed, so that they come again. */
  notPublished(domain: string, error: unknown): void;
}

/** What all links of a process share. */
export interface ServerLinkParts extends LinkUsersParts {
  readonly bus: Bus;
  /** Ours, normalised. */
  readonly domains: ReadonlySet<string>;
  readonly plans: LinkPlans;
  readonly telemetry: ServerLinkTelemetry;
  /** By domain, of `ServerLinkLimits.messageRate`. */
  readonly rate: KeyedRate;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Extensions that are in force on a link. */
export interface LinkExtensions extends ObjectExtensions {
  readonly ack: boolean;
  /** Requests say which span they are part of; only where either side was told to believe the other one. */
  readonly trace: boolean;
  readonly retire: boolean;
}

/** One link. */
export interface ServerLinkEnds {
  /** Names it in the log. */
  readonly id: string;
  readonly peer: Peer;
  /** That the other end proved, or that was dialled. */
  readonly domain: string;
  /** Ours that the link was made for. */
  readonly to: string;
  readonly extensions: LinkExtensions;
  /** Judges the body of VERIFY: rejects with `forbidden` where the key is none of ours. Absent where nobody asks so here. */
  readonly verify?: (body: Uint8Array) => Promise<void>;
  /** The other end has all notifications up to this one (`ACK`). Absent where none are sent over this link. */
  readonly acknowledged?: (id: number) => void;
  /**
   * The other end is about to close the link (`RETIRE`): nothing more is to be asked over it. Resolves once all is answered that
   * was. Absent where we ask nothing over it.
   */
  readonly retiring?: () => Promise<void>;
}
