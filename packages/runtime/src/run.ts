/**
 * The life of a process: read the environment, start, be ready, and on SIGTERM or SIGINT turn unready, drain, exit 0.
 *
 * Invariants: it exits 1 with the reason on standard error where it cannot start; it never outlives the drain time once
 * asked to stop; a second signal, or one before it was ready, ends it at once (all state is safe against that). An error
 * that nobody caught is logged, and ends it in the same way as a signal, with 1.
 */
import { type AdminRoute, type AdminServer, startAdmin } from './admin.ts';
import {
  type Declarations,
  type Environment,
  EnvironmentError,
  processEnvironment,
  readEnvironment,
  type Settings,
  unknownVariables,
} from './env.ts';
import { Health } from './health.ts';
import { createLog, type Log } from './log.ts';
import { Metrics } from './metrics.ts';
import { PROCESS_VARIABLES, VARIABLE_PREFIX } from './process-variables.ts';
import type { Secret } from './secret.ts';
import { StartError } from './start-error.ts';
import { openTracer } from './tracing/settings.ts';
import type { Tracer } from './tracing/span.ts';

export interface Service {
  /** Resolves once it can do its work. Where it rejects the process ends; a `StartError` is shown without a stack. */
  start(): Promise<void>;
  /** Takes nothing new, ends what is in flight. Called once, after `start` resolved. */
  drain(): Promise<void>;
  /** On the internal port, behind the bearer token. */
  readonly adminRoutes?: readonly AdminRoute[];
  /** Of the internal port; asked for where `FOSP_ADMIN_TOKEN` sets none. */
  readonly adminToken?: () => Promise<Secret<string>>;
}

export interface ServiceParts<Declared extends Declarations> {
  readonly settings: Settings<Declared>;
  /** Address to listen on. */
  readonly host: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Absent where traces are off. */
  readonly tracer?: Tracer;
}

export interface ProcessOptions<Declared extends Declarations> {
  readonly variables: Declared;
  /** Names of variables for other processes that may share this one's environment. */
  readonly alsoKnown?: readonly string[];
  readonly create: (parts: ServiceParts<Declared>) => Service | Promise<Service>;
}

/** Runs one service as this process, until it ends. `name` is that of the process in its log. */
export async function runProcess<const Declared extends Declarations>(
  name: string,
  options: ProcessOptions<Declared>,
): Promise<void> {
  try {
    await start(name, processEnvironment(), options);
  } catch (error) {
    process.stderr.write(`${name} cannot start: ${reasonOf(error)}\n`);
    process.exit(1);
  }
}

async function start<const Declared extends Declarations>(
  name: string,
  environment: Environment,
  { variables, alsoKnown = [], create }: ProcessOptions<Declared>,
): Promise<void> {
  const declared = { process: PROCESS_VARIABLES, service: variables };
  const settings = readEnvironment(environment, declared);
  // The compiler cannot see through a group whose declarations are yet to be known.
  const serviceSettings = settings.service as Settings<Declared>;
  const { host, adminHost, adminPort, logLevel, drainSeconds } = settings.process;
  const log = await createLog({ name, level: logLevel });
  for (const warning of unknownVariables(environment, declared, { prefix: VARIABLE_PREFIX, alsoKnown })) {
    log.warn(warning);
  }
  const health = new Health();
  const metrics = new Metrics();
  metrics.addProcessMetrics(health);
  const ending = new Ending({ log, health, drainSeconds });
  const tracer = await openTracer(settings.process.tracing, { name, log, metrics });
  const traced = tracer === undefined ? {} : { tracer };
  const service = await create({ settings: serviceSettings, host, log, metrics, health, ...traced });
  const token = settings.process.adminToken ?? (await service.adminToken?.());
  // The service first, so that its port opens while the admin server is still being loaded.
  const started = service.start();
  const [admin] = await Promise.all([
    startAdmin({ host: adminHost, port: adminPort, token, health, metrics, log, routes: service.adminRoutes ?? [] }),
    started,
  ]);
  ending.started({ service, admin, tracer });
  health.started();
  log.info({ adminPort: admin.port, milliseconds: Math.round(performance.now()) }, 'ready');
}

/** What there is to end, in this order. */
interface Running {
  readonly service: Service;
  readonly admin: AdminServer;
  readonly tracer: Tracer | undefined;
}

interface EndingOptions {
  readonly log: Log;
  readonly health: Health;
  readonly drainSeconds: number;
}

/** Waits for what ends the process, from its construction on. */
class Ending {
  readonly #options: EndingOptions;
  #running: Running | undefined;
  #exitCode: number | undefined;

  constructor(options: EndingOptions) {
    this.#options = options;
    process.on('SIGTERM', (signal) => this.#onSignal(signal));
    process.on('SIGINT', (signal) => this.#onSignal(signal));
    // Of promises too: Node raises here what nobody handles.
    process.on('uncaughtException', (error, origin) => this.#onUncaught(error, origin));
  }

  started(running: Running): void {
    this.#running = running;
  }

  #onSignal(signal: string): void {
    if (this.#exitCode !== undefined) {
      this.#options.log.warn({ signal }, 'asked again: ending at once');
      process.exit(1);
    }
    void this.#end(0, signal);
  }

  #onUncaught(error: unknown, origin: string): void {
    this.#options.log.fatal({ error, origin }, 'an error that nobody caught');
    if (this.#exitCode === undefined) {
      void this.#end(1, origin);
    } else {
      this.#exitCode = 1;
    }
  }

  async #end(exitCode: number, reason: string): Promise<void> {
    const { log, health, drainSeconds } = this.#options;
    this.#exitCode = exitCode;
    if (this.#running === undefined) {
      log.info({ reason }, 'ending before it was ready');
      process.exit(exitCode);
    }
    health.draining();
    log.info({ reason }, 'draining');
    setTimeout(() => {
      log.error({ drainSeconds }, 'not drained in time: ending at once');
      process.exit(1);
    }, drainSeconds * 1000);
    try {
      await this.#running.service.drain();
      await this.#running.admin.close();
      await this.#running.tracer?.close();
      log.info('drained');
    } catch (error) {
      log.error({ error }, 'could not drain');
      this.#exitCode = 1;
    }
    process.exit(this.#exitCode);
  }
}

/** One line for what whoever runs this can mend, the stack for what only a programmer can. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const expected = error instanceof StartError || error instanceof EnvironmentError || 'syscall' in error;
  return expected ? error.message : (error.stack ?? error.message);
}
