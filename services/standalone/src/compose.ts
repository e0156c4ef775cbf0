/**
 * The five services in one process, on the in-process bus, with SQLite and a folder: for one family, for a laptop, and as the
 * server under most tests. Nothing differs from a cluster but the ports that the services are given.
 *
 * Lifecycle: `start` begins with whoever is asked and ends with the gateway, so that the public port opens on a server that
 * can answer. `drain` goes the other way: nothing new comes; then those end whose work calls others; notifications outlive
 * objects, whose last events they tell; the bus goes last. A process that is killed instead loses nothing acknowledged.
 */
import { attachmentsOptions, createAttachmentsService, storeOf } from '@fosp/attachments';
import { Bus, type BusFailure, InProcessTransport, type Transport } from '@fosp/bus';
import { createFederationService } from '@fosp/federation';
import { createGatewayService, gatewayConfig, type ListeningPorts } from '@fosp/gateway';
import { createNotificationsService } from '@fosp/notifications';
import { createObjectsService, objectsConfig, openCaching, openSqliteStore, type Store } from '@fosp/objects';
import type { AdminRoute, Health, Log, Metrics } from '@fosp/runtime';
import type { StandaloneSettings } from './config.ts';
import { unusableFolder } from './data-folder.ts';

/** Limits on failures and registrations are per minute. */
const COUNTER_WINDOW_MS = 60_000;

export interface ServicesParts {
  readonly settings: StandaloneSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the process, where there is one to be asked for it. */
  readonly health?: Health;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Stands between the services: the in-process bus, unless a test makes it worse. */
  readonly transport?: Transport;
}

export interface Services {
  /** Resolves once clients can connect, with where. What it started before it rejected is to be drained. */
  start(): Promise<ListeningPorts>;
  drain(): Promise<void>;
  /** Resolves once every change so far was told to whom it concerns. */
  settle(): Promise<void>;
  readonly adminRoutes: readonly AdminRoute[];
}

/** Rejects with `StartError` where the data folder cannot be used: another process has it, or a newer version wrote it. */
export async function composeServices({
  settings,
  log,
  metrics,
  health,
  clock,
  transport,
}: ServicesParts): Promise<Services> {
  const logFailure = ({ subject, id, error }: BusFailure) => log.error({ subject, id, error }, 'a service failed');
  const bus = new Bus(transport ?? new InProcessTransport({ clock }), { clock, log: logFailure });
  const parts = (component: string) => ({ bus, clock, metrics, log: log.child({ component }) });
  const config = objectsConfig(settings.objects);
  const store = openStore(config.folder, log, clock);
  const { redisUrl, cacheBytes } = config;
  const caching = await openCaching({ redisUrl, cacheBytes, window: COUNTER_WINDOW_MS, log, clock });
  const objects = createObjectsService({
    ...parts('objects'),
    ...(health === undefined ? {} : { health }),
    ...{ domains: config.domains, limits: config.limits, store, cache: caching.cache, counters: caching.counters },
  });
  const notifications = createNotificationsService({ ...parts('notifications'), ...settings.notifications });
  const attachments = createAttachmentsService({
    ...parts('attachments'),
    store: await storeOf(settings.attachments),
    options: attachmentsOptions(settings.attachments),
  });
  const federation = createFederationService(parts('federation'));
  const gateway = createGatewayService({ ...parts('gateway'), config: gatewayConfig(settings.gateway) });

  return {
    adminRoutes: gateway.adminRoutes,
    start: async () => {
      await objects.start();
      await Promise.all([notifications.start(), attachments.start(), federation.start()]);
      return gateway.start();
    },
    drain: async () => {
      await gateway.drain();
      await Promise.all([attachments.drain(), federation.drain()]);
      await objects.drain();
      await caching.close();
      await notifications.drain();
      await bus.drain();
    },
    settle: () => objects.settled(),
  };
}

function openStore(folder: string, log: Log, clock: () => number): Store {
  try {
    return openSqliteStore({ folder, clock, onTrouble: (what, error) => log.error({ error }, what) });
  } catch (error) {
    throw unusableFolder(folder, error);
  }
}
