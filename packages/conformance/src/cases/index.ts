/** All cases: those for one server in the order of PROTOCOL.md, and those that take another domain as well. */
import type { Case } from '../case.ts';
import { attachments } from './attachments.ts';
import { authentication } from './authentication.ts';
import { badMessages } from './bad-messages.ts';
import { conditions } from './conditions.ts';
import { extensions } from './extensions.ts';
import { forwarding } from './federation/forwarding.ts';
import { forwardingExtensions } from './federation/forwarding-extensions.ts';
import { linkNotifications } from './federation/link-notifications.ts';
import { links } from './federation/links.ts';
import { outgoing } from './federation/outgoing.ts';
import { remoteFiles } from './federation/remote-files.ts';
import { remoteNotifications } from './federation/remote-notifications.ts';
import { remoteRights } from './federation/remote-rights.ts';
import { peerLogin, serverLogin } from './federation/server-login.ts';
import { unreachable } from './federation/unreachable.ts';
import { frames } from './frames.ts';
import { grammar } from './grammar.ts';
import { groups } from './groups.ts';
import { headChecks } from './head-checks.ts';
import { limits } from './limits.ts';
import { normalisation } from './normalisation.ts';
import { notificationViews } from './notification-views.ts';
import { notifications } from './notifications.ts';
import { orderOfChecks } from './order-of-checks.ts';
import { pages } from './pages.ts';
import { registration } from './registration.ts';
import { requestsObjects } from './requests-objects.ts';
import { requestsTree } from './requests-tree.ts';
import { requestsUpdate } from './requests-update.ts';
import { resources } from './resources.ts';
import { rights } from './rights.ts';
import { robustness } from './robustness.ts';
import { sequences } from './sequences.ts';
import { shapes } from './shapes.ts';
import { states } from './states.ts';
import { subscriptions } from './subscriptions.ts';
import { transfers } from './transfers.ts';
import { transport } from './transport.ts';

/** Everything that any FOSP server is held to, in the order of PROTOCOL.md. */
export const CASES: readonly Case[] = [
  ...transport,
  ...badMessages,
  ...limits,
  ...frames,
  ...grammar,
  ...sequences,
  ...resources,
  ...normalisation,
  ...states,
  ...authentication,
  ...registration,
  ...requestsObjects,
  ...requestsUpdate,
  ...requestsTree,
  ...orderOfChecks,
  ...headChecks,
  ...shapes,
  ...rights,
  ...groups,
  ...subscriptions,
  ...notifications,
  ...notificationViews,
  ...attachments,
  ...transfers,
  ...unreachable,
  ...serverLogin,
  ...extensions,
  ...conditions,
  ...pages,
  ...robustness,
];

/** What takes the server of another domain beside the one under test, or a domain in whose name a link may be opened (§9). */
export const FEDERATION_CASES: readonly Case[] = [
  ...forwarding,
  ...forwardingExtensions,
  ...remoteRights,
  ...remoteNotifications,
  ...remoteFiles,
  ...peerLogin,
  ...links,
  ...linkNotifications,
  ...outgoing,
];
