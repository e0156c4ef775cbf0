/** The bus of a process: what it is set by, how it is opened, and how a service that does its work over it is run. */
import {
  count,
  type Declarations,
  type Health,
  type Log,
  type Metrics,
  REQUIRED,
  runProcess,
  type Service,
  type ServiceParts,
  type Settings,
  StartError,
  secretText,
  type Tracer,
  text,
} from '@fosp/runtime';
import { Bus } from './bus.ts';
import type { BusFailure } from './bus-options.ts';
import { createCallMeters, createServedMeters } from './call-meters.ts';
import { QUEUE_DAYS } from './deployment.ts';
import { InProcessTransport } from './in-process.ts';
import type { Transport } from './transport.ts';

const NATS_URL = [
  'FOSP_NATS_URL',
  'NATS, by which services reach each other, nats://user:password@host:port; several servers, separated by commas',
] as const;

/** For a process that has all services, and needs no NATS to reach them. */
export const BUS_VARIABLES = {
  natsUrl: secretText(NATS_URL[0], undefined, NATS_URL[1]),
  natsPrefix: text('FOSP_NATS_PREFIX', '', 'what subjects and streams begin with, where deployments share a NATS'),
  natsReplicas: count('FOSP_NATS_REPLICAS', 1, 'servers that keep each stream: 1, 3 or 5', { min: 1, max: 5 }),
  queueDays: QUEUE_DAYS,
} as const;

/** For a process that has one service. */
export const NATS_VARIABLES = { ...BUS_VARIABLES, natsUrl: secretText(NATS_URL[0], REQUIRED, NATS_URL[1]) } as const;

export interface BusParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Unready while NATS cannot be reached. */
  readonly health: Pick<Health, 'watch'>;
  /** Shown by the monitoring of NATS. */
  readonly name: string;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
}

/** Over NATS where its URL is set, within this process where not. Rejects with `StartError` where NATS is not to be had. */
export async function openBus(settings: Settings<typeof BUS_VARIABLES>, parts: BusParts): Promise<Bus> {
  const { log, clock, health, metrics, name } = parts;
  const { natsUrl, natsPrefix: prefix, natsReplicas: replicas, queueDays } = settings;
  if (natsUrl === undefined) {
    return busOver(new InProcessTransport({ clock }), parts);
  }
  // Its client takes its time to load, which a process without NATS need not wait for.
  const { addNatsLevels, connectNats, createNatsTelemetry } = await import('./nats/index.ts');
  const telemetry = createNatsTelemetry(metrics);
  const warn = (text: string) => log.warn(text);
  const options = { url: natsUrl.reveal(), prefix, replicas, name, clock, telemetry, warn, federationDays: queueDays };
  const transport = await connectNats(options).catch((error: unknown) => {
    throw new StartError(`FOSP_NATS_URL: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  });
  addNatsLevels(metrics, transport);
  health.watch(() => (transport.isUp ? undefined : 'NATS cannot be reached'));
  return busOver(transport, parts);
}

/** A bus that logs what its handlers throw, and counts calls. */
export function busOver(transport: Transport, parts: Pick<BusParts, 'log' | 'metrics' | 'clock' | 'tracer'>): Bus {
  const { log, clock, metrics, tracer } = parts;
  const isOneProcess = transport instanceof InProcessTransport;
  const meters = isOneProcess ? createServedMeters(metrics) : createCallMeters(metrics);
  const logFailure = ({ subject, id, error }: BusFailure) =>
    log.error({ subject, requestId: id, error }, 'a service failed');
  return new Bus(transport, { clock, log: logFailure, meters, tracer });
}

export interface BusServiceParts<Declared extends Declarations> extends ServiceParts<Declared> {
  readonly bus: Bus;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface BusProcess<Declared extends Declarations> {
  readonly variables: Declared;
  readonly create: (parts: BusServiceParts<Declared>) => Service | Promise<Service>;
}

/** Runs one service of several, on a bus of its own that ends after it. */
export async function runOnBus<const Declared extends Declarations>(
  name: string,
  { variables, create }: BusProcess<Declared>,
): Promise<void> {
  await runProcess(name, {
    variables: { nats: NATS_VARIABLES, service: variables },
    create: async ({ settings, ...parts }) => {
      const clock = Date.now;
      const bus = await openBus(settings.nats, { ...parts, clock, name: `fosp-${name}` });
      // The compiler cannot see through a group whose declarations are yet to be known.
      const own = settings.service as Settings<Declared>;
      const service = await create({ ...parts, settings: own, bus, clock });
      return {
        ...service,
        start: () => service.start(),
        drain: async () => {
          await service.drain();
          await bus.drain();
        },
      };
    },
  });
}
