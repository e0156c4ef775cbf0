/**
 * The five services in one process, on the in-process bus, with SQLite and a folder: for one family, for a laptop, and as the
 * server under most tests. Nothing differs from a cluster but the ports that the services are given.
 *
 * Lifecycle: `start` begins with whoever is asked and ends with the gateway, so that the public port opens on a server that
 * can answer. `drain` goes the other way: nothing new comes; then those end whose work calls others; notifications outlive
 * objects, whose last events they tell, and what they tell other domains is kept to the end; the bus goes last. A process
 * that is killed instead loses nothing acknowledged.
 */
import { openAttachments } from '@fosp/attachments';
import type { Transport } from '@fosp/bus';
import { busOver, openBus } from '@fosp/bus/process';
import { federationConfig, openFederation, sqliteQueue } from '@fosp/federation';
import { createGatewayService, gatewayConfig, type ListeningPorts } from '@fosp/gateway';
import { createNotificationsService, notificationsConfig } from '@fosp/notifications';
import { openObjects } from '@fosp/objects';
import { type AdminRoute, Health, type Log, type Metrics, type Tracer } from '@fosp/runtime';
import type { StandaloneSettings } from './config.ts';

export interface ServicesParts {
  readonly settings: StandaloneSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the process, where there is one to be asked for it. */
  readonly health?: Health;
  /** Absent where traces are off. */
  readonly tracer?: Tracer;
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
  transport,
  health = new Health(),
  ...shared
}: ServicesParts): Promise<Services> {
  const { log } = shared;
  const bus =
    transport === undefined
      ? await openBus(settings.bus, { ...shared, health, name: 'fosp-standalone' })
      : busOver(transport, shared);
  const parts = (component: string) => ({ ...shared, bus, health, log: log.child({ component }) });
  const config = federationConfig(settings.federation);
  // Within one process the bus keeps nothing.
  const isKept = settings.bus.natsUrl !== undefined;
  const folder = settings.objects.dataDirectory;
  const queue = isKept ? undefined : sqliteQueue({ bus, folder, config, clock: shared.clock });
  const federation = await openFederation({ ...parts('federation'), config, queue });
  const objects = await openObjects({ ...parts('objects'), settings: settings.objects }).catch(
    async (error: unknown) => {
      await federation.drain();
      throw error;
    },
  );
  const notifications = createNotificationsService({
    ...parts('notifications'),
    ...notificationsConfig(settings.notifications),
    queueLengths: () => federation.queueLengths(),
  });
  const attachments = await openAttachments({ ...parts('attachments'), settings: settings.attachments });
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
      await notifications.drain();
      await federation.close();
      await bus.drain();
    },
    settle: () => objects.settled(),
  };
}
