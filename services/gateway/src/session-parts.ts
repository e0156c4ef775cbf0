import type { BodyPlan } from '@fosp/connection';
import type { ConversationParts, Requests, ServerLink, ServerLinkEnds } from '@fosp/exchange';
import type { GatewayConfig } from './config.ts';
import type { Entrance } from './entrance.ts';
import type { Users } from './notify.ts';
import type { ServerLinks } from './server-links.ts';
import type { Sessions } from './sessions.ts';
import type { GatewayTelemetry } from './telemetry.ts';

/** What all sessions share. */
export interface SessionParts extends ConversationParts {
  readonly limits: GatewayConfig['limits'];
  readonly telemetry: GatewayTelemetry;
  readonly config: GatewayConfig;
  readonly plans: BodyPlans;
  readonly entrance: Entrance;
  readonly requests: Requests;
  readonly users: Users;
  readonly links: ServerLinks;
  readonly sessions: Sessions;
  readonly newLink: (ends: ServerLinkEnds & { readonly address: string }) => ServerLink;
}

/** How bodies are taken in. Made once. */
export interface BodyPlans {
  readonly login: BodyPlan;
  readonly object: BodyPlan;
  readonly file: BodyPlan;
  readonly none: BodyPlan;
}
